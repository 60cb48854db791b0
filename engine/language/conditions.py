"""Rule: every condition compiles with the names and types of its place.

Read by: lint.
"""

from collections.abc import Sequence

from engine.errors import ExpressionProblem
from engine.expressions import Expression, Types, Yields, observation_types
from engine.language.context import Context
from engine.language.shape import Path, marked
from engine.language.uses import ACTION_CONDITIONS, Use, Uses, action_types
from engine.language.walk import Placed
from engine.model.steps import ApproveStep, WaitForStep
from engine.model.values import Condition
from engine.model.vocabulary import Action, Check

LIKE_A_NAME = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
)


def conditions(context: Context, uses: Uses) -> None:
    """Report conditions that do not compile, and names no use of theirs binds."""
    types = context.types
    for placed in context.placed:
        _step(context, placed)
    for name, action in context.runbook.actions.items():
        _action(context, name, action, uses.actions.get(name, []))
    for name, check in context.checks.items():
        _observation(context, check, context.check_path(name))
    for key in ("raise_", "stop_when", "always"):
        rows = getattr(context.runbook, key)
        for index, row in enumerate(rows):
            for found in marked(row, (key.rstrip("_"), index)):
                if isinstance(found.mark, Condition):
                    _compiled(context, found.text, found.path, types, "bool")


def _step(context: Context, placed: Placed) -> None:
    step = placed.step
    known = context.with_names(placed.each)
    for found in marked(step, placed.path):
        if not isinstance(found.mark, Condition):
            continue
        if isinstance(step, ApproveStep) and found.text == "auto":
            continue
        if isinstance(step, WaitForStep) and found.path[-1] == "wait_for":
            _wait_for(context, step.wait_for, found.path, known)
            continue
        _compiled(context, found.text, found.path, known, found.mark.yields)
    for name, value in placed.bound.items():
        if isinstance(value, dict) and set(value) == {"cel"}:
            path = (*placed.path, "with", name, "cel")
            if isinstance(value["cel"], str):
                _compiled(context, value["cel"], path, known, "any")
            else:
                message = "'cel' is an expression written as text"
                context.add(path, "type", message, "Put it in quotes.")


def _wait_for(context: Context, text: str, path: Path, types: Types) -> None:
    if text in context.checks:
        return
    if set(text) <= LIKE_A_NAME and text not in types and text not in ("true", "false"):
        context.known(text, context.checks, "check", path)
        return
    _compiled(context, text, path, types, "bool")


def _action(context: Context, name: str, action: Action, uses: Sequence[Use]) -> None:
    types = action_types(context, action, uses)
    for key in ACTION_CONDITIONS:
        text, path = getattr(action, key), ("actions", name, key)
        if text is not None:
            found = _compiled(context, text, path, types, "bool")
            wanted = found.names if found else frozenset()
            known = context.types.keys() | action.remember.keys()
            _bound_everywhere(context, name, path, wanted - known, uses)
    for old, remember in action.remember.items():
        if remember.check in context.checks:
            place = ("actions", name, "remember", old, "value")
            _compiled(context, remember.value, place, observation_types(), "any")


def _bound_everywhere(
    context: Context, name: str, path: Path, wanted: frozenset[str], uses: Sequence[Use]
) -> None:
    for variable in sorted(wanted):
        for use in uses:
            if variable not in use.bound:
                context.unbound(variable, path, use.path, f"the action '{name}'")


def _observation(context: Context, check: Check, path: Path) -> None:
    for key, text in (("pass", check.pass_), ("unknown_when", check.unknown_when)):
        if text is not None:
            _compiled(context, text, (*path, key), observation_types(), "bool")


def _compiled(
    context: Context, text: str, path: Path, types: Types, yields: Yields
) -> Expression | None:
    found = context.compiled(text, types, yields)
    if isinstance(found, ExpressionProblem):
        place = (found.line, found.column)
        context.add(path, "expression", found.message, inside=place)
        return None
    return found
