"""A process that appends without end and says what was acknowledged.

Started and killed by test_store_crash. Each line is "run last-seq", written after the
append of three entries (one message with them) has returned.
"""

import asyncio
import os
import sys

from engine.adapters.sqlite import SqliteStore
from engine.model.effects import Say
from engine.model.run import RunSummary
from engine.model.timeline import Entry

RUNS = 8


def entry(run: str, seq: int) -> Entry:
    """Return an entry whose size varies, so that pages split at odd places."""
    text = "x" * (seq * 37 % 900)
    return Entry(run=run, seq=seq, at=1.0 * seq, tick=1.0, kind="note", what=text)


def summary(run: str, seq: int) -> RunSummary:
    """Return a summary that says how far the run is."""
    return RunSummary(
        run=run,
        runbook="delay",
        revision="f",
        title=f"at {seq}",
        severity="sev2",
        state="running",
        phase="isolate",
        cause="",
        mode="live",
        started_at=1.0,
        updated_at=1.0 * seq,
    )


async def drive(store: SqliteStore, run: str) -> None:
    """Append threes for ever."""
    seq = len(await store.entries(run))
    while True:
        threes = [entry(run, seq + n) for n in (1, 2, 3)]
        seq += 3
        await store.append(threes, summary(run, seq), outbox=[Say(f"{run} {seq}")])
        os.write(1, f"{run} {seq}\n".encode())


async def main(path: str) -> None:
    """Drive all runs side by side."""
    store = await SqliteStore.open(path)
    os.write(1, b"open 0\n")
    await asyncio.gather(*(drive(store, f"r-{n}") for n in range(RUNS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
