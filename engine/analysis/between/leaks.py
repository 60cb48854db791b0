"""What a sub-runbook leaves held at its end, and its caller does not give back.

A sub-runbook's `restore` gives back what it took itself; left out, it gives back all.
What it still holds then is its caller's: the caller's `restore` (left out, or with
`undo: all`, or with `undo` of that action), an `undo` after the step in its list, or a
`hand_over` without a `when` in its `restore` deals with it. An `undo` with a `when` may
not be taken: that is a warning.

Called by: between.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from engine.analysis.between.members import Member, holds, inner_of, steps_of
from engine.language.problems import Problem
from engine.language.shape import Path
from engine.language.walk import nested
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook
from engine.model.steps import ActStep, HandOverStep, Step, UndoStep

DEEPEST: Final = 5  # as core.compile takes them


class Debt(NamedTuple):
    """An act that is still held when its runbook is through."""

    action: str
    place: str  # of the act
    sure: bool  # no step that could give it back, not even under a condition


def leaks(
    caller: Member, library: Mapping[str, Member], kinds: Kinds
) -> Iterator[Problem]:
    """Yield what sub-runbooks leave held and the caller does not give back."""
    for inner in inner_of(caller, library):
        for debt in _left(inner.member, library, kinds, 1):
            given = _given_back(caller.runbook, inner.path, debt.action)
            if given == "yes":
                continue
            sure = debt.sure and given == "no"
            told = (
                f"'{inner.member.name}' ends with '{debt.action}' held ({debt.place}), "
                f"and {'nothing here' if sure else 'not every path'} gives it back"
            )
            hint = "Write `undo: all` into `restore`, here or there; or `hand_over`."
            severity: Literal["error", "warning"] = "error" if sure else "warning"
            yield caller.problem(inner.path, "held", told, hint, severity)


def _left(
    member: Member, library: Mapping[str, Member], kinds: Kinds, depth: int
) -> Iterator[Debt]:
    """Yield what a runbook can still hold when its `restore` is through."""
    runbook = member.runbook
    settled = {name for one in runbook.actions.values() for name in one.settles}
    seen: set[str] = set()
    for placed in steps_of(member):
        if not isinstance(placed.step, ActStep):
            continue
        name = placed.step.act
        action = runbook.actions.get(name)
        if action is None or name in seen | settled or not holds(action, kinds):
            continue
        seen.add(name)
        given = _given_back(runbook, placed.path, name)
        if given != "yes":
            yield Debt(name, member.place(placed.path), given == "no")
    if depth < DEEPEST:
        yield from _passed_on(member, library, kinds, depth)


def _passed_on(
    member: Member, library: Mapping[str, Member], kinds: Kinds, depth: int
) -> Iterator[Debt]:
    """Yield what its own sub-runbooks leave held, and it does not give back."""
    for inner in inner_of(member, library):
        for debt in _left(inner.member, library, kinds, depth + 1):
            given = _given_back(member.runbook, inner.path, debt.action)
            if given != "yes":
                yield debt._replace(sure=debt.sure and given == "no")


def _given_back(
    runbook: Runbook, path: Path, action: str
) -> Literal["yes", "perhaps", "no"]:
    """Return whether what a step took is given back before the runbook is through."""
    if runbook.restore is None:
        return "yes"  # left out: it gives everything back
    steps = [*_after(runbook, path), *runbook.restore]
    if any(one.when is None and _deals_with(one, action) for one in steps):
        return "yes"
    inside = any(_deals_with(one, action) for one in nested(steps))
    return "perhaps" if inside else "no"  # what a block does, it may do for nothing


def _deals_with(step: Step, action: str) -> bool:
    if isinstance(step, UndoStep):
        return step.undo in ("all", action)
    return isinstance(step, HandOverStep)


def _after(runbook: Runbook, path: Path) -> Sequence[Step]:
    """Return the steps after a step in the list of its phase."""
    head = 2 if path[0] == "workaround" else 1
    steps: Sequence[Step] = (
        runbook.workaround[str(path[1])]
        if head == 2
        else getattr(runbook, str(path[0]))
    )
    at = path[head]
    return steps[at + 1 :] if isinstance(at, int) else ()
