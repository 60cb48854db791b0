"""Deliveries of alerts and decisions about them: ports.AlertStore over one journal.

The same bytes of a source are kept once: a storm of repeats costs a short row each.
`kept` and `decided` run inside the writer's transaction, the rest in a reader's thread.

Called by: store, which offers them as `alerts`.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import apsw
import msgspec

from engine.adapters.sqlite.reader import Readers
from engine.adapters.sqlite.writer import Writer
from engine.errors import StoreDamaged
from engine.model.alert import Delivery, Receipt
from engine.model.decision import Decision

TO_DO: Final = frozenset({"started", "attached", "resolved_run", "flapping"})
_encode: Final = msgspec.json.Encoder().encode
_delivery: Final = msgspec.json.Decoder(Delivery).decode
_decision: Final = msgspec.json.Decoder(Decision).decode
_FIRST: Final = "SELECT id FROM deliveries WHERE digest = ? AND same_as IS NULL LIMIT 1"
_KEEP: Final = (
    "INSERT INTO deliveries (at, source, digest, same_as, body, alerts)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_WAITING: Final = (
    "SELECT one.id, one.at, coalesce(one.body, first.body) FROM deliveries AS one"
    " LEFT JOIN deliveries AS first ON first.id = one.same_as"
    " WHERE one.decided = 0 ORDER BY one.id LIMIT ?"
)
_ONE: Final = (
    "SELECT coalesce(one.body, first.body) FROM deliveries AS one"
    " LEFT JOIN deliveries AS first ON first.id = one.same_as WHERE one.id = ?"
)
_DECIDED: Final = "UPDATE deliveries SET decided = 1 WHERE id = ?"
_DECISION: Final = (
    "INSERT INTO decisions"
    " (at, outcome, fingerprint, alertname, run, delivery, body, carried)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_CARRIED: Final = "UPDATE decisions SET carried = 1 WHERE id = ?"
_LEFT: Final = "SELECT id, body FROM decisions WHERE carried = 0 ORDER BY id"
_ABOUT: Final = (
    "SELECT body FROM (SELECT id, body FROM ("
    "SELECT id, outcome, body FROM decisions WHERE fingerprint = ?1"
    " UNION SELECT id, outcome, body FROM decisions WHERE alertname = ?1"
    " UNION SELECT id, outcome, body FROM decisions WHERE run = ?1 AND run <> ''"
    " UNION SELECT id, outcome, body FROM decisions WHERE delivery = ?2"
    ") WHERE ?3 = '' OR outcome = ?3 ORDER BY id DESC LIMIT ?4) ORDER BY id"
)
_SINCE: Final = (
    "SELECT body FROM (SELECT id, body FROM decisions"
    " WHERE at >= ?1 AND (?2 = '' OR outcome = ?2)"
    " ORDER BY id DESC LIMIT ?3) ORDER BY id"
)
_UNMATCHED: Final = (
    "SELECT body FROM (SELECT id, body FROM decisions WHERE outcome = 'no_runbook'"
    " AND at >= ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id"
)


class SqliteAlerts:
    """The alerts of one journal."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer, self._readers = writer, readers

    async def keep(self, delivery: Delivery, raw: bytes, *, at: float) -> Receipt:
        """Store a delivery. Raises StoreUnavailable: nothing was stored."""
        digest = hashlib.sha256(delivery.source.encode() + b"\0" + raw).digest()
        body = _encode(delivery)
        return await self._writer.do(
            lambda batch: _kept(batch.connection, delivery, digest, body, at)
        )

    async def undecided(self, *, limit: int = 100) -> list[tuple[int, float, Delivery]]:
        """Return what waits for decisions, in order."""
        return await self._readers.ask(lambda c: _waiting(c, limit))

    async def decide(
        self, deliveries: Sequence[int], decisions: Sequence[Decision]
    ) -> list[int]:
        """Store decisions, mark their deliveries; return the decisions' numbers."""
        rows = [_row(one) for one in decisions]
        return await self._writer.do(
            lambda batch: _decided(batch.connection, deliveries, rows)
        )

    async def to_carry_out(self) -> list[tuple[int, Decision]]:
        """Return the decisions that are not known to be carried out, in order."""
        return await self._readers.ask(
            lambda c: [(int(n), _decision(body)) for n, body in c.execute(_LEFT)]
        )

    async def carried_out(self, numbers: Sequence[int]) -> None:
        """Mark what was decided as done."""
        rows = [(number,) for number in numbers]
        if rows:
            await self._writer.do(
                lambda batch: batch.connection.executemany(_CARRIED, rows) and None
            )

    async def decisions(
        self,
        *,
        about: str = "",
        outcome: str = "",
        since: float = 0.0,
        limit: int = 1000,
    ) -> list[Decision]:
        """Return decisions, oldest first; the newest `limit` that fit."""
        query: str = _SINCE
        values: tuple[Any, ...] = (since, outcome, limit)
        if about:
            query, values = _ABOUT, (about, _number(about), outcome, limit)
        elif outcome == "no_runbook":
            query, values = _UNMATCHED, (since, limit)
        return await self._readers.ask(
            lambda c: [_decision(row[0]) for row in c.execute(query, values)]
        )

    async def alert(self, delivery: int, position: int) -> Delivery | None:
        """Return a delivery with the one alert at a position, or None."""
        body = await self._readers.ask(
            lambda c: c.execute(_ONE, (delivery,)).fetchone()
        )
        found = None if body is None or body[0] is None else _delivery(body[0])
        if found is None or not 1 <= position <= len(found.alerts):
            return None
        return msgspec.structs.replace(found, alerts=(found.alerts[position - 1],))


def _number(about: str) -> int:
    return int(about) if about.isdigit() and len(about) < 16 else -1


def _kept(
    connection: apsw.Connection,
    delivery: Delivery,
    digest: bytes,
    body: bytes,
    at: float,
) -> Receipt:
    first = connection.execute(_FIRST, (digest,)).fetchone()
    same = None if first is None else int(first[0])
    count = len(delivery.alerts)
    row = (at, delivery.source, digest, same, None if same else body, count)
    connection.execute(_KEEP, row)
    return Receipt(connection.last_insert_rowid(), count, same is not None)


def _waiting(
    connection: apsw.Connection, limit: int
) -> list[tuple[int, float, Delivery]]:
    found = []
    for number, at, body in connection.execute(_WAITING, (limit,)):
        try:
            found.append((int(number), float(at), _delivery(body)))
        except msgspec.MsgspecError as error:
            raise StoreDamaged(f"delivery {number} cannot be read: {error}") from error
    return found


def _row(one: Decision) -> tuple[Any, ...]:
    return (
        one.at, one.outcome, one.fingerprint, one.alertname, one.run, one.delivery,
        _encode(one), 0 if one.outcome in TO_DO else 1,
    )  # fmt: skip


def _decided(
    connection: apsw.Connection,
    deliveries: Sequence[int],
    rows: Sequence[tuple[Any, ...]],
) -> list[int]:
    numbers = []
    for row in rows:
        connection.execute(_DECISION, row)
        numbers.append(connection.last_insert_rowid())
    for number in deliveries:
        connection.execute(_DECIDED, (number,))
    return numbers
