"""Steps a second of the live engine, against SQLite alone; CPU of a step, split.

A step is one event: advanced, stored durably, answered. Runs play side by side, each
beginning anew when it has ended, until enough steps are done.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from engine.adapters.sqlite import appending, writer
from engine.runtime import perform, session
from tests.benchmarks.figures import Figure
from tests.benchmarks.raw_journal import Took, recording, seal_again, write_again
from tests.benchmarks.world import World, open_world

PLAYS: Final = {1: 20, 100: 400, 1000: 1000}  # runs side by side: runs in all
PARTS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("advance", session, "advance"),
    ("entries", session, "entries_of"),
    ("summary", session.Session, "summary"),
    ("snapshot", session.Session, "snapshot"),
    ("judging looks", perform, "judge"),
    ("seal and encode", appending.Batch, "append"),
    ("the writer in all", writer.Writer, "_settle"),
)


@dataclass(frozen=True, slots=True)
class Played:
    """One measurement."""

    steps: int
    runs: int
    entries: int
    transactions: int
    seconds: float
    cpu_seconds: float
    raw: Took  # SQLite alone
    sealed: Took  # and the bytes made
    journal_bytes: int


async def _play(world: World, abreast: int, runs: int) -> None:
    waiting = iter(range(runs))

    async def one_after_another() -> None:
        for number in waiting:
            ended = await world.play(f"r-{abreast}-{number}")
            assert ended.state == "resolved", ended.why

    await asyncio.gather(*(one_after_another() for _ in range(abreast)))


async def _measured(folder: Path, abreast: int, runs: int) -> Played:
    async with open_world(folder) as world:
        await world.host.start()
        await world.play("r-first")
        before = world.heard.steps
        with recording() as recorded:
            wall, cpu = time.perf_counter(), time.process_time()
            await _play(world, abreast, runs)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        steps = world.heard.steps - before
    transactions = recorded.transactions()
    rows = [row for entries, _, _ in transactions for row in entries]
    raw = write_again(folder / "raw.db", recorded)
    sealed = seal_again(folder / "sealed.db", recorded)
    size = (folder / "journal.db").stat().st_size
    return Played(
        steps, runs, len(rows), len(transactions), wall, cpu, raw, sealed, size
    )


def played(folder: Path, abreast: int, runs: int) -> Played:
    """Return one measurement on a new journal in the folder."""
    with TemporaryDirectory(dir=folder) as place:
        return asyncio.run(_measured(Path(place), abreast, runs))


def measure_steps(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return steps a second beside the limit, for 1, 100 and 1000 runs abreast."""
    for abreast, runs in PLAYS.items():
        runs = max(abreast, runs // 4) if quick else runs
        several = [played(folder, abreast, runs) for _ in range(1 if quick else 3)]
        several.sort(key=lambda one: one.seconds / one.raw.wall)
        one = several[len(several) // 2]
        goal = "ratio >= 0.6" if abreast == 100 else ""
        yield Figure(
            f"steps, {abreast} runs abreast", one.steps / one.seconds, "steps/s",
            one.steps / one.raw.wall, "the same transactions, SQLite alone", goal,
        )  # fmt: skip
        yield Figure(
            f"  same, {abreast} abreast", one.steps / one.seconds, "steps/s",
            one.steps / one.sealed.wall, "sealed, encoded, stored; no run advanced",
            goal,
        )  # fmt: skip
        yield Figure(
            f"  runs ended, {abreast} abreast", one.runs / one.seconds, "runs/s"
        )
        yield Figure(
            f"  commits, {abreast} abreast", one.transactions / one.seconds, "commits/s",
            one.transactions / one.raw.wall, "the same transactions, SQLite alone",
        )  # fmt: skip
        cpu = min(several, key=lambda one: one.cpu_seconds / one.steps)
        yield Figure(
            f"  CPU, {abreast} abreast", cpu.cpu_seconds / cpu.steps * 1e6, "us/step",
            cpu.sealed.cpu / cpu.steps * 1e6, "sealed, encoded, stored", "<= 150",
        )  # fmt: skip
        yield Figure("    SQLite alone", cpu.raw.cpu / cpu.steps * 1e6, "us/step")


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Add up the CPU seconds of each part, by its own thread's clock."""
    spent = {label: 0.0 for label, _, _ in PARTS}
    kept = [(owner, name, getattr(owner, name)) for _, owner, name in PARTS]

    def timing(label: str, code: Any) -> Any:
        def timed(*args: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return code(*args, **named)
            finally:
                spent[label] += time.thread_time() - began

        return timed

    for (label, owner, name), (_, _, code) in zip(PARTS, kept, strict=True):
        setattr(owner, name, timing(label, code))
    try:
        yield spent
    finally:
        for owner, name, code in kept:
            setattr(owner, name, code)


def measure_cpu(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return where the CPU of a step goes, at 100 runs abreast."""
    runs = 100 if quick else 300
    several = [played(folder, 100, runs) for _ in range(1 if quick else 5)]
    plain = min(several, key=lambda one: one.cpu_seconds / one.steps)  # others disturb
    with _timed() as spent:
        one = played(folder, 100, runs)
    yield Figure(
        "CPU of a step", plain.cpu_seconds / plain.steps * 1e6, "us/step", goal="<= 150"
    )
    yield Figure("  entries of a step", plain.entries / plain.steps, "entries")
    all_seconds = one.cpu_seconds
    spent["the writer beside it"] = (
        spent.pop("the writer in all") - spent["seal and encode"]
    )
    spent["asyncio, driver, ports"] = all_seconds - sum(spent.values())
    for label, seconds in spent.items():
        yield Figure(f"  {label}", seconds / one.steps * 1e6, "us/step")
    yield Figure(
        "  (with these timers, in all)", all_seconds / one.steps * 1e6, "us/step"
    )
