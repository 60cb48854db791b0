"""Clocks that jump, stand in the future: F40 to F42."""

import asyncio
from datetime import UTC, datetime

import pytest

from engine.adapters.memory_store import MemoryStore
from engine.model.events import Restarted, Started
from engine.model.people import Actor
from engine.model.runbook import Test
from engine.model.timeline import Entry
from engine.model.times import epoch_seconds
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.scripted import (
    NoHold,
    Script,
    ScriptedActions,
    ScriptedChecks,
    ScriptedPeople,
)
from engine.runtime.session import Session
from engine.runtime.virtual_time import VirtualClock, run_virtual
from engine.views.timeline import timeline_text
from tests.rehearsing import compiled

ANA = Actor("ana")
CODE = compiled("isolate: [{wait: 1m}, {say: half}, {wait: 1m}]")
GATE = compiled(
    "actions: {take: {risk: high, do: {}, undo: {do: {}}}}\n"
    "isolate: [{approve: go, from: [{group: owners}], within: 10m}, {act: take}]"
)


class JumpyClock(VirtualClock):
    """A wall clock that somebody sets; the monotonic one goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = 0.0

    def now(self) -> float:
        """Return the wall time as it is set now."""
        return super().now() + self.moved


def driver(store: MemoryStore, clock: JumpyClock, code: object) -> Driver:
    """Return an engine on that clock; nobody answers."""
    script = Script({})
    people = ScriptedPeople(Test(name="x"))

    async def known(revision: str) -> object:
        return code

    ports = Ports(
        store, ScriptedChecks(script, clock, frozenset()), ScriptedActions(script),
        people, clock, NoHold(), known,
    )  # fmt: skip
    return Driver(ports)


@pytest.mark.parametrize("jump", [7200.0, -7200.0, -1.0])
@pytest.mark.timed
def test_f40_a_jump_of_the_clock_makes_no_wait_longer_or_shorter(jump: float) -> None:
    """Two waits of a minute take two minutes, and the timeline marks the jump."""

    async def play() -> tuple[float, list[Entry]]:
        store, clock = MemoryStore(seal=False), JumpyClock()
        engine = driver(store, clock, CODE)
        begun = clock.monotonic()
        await engine.begin(Session("r", CODE), Started(run="r", revision="x", by=ANA))
        await asyncio.sleep(30)
        clock.moved = jump
        while (await engine.session("r")).record.end == "":
            await asyncio.sleep(0.5)
        return clock.monotonic() - begun, await store.entries("r")

    took, entries = run_virtual(play())
    way = "forward" if jump > 0 else "back"
    length = "1 s" if jump == -1.0 else "2 h"
    ticks = [entry.tick for entry in entries]
    told = timeline_text(entries)

    assert 120.0 <= took < 121.0
    assert sorted(ticks) == ticks
    assert 1 == told.count("the machine's clock went")
    assert f"the machine's clock went {way} by {length}" in told


@pytest.mark.parametrize(
    ("jump", "least", "most"), [(0.0, 300, 301), (7200.0, 0, 1), (-7200.0, 600, 601)]
)
def test_f41_after_a_restart_no_wait_is_longer_than_twice_its_limit(
    jump: float, least: float, most: float
) -> None:
    """An approval of ten minutes, five of them over when the engine dies."""

    async def play() -> float:
        store, clock = MemoryStore(seal=False), JumpyClock()
        first = driver(store, clock, GATE)
        await first.begin(Session("r", GATE), Started(run="r", revision="x", by=ANA))
        await asyncio.sleep(300)
        clock.moved = jump
        second = driver(store, clock, GATE)
        begun = clock.monotonic()
        await second.resume("r", Restarted(times=1))
        while (await second.session("r")).record.end == "":
            await asyncio.sleep(0.25)
        return clock.monotonic() - begun

    assert least <= run_virtual(play()) <= most


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2023-02-29T12:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59.999999999Z", None),
    ],
)
def test_f42_odd_moments_are_read_or_unknown(
    text: str, expected: datetime | None
) -> None:
    """Leap days, leap seconds, the hour that comes twice; what never was is unknown."""
    at = epoch_seconds(text)

    assert expected == (None if at is None else datetime.fromtimestamp(at, UTC))
