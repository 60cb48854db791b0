"""What a journal of years costs: opening it, the list of runs, one timeline, retention.

The same questions are asked of a small and of a big journal: what grows is seen.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.adapters.sqlite import SqliteStore
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from tests.benchmarks.figures import Figure

SMALL, BIG, QUICK = 1_000, 100_000, 5_000  # runs, each with ENTRIES
ENTRIES = 10
TOGETHER = 500  # runs that are written at once
DAY = 86_400.0
TEXT = "looked at the queue: 1842 messages wait, the limit is 500; " * 3
LISTS_MS, START_S = 200.0, 5.0  # what F27 allows


async def fill(path: Path, runs: int) -> None:
    """Write so many ended runs, one an hour, and every hundredth of them open."""
    store = await SqliteStore.open(path)
    for first in range(0, runs, TOGETHER):
        numbers = range(first, min(first + TOGETHER, runs))
        await asyncio.gather(*(_one(store, number) for number in numbers))
    await store.close()


async def _one(store: SqliteStore, number: int) -> None:
    run, at = f"r-{number:06d}", number * 3600.0
    ended = None if number % 100 == 0 else at + ENTRIES
    state = "running" if ended is None else "resolved"
    summary = RunSummary(
        run, "queue-grows", "f" * 64, "The queue grows", "sev2", state, "restore",
        "consumer", "live", at, at + ENTRIES, ended,
    )  # fmt: skip
    entries = [
        Entry(run, seq, at + seq, float(seq), "check_passed", TEXT, step=f"s{seq}")
        for seq in range(1, ENTRIES + 1)
    ]
    await store.append(entries, summary)


async def _took(ask: Callable[[], Awaitable[object]], times: int = 5) -> float:
    """Return the milliseconds of the middle one."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[times // 2]


async def _measure(path: Path, runs: int) -> list[Figure]:
    await fill(path, runs)
    name = f"{runs * ENTRIES:,} entries"
    began = time.perf_counter()
    store = await SqliteStore.open(path)
    opened = time.perf_counter() - began
    middle = f"r-{runs // 2:06d}"
    try:
        every = await _took(store.runs)
        some = await _took(lambda: store.runs(open_only=True))
        one = await _took(lambda: store.entries(middle))
        return [
            Figure(f"{name}: file", path.stat().st_size / 1e6, "MB"),
            Figure(f"{name}: open", opened, "s", START_S, "F27", "ratio <= 1"),
            Figure(f"{name}: list", every, "ms", LISTS_MS, "F27", "ratio <= 1"),
            Figure(f"{name}: open runs", some, "ms", LISTS_MS, "F27", "ratio <= 1"),
            Figure(f"{name}: one timeline", one, "ms"),
            *await _retained(store, name, runs),
        ]
    finally:
        await store.close()


async def _retained(store: SqliteStore, name: str, runs: int) -> list[Figure]:
    """Remove a tenth, while somebody appends; how long does an append wait?"""
    before, waits = runs / 10 * 3600.0, []
    began = time.perf_counter()
    removing = asyncio.create_task(store.retention.runs(before))
    number = runs
    while not removing.done():
        number += 1
        asked = time.perf_counter()
        await _one(store, number)
        waits.append((time.perf_counter() - asked) * 1000)
        await asyncio.sleep(0.01)
    done, took = removing.result(), time.perf_counter() - began
    return [
        Figure(f"{name}: removed in a second", done.runs / took, "runs"),
        Figure(f"{name}: longest append beside it", max(waits), "ms", 50.0, "F27"),
    ]


def measure_storing(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return the figures of a small and of a big journal."""
    for runs in (SMALL, QUICK if quick else BIG):
        with TemporaryDirectory(dir=folder) as place:
            yield from asyncio.run(_measure(Path(place) / "journal.db", runs))
