"""A drill played: the driver of a live run, killed and started again where it says.

The world of a rehearsal, which also writes down what it was asked for and when; a kill
is what `kill -9` at that write would be: nothing after it happens, what was in flight
ends unheard. A look that was cut sees the same again, and a person who was asked
already says the same again.

Called by: every_path, faulting, covering, mutating.
"""

import asyncio
import copy
import dataclasses
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from engine.adapters.memory_store import MemoryStore
from engine.analysis.rehearsal.drill import Call, Drill, Told
from engine.bootstrap.rehearsing import alert_of
from engine.core.code import CompiledRunbook
from engine.core.inputs import bind_inputs
from engine.model.effects import Act, Page, Say
from engine.model.events import Answered, Looked, Restarted, Started
from engine.model.people import Actor, Question
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.ports import ActResult
from engine.runtime.invariants import broken
from engine.runtime.journal import events_of
from engine.runtime.outcome import Seen, seen_of
from engine.runtime.rehearsal import RUN, Stage, begun
from engine.runtime.scripted import Script, ScriptedActions, ScriptedPeople
from engine.runtime.session import Session
from engine.runtime.virtual_time import NeverEnds, run_virtual

SELDOM: Final = timedelta(days=1)
MOST_SECONDS: Final = 7 * 86_400.0  # of virtual time, of one drill


@dataclasses.dataclass(slots=True)
class Played:
    """What one drill showed, and what differs from what its test expects."""

    drill: Drill
    told: Told
    seen: Seen
    problems: list[str]
    writes: int = 0  # of the journal
    kills_at: tuple[int, ...] = ()  # writes of the run itself, no watch's
    acts_at: frozenset[int] = frozenset()  # writes with an act in flight after them


def own_drills(compiled: CompiledRunbook) -> list[Drill]:
    """Return the runbook's own tests as drills, each with what its alert says.

    Raises:
        EngineError: the `alert` of one is no body of its source.
    """
    found = []
    for test in compiled.runbook.tests:
        alert = alert_of(compiled.runbook, test)
        if alert is None:
            found.append(Drill(test))
        else:
            found.append(Drill(test, (), alert.labels, alert.annotations))
    return found


def seldom_measured(compiled: CompiledRunbook) -> CompiledRunbook:
    """Return the code with the impact measured once a day: nothing hangs on it."""
    nodes = list(compiled.nodes)
    for watch in compiled.watches:
        if watch.kind == "impact":
            node = copy.copy(nodes[watch.pc])
            node.step = node.step.model_copy(update={"every": SELDOM})
            nodes[watch.pc] = node
    return dataclasses.replace(compiled, nodes=tuple(nodes))


def play(
    compiled: CompiledRunbook, drill: Drill, *, most_seconds: float = MOST_SECONDS
) -> Played:
    """Return what a drill shows; `most_seconds` of virtual time, then it is cut."""
    try:
        return run_virtual(_play(compiled, drill, most_seconds))
    except NeverEnds as error:
        told = Told([], None, [], [], str(error))
        return Played(drill, told, Seen(), [str(error)])


async def _play(compiled: CompiledRunbook, drill: Drill, most: float) -> Played:
    labels, notes = drill.labels, drill.annotations
    inputs, problems = bind_inputs(compiled.runbook, drill.test.inputs, labels, notes)
    if problems:
        return Played(drill, Told([], None, [], []), Seen(), problems)
    stage = DrillStage(compiled, drill)
    start = begun(compiled, inputs, labels, notes)
    over = ""
    try:
        async with asyncio.timeout(most):
            await stage.play(start)
    except TimeoutError:
        over = f"it did not end within {most:g}s"
    return await _played(stage, drill, over)


async def _played(stage: "DrillStage", drill: Drill, over: str) -> Played:
    journal = stage.journal
    entries, summary = await journal.entries(RUN), await journal.summary(RUN)
    pages = [one for _, _, one in await journal.unsent(limit=100_000)
             if isinstance(one, Page)]  # fmt: skip
    told = Told(entries, summary, stage.world.calls, pages, over)
    if summary is None:
        return Played(drill, told, Seen(), ["the run did not begin"])
    names = {
        node.id: name
        for node in stage.compiled.nodes
        if (name := getattr(node.step, "name", None))
    }
    seen = seen_of(entries, summary, stage.actions.done, stage.people.asked, names)
    problems = seen.differs(drill.test.expect)
    problems += broken(stage.compiled, events_of(entries))
    if over:
        problems.append(over)
    return Played(
        drill, told, seen, problems, journal.writes,
        tuple(journal.kills_at), frozenset(journal.acts_at),
    )  # fmt: skip


class Journal(MemoryStore):
    """A journal in memory at whose writes the engine can die."""

    def __init__(self, stage: "DrillStage", drill: Drill) -> None:
        super().__init__(seal=False)
        self.stage, self.writes = stage, 0
        self.kills = {kill.write: kill.stored for kill in drill.kills}
        self.kills_at: list[int] = []
        self.acts_at: set[int] = set()
        self._known: set[str] = set()

    async def append(
        self,
        entries: Sequence[Entry],
        summary: RunSummary,
        *,
        outbox: Sequence[Say | Page] = (),
    ) -> list[Entry]:
        """Keep the entries, unless the engine dies at this write."""
        self.writes += 1
        kill = self.kills.get(self.writes)
        if kill is False:
            await self.stage.die()
        kept = await super().append(entries, summary, outbox=outbox)
        self.stage.begun.set()
        told = {_told(entry) for entry in kept if _of_the_run(entry)}
        if told - self._known:  # a poll that says the same again is no other place
            self._known |= told
            self.kills_at.append(self.writes)
        if self.stage.acting():
            self.acts_at.add(self.writes)
        if kill is True:
            await self.stage.die()
        return kept

    def many(self) -> int:
        """Return how many entries are kept."""
        return len(self._entries.get(RUN, ()))


def _of_the_run(entry: Entry) -> bool:
    key = str(getattr(entry.event, "key", ""))
    return entry.event is not None and not key.startswith(WATCHES)


def _told(entry: Entry) -> str:
    event = entry.event
    seen = event.evidence if isinstance(event, Looked) else ()
    states = [one.state for one in seen]
    return f"{entry.kind} {getattr(event, 'key', '')} {states}"


WATCHES: Final = ("impact", "stop", "raise", "limits")


class World(ScriptedActions):
    """Does what is scripted, and writes down that it was asked."""

    def __init__(self, script: Script, journal: Journal) -> None:
        super().__init__(script)
        self.journal = journal
        self.calls: list[Call] = []

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Return the scripted outcome; an undo is scripted as `undo NAME`."""
        name = f"undo {act.action}" if act.undo else act.action
        answer = self._script.peek(name) or "ok"
        self.calls.append(
            Call(
                act.action,
                act.target,
                act.idempotency_key,
                act.undo,
                self.journal.many(),
                effect=answer in ("ok", "lost"),
                answer=str(answer),
            )
        )
        return await super().act(act, run=run)

    def has_done(self, key: str) -> bool:
        """Return whether the act of this key has changed the world."""
        return any(call.key == key and call.effect for call in self.calls)


class Crowd(ScriptedPeople):
    """People who say the same again when they are asked the same again.

    Whether an act happened they say as it is: they can see the world.
    """

    def __init__(self, script: list[Any], world: World) -> None:
        super().__init__(script)
        self.world = world
        self._said: dict[tuple[str, int], list[tuple[str, Any]]] = {}
        self._now: tuple[str, int] = ("", 0)

    async def ask(self, run: str, question: Question, /) -> None:
        """Let one person for each place answer as scripted."""
        key = (question.key, question.round)
        again = self._said.get(key)
        if again is None or question.changed:
            self._said[key], self._now = [], key
            await super().ask(run, question)
            return
        for group, answer in again:
            super()._answer(run, question, group, answer)

    def _answer(self, run: str, question: Question, group: str, answer: Any) -> None:
        self._said[self._now].append((group, answer))
        if question.kind == "happened" and answer != "silence":
            happened = self.world.has_done(f"{run}/{_act_of(question.key)}")
            by = Actor("person-h", groups=(group,), via="rehearsal")
            assert self.driver is not None
            told = Answered(key=question.key, by=by, answers={"happened": happened})
            self.driver.tell(run, told)
            return
        super()._answer(run, question, group, answer)


def _act_of(key: str) -> str:
    """Return the end of the id of the act that a question is about."""
    thread, _, rest = key.partition("@")
    return f"{thread}/{rest.partition(':')[0]}"


class DrillStage(Stage):
    """The world of one drill."""

    def __init__(self, compiled: CompiledRunbook, drill: Drill) -> None:
        self.journal = Journal(self, drill)
        super().__init__(compiled, drill.test, self.journal)
        self.world = World(Script(drill.test.actions), self.journal)
        self.actions = self.world
        self.people = Crowd(drill.test.people, self.world)
        self.new_driver()
        self._alive: asyncio.Task[None] | None = None  # what began the engine
        self._start: Started | None = None
        self.begun = asyncio.Event()

    async def begin(self, start: Started) -> None:
        """Begin the run; it may die before that is written."""
        self._start = start
        self._alive = asyncio.create_task(self._begun())
        await self.begun.wait()

    async def _events(self, events: list[Any]) -> None:
        await self.begun.wait()
        await super()._events(events)

    async def _begun(self) -> None:
        assert self._start is not None
        await self.driver.begin(Session(RUN, self.compiled), self._start)

    def acting(self) -> bool:
        """Return whether an act is in flight, as the engine sees it."""
        session = self.driver.in_memory(RUN)
        return session is not None and any(
            isinstance(one.effect, Act) for one in session.pending.values()
        )

    async def die(self) -> None:
        """End as a killed process does, within a write; never returns."""
        await self.crash()
        await asyncio.Event().wait()

    async def crash(self) -> None:
        """Let the engine die, and another one go on.

        What was seen and not written is seen again.
        """
        self.driver.abandon()
        if self._alive is not None:
            self._alive.cancel()
        self._alive = asyncio.create_task(self._back())

    async def _back(self) -> None:
        entries = await self.journal.entries(RUN)
        kept = Counter(
            seen.check
            for entry in entries
            if isinstance(entry.event, Looked)
            for seen in entry.event.evidence
        )
        self.checks.take_back(kept)
        self.new_driver()
        if entries:
            await self.driver.resume(RUN, Restarted())
        else:
            await self._begun()
