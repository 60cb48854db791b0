"""Which decisions and deliveries are old and needed by nothing.

The intake makes its book of the decisions that move it (model.decision). Decisions that
share an alert, a group or a run belong together: they go together, once all of them are
old, none waits, and none of their runs is open. Those that move nothing go by age.
A delivery goes after its decisions, and after later ones that share its body.

Called by: retaining; `forget` inside the writer's transaction.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import apsw
import msgspec

from engine.model.decision import IDLE, WAITING, Decision

_decision: Final = msgspec.json.Decoder(Decision).decode
MOST: Final = 10_000  # deliveries at once
DONE: Final = frozenset({"started", "attached", "withdrawn", "declined"})
STILL: Final = "skipped"  # moves the book although it is idle
_ALL: Final = "SELECT id, at, carried, body FROM decisions ORDER BY id"
_OPEN: Final = "SELECT run FROM runs WHERE open = 1"
_LAST: Final = "SELECT coalesce(max(id), 0) FROM decisions"
_DELIVERIES: Final = (
    "SELECT id FROM deliveries WHERE id > ? AND at < ? AND decided = 1"
    " AND NOT EXISTS (SELECT 1 FROM deliveries AS later"
    "  WHERE later.same_as = deliveries.id AND later.same_as IS NOT NULL)"
    " ORDER BY id LIMIT ?"
)
_ABOUT: Final = "SELECT id FROM decisions WHERE delivery = ?"
_FORGET: Final = {
    "decisions": "DELETE FROM decisions WHERE id = ? AND carried = 1",
    "deliveries": (
        "DELETE FROM deliveries WHERE id = ?1 AND decided = 1"
        " AND NOT EXISTS (SELECT 1 FROM decisions WHERE delivery = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM deliveries AS later"
        "  WHERE later.same_as = ?1 AND later.same_as IS NOT NULL)"
    ),
}
Key = tuple[str, ...]


class _Families:
    """Which keys belong together, and which of those families are needed."""

    def __init__(self) -> None:
        self._up: dict[Key, Key] = {}
        self._needed: set[Key] = set()

    def root(self, key: Key) -> Key:
        """Return the one that stands for all that belong to this."""
        path = []
        while (up := self._up.get(key, key)) != key:
            path.append(key)
            key = up
        for one in path:
            self._up[one] = key
        return key

    def join(self, keys: Sequence[Key]) -> None:
        """Make these one family."""
        first = self.root(keys[0])
        for key in keys:
            self._up[self.root(key)] = first

    def need(self, key: Key) -> None:
        """Keep all that belong to this."""
        self._needed.add(key)

    def needed(self) -> set[Key]:
        """Return the roots of what is kept."""
        return {self.root(key) for key in self._needed}


def decisions(connection: apsw.Connection, before: float) -> list[int]:
    """Return the numbers of those that may go; the last of all always stays."""
    families, old, idle = _Families(), [], []
    waiting: set[Key] = set()
    last = int(connection.execute(_LAST).get)
    for number, at, carried, body in connection.execute(_ALL):
        one = _decision(body)
        young = at >= before or not carried or number == last
        if one.outcome in IDLE and one.outcome != STILL:
            if not young:
                idle.append(int(number))
            continue
        keys = list(_keys(one))
        if keys:
            families.join(keys)
            _wait(waiting, one)
            if young or one.source == "schedule":  # its last time is counted from
                families.need(keys[0])
            if not young:
                old.append((int(number), keys[0]))
        elif not young:
            idle.append(int(number))
    for key in waiting | {("run", str(run)) for (run,) in connection.execute(_OPEN)}:
        families.need(key)
    needed = families.needed()
    return sorted([*idle, *(n for n, key in old if families.root(key) not in needed)])


def _wait(waiting: set[Key], one: Decision) -> None:
    """Keep count of the groups that wait, as the intake's book does."""
    group = ("group", one.runbook, one.group)
    if one.outcome in WAITING:
        waiting.add(group)
    elif one.outcome in DONE:
        waiting.discard(group)


def _keys(one: Decision) -> Iterator[Key]:
    if one.fingerprint:
        yield ("alert", one.source, one.fingerprint)
    if one.run:
        yield ("run", one.run)
    if one.runbook:
        yield ("group", one.runbook, one.group)


def deliveries(
    connection: apsw.Connection, before: float, *, without: set[int] | None = None
) -> list[int]:
    """Return some that may go, or all that may once these decisions are gone."""
    found: list[int] = []
    gone, after = without or set(), 0
    while page := _page(connection, after, before):
        after = page[-1]
        found += (number for number in page if _alone(connection, number, gone))
        if found and without is None:
            break
    return found


def _alone(connection: apsw.Connection, number: int, gone: set[int]) -> bool:
    """Whether nothing that stays was decided about the delivery."""
    return all(one in gone for (one,) in connection.execute(_ABOUT, (number,)))


def _page(connection: apsw.Connection, after: int, before: float) -> list[int]:
    rows: Iterator[Any] = connection.execute(_DELIVERIES, (after, before, MOST))
    return [int(number) for (number,) in rows]


def forget(connection: apsw.Connection, table: str, rows: Sequence[tuple[int]]) -> None:
    """Remove these, unless something needs them by now."""
    connection.executemany(_FORGET[table], rows)
