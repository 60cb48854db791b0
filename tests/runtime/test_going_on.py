"""One task looks, writes and goes on: what happens beside it, and when it ends."""

import asyncio
from typing import Any

from engine.adapters.memory_store import MemoryStore
from engine.core.code import CompiledRunbook
from engine.model.effects import Act, CheckCall
from engine.model.events import Cancelled, Noted, Started, Stopped
from engine.model.evidence import Evidence
from engine.model.people import Actor
from engine.ports import ActResult
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.perform import Tick
from engine.runtime.scripted import NoHold, ScriptedPeople
from engine.runtime.session import Session
from engine.runtime.virtual_time import VirtualClock, run_virtual
from tests.rehearsing import compiled

ANA = Actor("ana")
TWO_ACTS = """
actions: {one: {do: {}, undo: {do: {}}}, two: {do: {}, undo: {do: {}}}}
isolate: [{act: one}, {act: two}]
"""
ONE_LOOK = """
checks: {calm: {value: {of: calm}, pass: value < 5.0}}
isolate: [{check: calm}]
"""


class Slow:
    """Each look and each act takes ten seconds; begun and ended are written down."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Take ten seconds, then say that it is done."""
        self.told.append(f"{act.action} begun")
        await asyncio.sleep(10)
        self.told.append(f"{act.action} ended")
        return ActResult("ok", "done")

    async def look(self, call: CheckCall, *, run: str, tick: Tick) -> Evidence:
        """Take ten seconds, then say that all is well."""
        self.told.append(f"{call.check} begun")
        await asyncio.sleep(10)
        self.told.append(f"{call.check} ended")
        return Evidence(call.check, call.slot, "pass", "so", {}, tick(), 0.0)


def _driver(slow: Slow, code: CompiledRunbook, store: MemoryStore) -> Driver:
    async def compiled_of(revision: str) -> CompiledRunbook:
        return code

    people: Any = ScriptedPeople([])
    ports = Ports(store, slow, slow, people, VirtualClock(), NoHold(), compiled_of)
    return Driver(ports)


async def _begin(driver: Driver, code: CompiledRunbook) -> None:
    await driver.begin(Session("r", code), Started(run="r", revision="rev", by=ANA))


def test_a_stop_waits_for_the_act_in_flight_and_begins_nothing_after_it() -> None:
    """The engine is down when that act has ended, not when its time of grace is over."""
    code, slow, store = compiled(TWO_ACTS), Slow(), MemoryStore(seal=False)

    async def play() -> float:
        driver = _driver(slow, code, store)
        await _begin(driver, code)
        await asyncio.sleep(5)
        await driver.stop(Stopped(), grace=60)
        stopped_at = asyncio.get_running_loop().time()
        await asyncio.sleep(120)
        return stopped_at

    assert 10.0 == run_virtual(play())
    assert ["one begun", "one ended"] == slow.told


def test_what_is_told_while_an_act_goes_on_is_written_at_once() -> None:
    """A note waits for no act, and disturbs none."""
    code, slow, store = compiled(TWO_ACTS), Slow(), MemoryStore(seal=False)

    async def play() -> float:
        driver = _driver(slow, code, store)
        await _begin(driver, code)
        await asyncio.sleep(5)
        await driver.told("r", Noted(by=ANA, text="seen"))
        noted_at = asyncio.get_running_loop().time()
        await asyncio.sleep(120)
        return noted_at

    assert 5.0 == run_virtual(play())
    done = ["one begun", "one ended", "two begun", "two ended"]
    assert done == slow.told[:4]


def test_a_look_that_nobody_waits_for_ends_with_the_run() -> None:
    """A cancelled run is over at once; its look is cut, its answer is not written."""
    code, slow, store = compiled(ONE_LOOK), Slow(), MemoryStore(seal=False)

    async def play() -> list[str]:
        driver = _driver(slow, code, store)
        await _begin(driver, code)
        await asyncio.sleep(5)
        await driver.told("r", Cancelled(by=ANA, keep=True))
        await asyncio.sleep(120)
        return [entry.kind for entry in await store.entries("r")]

    kinds = run_virtual(play())

    assert ["calm begun"] == slow.told
    assert ("end", False) == (kinds[-1], "looked" in kinds)
