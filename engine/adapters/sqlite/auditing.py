"""Is the journal what was written? The chain over what is stored, and its numbers.

Found: a changed field, column or summary, a missing or moved entry, a cut-off end, an
entry without its run; the same in the engine's own timeline, and a removal for age that
it does not tell. Not found: a run removed with everything that speaks of it, and a
forger who computes every later hash anew; against those, keep exports elsewhere.

Called by: store, in a reader's thread.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from engine.adapters.sqlite import queries, removals
from engine.adapters.sqlite.appending import Head, summary_seal
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import (
    GENESIS,
    ChainFault,
    Entry,
    chain_faults,
    decode_entry,
    encode_entry,
)

_ROWS: Final = (
    "SELECT seq, at, kind, body, hash FROM entries WHERE run = ? ORDER BY seq"
)
_RUN: Final = (
    "SELECT run, runbook, state, open, started_at, updated_at, summary, summary_hash,"
    " head_seq, head_hash FROM runs WHERE run = ?"
)
_EVERY_RUN: Final = "SELECT run FROM runs UNION SELECT run FROM entries ORDER BY run"
_COUNTS: Final = (
    "SELECT count(*) FROM runs",
    "SELECT count(*) FROM runs WHERE open = 1",
    "SELECT count(*) FROM entries",
    "SELECT count(*) FROM outbox WHERE sent IS NULL",
)
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, TypeError)


@dataclass(frozen=True, slots=True)
class Stats:
    """How big the journal is."""

    file_bytes: int
    wal_bytes: int
    runs: int
    open_runs: int
    entries: int
    unsent: int


def stats(connection: apsw.Connection, path: Path) -> Stats:
    """Return sizes and counts; counting walks an index, not the entries."""
    wal = path.with_name(f"{path.name}-wal")
    runs, open_runs, entries, unsent = (
        int(queries.one(connection, count)) for count in _COUNTS
    )
    return Stats(
        file_bytes=path.stat().st_size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        runs=runs,
        open_runs=open_runs,
        entries=entries,
        unsent=unsent,
    )


def integrity(connection: apsw.Connection) -> list[str]:
    """Return what SQLite's full check finds; empty: nothing. Reads every page."""
    rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(100)")]
    return [] if rows == ["ok"] else rows


def verify(connection: apsw.Connection, run: str | None) -> list[ChainFault]:
    """Return every fault of one run, or of all; empty: as it was written."""
    if run:
        return list(_run_faults(connection, run))
    names = [str(row[0]) for row in connection.execute(_EVERY_RUN)]
    found = [fault for name in names for fault in _run_faults(connection, name)]
    return [*found, *removals.faults(connection)]


def _run_faults(connection: apsw.Connection, run: str) -> Iterator[ChainFault]:
    rows: list[Any] = connection.execute(_ROWS, (run,)).fetchall()
    read: list[Entry] = []
    for stored in rows:
        entry = _entry(stored[3])
        if entry is None:
            yield ChainFault(run, stored[0], "cannot be read")
            return
        read.append(entry)
        yield from _row_faults(run, stored, entry)
    yield from chain_faults(run, read)
    head = (read[-1].seq, read[-1].hash) if read else (0, GENESIS)
    row: Any = connection.execute(_RUN, (run,)).fetchone()
    if row is not None:
        yield from _summary_faults(run, row, head)
    elif read:
        yield ChainFault(run, head[0], "has entries, but its summary is missing")


def _entry(body: Any) -> Entry | None:
    try:
        return decode_entry(body)
    except _UNREADABLE:
        return None


def _row_faults(run: str, row: tuple[Any, ...], entry: Entry) -> Iterator[ChainFault]:
    """Compare an entry with the columns beside it, and with its own bytes."""
    seq, at, kind, body, digest = row
    if (seq, at, kind, digest) != (entry.seq, entry.at, entry.kind, entry.hash):
        yield ChainFault(run, seq, "does not stand in the place it was written for")
    elif entry.run != run:
        yield ChainFault(run, seq, f"belongs to run {entry.run}")
    elif encode_entry(entry) != body:
        yield ChainFault(run, seq, "was written again in another way")


def _summary_faults(run: str, row: tuple[Any, ...], head: Head) -> Iterator[ChainFault]:
    body, seal, head_seq, head_hash = row[6:]
    if head_seq > head[0]:
        yield ChainFault(run, head[0] + 1, f"the end is missing, up to {head_seq}")
    elif (head_seq, head_hash) != head:
        yield ChainFault(run, head[0], "does not end where its summary says")
    if summary_seal(body, head_hash) != seal or _columns(body) != row[:6]:
        yield ChainFault(run, head_seq, "its summary was changed after it was written")


def _columns(body: bytes) -> tuple[Any, ...]:
    """Return the columns that a summary's body should stand beside."""
    try:
        s = msgspec.json.decode(body, type=RunSummary)
    except _UNREADABLE:
        return ()
    is_open = int(s.state not in ENDS)
    return (s.run, s.runbook, s.state, is_open, s.started_at, s.updated_at)
