"""A run led along a way of the proof, on the driver of a live run.

What it was told is the script of a test that takes the same way.

Called by: covering.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.analysis.proof.domains import Sight
from engine.analysis.proof.offers import Move
from engine.analysis.rehearsal.drill import Drill
from engine.analysis.rehearsal.faults import answer_of
from engine.core.code import CompiledRunbook
from engine.core.inputs import bind_inputs
from engine.model.effects import Act, CheckCall, Look
from engine.model.events import Acted, Answered, Looked, Started, Voted
from engine.model.people import Actor, Question
from engine.model.run import RunSummary
from engine.model.runbook import Test
from engine.model.timeline import Entry
from engine.ports import ActResult
from engine.runtime.rehearsal import RUN, Stage
from engine.runtime.scripted import Script, ScriptedActions, ScriptedChecks
from engine.runtime.scripted import ScriptedPeople as People
from engine.runtime.virtual_time import NeverEnds, run_virtual
from engine.testing.playing import own_drills

WORDS = {"ok": "ok", "failed": "fail", "unknown": "timeout"}


def script(compiled: CompiledRunbook, way: Sequence[Move], name: str) -> Drill | None:
    """Return the test that goes a way, without what it expects; None: none is found."""
    start = way[0].events[0]
    assert isinstance(start, Started)
    base = next(iter(own_drills(compiled)), Drill(Test(name="")))
    inputs = dict(base.test.inputs)
    test = Test(name=name, inputs=inputs, alert=base.test.alert)
    bound, problems = bind_inputs(
        compiled.runbook, inputs, base.labels, base.annotations
    )
    if problems:
        return None
    try:
        told = run_virtual(_led(compiled, test, way, base, bound))
    except NeverEnds:
        return None
    return Drill(told, (), base.labels, base.annotations)


async def _led(
    compiled: CompiledRunbook,
    test: Test,
    way: Sequence[Move],
    base: Drill,
    bound: Mapping[str, Any],
) -> Test:
    stage = Led(compiled, Drill(test), way)
    await stage.play(
        Started(
            run=RUN,
            revision=compiled.revision,
            inputs=dict(bound),
            labels=dict(base.labels),
            annotations=dict(base.annotations),
            by=Actor("rehearsal", kind="source"),
            mode="rehearsal",
        )
    )
    return test.model_copy(update=stage.told())


class Led(Stage):
    """The world of a run that is led: every answer is the way's next one there."""

    def __init__(
        self, compiled: CompiledRunbook, drill: Drill, way: Sequence[Move]
    ) -> None:
        self.queues: dict[str, list[Move]] = {}
        for move in way[1:]:
            self.queues.setdefault(move.thread, []).append(move)
        self.last: dict[str, Any] = {}
        self.looks: dict[str, list[Any]] = {}
        self.acts: dict[str, list[Any]] = {}
        self.votes: list[Any] = []
        super().__init__(compiled, drill.test, _store())
        impact = compiled.runbook.impact
        names = frozenset(impact.checks) if impact is not None else frozenset[str]()
        self.checks = LedChecks(self, names)
        self.actions = LedActions(self)
        self.people = LedPeople(self)
        self.new_driver()

    def next_of(self, key: str) -> Move | None:
        """Return the move that answers a key, if it is the thread's turn for it."""
        queue = self.queues.get(key.partition("@")[0], [])
        for index, move in enumerate(queue):
            if move.kind in ("timer", "lock"):
                return None
            if getattr(move.events[0], "key", "") == key:
                del queue[:index]
                return move
        return None

    def happened(self, key: str) -> None:
        """Take the move of a key off its thread."""
        queue = self.queues.get(key.partition("@")[0], [])
        if queue and getattr(queue[0].events[0], "key", "") == key:
            del queue[0]

    def _listen(self, summary: RunSummary, entries: list[Entry]) -> None:
        for entry in entries:
            self.happened(str(getattr(entry.event, "key", "")))
        super()._listen(summary, entries)

    def told(self) -> dict[str, Any]:
        """Return the scripts of everything that was answered."""
        looks = {name: _short(one) for name, one in self.looks.items()}
        acts = {name: _short(one) for name, one in self.acts.items()}
        people = list(self.votes)
        while people and people[-1] == "silence":
            people.pop()
        return {
            "checks": {name: one for name, one in looks.items() if one != ["unknown"]},
            "actions": {name: one for name, one in acts.items() if one != ["ok"]},
            "people": people,
        }


def _store() -> Any:
    from engine.bootstrap import empty_store

    return empty_store()


def _short(answers: list[Any]) -> list[Any]:
    left = list(answers)
    while len(left) > 1 and left[-1] == left[-2]:
        left.pop()
    return left


class LedChecks(ScriptedChecks):
    """Says what the way says."""

    def __init__(self, led: Led, impact: frozenset[str]) -> None:
        super().__init__(Script({}), led.clock, impact)
        self.led = led

    def answer(self, call: CheckCall) -> Any | None:
        """Return the way's answer, else the last one again."""
        led = self.led
        said = self._said(call)
        if said is None:
            said = led.last.get(call.check)
        if said is None:
            if call.check in self._impact:
                return None
            said = "unknown"
        led.last[call.check] = said
        led.looks.setdefault(call.check, []).append(said)
        return said

    def _said(self, call: CheckCall) -> Any | None:
        session = self.led.driver.in_memory(RUN)
        for key, one in session.pending.items() if session is not None else ():
            if not isinstance(one.effect, Look) or call not in one.effect.checks:
                continue
            move = self.led.next_of(key)
            for event in move.events if move is not None else ():
                if isinstance(event, Looked):
                    for seen in event.evidence:
                        if seen.slot == call.slot:
                            return answer_of(Sight(seen.state, seen.seen))
        return None


class LedActions(ScriptedActions):
    """Acts as the way says."""

    def __init__(self, led: Led) -> None:
        super().__init__(Script({}))
        self.led = led

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Return the way's outcome, else that it is done."""
        move = self.led.next_of(act.key)
        event = move.events[0] if move is not None else None
        word = WORDS[event.outcome] if isinstance(event, Acted) else "ok"
        name = f"undo {act.action}" if act.undo else act.action
        self.led.acts.setdefault(name, []).append(word)
        self._script = Script({name: [word]})
        return await super().act(act, run=run)


class LedPeople(People):
    """Answers as the way says, else nothing."""

    def __init__(self, led: Led) -> None:
        super().__init__([])
        self.led = led

    async def ask(self, run: str, question: Question, /) -> None:
        """Answer as one move of the way does."""
        move = self.led.next_of(question.key)
        said = list(map(_word, move.events)) if move is not None else ["silence"]
        self.led.votes += said
        self._script = said
        await super().ask(run, question)


def _word(event: Any) -> Any:
    if isinstance(event, Voted):
        return event.vote
    return dict(event.answers) if isinstance(event, Answered) else "silence"
