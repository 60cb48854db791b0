"""Whether a value fits an input, in the words of its declaration.

One rule for a value of a run and for a default in the file. Patterns are judged by
whoever calls (CEL's linear-time regular expressions), so nothing is imported here.

Read by: core.inputs (values of a run), language (defaults and tests).
"""

import json
from collections.abc import Callable
from typing import Any, Final

from engine.model.vocabulary import Input

Matches = Callable[[str, str], bool]  # pattern, text: whether the whole text fits

BOOLEANS: Final = {"true": True, "false": False}
EXPECTED: Final = {
    "string": "text",
    "integer": "a whole number such as 5",
    "number": "a number such as 1.5",
    "boolean": "true or false",
    "list": "a list such as a,b",
}
MEMBERS: Final = ("string", "integer", "number", "boolean")
LARGEST: Final = 2**63  # as in CEL


def from_text(given: Input, raw: str) -> Any:
    """Return the text as the input's type; text that does not read as it stays text."""
    if given.type == "list":
        return _list(given, raw)
    if given.type == "choice":
        return _choice(given, raw)
    return _scalar(given.type, raw)


def value_problem(given: Input, value: Any, matches: Matches) -> str | None:
    """Return what was expected instead of the value, or None where it fits."""
    if given.type == "list":
        return _list_problem(given, value, matches)
    if given.type == "choice":
        fits = any(_same(value, one) for one in _values(given))
        listed = ", ".join(str(one) for one in _values(given))
        return None if fits else f"one of {listed}"
    if not _is(given.type, value):
        return EXPECTED[given.type]
    if given.type in ("integer", "number"):
        return _range(given, value, "a number")
    if given.pattern is not None and not matches(given.pattern, value):
        return f"text that matches {given.pattern} as a whole"
    return None


def _values(given: Input) -> list[Any]:
    return given.of if isinstance(given.of, list) else []


def _same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


def _scalar(kind: str, raw: str) -> Any:
    text = raw.strip()
    try:
        if kind == "integer" and len(text) < 40:
            return int(text) if "_" not in text else raw
        if kind == "number" and "_" not in text:
            return float(text)
    except ValueError:
        return raw
    if kind == "boolean":
        return BOOLEANS.get(text.lower(), raw)
    return raw


def _choice(given: Input, raw: str) -> Any:
    for one in _values(given):
        if raw == one or (not isinstance(one, str) and raw == json.dumps(one)):
            return one
    return raw


def _list(given: Input, raw: str) -> Any:
    text = raw.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return raw
    if not text:
        return []
    member = given.of if isinstance(given.of, str) else "string"
    return [_scalar(member, part.strip()) for part in text.split(",")]


def _list_problem(given: Input, value: Any, matches: Matches) -> str | None:
    if not isinstance(value, list):
        return EXPECTED["list"]
    member = given.of if isinstance(given.of, str) else "string"
    for one in value:
        if isinstance(given.of, list):
            if not any(_same(one, known) for known in given.of):
                listed = ", ".join(str(known) for known in given.of)
                return f"a list with members out of {listed}"
        elif not _is(member, one):
            return f"a list whose members are each {EXPECTED.get(member, member)}"
        if given.pattern is not None and not (
            isinstance(one, str) and matches(given.pattern, one)
        ):
            return f"a list whose members each match {given.pattern} as a whole"
    return _range(given, len(value), "a list with a length")


def _is(kind: str, value: Any) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int) and -LARGEST <= value < LARGEST
    return isinstance(value, int | float) and abs(value) < float("inf")  # nor NaN


def _range(given: Input, value: float, what: str) -> str | None:
    if given.min is not None and value < given.min:
        return f"{what} of at least {given.min:g}"
    if given.max is not None and value > given.max:
        return f"{what} of at most {given.max:g}"
    return None
