"""A rehearsal: the driver of a live run, on scripted ports and virtual time.

`rehearse` takes one test of a runbook and gives back what happened beside what was
expected. There is no action port that could act: the scripted one only writes down what
would have been done. An unscripted check is unknown, an unscripted person silent.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from engine.core.code import CompiledRunbook
from engine.core.inputs import bind_inputs
from engine.model.alert import Alert
from engine.model.events import (
    AlertResolved,
    Cancelled,
    Event,
    HoldChanged,
    Restarted,
    Started,
)
from engine.model.people import Actor
from engine.model.run import RunSummary
from engine.model.runbook import Test
from engine.model.timeline import Entry
from engine.ports import Store
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.invariants import broken
from engine.runtime.journal import events_of
from engine.runtime.outcome import Seen, seen_of
from engine.runtime.scripted import (
    NoHold,
    Script,
    ScriptedActions,
    ScriptedChecks,
    ScriptedPeople,
)
from engine.runtime.session import Session
from engine.runtime.virtual_time import NeverEnds, VirtualClock, run_virtual

RUN = "rehearsal"
ON_HOLD_SECONDS: Final = 86_400.0  # a hold that nobody lifts is looked at so long


@dataclass(slots=True)
class Rehearsed:
    """What one rehearsal showed."""

    name: str
    seen: Seen
    entries: list[Entry]
    summary: RunSummary
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.problems


def rehearse(
    compiled: CompiledRunbook, test: Test, store: Store, *, alert: Alert | None = None
) -> Rehearsed:
    """Return what the test shows, in virtual time.

    Args:
        store: an empty in-memory journal.
        alert: the test's alert, parsed by its source's adapter.
    """
    try:
        return run_virtual(_rehearse(compiled, test, store, alert))
    except NeverEnds as error:
        return _nothing_seen(compiled, test, [str(error)])


def _nothing_seen(
    compiled: CompiledRunbook, test: Test, problems: list[str]
) -> Rehearsed:
    empty = Session(RUN, compiled)
    return Rehearsed(test.name, Seen(), [], empty.summary(), problems)


def begun(
    compiled: CompiledRunbook,
    inputs: Mapping[str, Any],
    labels: Mapping[str, str],
    notes: Mapping[str, str],
) -> Started:
    """Return how a rehearsal begins: by nobody, under one name."""
    return Started(
        run=RUN,
        revision=compiled.revision,
        inputs=dict(inputs),
        labels=dict(labels),
        annotations=dict(notes),
        by=Actor("rehearsal", kind="source"),
        mode="rehearsal",
    )


async def _rehearse(
    compiled: CompiledRunbook, test: Test, store: Store, alert: Alert | None
) -> Rehearsed:
    labels = alert.labels if alert is not None else {}
    notes = alert.annotations if alert is not None else {}
    inputs, problems = bind_inputs(compiled.runbook, test.inputs, labels, notes)
    if problems:
        return _nothing_seen(compiled, test, problems)
    stage = Stage(compiled, test, store)
    start = begun(compiled, inputs, labels, notes)
    await stage.play(start)
    entries = await store.entries(RUN)
    summary = await store.summary(RUN)
    assert summary is not None
    names = {
        node.id: name
        for node in compiled.nodes
        if (name := getattr(node.step, "name", None))
    }
    seen = seen_of(entries, summary, stage.actions.done, stage.people.asked, names)
    problems = seen.differs(test.expect) + broken(compiled, events_of(entries))
    return Rehearsed(test.name, seen, entries, summary, problems)


class Stage:
    """The scripted world of one rehearsal; a crash gives it a new driver."""

    def __init__(self, compiled: CompiledRunbook, test: Test, store: Store) -> None:
        impact = compiled.runbook.impact
        self.compiled, self.test, self.store = compiled, test, store
        self.clock = VirtualClock()
        names = frozenset(impact.checks) if impact is not None else frozenset[str]()
        self.checks = ScriptedChecks(Script(test.checks), self.clock, names)
        self.actions = ScriptedActions(Script(test.actions))
        self.people = ScriptedPeople(test.people)
        self.over = asyncio.Event()
        self.state, self.on_hold, self.script_over = "", False, False
        self.driver = self.new_driver()

    def new_driver(self) -> Driver:
        """Return an engine that has just started; it is the one from now on."""

        async def compiled(revision: str) -> CompiledRunbook:
            return self.compiled

        ports = Ports(
            self.store,
            self.checks,
            self.actions,
            self.people,
            self.clock,
            NoHold(),
            compiled,
        )
        self.driver = Driver(ports, listener=self._listen)
        self.people.driver = self.driver
        return self.driver

    def _listen(self, summary: RunSummary, entries: list[Entry]) -> None:
        before, self.state = self.state, summary.state
        if summary.ended_at is not None:
            self.over.set()
        elif self.state == "on_hold" != before:
            self._later(self._still_on_hold)

    def _later(self, then: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(ON_HOLD_SECONDS, then)

    def _still_on_hold(self) -> None:
        """Stop watching a run that waits for a hold to be lifted, which nobody does."""
        if self.state == "on_hold" and not self.script_over:
            self._later(self._still_on_hold)
        elif self.state == "on_hold":
            self.driver.abandon()
            self.over.set()

    async def play(self, start: Started) -> None:
        """Play the run to its end, or until it stays on hold."""
        events = sorted(self.test.events, key=lambda event: event.at)
        script = asyncio.create_task(self._events(events))
        await self.begin(start)
        await self.over.wait()
        script.cancel()

    async def begin(self, start: Started) -> None:
        """Begin the run."""
        await self.driver.begin(Session(RUN, self.compiled), start)

    async def _events(self, events: list[Any]) -> None:
        gone = 0.0
        for event in events:
            at = event.at.total_seconds()
            await asyncio.sleep(at - gone)
            gone = at
            await self._happen(event.do)
        self.script_over = True

    async def crash(self) -> None:
        """Let the engine die, and another one go on."""
        if await self.store.summary(RUN) is None:
            return  # nothing has begun that could be lost
        self.driver.abandon()
        await self.new_driver().resume(RUN, Restarted())

    async def _happen(self, what: str) -> None:
        person = Actor("person-0", via="rehearsal")
        if what == "crash":
            await self.crash()
            return
        if what == "hold":
            self.on_hold = not self.on_hold
        events: dict[str, Event] = {
            "cancel": Cancelled(by=person, reason="as scripted"),
            "resolved": AlertResolved(),
            "hold": HoldChanged(on=self.on_hold, by=person, reason="as scripted"),
        }
        self.driver.tell(RUN, events[what])


replace = msgspec.structs.replace
