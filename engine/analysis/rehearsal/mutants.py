"""The runbook with one mistake in it, as a hand slips: do its tests find it?

A mutant is the loaded model with one thing changed, and where in the file that stands.
Some change nothing that could be seen: whoever reads the list decides.

Called by: engine.testing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from engine.model.runbook import Runbook
from engine.model.steps import (
    ApproveStep,
    AskStep,
    CauseStep,
    CheckStep,
    SayStep,
    Step,
    UndoStep,
    WaitForStep,
    WaitStep,
)
from engine.model.vocabulary import Action

NO_LIMIT: Final = timedelta(days=300)  # longer than any rehearsal is played
FLIPPED: Final = {"pass": "fail", "fail": "pass"}
Path = tuple[str | int, ...]
Change = tuple[str, Step | None]  # in words; None: the step is left out


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake."""

    told: str
    path: Path  # where in the file
    runbook: Runbook
    passes: str = ""  # a check whose unknown counts as pass


def mutants(runbook: Runbook) -> Iterator[Mutant]:
    """Yield the runbook with each mistake that is known here, in the file's order."""
    for name in runbook.checks:
        told = f"unknown of '{name}' counts as pass"
        yield Mutant(told, ("checks", name), runbook, name)
    for name, action in runbook.actions.items():
        for told, key, changes in _of_action(name, action):
            actions = runbook.actions | {name: action.model_copy(update=changes)}
            path = ("actions", name, key)
            yield Mutant(told, path, _with(runbook, actions=actions))
    for index, confirm in enumerate(runbook.confirm):
        flipped = FLIPPED.get(confirm.expect or "fail")
        steps = list(runbook.confirm)
        steps[index] = confirm.model_copy(update={"expect": flipped})
        told = f"'{confirm.check}' confirms the trouble when it says {flipped}"
        yield Mutant(told, ("confirm", index), _with(runbook, confirm=steps))
    for key in ("isolate", "diagnose", "restore"):
        yield from _of_list(runbook, (key,), getattr(runbook, key) or [], _phase(key))
    for name in runbook.workaround:
        yield from _of_list(
            runbook, ("workaround", name), runbook.workaround[name], _workaround(name)
        )


Put = Callable[[Runbook, list[Any]], Runbook]


def _with(runbook: Runbook, **changes: Any) -> Runbook:
    return runbook.model_copy(update=changes)


def _phase(key: str) -> Put:
    return lambda runbook, steps: _with(runbook, **{key: steps})


def _workaround(name: str) -> Put:
    return lambda runbook, steps: _with(
        runbook, workaround=runbook.workaround | {name: steps}
    )


def _of_action(name: str, action: Action) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what is changed of an action: in words, its key, and the changes."""
    if action.undo_body is not None:
        nothing = {"undo": None, "leaves_nothing": True}
        yield f"the undo of '{name}' is dropped", "undo", nothing
    for key in ("done_when", "guard", "verify", "undone_when", "undo_if"):
        source = getattr(action, key)
        if source is not None:
            yield f"{key} of '{name}' is negated", key, {key: f"!({source})"}
    if action.guard is not None:
        yield f"the guard of '{name}' is dropped", "guard", {"guard": None}
    if action.retry is not None:
        yield f"'{name}' is not tried again", "retry", {"retry": None}
    if action.settles:
        yield f"'{name}' settles nothing", "settles", {"settles": []}
    if action.after_crash == "verify":
        repeats = {"after_crash": "repeat"}
        yield f"'{name}' is repeated after a crash", "after_crash", repeats


def _of_list(
    runbook: Runbook, path: Path, steps: list[Any], put: Put
) -> Iterator[Mutant]:
    for index, step in enumerate(steps):
        here = (*path, index)
        for told, changed in _of_step(step):
            left = list(steps)
            left[index : index + 1] = [] if changed is None else [changed]
            yield Mutant(told, here, put(runbook, left))
        for key in ("all", "do"):
            inside = getattr(step, key, None)
            if isinstance(inside, list):
                deeper = _inside(steps, index, key, put)
                yield from _of_list(runbook, (*here, key), inside, deeper)


def _inside(steps: list[Any], index: int, key: str, put: Put) -> Put:
    def changed(runbook: Runbook, inside: list[Any]) -> Runbook:
        left = list(steps)
        if inside:
            left[index] = left[index].model_copy(update={key: inside})
        else:
            del left[index]
        return put(runbook, left)

    return changed


def _of_step(step: Step) -> Iterator[Change]:
    if not isinstance(step, SayStep | WaitStep | CauseStep | AskStep):
        yield f"{_called(step)} is left out", None
    if step.when is not None:
        negated = {"when": f"!({step.when})"}
        yield f"when of {_called(step)} is negated", step.model_copy(update=negated)
        done = {"on_unknown": "do"}
        told = f"{_called(step)} is done where its when is unknown"
        yield told, step.model_copy(update=done)
    if isinstance(step, WaitForStep | ApproveStep | AskStep):
        endless = {"within": NO_LIMIT, "then": None}
        kept = {key: one for key, one in endless.items() if hasattr(step, key)}
        told = f"{_called(step)} has no time limit"
        yield told, step.model_copy(update=kept)
    if isinstance(step, CheckStep) and step.expect in FLIPPED:
        flipped = {"expect": FLIPPED[step.expect]}
        told = f"{_called(step)} expects {flipped['expect']}"
        yield told, step.model_copy(update=flipped)
    if step.on_fail not in (None, "hand_over"):
        handed = {"on_fail": "hand_over"}
        yield f"{_called(step)} hands over on failure", step.model_copy(update=handed)
    if isinstance(step, CauseStep):
        yield from _of_cause(step)


def _of_cause(step: CauseStep) -> Iterator[Change]:
    causes = step.cause
    for index, cause in enumerate(causes):
        if cause.when is not None:
            negated = cause.model_copy(update={"when": f"!({cause.when})"})
            told = f"when of the cause '{cause.name}' is negated"
            yield told, _cause(step, index, negated)
    for index in range(len(causes) - 1):
        one, other = causes[index : index + 2]
        if one.workaround == other.workaround:
            continue
        first = one.model_copy(update={"workaround": other.workaround})
        second = other.model_copy(update={"workaround": one.workaround})
        swapped = _cause(step, index, first, second)
        told = f"the causes '{one.name}' and '{other.name}' lead to each other's list"
        yield told, swapped


def _cause(step: CauseStep, index: int, *changed: Any) -> Step:
    causes = list(step.cause)
    causes[index : index + len(changed)] = changed
    return step.model_copy(update={"cause": causes})


def _called(step: Step) -> str:
    for verb in ("approve", "act", "check", "wait_for", "hand_over", "run"):
        named = getattr(step, verb, None)
        if isinstance(named, str) and not (verb == "check" and _is_undo(step)):
            return f"{verb} '{named}'"
    return f"'{step.name or type(step).__name__.removesuffix('Step').lower()}'"


def _is_undo(step: Step) -> bool:
    return isinstance(step, UndoStep)
