"""One group of appends inside one transaction: checked, sealed, then written at once.

An append is judged completely before any of its rows is staged, so a conflict or an
entry that cannot be kept costs the others in the group nothing.

Rule: heads learned here are only remembered after COMMIT (`Batch.committed`).
Knows nothing of threads. Called by: writer.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Any, Final

import apsw
import msgspec

from engine.adapters.sqlite.owning import Owner
from engine.errors import StoreConflict
from engine.model.effects import Page, Say
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import GENESIS, Entry, sealed_bytes

Head = tuple[int, str]  # the last seq of a run, and its hash

encode_body: Final = msgspec.json.Encoder(order="deterministic").encode

_ENTRIES: Final = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)"
_OUTBOX: Final = "INSERT INTO outbox (run, body, created) VALUES (?, ?, ?)"
_RUNS: Final = """
INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run) DO UPDATE SET
  runbook = excluded.runbook, state = excluded.state, open = excluded.open,
  started_at = excluded.started_at, updated_at = excluded.updated_at,
  summary = excluded.summary, summary_hash = excluded.summary_hash,
  head_seq = excluded.head_seq, head_hash = excluded.head_hash
"""


def summary_seal(summary: bytes, head_hash: str) -> str:
    """Return the hash that ties a summary to the end of its timeline."""
    return hashlib.sha256(head_hash.encode() + summary).hexdigest()


class Batch:
    """What one transaction will write. Used by the writer's thread alone."""

    def __init__(
        self, connection: apsw.Connection, heads: dict[str, Head], owner: Owner
    ) -> None:
        self.connection = connection
        self.owner = owner
        self.then_checkpoint = False  # something secret was deleted
        self._heads = heads
        self._new_heads: dict[str, Head] = {}
        self._entries: list[tuple[Any, ...]] = []
        self._runs: dict[str, tuple[RunSummary, bytes]] = {}
        self._outbox: list[tuple[Any, ...]] = []

    def append(
        self,
        entries: Sequence[Entry],
        summary: RunSummary,
        outbox: Sequence[Say | Page],
    ) -> list[Entry]:
        """Stage the entries of one run; return them sealed.

        Raises:
            LeaseLost: the run is not ours to write.
            StoreConflict: `seq` does not follow.
            ValueError: an entry, the summary or a message cannot be kept.
        """
        run = summary.run
        self.owner.refuse_lost(self.connection, run)
        head = self._head(run)
        sealed, rows, new_head = _seal_all(run, entries, head)
        body = _encoded(run, summary)
        now = time.time()
        posts = [(run, _encoded(run, message), now) for message in outbox]
        own = self.owner.end if summary.state in ENDS else self.owner.keep
        own(self.connection, run)
        self._entries += rows
        self._outbox += posts
        self._runs[run] = (summary, body)
        self._new_heads[run] = new_head
        return sealed

    def writes(self, run: str) -> bool:
        """Return whether something of the run is staged."""
        return run in self._runs

    def flush(self) -> None:
        """Write what was staged."""
        run = self.connection.executemany
        if self._entries:
            run(_ENTRIES, self._entries)
        if self._runs:
            run(_RUNS, [self._row(*kept) for kept in self._runs.values()])
        if self._outbox:
            run(_OUTBOX, self._outbox)

    def committed(self) -> None:
        """Remember the heads of the runs that go on."""
        for run, (summary, _) in self._runs.items():
            if summary.state in ENDS:
                self._heads.pop(run, None)
            else:
                self._heads[run] = self._new_heads[run]

    def _head(self, run: str) -> Head:
        head = self._new_heads.get(run) or self._heads.get(run)
        if head is None:
            query = "SELECT head_seq, head_hash FROM runs WHERE run = ?"
            row = self.connection.execute(query, (run,)).fetchone()
            head = (int(row[0]), str(row[1])) if row else (0, GENESIS)
        return head

    def _row(self, summary: RunSummary, body: bytes) -> tuple[Any, ...]:
        seq, digest = self._new_heads[summary.run]
        return (
            summary.run,
            summary.runbook,
            summary.state,
            summary.state not in ENDS,
            summary.started_at,
            summary.updated_at,
            body,
            summary_seal(body, digest),
            seq,
            digest,
        )


def _seal_all(
    run: str, entries: Sequence[Entry], head: Head
) -> tuple[list[Entry], list[tuple[Any, ...]], Head]:
    seq, digest = head
    sealed, rows = [], []
    for entry in entries:
        if entry.seq != seq + 1 or entry.run != run:
            raise _conflict(run, entry, seq)
        closed, raw = sealed_bytes(entry, digest)
        seq, digest = closed.seq, closed.hash
        sealed.append(closed)
        rows.append((run, seq, closed.at, closed.kind, raw, digest))
    return sealed, rows, (seq, digest)


def _encoded(run: str, what: RunSummary | Say | Page) -> bytes:
    try:
        return encode_body(what)
    except (msgspec.MsgspecError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"run {run}: its {type(what).__name__.lower()} cannot be kept: {error}"
        ) from error


def _conflict(run: str, entry: Entry, last: int) -> StoreConflict:
    if entry.run != run:
        return StoreConflict(
            f"run {run}: an entry of run {entry.run} does not belong here. "
            "Nothing was stored."
        )
    return StoreConflict(
        f"run {run}: entry {entry.seq} does not follow entry {last}, the last one that "
        "is stored. Nothing was stored. Another engine may be writing to the same "
        "journal: stop one of the two."
    )
