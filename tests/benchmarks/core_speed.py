"""`advance` alone, beside one move of a `transitions` machine in the same process."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.core.advance import advance
from engine.core.machine import run_life
from engine.core.record import Record
from engine.model.events import Event
from engine.runtime.journal import events_of
from tests.benchmarks.figures import Figure
from tests.benchmarks.world import library, open_world


async def _events(folder: Path) -> list[Event]:
    async with open_world(folder) as world:
        await world.play("r-1")
        return events_of(await world.store.entries("r-1"))


def measure_advance(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return microseconds of an event, and of a move."""
    with TemporaryDirectory(dir=folder) as place:
        events = asyncio.run(_events(Path(place)))
    compiled = library().bundle("steady").compiled
    times = 40 if quick else 400
    began = time.perf_counter()
    for _ in range(times):
        record = Record()
        for event in events:
            record, _ = advance(compiled, record, event)
    took = (time.perf_counter() - began) / times / len(events)
    life, moves = run_life(), times * len(events)
    began = time.perf_counter()
    for _ in range(moves):
        life.after("running", "waits")
    move = (time.perf_counter() - began) / moves
    assert record.end == "resolved"
    yield Figure("advance alone", 1 / took, "events/s", 1 / move, "transitions moves/s")
    yield Figure("  one event", took * 1e6, "us", move * 1e6, "one transitions move")
