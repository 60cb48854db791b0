"""Rule: every text parses, and each name in it stands for something at its place.

Read by: lint.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from engine.errors import TemplateProblem
from engine.language.context import Context
from engine.language.problems import suggest
from engine.language.shape import Path, marked, strings
from engine.language.uses import Use, Uses
from engine.language.walk import Placed, nested
from engine.model.steps import ActStep, ApproveStep
from engine.model.values import Template
from engine.model.vocabulary import ActionBody
from engine.templating import template_names

ALWAYS_KNOWN: Final = frozenset({"cause"})


def texts(context: Context, uses: Uses) -> None:
    """Report texts that do not parse and names that stand for nothing."""
    inputs = frozenset(context.runbook.inputs) | ALWAYS_KNOWN
    _top(context, inputs)
    for placed in context.placed:
        _step(context, placed, inputs)
    for name, action in context.runbook.actions.items():
        known = inputs | frozenset(action.remember)
        found = uses.actions.get(name, [])
        what = f"the action '{name}'"
        place: Path = ("actions", name)
        _body(context, action.params, (*place, action.kind), known, found, what)
        if isinstance(action.undo, ActionBody):
            undo: Path = (*place, "undo", action.undo.kind)
            _body(context, action.undo.params, undo, known, found, what)
        if action.slot is not None:
            _body(context, action.slot, (*place, "slot"), known, found, what)
    for name, check in context.checks.items():
        path: Path = (*context.check_path(name), check.kind)
        found = uses.checks.get(name, [])
        _body(context, check.params, path, inputs, found, f"the check '{name}'")


def _top(context: Context, known: frozenset[str]) -> None:
    for part in ("limits", "chat"):
        for found in marked(getattr(context.runbook, part), (part,)):
            if isinstance(found.mark, Template):
                _text(context, found.text, found.path, known)
    _text(context, context.runbook.title, ("title",), known)


def _step(context: Context, placed: Placed, inputs: frozenset[str]) -> None:
    known = inputs | frozenset(placed.each)
    if isinstance(placed.step, ApproveStep):
        known |= _remembered(context, placed)
        _retype(context, placed, known)
    for found in marked(placed.step, placed.path):
        if isinstance(found.mark, Template):
            _text(context, found.text, found.path, known)
    for name, value in placed.bound.items():
        if not (isinstance(value, dict) and set(value) == {"cel"}):
            for path, text in strings(value, (*placed.path, "with", name)):
                _text(context, text, path, known)


def _retype(context: Context, placed: Placed, known: frozenset[str]) -> None:
    """Warn where people would have to type the name of a value instead of the value."""
    written = getattr(placed.step, "retype", None)
    if written is None or written not in known - ALWAYS_KNOWN:
        return
    message = f"the word '{written}' itself is to be typed, not its value"
    hint = f"Write retype: '{{{{ {written} }}}}'."
    path = (*placed.path, "retype")
    context.add(path, "retype", message, hint, severity="warning")


def _remembered(context: Context, placed: Placed) -> frozenset[str]:
    """Return the names that the acts covered by a gate remember."""
    covered: set[str] = set()
    for step in placed.later:
        if isinstance(step, ApproveStep):
            break
        for inner in nested([step]):
            if isinstance(inner, ActStep) and inner.act in context.runbook.actions:
                covered |= set(context.runbook.actions[inner.act].remember)
    return frozenset(covered)


def _text(context: Context, text: str, path: Path, known: frozenset[str]) -> None:
    for name in sorted(names_in(context, text, path) - known):
        _unknown(context, name, text, path, known)


def names_in(context: Context, text: str, path: Path) -> frozenset[str]:
    """Return the names in a text; report it where it does not parse."""
    if "{" not in text:
        return frozenset()
    try:
        return template_names(text)
    except TemplateProblem as problem:
        place = (problem.line, problem.column)
        context.add(path, "template", problem.message, inside=place)
        return frozenset()


def _unknown(
    context: Context, name: str, text: str, path: Path, known: Iterable[str]
) -> None:
    at = text.find(name, max(0, text.find("{{")))
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    hint = suggest(name, sorted(known), "names here")
    message = f"unknown name '{name}' in this text"
    context.add(path, "unknown-name", message, hint, inside=(line, column))


def _body(
    context: Context,
    params: object,
    path: Path,
    known: frozenset[str],
    uses: Sequence[Use],
    what: str,
) -> None:
    bound: frozenset[str] = frozenset().union(*(use.bound for use in uses))
    for place, text in strings(params, path):
        for name in sorted(names_in(context, text, place) - known):
            if name not in bound:
                _unknown(context, name, text, place, known | bound)
                continue
            for use in uses:
                if name not in use.bound:
                    context.unbound(name, place, use.path, what)
