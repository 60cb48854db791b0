"""The limits of a durable journal: the same transactions again, with nothing around.

`Recorded` keeps what every transaction of the engine was given and what it wrote.
`write_again` stores the finished rows: SQLite alone, its bytes made by nobody.
`seal_again` also makes them: each entry is read back, chained and encoded, and each
summary sealed, as the journal's thread does it; no run is advanced, nobody waits.
Both write into a new journal of the same schema and settings.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.adapters.sqlite import appending
from engine.adapters.sqlite.opening import open_journal
from engine.adapters.sqlite.owning import Owner
from engine.model.effects import Page, Say
from engine.model.run import RunSummary
from engine.model.timeline import Entry

Rows = list[tuple[Any, ...]]
Given = tuple[Sequence[Entry], RunSummary, Sequence[Say | Page]]  # one append


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock on the wall, and of the processor."""

    wall: float
    cpu: float


@dataclass(slots=True)
class Recorded:
    """What each transaction was given and wrote, in order."""

    batches: list[Any] = field(default_factory=list)
    given: dict[int, list[Given]] = field(default_factory=dict)  # by its batch

    def appends(self) -> list[list[Given]]:
        """Return what each transaction was given."""
        return [self.given[id(one)] for one in self.batches if id(one) in self.given]

    def transactions(self) -> list[tuple[Rows, Rows, Rows]]:
        """Return entries, run lines and messages of each transaction."""
        return [
            (
                one._entries,
                [one._row(*kept) for kept in one._runs.values()],
                one._outbox,
            )
            for one in self.batches
            if one._entries
        ]


@contextmanager
def recording() -> Iterator[Recorded]:
    """Keep every transaction while the block lasts; costs one list append each."""
    recorded = Recorded()
    append, flush = appending.Batch.append, appending.Batch.flush

    def given(batch: appending.Batch, *args: Any) -> list[Entry]:
        recorded.given.setdefault(id(batch), []).append(args)  # type: ignore[arg-type]
        return append(batch, *args)

    def keeping(batch: appending.Batch) -> None:
        recorded.batches.append(batch)
        flush(batch)

    appending.Batch.append = given  # type: ignore[assignment,method-assign]
    appending.Batch.flush = keeping  # type: ignore[assignment,method-assign]
    try:
        yield recorded
    finally:
        appending.Batch.append = append  # type: ignore[method-assign]
        appending.Batch.flush = flush  # type: ignore[method-assign]


def seal_again(path: Path, recorded: Recorded) -> Took:
    """Return what sealing, encoding and storing takes for the same transactions."""
    connection = open_journal(path).connection
    heads: dict[str, appending.Head] = {}
    owner = Owner()
    owner.enrol(connection, "local", "benchmark", lambda token: None)
    wall, cpu = time.perf_counter(), time.process_time()
    for appends in recorded.appends():
        batch = appending.Batch(connection, heads, owner)
        connection.execute("BEGIN IMMEDIATE")
        for given in appends:
            batch.append(*given)
        batch.flush()
        connection.execute("COMMIT")
        batch.committed()
    took = Took(time.perf_counter() - wall, time.process_time() - cpu)
    connection.close()
    return took


def write_again(path: Path, recorded: Recorded) -> Took:
    """Return what SQLite alone takes for the same transactions."""
    transactions = recorded.transactions()
    connection = open_journal(path).connection
    wall, cpu = time.perf_counter(), time.process_time()
    for entries, runs, outbox in transactions:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(appending._ENTRIES, entries)
        connection.executemany(appending._RUNS, runs)
        if outbox:
            connection.executemany(appending._OUTBOX, outbox)
        connection.execute("COMMIT")
    took = Took(time.perf_counter() - wall, time.process_time() - cpu)
    connection.close()
    return took
