"""A rehearsal: the driver of a live run, on scripted ports and virtual time.

`rehearse` takes one test of a runbook and gives back what happened beside what was
expected. There is no action port that could act: the scripted one only writes down what
would have been done. An unscripted check is unknown, an unscripted person silent.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from engine.core.code import CompiledRunbook
from engine.core.inputs import bind_inputs
from engine.core.judge import agree, judge
from engine.model.alert import Alert
from engine.model.effects import Act, CheckCall, Page, Say
from engine.model.events import (
    AlertResolved,
    Answered,
    Cancelled,
    Event,
    HoldChanged,
    Restarted,
    Started,
    Voted,
)
from engine.model.evidence import Evidence, Observation
from engine.model.people import Actor, Question
from engine.model.run import RunSummary
from engine.model.runbook import Test
from engine.model.timeline import Entry
from engine.ports import ActResult, Store
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.invariants import broken
from engine.runtime.journal import events_of
from engine.runtime.outcome import Seen, seen_of
from engine.runtime.perform import Tick
from engine.runtime.session import Session
from engine.runtime.virtual_time import NeverEnds, VirtualClock, run_virtual

RUN = "rehearsal"
ON_HOLD_SECONDS: Final = 86_400.0  # a hold that nobody lifts is looked at so long


class Script:
    """Answers in order; the last one stays."""

    def __init__(self, answers: Mapping[str, list[Any]]) -> None:
        self._answers = {name: list(script) for name, script in answers.items()}

    def next(self, name: str) -> Any | None:
        """Return the next answer, or None where there is no script."""
        script = self._answers.get(name)
        if not script:
            return None
        return script.pop(0) if len(script) > 1 else script[0]


class ScriptedChecks:
    """Looks at a script; `pass` judges where the script gives a value."""

    def __init__(
        self, script: Script, clock: VirtualClock, impact: frozenset[str]
    ) -> None:
        self._script, self._clock, self._impact = script, clock, impact

    async def look(self, call: CheckCall, *, run: str, tick: Tick) -> Evidence:
        """Return the scripted answer; all attempts of one look use one."""
        answer = self._script.next(call.check)
        if answer is None and call.parts:
            seen = [await self.look(part, run=run, tick=tick) for part in call.parts]
            return agree(
                call.check,
                call.slot,
                seen,
                call.need,
                tick=tick(),
                at=self._clock.now(),
            )
        if answer == "slow":
            await asyncio.sleep(call.timeout_seconds * call.attempts)
        return self._evidence(call, answer, tick())

    def _evidence(self, call: CheckCall, answer: Any, tick: float) -> Evidence:
        at = self._clock.now()
        if isinstance(answer, Mapping):
            observation = observed(answer)
            return judge(call, observation, tick=tick, at=at, attempts=1)
        if answer is None and call.check in self._impact:
            answer = "pass"
            seen: dict[str, Any] = {"value": 0.0}
        else:
            seen = {}
        if answer in ("pass", "fail"):
            return Evidence(
                call.check, call.slot, answer, "as scripted", seen, tick, at
            )
        why = "no script" if answer is None else f"as scripted: {answer}"
        return Evidence(call.check, call.slot, "unknown", why, {}, tick, at)


def observed(answer: Mapping[str, Any]) -> Observation:
    """Return a scripted map as an observation: {value: 3.2}, {json: {...}} …"""
    seen = dict(answer)
    if isinstance(seen.get("value"), int | float) and not isinstance(
        seen["value"], bool
    ):
        seen["value"] = float(seen["value"])
        seen.setdefault("series", [{"labels": {}, "value": seen["value"]}])
        seen.setdefault("values", [seen["value"]])
    if "json" in seen and "response" not in seen:
        seen["response"] = {"status": 200, "body": ""}
    return Observation(seen=seen, summary="as scripted")


class ScriptedActions:
    """Writes down what would have been done."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.done: list[tuple[str, str, str]] = []  # action, target, idempotency key

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Return the scripted outcome; an undo is scripted as `undo NAME`."""
        name = f"undo {act.action}" if act.undo else act.action
        answer = self._script.next(name) or "ok"
        if answer in ("ok", "lost") and not act.undo:
            self._did(act)  # a crash while the answer is lost does not unmake it
        if answer in ("timeout", "lost"):
            await asyncio.sleep(act.timeout_seconds)
        return {
            "ok": ActResult("ok", "as scripted"),
            "fail": ActResult("failed", "as scripted: fail"),
        }.get(answer, ActResult("unknown", f"as scripted: {answer}"))

    def _did(self, act: Act) -> None:
        if all(key != act.idempotency_key for _, _, key in self.done):
            self.done.append((act.action, act.target, act.idempotency_key))


class ScriptedPeople:
    """People answer in the order of being asked, each a fresh, allowed person."""

    def __init__(self, script: list[Any]) -> None:
        self._script = list(script)
        self.asked: list[Question] = []
        self.driver: Driver | None = None
        self._count = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Nobody reads along."""

    async def close(self, run: str, key: str, outcome: str, /) -> None:
        """Nothing is shown."""

    async def page(self, run: str, page: Page, /) -> None:
        """Nobody is paged."""

    async def ask(self, run: str, question: Question, /) -> None:
        """Let one person for each place answer as scripted."""
        self.asked.append(question)
        for group, count in question.who:
            for _ in range(count):
                if not self._script:
                    return
                answer = self._script.pop(0)
                self._answer(run, question, group, answer)
                if answer != "approve":
                    return

    def _answer(self, run: str, question: Question, group: str, answer: Any) -> None:
        assert self.driver is not None
        if answer == "silence":
            return
        self._count += 1
        by = Actor(f"person-{self._count}", groups=(group,), via="rehearsal")
        if question.kind == "approve":
            vote: Literal["approve", "reject"] = (
                "approve" if answer == "approve" else "reject"
            )
            plan = question.plan.hash if question.plan is not None else ""
            self.driver.tell(
                run,
                Voted(
                    key=question.key,
                    by=by,
                    vote=vote,
                    plan=plan,
                    typed=question.retype or "",
                    reason="as scripted",
                ),
            )
            return
        answers = (
            answer if isinstance(answer, Mapping) else _yes_or_no(question, answer)
        )
        self.driver.tell(run, Answered(key=question.key, by=by, answers=dict(answers)))


def _yes_or_no(question: Question, answer: Any) -> dict[str, Any]:
    return dict.fromkeys(question.fields, answer == "approve")


class NoHold:
    """The global hold of a rehearsal: a script sets it by events."""

    def reason(self) -> str | None:
        """Return None: it is off."""
        return None


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


async def _rehearse(
    compiled: CompiledRunbook, test: Test, store: Store, alert: Alert | None
) -> Rehearsed:
    labels = alert.labels if alert is not None else {}
    notes = alert.annotations if alert is not None else {}
    inputs, problems = bind_inputs(compiled.runbook, test.inputs, labels, notes)
    if problems:
        return _nothing_seen(compiled, test, problems)
    stage = _Stage(compiled, test, store)
    start = Started(
        run=RUN,
        revision=compiled.revision,
        inputs=inputs,
        labels=dict(labels),
        annotations=dict(notes),
        by=Actor("rehearsal", kind="source"),
        mode="rehearsal",
    )
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


class _Stage:
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
        self.driver = self._new_driver()

    def _new_driver(self) -> Driver:
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
        await self.driver.begin(Session(RUN, self.compiled), start)
        await self.over.wait()
        script.cancel()

    async def _events(self, events: list[Any]) -> None:
        gone = 0.0
        for event in events:
            at = event.at.total_seconds()
            await asyncio.sleep(at - gone)
            gone = at
            await self._happen(event.do)
        self.script_over = True

    async def _happen(self, what: str) -> None:
        person = Actor("person-0", via="rehearsal")
        if what == "crash":
            self.driver.abandon()
            await self._new_driver().resume(RUN, Restarted())
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
