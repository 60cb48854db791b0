"""Rule: every condition compiles with the names and types of its place.

Read by: lint.
"""

from collections.abc import Mapping
from typing import Any, Literal

from engine.errors import ExpressionProblem
from engine.expressions import (
    Expression,
    compile_expression,
    observation_types,
    run_types,
)
from engine.language.context import Context
from engine.language.shape import Path, marked
from engine.language.uses import ACTION_CONDITIONS, Use, Uses
from engine.language.walk import Placed
from engine.model.steps import ApproveStep, WaitForStep
from engine.model.values import Condition
from engine.model.vocabulary import Action, Check

Yields = Literal["bool", "list", "any"]
Types = Mapping[str, Any]
ANY = "dyn"
LIKE_A_NAME = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
)


def conditions(context: Context, uses: Uses) -> None:
    """Report conditions that do not compile, and names no use of theirs binds."""
    types = run_types(context.runbook)
    for placed in context.placed:
        _step(context, placed, types)
    for name, action in context.runbook.actions.items():
        _action(context, name, action, types, uses.actions.get(name, []))
    for name, check in context.checks.items():
        _observation(context, check, context.check_path(name))
    for key in ("raise_", "stop_when", "always"):
        rows = getattr(context.runbook, key)
        for index, row in enumerate(rows):
            for found in marked(row, (key.rstrip("_"), index)):
                if isinstance(found.mark, Condition):
                    _compiled(context, found.text, found.path, types, "bool")


def _step(context: Context, placed: Placed, types: Types) -> None:
    step = placed.step
    known = {**types, **dict.fromkeys(placed.each, ANY)}
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


def _action(
    context: Context, name: str, action: Action, types: Types, uses: list[Use]
) -> None:
    bound = frozenset().union(*(use.bound for use in uses))
    extra = bound | frozenset(action.remember)
    known = {**types, **dict.fromkeys(extra, ANY)}
    told: set[tuple[str, Path]] = set()
    for key in ACTION_CONDITIONS:
        text, path = getattr(action, key), ("actions", name, key)
        if text is None:
            continue
        expression = _compiled(context, text, path, known, "bool")
        wanted = expression.names if expression else frozenset()
        for variable in sorted(wanted & (bound - frozenset(action.remember))):
            for use in uses:
                if variable not in use.bound and (variable, use.path) not in told:
                    told.add((variable, use.path))
                    line = context.tree.position(path).line
                    message = (
                        f"'{name}' needs '{variable}' (line {line}), not bound here"
                    )
                    hint = f"Bind it with `with: {{{variable}: …}}`."
                    context.add(use.path, "unbound-name", message, hint)
    for old, remember in action.remember.items():
        check = context.checks.get(remember.check)
        if check is not None:
            seen = observation_types(check.kind)
            place = ("actions", name, "remember", old, "value")
            _compiled(context, remember.value, place, seen, "any")


def _observation(context: Context, check: Check, path: Path) -> None:
    types = observation_types(check.kind)
    for key, text in (("pass", check.pass_), ("unknown_when", check.unknown_when)):
        if text is not None:
            _compiled(context, text, (*path, key), types, "bool")


def _compiled(
    context: Context, text: str, path: Path, types: Types, yields: Yields
) -> Expression | None:
    try:
        return compile_expression(text, types, yields)
    except ExpressionProblem as problem:
        place = (problem.line, problem.column)
        context.add(path, "expression", problem.message, inside=place)
        return None
