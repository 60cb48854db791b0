"""From asking for a run to its first act, at rest, one run after another.

Two commits lie between: the run's begin, and what was seen with the intent to act. The
limit is two durable commits of SQLite alone, one after the other.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.adapters.sqlite.opening import open_journal
from engine.ports import ActResult, Call
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.world import open_world

COMMITS = 2
PAUSE_SECONDS = 0.005  # between two runs: what the last one left to do is done


async def _first_acts(folder: Path, runs: int) -> list[float]:
    acted: dict[str, asyncio.Future[float]] = {}

    async def act(params: Any, call: Call) -> ActResult:
        acted[call.run].set_result(time.perf_counter())
        return ActResult("ok", "done")

    took = []
    async with open_world(folder, act) as world:
        await world.host.start()
        for number in range(runs):
            run = f"r-{number}"
            acted[run] = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            await world.begin("waits", run)
            took.append(await acted[run] - began)
            await asyncio.sleep(PAUSE_SECONDS)
    return sorted(took)


def _commits(path: Path, times: int) -> list[float]:
    """Return how long `COMMITS` durable commits of one small row each take."""
    connection = open_journal(path).connection
    took = []
    for number in range(times):
        began = time.perf_counter()
        for part in range(COMMITS):
            connection.execute("BEGIN IMMEDIATE")
            row = (f"{number}-{part}", "name", "x" * 1000)
            connection.execute("INSERT INTO secrets VALUES (?, ?, ?)", row)
            connection.execute("COMMIT")
        took.append(time.perf_counter() - began)
        time.sleep(PAUSE_SECONDS)
    connection.close()
    return sorted(took)


def measure_start(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return the median and the 99th percentile in milliseconds."""
    runs = 60 if quick else 400
    with TemporaryDirectory(dir=folder) as place:
        took = asyncio.run(_first_acts(Path(place), runs))
        limit = _commits(Path(place) / "raw.db", runs)
    for part, name in ((0.5, "p50"), (0.99, "p99")):
        yield Figure(
            f"start to first act, {name}", percentile(took, part) * 1000, "ms",
            percentile(limit, part) * 1000, f"{COMMITS} commits, SQLite alone",
        )  # fmt: skip
