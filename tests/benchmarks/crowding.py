"""Many runs side by side against the example platform: how it grows from 10 to 1,000.

The platform's processes are real, and so are the engine's journal and its requests; all
share the machine. The limit is what the platform answers to as many plain requests.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import psutil

from engine.bootstrap import Engine, engine
from engine.config import load_config
from engine.entrypoints.cli.choosing import library_of
from engine.model.people import Actor
from tests.benchmarks.figures import Figure, percentile

EXAMPLES = Path(__file__).parents[2] / "examples"
MANY, QUICK = (10, 100, 1000), (10, 100)
LOOKS = 4  # of one run
AT_ONCE = 100  # plain requests
RUNBOOK = """
format: 1
runbook: crowd
title: Looks at the router
owner: ops
severity: sev3
checks:
  lanes: {http: {get: 'URL/health'}, pass: response.status == 200, fresh_for: 0s}
diagnose:
  - check: lanes
  - check: lanes
  - wait: 1s
  - check: lanes
  - check: lanes
"""
BY = Actor("ops", kind="source", via="benchmark")


async def _plain(url: str, many: int) -> float:
    """Return how many plain requests the platform answers in a second."""
    turns = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=AT_ONCE)) as web:

        async def one() -> None:
            async with turns:
                (await web.get(f"{url}/health", timeout=60.0)).raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(many)))
        return many / (time.perf_counter() - began)


async def _ended(opened: Engine) -> None:
    while await opened.store.runs(open_only=True, limit=1):
        await asyncio.sleep(0.05)


async def _crowd(folder: Path, many: int) -> tuple[float, float, float, list[float]]:
    """Return seconds of wall and of processor, MB that were added, and each start."""
    config = load_config(folder / "engine.yaml", environ={})
    library = library_of(config, config.runbooks)
    process, starts = psutil.Process(), []
    async with engine(config, library, write=lambda line: None) as opened:
        await opened.host.start()
        bundle = library.bundle("crowd")
        before = process.memory_info().rss

        async def begin(number: int) -> None:
            asked, run = time.perf_counter(), f"r-{many}-{number}"
            opened.host.begins(run)
            await opened.service.start(bundle, {}, BY, run=run)
            starts.append((time.perf_counter() - asked) * 1000)

        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(begin(number) for number in range(many)))
        added = process.memory_info().rss - before
        await _ended(opened)
        took = time.perf_counter() - wall, time.process_time() - cpu
        ends = [one.state for one in await opened.store.runs(limit=many)]
    assert ends == ["resolved"] * many, set(ends)
    return *took, added / 1e6, starts


def measure_crowds(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return time, processor and memory of a run among 10, 100 and 1,000 others."""
    sys.path.append(str(EXAMPLES))
    from messaging import control

    with control.start(Path(mkdtemp(dir=folder))) as platform:
        url = platform.urls["router"]
        for many in QUICK if quick else MANY:
            place = Path(mkdtemp(dir=folder))
            (place / "runbooks").mkdir()
            (place / "runbooks/crowd.yaml").write_text(RUNBOOK.replace("URL", url))
            (place / "engine.yaml").write_text(
                "data: ./state\nnetwork: {allow: [127.0.0.0/8]}\n"
            )
            limit = asyncio.run(_plain(url, many * LOOKS))
            wall, cpu, memory, starts = asyncio.run(_crowd(place, many))
            name = f"{many:,} runs against the platform"
            yield Figure(
                f"{name}: looks", many * LOOKS / wall, "per s", limit,
                "plain requests, no engine",
            )  # fmt: skip
            yield Figure(f"{name}: all ended after", wall, "s")
            yield Figure(f"{name}: processor", cpu / many * 1000, "ms/run")
            yield Figure(f"{name}: memory added", memory / many * 1000, "KB/run")
            yield Figure(f"{name}: start p99", percentile(sorted(starts), 0.99), "ms")
