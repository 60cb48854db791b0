"""A recorded run made into a test of its runbook: a script, and what is expected.

The run is rehearsed in virtual time, each look, act and question answered as the same
one was then; what was answered is written down in the order in which a rehearsal asks.
Nothing is believed of it: whoever calls rehearses the test and looks at what differs.

Called by the command line (`replay --as-test`).
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from engine.analysis.replaying.history import History
from engine.analysis.replaying.recorded import Asked
from engine.core.code import CompiledRunbook
from engine.core.inputs import bind_inputs
from engine.core.judge import judge
from engine.model.effects import Act, CheckCall, Look
from engine.model.events import (
    Acted,
    AlertResolved,
    Answered,
    Cancelled,
    Event,
    HoldChanged,
    Looked,
    Noted,
    Restarted,
    Started,
    Stopped,
    TimerFired,
    Voted,
)
from engine.model.evidence import Evidence
from engine.model.people import Question
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.model.times import moment_text
from engine.model.values import format_duration
from engine.ports import ActResult, Store
from engine.runtime.answered_then import Then
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.perform import Tick
from engine.runtime.scripted import (
    NoHold,
    Script,
    ScriptedActions,
    ScriptedChecks,
    ScriptedPeople,
    observed,
)
from engine.runtime.session import Session
from engine.runtime.virtual_time import NeverEnds, VirtualClock, run_virtual

LONGEST_JSON: Final = 4000  # characters; a longer answer is told by its state alone
LONGEST_TEXT: Final = 100  # of what a program printed
SOON: Final = 0.001  # seconds
DIES_WITHIN: Final = 1.0  # seconds after an act began in whose middle the engine died
DOES: Final[Mapping[type, str]] = {
    Cancelled: "cancel",
    AlertResolved: "resolved",
    HoldChanged: "hold",
    Restarted: "crash",
}
QUIET: Final = (
    Noted,
    Stopped,
    Looked,
    Acted,
    TimerFired,
)  # left out of a test without a word


@dataclass(slots=True)
class Made:
    """A test, and what of the run it does not hold."""

    test: dict[str, Any]
    left_out: list[str] = field(default_factory=list)


def as_test(history: History, compiled: CompiledRunbook, store: Store) -> Made:
    """Return the run as a test, in the form in which it stands in a file.

    Args:
        history: The recorded run.
        compiled: The code that it is pinned to.
        store: An empty journal in memory.
    """
    then = Then(history, compiled)
    stage = _Stage(compiled, then, store)
    try:
        run_virtual(stage.play())
    except NeverEnds as error:
        then.left_out.append(f"its rehearsal does not end: {error}")
    test: dict[str, Any] = {"name": _name(history.summary)}
    alert, inputs = _begin(then.started, compiled)
    people = [*stage.people.told]
    while people and people[-1] == "silence":
        people.pop()  # who is not scripted is silent
    parts = {
        "inputs": inputs,
        "alert": alert,
        "checks": {name: _short(one) for name, one in stage.checks.told.items()},
        "actions": _acts(stage.actions.told, then),
        "people": people,
        "events": stage.events,
        "expect": _expected(history, then) | stage.asked(),
    }
    return Made(test | {key: one for key, one in parts.items() if one}, then.left_out)


def _acts(told: Mapping[str, list[str]], then: Then) -> dict[str, list[str]]:
    """Return the acts that did not just work; of an undo no file can say it."""
    found = {name: one for name, one in told.items() if set(one) != {"ok"}}
    undone = [name for name in found if name.startswith("undo ")]
    then.left_out += [f"{name}: {', '.join(found[name])}" for name in undone]
    return {name: _short(one) for name, one in found.items() if name not in undone}


def _name(summary: RunSummary) -> str:
    return f"as {summary.run} on {moment_text(summary.started_at)}"


def _short(answers: list[Any]) -> list[Any]:
    """Return the answers without what the last one says again."""
    while len(answers) > 1 and answers[-1] == answers[-2]:
        answers = answers[:-1]
    return answers


def _begin(
    started: Started, compiled: CompiledRunbook
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the alert, where it is one of Alertmanager, and the other inputs."""
    alert: dict[str, Any] = {}
    if started.labels and started.alert_source == "alertmanager":
        one = {
            "status": "firing",
            "labels": started.labels,
            "annotations": started.annotations,
        }
        alert = {"version": "4", "status": "firing", "alerts": [one]}
    labels = started.labels if alert else {}
    notes = started.annotations if alert else {}
    known, _ = bind_inputs(compiled.runbook, {}, labels, notes)
    inputs = {
        name: "secret" if isinstance(one, dict) else one
        for name, one in started.inputs.items()
        if one is not None and known.get(name) != one
    }
    return alert, inputs


def _expected(history: History, then: Then) -> dict[str, Any]:
    summary, entries = history.summary, history.entries
    undone = [one.subject for one in entries if one.kind == "undone"]
    skipped = [one.subject for one in entries if one.kind == "skipped" and one.subject]
    told: dict[str, Any] = {"end": summary.state}
    if summary.cause:
        told["cause"] = summary.cause
    told |= {"did": then.did(), "undone": undone}
    told["held"] = [one.action for one in summary.held]
    if skipped:
        told["skipped"] = skipped
    return told


class _Feed(Script):
    """Gives the answer that was put in, once."""

    def __init__(self) -> None:
        super().__init__({})
        self.answer: Any = None

    def next(self, name: str) -> Any:
        """Return what was put in."""
        return self.answer


class _Checks:
    """Looks at what the same look saw, and writes it down."""

    def __init__(self, then: Then, clock: VirtualClock, impact: frozenset[str]) -> None:
        self.then, self.feed = then, _Feed()
        self.scripted = ScriptedChecks(self.feed, clock, impact)
        self.told: dict[str, list[Any]] = {}
        self.session: Session | None = None
        self._taken: dict[int, Asked | None] = {}
        self._kept: list[Look] = []  # so that no other gets its identity

    async def look(self, call: CheckCall, *, run: str, tick: Tick) -> Evidence:
        """Return the recorded answer, as its script gives it."""
        seen = self._seen(call)
        answer = "unknown" if seen is None else answer_of(call, seen)
        self.told.setdefault(call.check, []).append(answer)
        self.feed.answer = answer
        return await self.scripted.look(call, run=run, tick=tick)

    def _seen(self, call: CheckCall) -> Evidence | None:
        assert self.session is not None
        for key, pending in self.session.pending.items():
            look = pending.effect
            if isinstance(look, Look) and any(one is call for one in look.checks):
                if id(look) not in self._taken:
                    self._kept.append(look)
                    self._taken[id(look)] = self.then.take(key)
                asked = self._taken[id(look)]
                return _evidence(self.then, asked, call.slot)
        return None


def _evidence(then: Then, asked: Asked | None, slot: str) -> Evidence | None:
    for index in asked.answers if asked is not None else ():
        event = then.events[index]
        if isinstance(event, Looked):
            return next((one for one in event.evidence if one.slot == slot), None)
    return None


def answer_of(call: CheckCall, seen: Evidence) -> Any:
    """Return the answer of a script that is judged as this was."""
    if seen.state == "unknown" or call.parts:
        return seen.state
    for answer in _answers(seen.seen):
        again = judge(call, observed(answer), tick=0.0, at=0.0, attempts=1)
        if again.state == seen.state:
            return answer
    return seen.state


def _answers(seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if isinstance(seen.get("value"), int | float):
        found.append({"value": seen["value"]})
    if "json" in seen and len(json.dumps(seen["json"])) <= LONGEST_JSON:
        found.append({"json": seen["json"]})
    if "exit_code" in seen:
        text = seen.get("stdout")
        if isinstance(text, str) and text and len(text) <= LONGEST_TEXT:
            found.append({"exit_code": seen["exit_code"], "stdout": text})
        found.append({"exit_code": seen["exit_code"]})
    return found


class _Actions:
    """Acts as it came then, and writes it down."""

    def __init__(self, then: Then) -> None:
        self.then, self.feed = then, _Feed()
        self.scripted = ScriptedActions(self.feed)
        self.told: dict[str, list[str]] = {}

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Return the recorded outcome, as its script gives it."""
        outcome = self.then.outcome(self.then.take(act.key), act)
        name = f"undo {act.action}" if act.undo else act.action
        self.told.setdefault(name, []).append(outcome)
        self.feed.answer = outcome
        return await self.scripted.act(act, run=run)


class _People(ScriptedPeople):
    """People answer as they did, and it is written down."""

    def __init__(self, then: Then) -> None:
        super().__init__([])
        self.then = then
        self.told: list[Any] = []

    async def ask(self, run: str, question: Question, /) -> None:
        """Let them answer as they did then."""
        asked = self.then.take(question.key)
        said = self.then.counted(asked) if asked is not None else []
        answers = _said(question, said)
        self.told += answers
        self._script[:] = answers
        await super().ask(run, question)


def _said(question: Question, said: list[Event]) -> list[Any]:
    """Return what a script says for a question: one answer for each place."""
    many = sum(count for _, count in question.who)
    if question.kind != "approve":
        answers = [dict(one.answers) for one in said if isinstance(one, Answered)]
        return [*answers[:1]] or ["silence"]
    votes = [one.vote for one in said if isinstance(one, Voted)]
    yes = ["approve"] * min(many, votes.count("approve"))
    if len(yes) == many:
        return list(yes)
    return [*yes, "reject" if "reject" in votes else "silence"]


class _Stage:
    """The rehearsal in which the script is made."""

    def __init__(self, compiled: CompiledRunbook, then: Then, store: Store) -> None:
        impact = compiled.runbook.impact
        names = frozenset(impact.checks) if impact is not None else frozenset[str]()
        self.compiled, self.then, self.store = compiled, then, store
        self.clock = VirtualClock()
        self.checks = _Checks(then, self.clock, names)
        self.actions, self.people = _Actions(then), _People(then)
        self.events: list[dict[str, Any]] = []
        self.over = asyncio.Event()
        self.driver = self._new_driver()
        self._after = self._anchored()

    def _new_driver(self) -> Driver:
        async def compiled(revision: str) -> CompiledRunbook:
            return self.compiled

        ports = Ports(
            self.store, self.checks, self.actions, self.people, self.clock, NoHold(),
            compiled,
        )  # fmt: skip
        self.driver = Driver(ports, listener=self._listen)
        self.people.driver = self.driver
        return self.driver

    async def play(self) -> None:
        """Play the run to its end."""
        start = self.then.started
        session = Session(start.run, self.compiled)
        self.checks.session = session
        mode = {"mode": "rehearsal", "at": 0.0, "tick": 0.0}
        fields = {name: getattr(start, name) for name in start.__struct_fields__}
        await self.driver.begin(session, Started(**(fields | mode)))
        await self.over.wait()

    def _listen(self, summary: RunSummary, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.event is not None:
                self._passed(entry.event)
        if summary.ended_at is not None:
            self.over.set()

    def asked(self) -> dict[str, int]:
        """Return how many questions there were; a crash asks an open one again."""
        crashed = any(one["do"] == "crash" for one in self.events)
        again = len(self.people.asked)
        return {"asked": again if crashed else self.then.questions}

    # What came from outside

    def _anchored(self) -> dict[tuple[str, int], list[tuple[float, Event]]]:
        """Return what happened after which answer, and how long after."""
        found: dict[tuple[str, int], list[tuple[float, Event]]] = {}
        counts: dict[str, int] = {}
        last, at = ("", 0), 0.0
        outside = set(self.then.outside)
        for index, event in enumerate(self.then.events):
            key = getattr(event, "key", "")
            if index == 0 or (index not in outside and key):
                counts[key] = counts.get(key, 0) + 1
                last, at = (key, counts[key]), event.tick
            elif type(event) in DOES and not self._in_order(index):
                gone = max(event.tick - at, SOON)
                gone = min(gone, DIES_WITHIN) if type(event) is Restarted else gone
                found.setdefault(last, []).append((gone, event))
            elif not isinstance(event, QUIET):
                name = type(event).__name__
                self.then.left_out.append(f"{name} at {event.tick:g}s")
        self._counts: dict[str, int] = {}
        return found

    def _in_order(self, index: int) -> bool:
        """Whether a return of the engine is one after it was stopped in order."""
        events = self.then.events
        back = isinstance(events[index], Restarted)
        return back and isinstance(events[index - 1], Stopped)

    def _passed(self, event: Event) -> None:
        key = getattr(event, "key", "")
        if not key and not isinstance(event, Started):
            return
        self._counts[key] = self._counts.get(key, 0) + 1
        for gone, happens in self._after.pop((key, self._counts[key]), ()):
            at = asyncio.get_running_loop().time() + gone
            length = format_duration(timedelta(seconds=round(at, 3)))
            self.events.append({"at": length, "do": DOES[type(happens)]})
            asyncio.get_running_loop().call_later(gone, self._happen, happens)

    def _happen(self, event: Event) -> None:
        if isinstance(event, Restarted):
            self.driver.abandon()
            driver = self._new_driver()
            self._task = asyncio.create_task(self._back(driver))
        else:
            self.driver.tell(self.then.started.run, event)

    async def _back(self, driver: Driver) -> None:
        run = self.then.started.run
        self.checks.session = await driver.session(run)
        await driver.resume(run, Restarted())
