"""Rehearsals a second, on one core: what trying every test of a library costs.

The limit is `advance` alone over the same events: what is above it is the driver, the
virtual clock and the journal in memory.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from engine.adapters.memory_store import MemoryStore
from engine.core.advance import advance
from engine.core.record import Record
from engine.runtime.journal import events_of
from engine.runtime.rehearsal import rehearse
from tests.benchmarks.figures import Figure
from tests.benchmarks.world import library


def measure_rehearsals(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return rehearsals and steps a second."""
    compiled = library().bundle("steady").compiled
    tests, times = compiled.runbook.tests, 10 if quick else 100
    first = [rehearse(compiled, test, MemoryStore(seal=False)) for test in tests]
    assert [[]] * len(tests) == [one.problems for one in first]
    events = [events_of(one.entries) for one in first]
    began = time.perf_counter()
    for _ in range(times):
        for test in tests:
            rehearse(compiled, test, MemoryStore(seal=False))
    took = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(times):
        for story in events:
            record = Record()
            for event in story:
                record, _ = advance(compiled, record, event)
    alone = time.perf_counter() - began
    count = times * len(tests)
    yield Figure(
        "rehearsals", count / took, "/s", count / alone, "advance alone, same events"
    )
    steps = times * sum(map(len, events))
    yield Figure("  their steps", steps / took, "steps/s")
