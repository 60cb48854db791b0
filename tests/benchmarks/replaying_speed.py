"""Entries replayed a second, on one core: what holding every old run against now costs.

The limit is `advance` alone over the same events: what is above it is making each entry
and holding it against the recorded one.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine import bootstrap
from engine.analysis.replaying.history import read_history
from engine.analysis.replaying.parting import parting
from engine.core.advance import replay
from engine.runtime.journal import events_of
from engine.runtime.library import compiled_from
from engine.runtime.replaying import replayed
from tests.benchmarks.figures import Figure

HISTORIES: Final = Path(__file__).parents[1] / "histories"


def measure_replay(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return entries a second of a replay, and events a second beside a version."""
    kinds, times = bootstrap.kinds(), 5 if quick else 50
    runs = [
        read_history(file.read_bytes(), str(file))
        for file in sorted(HISTORIES.glob("*.jsonl"))
    ]
    codes = [compiled_from(one.texts, one.summary.revision, kinds) for one in runs]
    both = list(zip(runs, codes, strict=True))
    entries = times * sum(len(one.entries) for one in runs)
    stories = [events_of(one.entries) for one in runs]
    began = time.perf_counter()
    for _ in range(times):
        assert not any(replayed(run, code).parts for run, code in both)
    took = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(times):
        for code, events in zip(codes, stories, strict=True):
            replay(code, events)
    alone = time.perf_counter() - began
    limit = entries / alone
    yield Figure("replay", entries / took, "entries/s", limit, "advance alone")
    began = time.perf_counter()
    for _ in range(times):
        for code, events in zip(codes, stories, strict=True):
            assert not parting(code, code, events).parts
    took = time.perf_counter() - began
    yield Figure("  beside a version", entries / took, "entries/s")
