"""The limit of a durable journal: the same bytes, the same transactions, SQLite alone.

`Recorded` keeps what every transaction of the engine wrote; `write_again` writes that
into a new journal of the same schema and settings, with nothing around it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.adapters.sqlite import appending
from engine.adapters.sqlite.opening import open_journal

Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class Recorded:
    """What each transaction wrote, in order."""

    batches: list[Any] = field(default_factory=list)

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
    recorded, flush = Recorded(), appending.Batch.flush

    def keeping(batch: appending.Batch) -> None:
        recorded.batches.append(batch)
        flush(batch)

    appending.Batch.flush = keeping  # type: ignore[assignment,method-assign]
    try:
        yield recorded
    finally:
        appending.Batch.flush = flush  # type: ignore[method-assign]


def write_again(path: Path, recorded: Recorded) -> float:
    """Return the seconds that SQLite alone takes for the same transactions."""
    transactions = recorded.transactions()
    connection = open_journal(path).connection
    began = time.perf_counter()
    for entries, runs, outbox in transactions:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(appending._ENTRIES, entries)
        connection.executemany(appending._RUNS, runs)
        if outbox:
            connection.executemany(appending._OUTBOX, outbox)
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return took
