"""Who uses which check and action, and what is bound there.

A body may use a name that is no input, if every use binds it: by `with`, or by an
`each` around it. So each use is written down here with the names that it binds.

Read by: texts, conditions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.errors import ExpressionProblem
from engine.expressions import Types
from engine.language.context import Context
from engine.language.shape import Path, marked
from engine.language.walk import Placed
from engine.model.steps import ActStep, CheckStep, UndoStep, WaitForStep
from engine.model.values import Condition
from engine.model.vocabulary import Action

ACTION_CONDITIONS: Final = ("done_when", "guard", "verify", "undone_when", "undo_if")


@dataclass(frozen=True, slots=True)
class Use:
    """One place that uses a check or an action, and the names bound there."""

    path: Path
    bound: frozenset[str]


@dataclass(slots=True)
class Uses:
    """All uses, by name."""

    checks: dict[str, list[Use]] = field(default_factory=dict)
    actions: dict[str, list[Use]] = field(default_factory=dict)


def checks_in(context: Context, condition: str, types: Types) -> frozenset[str]:
    """Return the checks that a condition names; none where it does not compile."""
    found = context.compiled(condition, types, "any")
    return frozenset() if isinstance(found, ExpressionProblem) else found.checks


def bound_at(placed: Placed) -> frozenset[str]:
    """Return the names that are bound for a use at this step."""
    return frozenset(placed.each) | frozenset(placed.bound)


def uses_of(context: Context) -> Uses:
    """Return every use of every check and action."""
    uses = Uses()
    for placed in context.placed:
        for name, path in _named_by(context, placed):
            uses.checks.setdefault(name, []).append(Use(path, bound_at(placed)))
        if isinstance(placed.step, ActStep):
            use = Use((*placed.path, "act"), bound_at(placed))
            uses.actions.setdefault(placed.step.act, []).append(use)
    for name, action in context.runbook.actions.items():
        found = uses.actions.get(name, [])
        looked_at = _looked_at(context, action, action_types(context, action, found))
        for use in found:
            bound = use.bound | frozenset(action.remember)
            for check in looked_at:
                uses.checks.setdefault(check, []).append(Use(use.path, bound))
    for name, path in _elsewhere(context):
        uses.checks.setdefault(name, []).append(Use(path, frozenset()))
    _viewpoints(context, uses)
    return uses


def action_types(context: Context, action: Action, uses: Sequence[Use]) -> Types:
    """Return the types that an action's conditions may use: what any use binds."""
    bound = frozenset[str]().union(*(use.bound for use in uses))
    return context.with_names(bound | frozenset(action.remember))


def _named_by(context: Context, placed: Placed) -> Iterator[tuple[str, Path]]:
    step = placed.step
    if isinstance(step, CheckStep):
        yield step.check, (*placed.path, "check")
    if isinstance(step, UndoStep) and step.check:
        yield step.check, (*placed.path, "check")
    if isinstance(step, WaitForStep):
        yield step.wait_for, (*placed.path, "wait_for")
    types = context.with_names(placed.each)
    for found in marked(step, placed.path):
        if isinstance(found.mark, Condition):
            for name in checks_in(context, found.text, types):
                yield name, found.path


def _looked_at(context: Context, action: Action, types: Types) -> set[str]:
    conditions = [getattr(action, key) for key in ACTION_CONDITIONS]
    found = {
        name for text in conditions if text for name in checks_in(context, text, types)
    }
    return found | {it.check for it in action.remember.values()}


def _elsewhere(context: Context) -> Iterator[tuple[str, Path]]:
    runbook = context.runbook
    for index, rule in enumerate(runbook.raise_):
        for name in checks_in(context, rule.when, context.types):
            yield name, ("raise", index, "when")
    for index, stop in enumerate(runbook.stop_when):
        for name in checks_in(context, stop.when, context.types):
            yield name, ("stop_when", index, "when")
    targets = runbook.limits.targets
    if targets and targets.of:
        yield targets.of, ("limits", "targets", "of")
    for name in runbook.impact.checks if runbook.impact else {}:
        yield name, ("impact", name)


def _viewpoints(context: Context, uses: Uses) -> None:
    for name, check in context.checks.items():
        if check.kind != "agree" or not isinstance(check.params, dict):
            continue
        viewpoints = check.params.get("of")
        for other in viewpoints if isinstance(viewpoints, list) else []:
            if isinstance(other, str):
                uses.checks.setdefault(other, []).extend(uses.checks.get(name, []))
