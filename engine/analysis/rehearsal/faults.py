"""Drills made by chance: what checks, acts and people can do wrong, and when.

Half of them begin as a test of the runbook's own, so that they get far; the others are
made up altogether. A drill follows from its seed and the runbook alone.

Called by: engine.testing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from engine.analysis.proof.domains import Domains, Sight
from engine.analysis.rehearsal.dice import Dice
from engine.analysis.rehearsal.drill import Drill, Kill
from engine.core.code import CompiledRunbook
from engine.core.lists import every_step
from engine.model.runbook import ScriptedEvent, Test
from engine.model.steps import AskStep

OUTCOMES: Final = ("ok", "fail", "timeout", "lost")
VOTES: Final = ("approve", "approve", "reject", "silence")
What = Literal["cancel", "resolved", "crash", "hold"]
EVENTS: Final[tuple[What, ...]] = ("cancel", "resolved", "crash", "hold")
SPANS: Final = (1, 10, 60, 600, 2400)  # seconds; an event comes within one of them
SPREADS: Final = (8, 20, 60)  # writes; a kill comes within one of them
READ: Final = ("value", "json", "exit_code", "stdout", "series")


class Faults:
    """Makes drills of one runbook."""

    def __init__(self, compiled: CompiledRunbook, known: Sequence[Drill]) -> None:
        """`known`: the runbook's own tests, which drills begin from."""
        self.compiled, self.known = compiled, list(known)
        self.domains = Domains(compiled)
        self._answers = {
            name: answers
            for scope in compiled.scopes
            for name in scope.checks
            if (answers := self._pool(scope.index, name))
        }
        self._asked = [
            step
            for scope in compiled.scopes
            for step in every_step(scope.runbook)
            if isinstance(step, AskStep)
        ]

    def _pool(self, scope: int, name: str) -> list[Any]:
        pool: list[Any] = ["unknown", "slow"]
        pool += [answer_of(sight) for sight in self.domains.sights(scope, name)]
        for drill in self.known:
            pool += drill.test.checks.get(name, [])
        return [one for at, one in enumerate(pool) if one not in pool[:at]]

    def drill(self, seed: int) -> Drill:
        """Return the drill of a seed."""
        dice = Dice(seed)
        base = dice.one_of(self.known) if self.known else Drill(Test(name="faults"))
        own = base.test if dice.chance(60) else Test(name="faults")
        test = Test(
            name=f"faults seed={seed}",
            inputs=base.test.inputs if self.known else self._inputs(dice),
            alert=base.test.alert,
            checks=dict(self._checks(own, dice)),
            actions=dict(self._actions(own, dice)),
            people=self._people(own, dice),
            events=sorted(self._events(own, dice), key=lambda one: one.at),
        )
        kills = tuple(self._kills(dice))
        return Drill(test, kills, base.labels, base.annotations)

    def _inputs(self, dice: Dice) -> dict[str, Any]:
        return {
            name: dice.one_of(self.domains.inputs(0, name, declared))
            for name, declared in self.compiled.runbook.inputs.items()
            if declared.required
        }

    def _checks(self, own: Test, dice: Dice) -> Iterator[tuple[str, list[Any]]]:
        for name, pool in self._answers.items():
            script = list(own.checks.get(name, []))
            if script and dice.chance(70):
                if dice.chance(30):
                    script.insert(dice.below(len(script) + 1), dice.one_of(pool))
            elif dice.chance(85):
                script = dice.some_of(pool, 4)
            if script:
                yield name, script

    def _actions(self, own: Test, dice: Dice) -> Iterator[tuple[str, list[Any]]]:
        names = [name for scope in self.compiled.scopes for name in scope.actions]
        for name in dict.fromkeys(names):
            for one in (name, f"undo {name}"):
                if dice.chance(35):
                    yield one, dice.some_of(OUTCOMES, 3)
                elif one in own.actions:
                    yield one, list(own.actions[one])

    def _people(self, own: Test, dice: Dice) -> list[Any]:
        people = list(own.people)
        if not people or dice.chance(50):
            people = dice.some_of(VOTES, 5)
        if self._asked and dice.chance(60):
            answers = self._answered(dice.one_of(self._asked), dice)
            people.insert(dice.below(len(people) + 1), answers)
        return people

    def _answered(self, step: AskStep, dice: Dice) -> dict[str, Any]:
        name = step.name or ""
        return {
            key: dice.one_of(self.domains.answers(0, name, key, type_))
            for key, type_ in step.fields.items()
        }

    def _events(self, own: Test, dice: Dice) -> Iterator[ScriptedEvent]:
        if own.events and dice.chance(50):
            yield from own.events
        if not dice.chance(55):
            return
        what = dice.one_of(EVENTS)
        at = dice.below(dice.one_of(SPANS))
        yield _event(at, what)
        if what == "hold":  # nobody would lift it: the run would wait for ever
            yield _event(at + 1 + dice.below(dice.one_of(SPANS)), "hold")

    def _kills(self, dice: Dice) -> Iterator[Kill]:
        many = dice.one_of((0, 1, 1, 2))
        writes = {1 + dice.below(dice.one_of(SPREADS)) for _ in range(many)}
        for write in sorted(writes):
            yield Kill(write, dice.chance(50))


def _event(seconds: int, what: What) -> ScriptedEvent:
    return ScriptedEvent.model_construct(at=timedelta(seconds=seconds), do=what)


def answer_of(sight: Sight) -> Any:
    """Return an answer as a script gives it: a word, or what was seen."""
    if sight.state == "unknown":
        return "unknown"
    seen: Mapping[str, Any] = {
        key: value for key, value in sight.seen.items() if key in READ
    }
    only = [key for key in ("value", "json", "series") if key in seen]
    if not only:
        rest = {k: v for k, v in seen.items() if (k, v) not in NOTHING}
        return rest or sight.state
    if only[0] == "value":
        return {"value": seen["value"]}
    return {key: seen[key] for key in only}


NOTHING: Final = (("exit_code", 0), ("stdout", ""))  # as every observation has it
