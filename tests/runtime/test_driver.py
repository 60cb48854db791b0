"""The driver: order, dead letters, a journal that is away, runs that do not disturb."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from engine.adapters.memory_store import MemoryStore
from engine.core.code import CompiledRunbook
from engine.errors import DoesNotApply, StoreUnavailable
from engine.model.events import Cancelled, Noted, Restarted, Started
from engine.model.people import Actor
from engine.model.run import RunSummary
from engine.model.runbook import Test
from engine.model.timeline import Entry
from engine.ports import ActResult
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
from tests.rehearsing import compiled

ANA = Actor("ana")
TAKE = """
actions: {take: {do: {}, undo: {do: {}}}}
isolate: [{act: take}, {wait: 1m}]
"""


class Failing(MemoryStore):
    """Cannot store for a while."""

    def __init__(self, times: int) -> None:
        super().__init__(seal=False)
        self.times = times

    async def append(
        self, entries: Sequence[Entry], summary: RunSummary, *, outbox: Any = ()
    ) -> list[Entry]:
        """Refuse so many times, then store."""
        self.times -= 1
        if 0 <= self.times < 5:
            raise StoreUnavailable("the disk is full")
        return await super().append(entries, summary, outbox=outbox)


class Counting(ScriptedActions):
    """Counts acts."""

    def __init__(self) -> None:
        super().__init__(Script({}))
        self.acts: list[str] = []

    async def act(self, act: Any, *, run: str) -> ActResult:
        """Count, and do nothing."""
        self.acts.append(f"{run} {'undo ' if act.undo else ''}{act.action}")
        return await super().act(act, run=run)


def engine(
    store: MemoryStore, actions: Counting, code: CompiledRunbook, ended: list[str]
) -> Driver:
    """Return a driver in virtual time."""

    async def compiled_of(revision: str) -> CompiledRunbook:
        return code

    def listen(summary: RunSummary, entries: list[Entry]) -> None:
        if summary.ended_at is not None:
            ended.append(f"{summary.run} {summary.state}")

    clock = VirtualClock()
    test = Test(name="x")
    checks = ScriptedChecks(Script(test.checks), clock, frozenset())
    people = ScriptedPeople([])
    ports = Ports(store, checks, actions, people, clock, NoHold(), compiled_of)
    driver = Driver(ports, listener=listen)
    people.driver = driver
    return driver


def start(run: str) -> Started:
    """Return the first event of a run."""
    return Started(run=run, revision="rev", by=ANA)


def test_f20_nothing_is_done_that_is_not_stored() -> None:
    """While the journal cannot be written no act begins; afterwards all goes on."""
    code, actions, ended = compiled(TAKE), Counting(), list[str]()
    store = Failing(times=5)

    async def play() -> list[str]:
        driver = engine(store, actions, code, ended)
        begun = asyncio.create_task(driver.begin(Session("r", code), start("r")))
        await asyncio.sleep(1.5)
        early = list(actions.acts)
        await begun
        await asyncio.sleep(120)
        return early

    assert [] == run_virtual(play())
    assert ["r take", "r undo take"] == actions.acts
    assert ["r resolved"] == ended


def test_f8_a_run_that_breaks_the_engine_is_a_dead_letter_and_others_go_on() -> None:
    """It ends in people's hands, with the defect named; its neighbour is resolved."""
    code, actions, ended = compiled(TAKE), Counting(), list[str]()
    store = MemoryStore(seal=False)

    async def play() -> RunSummary:
        driver = engine(store, actions, code, ended)
        await driver.begin(Session("good", code), start("good"))
        await driver.begin(Session("bad", code), start("bad"))
        nobody: Any = None
        with pytest.raises(AttributeError):
            await driver.told("bad", Noted(by=nobody, text="x"))
        with pytest.raises(DoesNotApply):
            await driver.told("bad", Cancelled(by=ANA))
        await asyncio.sleep(120)
        summary = await store.summary("good")
        assert summary is not None
        return summary

    assert "resolved" == run_virtual(play()).state


def test_runs_side_by_side_keep_to_themselves() -> None:
    """A hundred runs at once: each acts once and gives back once."""
    code, actions, ended = compiled(TAKE), Counting(), list[str]()
    store = MemoryStore(seal=False)
    runs = [f"r{number}" for number in range(100)]

    async def play() -> None:
        driver = engine(store, actions, code, ended)
        for run in runs:
            await driver.begin(Session(run, code), start(run))
        await asyncio.sleep(120)

    run_virtual(play())

    assert sorted(f"{run} resolved" for run in runs) == sorted(ended)
    assert sorted(
        [f"{run} take" for run in runs] + [f"{run} undo take" for run in runs]
    ) == (sorted(actions.acts))


class Slow(MemoryStore):
    """Takes a moment to read."""

    async def entries(self, run: str, *, after: int = 0) -> list[Entry]:
        """Return what stood here a second ago."""
        found = list(await super().entries(run, after=after))
        await asyncio.sleep(1)
        return found


def test_a_run_that_two_ask_for_at_once_is_loaded_as_one() -> None:
    """
    Whoever resumes a run and whoever tells it something go on with the same record.
    """
    code, ended = compiled(TAKE), list[str]()
    store = Slow(seal=False)

    async def play() -> list[str]:
        first = engine(store, Counting(), code, ended)
        await first.begin(Session("r", code), start("r"))
        first.abandon()
        then = engine(store, Counting(), code, ended)
        told = asyncio.create_task(then.told("r", Noted(by=ANA, text="still slow")))
        await asyncio.sleep(0.5)
        await then.resume("r", Restarted())
        await told
        return [one.kind for one in await store.entries("r")]

    kinds = run_virtual(play())

    assert {"note", "restarted"} < set(kinds)
