"""Rule: what an input declares fits together, and its default fits the declaration.

Read by: lint.
"""

from typing import Any, Final

from engine.expressions.patterns import is_pattern, matches
from engine.language.context import Context
from engine.language.problems import brief, suggest
from engine.language.shape import Path
from engine.model.input_values import MEMBERS, value_problem
from engine.model.vocabulary import Input

RANGED: Final = ("integer", "number", "list")
PATTERNED: Final = ("string", "list")


def inputs(context: Context) -> None:
    """Report inputs that cannot be filled as they are declared."""
    for name, given in context.runbook.inputs.items():
        path: Path = ("inputs", name)
        _of(context, given, path)
        _applies(context, given, path)
        if given.pattern is not None:
            _compiles(context, given.pattern, (*path, "pattern"))
        if given.default is not None and judgeable(given):
            _default(context, given, path)
    for index, trigger in enumerate(context.runbook.trigger):
        for label, wanted in (trigger.alert.match if trigger.alert else {}).items():
            place: Path = ("trigger", index, "alert", "match", label)
            _match(context, wanted, place)


def _of(context: Context, given: Input, path: Path) -> None:
    if given.type == "choice" and not (isinstance(given.of, list) and given.of):
        message = "a choice needs the list of its values"
        context.add(path, "input", message, "Add of: [a, b].")
    elif given.type == "list" and isinstance(given.of, str):
        if given.of not in MEMBERS:
            message = f"members of a list cannot be {brief(given.of)}"
            hint = suggest(given.of, MEMBERS, "types")
            context.add((*path, "of"), "input", message, hint)
    elif given.of is not None and given.type not in ("choice", "list"):
        message = f"'of' says nothing about an input of type {given.type}"
        hint = "Make it a choice, or remove of."
        context.add((*path, "of"), "input", message, hint, key=True)


def _applies(context: Context, given: Input, path: Path) -> None:
    if given.pattern is not None and given.type not in PATTERNED:
        message = f"'pattern' says nothing about an input of type {given.type}"
        context.add((*path, "pattern"), "input", message, "Remove it.", key=True)
    for key in ("min", "max"):
        if getattr(given, key) is not None and given.type not in RANGED:
            message = f"'{key}' says nothing about an input of type {given.type}"
            context.add((*path, key), "input", message, "Remove it.", key=True)
    if given.min is not None and given.max is not None and given.min > given.max:
        message = f"min {given.min:g} is above max {given.max:g}: nothing fits"
        context.add((*path, "min"), "input", message, "Exchange them.")


def judgeable(given: Input) -> bool:
    """Return whether a value can be held against the declaration at all."""
    if given.type == "choice" and not isinstance(given.of, list):
        return False
    return given.pattern is None or is_pattern(given.pattern)


def _compiles(context: Context, pattern: str, path: Path) -> None:
    if not is_pattern(pattern):
        message = f"{brief(pattern)} is not a pattern that RE2 can read"
        hint = "RE2 has no look-around and no back-references; close every bracket."
        context.add(path, "pattern", message, hint)


def _default(context: Context, given: Input, path: Path) -> None:
    wanted = value_problem(given, given.default, matches)
    if wanted is not None:
        message = f"the default {brief(given.default)} does not fit: expected {wanted}"
        context.add((*path, "default"), "default", message, "Change one of them.")


def _match(context: Context, wanted: Any, path: Path) -> None:
    values = wanted if isinstance(wanted, list) else [wanted]
    for index, value in enumerate(values):
        place = (*path, index) if isinstance(wanted, list) else path
        if isinstance(value, dict | list):
            message = f"a label is compared with text; found {brief(value)}"
            context.add(place, "type", message, "Write a value, or a list of values.")
        elif isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == "/":
            _compiles(context, value[1:-1], place)
