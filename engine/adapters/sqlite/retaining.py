"""What is older than it has to be kept is removed: whole runs, in small transactions.

Never removed: a run that is open, holds something, has locks, messages to be sent, mail
or a start that waits, or a timeline that is not as it was written (it is evidence).
Each removed run leaves a row and an entry (removals). A kill at any instant leaves
every timeline whole or gone.

Rule: one transaction removes runs for `BUDGET_SECONDS`, at least one; then it is the
others' turn for twice as long. All is judged again inside the transaction.

Called by: store, which offers it as `retention`.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import apsw
import msgspec

from engine.adapters.sqlite import auditing, old_alerts, queries, removals
from engine.adapters.sqlite.appending import Batch
from engine.adapters.sqlite.reader import Readers
from engine.adapters.sqlite.removals import Gone
from engine.adapters.sqlite.writer import Writer

BUDGET_SECONDS: Final = 0.004
PAUSE_SECONDS: Final = 0.01  # at least, after each look and each transaction
PAGE: Final = 25  # runs, or rows about alerts, that are looked at together
_OLD: Final = (
    "SELECT updated_at, run FROM runs WHERE open = 0 AND updated_at < ?"
    " AND (updated_at, run) > (?, ?) ORDER BY updated_at, run LIMIT ?"
)
_RUN: Final = (
    "SELECT runbook, updated_at, summary, head_seq, head_hash FROM runs"
    " WHERE run = ? AND open = 0 AND updated_at < ?"
)
_NEEDED: Final = (
    "SELECT 1 FROM locks WHERE run = ?",
    "SELECT 1 FROM outbox WHERE run = ? AND sent IS NULL",
    "SELECT 1 FROM mail WHERE run = ? AND delivered = 0",
    "SELECT 1 FROM decisions WHERE run = ? AND run <> '' AND carried = 0",
)
_FORGET: Final = tuple(
    f"DELETE FROM {table} WHERE run = ?"  # noqa: S608 - names of our own
    for table in ("entries", "runs", "outbox", "mail", "secrets", "run_owners", "chat")
)


class Retained(msgspec.Struct, frozen=True):
    """What was removed, or would be."""

    runs: int = 0
    entries: int = 0
    kept: int = 0  # old enough, and needed all the same
    changed: tuple[str, ...] = ()  # runs whose timeline is not as it was written
    deliveries: int = 0
    decisions: int = 0


class SqliteRetention:
    """The ages of one journal."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer, self._readers = writer, readers

    async def runs(
        self, before: float, *, why: str = "", dry: bool = False
    ) -> Retained:
        """Remove the runs that ended before then (epoch seconds); say what happened.

        Args:
            why: The rule, for the engine's own timeline.
            dry: Only count.

        Raises:
            StoreUnavailable: what was removed until then stays removed.
        """
        done, after = Retained(), (float("-inf"), "")
        while True:
            began = time.monotonic()
            page = await self._readers.ask(partial(_old, before=before, after=after))
            if not page:
                return done
            await _others_turn(began)
            after = page[-1][0]
            changed = tuple(run for (_, run), whole, _ in page if not whole)
            fit = [run for (_, run), whole, free in page if whole and free]
            kept = len(page) - len(fit) - len(changed)
            if dry:
                many = await self._readers.ask(partial(_entries, runs=fit))
                gone = (len(fit), many)
            else:
                gone = await self._remove(fit, before, why)
            done = Retained(
                done.runs + gone[0], done.entries + gone[1],
                done.kept + kept, done.changed + changed,
            )  # fmt: skip

    async def _remove(
        self, runs: Sequence[str], before: float, why: str
    ) -> tuple[int, int]:
        """Remove these, in as many transactions as it takes."""
        left, many, entries = list(runs), 0, 0
        while left:
            began = time.monotonic()
            looked, gone = await self._writer.do(
                partial(_remove_some, runs=left, before=before, why=why)
            )
            del left[:looked]
            many += len(gone)
            entries += sum(one.entries for one in gone)
            await _others_turn(began)
        return many, entries

    async def alerts(self, before: float, *, dry: bool = False) -> Retained:
        """Remove decisions and deliveries from before then that nothing needs.

        Raises:
            StoreUnavailable: what was removed until then stays removed.
        """
        old = await self._readers.ask(lambda c: old_alerts.decisions(c, before))
        if dry:
            bodies = await self._readers.ask(
                lambda c: old_alerts.deliveries(c, before, without=set(old))
            )
            return Retained(decisions=len(old), deliveries=len(bodies))
        await self._forget("decisions", old)
        done = 0
        while bodies := await self._readers.ask(
            lambda c: old_alerts.deliveries(c, before)
        ):  # those that had the body of others come after these
            await self._forget("deliveries", bodies)
            done += len(bodies)
        return Retained(decisions=len(old), deliveries=done)

    async def _forget(self, table: str, numbers: Sequence[int]) -> None:
        for first in range(0, len(numbers), PAGE):
            rows = [(number,) for number in numbers[first : first + PAGE]]
            began = time.monotonic()
            await self._writer.do(partial(_forget, table=table, rows=rows))
            await _others_turn(began)


async def _others_turn(began: float) -> None:
    await asyncio.sleep(max(PAUSE_SECONDS, 2 * (time.monotonic() - began)))


_Old = tuple[tuple[float, str], bool, bool]  # its place; is it whole; is it not needed


def _old(
    connection: apsw.Connection, before: float, after: tuple[float, str]
) -> list[_Old]:
    found: list[Any] = connection.execute(_OLD, (before, *after, PAGE)).fetchall()
    return [
        (
            (float(at), str(run)),
            not auditing.verify(connection, run),
            not _needed(connection, run),
        )
        for at, run in found
    ]


def _needed(connection: apsw.Connection, run: str) -> bool:
    summary = queries.summary(connection, run)
    if summary is None or summary.held or summary.ended_at is None:
        return True
    return any(queries.one(connection, query, run) for query in _NEEDED)


def _entries(connection: apsw.Connection, runs: Sequence[str]) -> int:
    query = "SELECT head_seq FROM runs WHERE run = ?"
    return sum(int(queries.one(connection, query, run)) for run in runs)


def _remove_some(
    batch: Batch, runs: Sequence[str], before: float, why: str
) -> tuple[int, list[Gone]]:
    """Return how many were looked at in the time there is, and which were removed."""
    ends = time.monotonic() + BUDGET_SECONDS
    looked, gone = 0, []
    for run in runs:
        looked += 1
        one = None if batch.writes(run) else _removed(batch.connection, run, before)
        if one is not None:
            gone.append(one)
        if time.monotonic() >= ends:
            break
    if gone:
        removals.tell(batch.connection, gone, why)
    return looked, gone


def _removed(connection: apsw.Connection, run: str, before: float) -> Gone | None:
    row: Any = connection.execute(_RUN, (run, before)).fetchone()
    if row is None or _needed(connection, run):
        return None
    runbook, updated_at, _, entries, head = row
    gone = Gone(run, runbook, head, entries, updated_at, time.time())
    removals.note(connection, gone)
    for query in _FORGET:
        connection.execute(query, (run,))
    return gone


def _forget(batch: Batch, table: str, rows: Sequence[tuple[int]]) -> None:
    old_alerts.forget(batch.connection, table, rows)
