"""What runs that only wait cost: memory, disk, a start with all of them, and rest.

One process begins them and is gone; a new one opens the journal with them. Half wait
for a time, half for a person's approval.
"""

import asyncio
import contextlib
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.world import World, open_world

RUNS: Final = 10_000
ABREAST: Final = 100
REST_SECONDS: Final = 3.0


def memory_bytes() -> int:
    """Return the memory this process has in use. Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def elsewhere(work: Callable[..., dict[str, float]], *args: Any) -> dict[str, float]:
    """Return what `work` returns in a process of its own."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(work, args)


def _begin(folder: Path, runs: int) -> dict[str, float]:
    return asyncio.run(_begun(folder, runs))


async def _begun(folder: Path, runs: int) -> dict[str, float]:
    async with open_world(folder) as world:
        empty = memory_bytes()
        numbers = iter(range(runs))

        async def one_after_another() -> None:
            for number in numbers:
                await world.begin("waits", f"r-{number}", person=number % 2 == 0)

        await asyncio.gather(*(one_after_another() for _ in range(ABREAST)))
        await _all_wait(world, runs)
        return {"memory": memory_bytes() - empty}


async def _all_wait(world: World, runs: int) -> None:
    while True:
        found = await world.store.runs(open_only=True, limit=runs)
        if len(found) == runs and not any(one.busy for one in found):
            return
        await asyncio.sleep(0.2)


def _open(folder: Path, runs: int) -> dict[str, float]:
    return asyncio.run(_opened(folder, runs))


async def _opened(folder: Path, runs: int) -> dict[str, float]:
    empty = memory_bytes()
    began = time.perf_counter()
    async with open_world(folder) as world:
        opened = time.perf_counter()
        found = await world.store.runs(open_only=True, limit=runs)
        listed = time.perf_counter()
        taken = await world.host.start(found)
        started = time.perf_counter()
        assert len(taken) == runs
        await asyncio.sleep(1.0)
        used, cpu = memory_bytes() - empty, time.process_time()
        await asyncio.sleep(REST_SECONDS)
        rest = (time.process_time() - cpu) / REST_SECONDS
        replayed = world.heard.steps
    return {
        "open": opened - began, "list": listed - opened, "start": started - listed,
        "memory": used, "rest": rest, "replayed": replayed,
    }  # fmt: skip


def measure_waiting(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return bytes, seconds and CPU for the waiting runs."""
    runs = RUNS // 10 if quick else RUNS
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with TemporaryDirectory(dir=folder) as name, _files(most):
        place = Path(name)
        elsewhere(_begin, place, 1)
        first = (place / "journal.db").stat().st_size
        (place / "journal.db").unlink()
        begun = elsewhere(_begin, place, runs)
        size = (place / "journal.db").stat().st_size
        opened = elsewhere(_open, place, runs)
    known = f"{runs:,} waiting"
    yield Figure(f"{known}: memory as they began", begun["memory"] / runs, "bytes/run")
    yield Figure(f"{known}: memory after a start", opened["memory"] / runs, "bytes/run")
    yield Figure(f"{known}: disk", (size - first) / runs, "bytes/run")
    yield Figure(f"{known}: open the journal", opened["open"], "s")
    yield Figure(f"{known}: list them", opened["list"], "s")
    yield Figure(f"{known}: take them up", opened["start"], "s")
    yield Figure(
        f"{known}: replayed at the start", opened["replayed"], "runs", goal="0"
    )
    yield Figure(
        f"{known}: CPU at rest", opened["rest"] * 100, "% of a core", goal="< 1"
    )
    yield Figure("open files a process may have", files, "files")


@contextlib.contextmanager
def _files(most: int) -> Iterator[None]:
    """Let this process and its children have as many open files as they may."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
