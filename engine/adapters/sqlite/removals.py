"""Which runs were removed for their age: one row each, and the word of it in `records`.

A row is written in the transaction that removes the run, before its entries go: the
journal lets no entry go without one. The engine's own timeline, which is chained, says
the same: a removal that only one of the two knows is a fault.

Called by: retaining (inside the writer's transaction), auditing.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import apsw
import msgspec

from engine.adapters.sqlite import records
from engine.model.timeline import ChainFault, Entry, chain_faults, decode_entry

KIND: Final = "removed"  # of the entry in the engine's own timeline
_REMOVED: Final = (
    "INSERT INTO removed_runs (run, runbook, head_hash, entries, ended_at, removed_at)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_ROWS: Final = "SELECT run, head_hash FROM removed_runs ORDER BY run"
_LEFT: Final = (
    "SELECT run FROM removed_runs WHERE run IN (SELECT run FROM runs)"
    " OR EXISTS (SELECT 1 FROM entries WHERE entries.run = removed_runs.run)"
)
_RECORDS: Final = "SELECT seq, at, kind, body, hash FROM records ORDER BY seq"


class Gone(msgspec.Struct, frozen=True):
    """What is kept of a run that was removed."""

    run: str
    runbook: str
    head_hash: str
    entries: int
    ended_at: float  # epoch seconds
    removed_at: float


def note(connection: apsw.Connection, gone: Gone) -> None:
    """Write the row; from now on the run's entries may go."""
    connection.execute(_REMOVED, msgspec.structs.astuple(gone))


def tell(connection: apsw.Connection, gone: Sequence[Gone], why: str) -> None:
    """Write the entry of the engine's own timeline about these."""
    many = f"{len(gone)} runs that ended were" if len(gone) > 1 else "a run was"
    entry = Entry(
        records.RUN, 1, gone[0].removed_at, 0.0, KIND, f"{many} removed", why=why,
        refs={"runs": {one.run: one.head_hash for one in gone}},
    )  # fmt: skip
    records.add(connection, entry)


def faults(connection: apsw.Connection) -> Iterator[ChainFault]:
    """Yield what is wrong with the engine's own timeline, and with what it removed."""
    entries: list[Entry] = []
    for seq, at, kind, body, digest in connection.execute(_RECORDS):
        try:
            entry = decode_entry(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, TypeError):
            yield ChainFault(records.RUN, seq, "cannot be read")
            return
        if (seq, at, kind, digest) != (entry.seq, entry.at, entry.kind, entry.hash):
            problem = "does not stand in the place it was written for"
            yield ChainFault(records.RUN, seq, problem)
        entries.append(entry)
    yield from chain_faults(records.RUN, entries)
    yield from _unlike(connection, _told(entries))
    for (run,) in connection.execute(_LEFT):
        yield ChainFault(str(run), 0, "was removed, and yet something of it is there")


def _told(entries: Sequence[Entry]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for entry in entries:
        if entry.kind == KIND:
            told |= entry.refs.get("runs", {})
    return told


def _unlike(connection: apsw.Connection, told: dict[str, Any]) -> Iterator[ChainFault]:
    for run, digest in connection.execute(_ROWS):
        if told.pop(run, None) != digest:
            problem = "its removal is not what the engine's own timeline says"
            yield ChainFault(str(run), 0, problem)
    for run in told:
        yield ChainFault(run, 0, "the row of its removal is missing")
