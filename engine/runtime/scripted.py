"""The scripted world of a rehearsal: checks, actions and people that follow a script.

None of them can act: what would have been done is written down. An unscripted check is
unknown (impact: 0), an unscripted person silent. The stage they stand on: rehearsal.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from engine.core.judge import agree, judge
from engine.model.effects import Act, CheckCall, Page, Say
from engine.model.events import Answered, Voted
from engine.model.evidence import Evidence, Observation
from engine.model.people import Actor, Question
from engine.ports import ActResult
from engine.runtime.perform import Tick
from engine.runtime.virtual_time import VirtualClock

if TYPE_CHECKING:
    from engine.runtime.driver import Driver


class Script:
    """Answers in order; the last one stays."""

    def __init__(self, answers: Mapping[str, list[Any]]) -> None:
        self._answers = {name: list(script) for name, script in answers.items()}
        self._taken: dict[str, int] = {}

    def next(self, name: str) -> Any | None:
        """Return the next answer, or None where there is no script."""
        script = self._answers.get(name)
        if not script:
            return None
        taken = self._taken.get(name, 0)
        self._taken[name] = taken + 1
        return script[min(taken, len(script) - 1)]

    def peek(self, name: str) -> Any | None:
        """Return the next answer, and leave it there."""
        script = self._answers.get(name)
        if not script:
            return None
        return script[min(self._taken.get(name, 0), len(script) - 1)]

    def give_back(self, name: str, many: int) -> None:
        """Have the last answers given again: whoever took them is gone."""
        self._taken[name] = max(0, self._taken.get(name, 0) - many)


class ScriptedChecks:
    """Looks at a script; `pass` judges where the script gives a value."""

    def __init__(
        self, script: Script, clock: VirtualClock, impact: frozenset[str]
    ) -> None:
        self._script, self._clock, self._impact = script, clock, impact
        self._looked: Counter[str] = Counter()
        self._parts: dict[str, tuple[str, ...]] = {}  # of `agree`: its viewpoints

    async def look(self, call: CheckCall, *, run: str, tick: Tick) -> Evidence:
        """Return the scripted answer; all attempts of one look use one."""
        self._looked[call.check] += 1
        answer = self.answer(call)
        if answer is None and call.parts:
            self._parts[call.check] = tuple(one.check for one in call.parts)
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

    def take_back(self, kept: Mapping[str, int]) -> None:
        """Forget looks that nobody heard of: they see the same again.

        Args:
            kept: how many looks of each check are in the journal.
        """
        parts = {part for whole in self._parts.values() for part in whole}
        for name in [one for one in self._looked if one not in parts]:
            lost = self._looked[name] - kept.get(name, 0)
            for one in (name, *self._parts.get(name, ())):
                self._looked[one] -= lost
                self._script.give_back(one, lost)

    def answer(self, call: CheckCall) -> Any | None:
        """Return what the check says this time; None: there is no script for it."""
        return self._script.next(call.check)

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
