"""What a look can answer: every combination of what its checks can say, and no more.

Combinations that lead to the same are one: the conditions that are judged right after
the look say so, and what is read again later has to be the same too.

Called by: offers.
"""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, Final

from engine.analysis.bounds import ATTEMPT_PAUSE, GRACE
from engine.analysis.proof.domains import Domains, Sight
from engine.core.code import CompiledRunbook
from engine.core.record import Record, Thread
from engine.core.turn import Turn, replace
from engine.expressions import Expression
from engine.model.effects import CheckCall
from engine.model.events import Noted
from engine.model.evidence import Evidence
from engine.model.people import ENGINE

MOST_SIDE_BY_SIDE: Final = 20_000  # combinations of answers of one look
FEW: Final = 9  # so many combinations are walked without asking what they lead to


class TooWide(Exception):
    """More answers side by side than can be walked."""


def combined(
    compiled: CompiledRunbook,
    domains: Domains,
    record: Record,
    thread: Thread,
    calls: tuple[CheckCall, ...],
    live: frozenset[str],
) -> Iterator[tuple[Sight, ...]]:
    """Yield the combinations of answers that lead to different things.

    Raises:
        TooWide: there are too many to try.
    """
    scope = record.frames[thread.frame].scope
    choices = [domains.sights(scope, call.check) for call in calls]
    many = prod(map(len, choices))
    if many <= FEW:
        yield from product(*choices)
        return
    if many > MOST_SIDE_BY_SIDE:
        names = ", ".join(call.check for call in calls)
        raise TooWide(f"{many:,} ways to answer {names} side by side")
    told: dict[Any, tuple[Sight, ...]] = {}
    judged = _Judged(compiled, record, thread, calls, live)
    for sights in product(*choices):
        told.setdefault(judged.leads_to(sights), sights)
    yield from told.values()


class _Judged:
    """What answers lead to: those that lead to the same are walked once."""

    def __init__(
        self,
        compiled: CompiledRunbook,
        record: Record,
        thread: Thread,
        calls: tuple[CheckCall, ...],
        live: frozenset[str],
    ) -> None:
        self.compiled, self.record, self.thread = compiled, record, thread
        self.calls, self.live = calls, live
        self.rules = self._rules()

    def _rules(self) -> list[Expression] | None:
        """Return the conditions that are judged now; None: all makes a difference."""
        node, stage = self.compiled.nodes[self.thread.pc], self.thread.stage
        if stage == "when" and node.when is not None:
            return [node.when]
        if stage in ("cause.judge", "wait_for.look", "repeat.while"):
            return list(node.exprs.values())
        if stage == "last_look.seen":
            return []
        which = {
            "act.done_when": ("done_when",),
            "act.lost": ("done_when",),
            "act.crashed": ("done_when",),
            "act.guard": ("guard",),
            "act.verify": ("verify", "done_when"),
        }.get(stage)
        if which is None:
            return None
        scope = self.record.frames[self.thread.frame].scope
        conditions = self.compiled.scopes[scope].actions[node.step.act].conditions
        return [conditions[key] for key in which if key in conditions][:1]

    def leads_to(self, sights: tuple[Sight, ...]) -> Any:
        """Return what tells these answers from others."""
        told = tuple(
            (sight.state, repr(sight.seen))
            for call, sight in zip(self.calls, sights, strict=True)
            if call.check in self.live
        )
        states = {c.check: s.state for c, s in zip(self.calls, sights, strict=True)}
        node, stage = self.compiled.nodes[self.thread.pc], self.thread.stage
        if stage == "confirm.seen":
            same = [states[one.check] == (one.expect or "fail") for one in node.step]
            known = [states[one.check] != "unknown" for one in node.step]
            return told, all(same), all(known) and not any(same)
        if stage == "looks.seen":
            wanted = [one for one in node.step.all if one.expect is not None]
            return told, tuple(states[one.check] == one.expect for one in wanted)
        if stage == "restore.gone":
            steps = self.compiled.scopes[0].runbook.confirm
            return told, any(
                states.get(one.check) in ("unknown", one.expect or "fail")
                for one in steps
            )
        if self.rules is None:
            return tuple((sight.state, repr(sight.seen)) for sight in sights)
        evidence = {one.slot: one for one in seen_of(self.calls, sights)}
        record = replace(self.record, evidence=self.record.evidence | evidence)
        turn = looking(self.compiled, record)
        if stage == "cause.judge":
            judged = [turn.is_true(self.thread, rule) for rule in self.rules]
            return told, judged.index(True) if True in judged else -1
        return told, tuple(turn.is_true(self.thread, rule) for rule in self.rules)


def looking(compiled: CompiledRunbook, record: Record) -> Turn:
    """Return a turn that only judges conditions."""
    return Turn(compiled, record, Noted(by=ENGINE, text=""), {})


def seen_of(
    calls: tuple[CheckCall, ...], sights: tuple[Sight, ...]
) -> tuple[Evidence, ...]:
    """Return the evidence of a look; the first to answer waited for the slowest."""
    longest = look_seconds(calls)
    old = longest if len(calls) > 1 else 0.0
    return tuple(
        Evidence(call.check, call.slot, sight.state, "", dict(sight.seen), -old)  # type: ignore[arg-type]
        for call, sight in zip(calls, sights, strict=True)
    )


def look_seconds(calls: tuple[CheckCall, ...]) -> float:
    """Return how long a look takes at most: all attempts of the slowest check."""
    return max((_one_look(call) for call in calls), default=0.0)


def _one_look(call: CheckCall) -> float:
    if call.parts:
        return look_seconds(call.parts)
    each = call.timeout_seconds + GRACE
    return each * call.attempts + ATTEMPT_PAUSE * (call.attempts - 1)


def says(sight: Sight) -> str:
    """Return what a check says, for people."""
    values = ", ".join(
        f"{key} {value!r}"
        for key, value in sight.seen.items()
        if key in ("value", "json", "exit_code")
    )
    told = {"pass": "passes", "fail": "fails"}.get(sight.state, "is unknown")
    return f"{told} ({values})" if values and sight.state != "unknown" else told
