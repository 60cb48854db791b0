"""What a wrong value is called: pydantic's error types in plain words.

Read by: pydantic_problems.
"""

import re
from datetime import timedelta
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel

from engine.language.problems import brief, nearest
from engine.language.shape import arms, bare

Words = tuple[str, str, str]  # code, message, hint

TYPES: Final[dict[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a map",
    timedelta: "a duration such as 5m",
}
EXPECTED: Final = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a map",
    "model": "a map",
    "mapping": "a map",
    "finite": "a finite number",
}
BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
NAMES: Final = {  # the patterns of engine.model.values, as people would say them
    "^[A-Za-z][A-Za-z0-9_-]*$": "begins with a letter; then letters, digits, - and _",
    "^[A-Za-z][A-Za-z0-9_]*$": "begins with a letter; then letters, digits and _",
    "^[a-z0-9]+(-[a-z0-9]+)*$": "is kebab-case: small letters and digits, - between",
}
JARGON: Final = re.compile(r"^(?:Value error|Assertion failed), |^Input should ")


def type_words(annotation: Any) -> str:
    """Return what the type is called by whoever writes a file."""
    kind = bare(annotation)
    if get_origin(kind) is Literal:
        return " or ".join(f"'{value}'" for value in get_args(kind))
    origin = get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, BaseModel):
        return "a map"
    return TYPES.get(origin, "another value")


def words_of(error: Any, name: str, raw: Any, annotation: Any) -> Words:
    """Return code, message and hint for one error of the value `raw` called `name`."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind in ("value_error", "assertion_error"):
        return _own_words(str(context.get("error", "")), name)
    if kind == "literal_error":
        return _literal(name, raw, annotation, str(context.get("expected", "")))
    if kind == "string_pattern_mismatch":
        return _pattern(name, raw, str(context.get("pattern", "")), error)
    return _amount(kind, name, raw, context) or _other(error, name, raw)


def _amount(kind: str, name: str, raw: Any, context: dict[str, Any]) -> Words | None:
    if kind in BOUNDS:
        limit, words = BOUNDS[kind]
        message = f"{name} must be {words} {context.get(limit)}; found {brief(raw)}"
        return "range", message, ""
    if kind in ("too_short", "string_too_short", "too_long", "string_too_long"):
        return _length(kind, name, context)
    return None


def _other(error: Any, name: str, raw: Any) -> Words:
    stem = error["type"].split("_", 1)[0]
    if stem in EXPECTED:
        return "type", *_type(name, raw, EXPECTED[stem])
    message = JARGON.sub("", str(error["msg"]))
    hint = message[:1].upper() + message[1:]
    return "value", f"{name} does not fit: {brief(raw)}", hint


def _own_words(text: str, name: str) -> Words:
    code = "duration" if "duration" in text or "30 days" in text else "value"
    if code == "duration":
        return code, f"{name}: {text}", ""
    return code, text, ""


def _literal(name: str, raw: Any, annotation: Any, expected: str) -> Words:
    values = [
        value
        for arm in arms(annotation)
        if get_origin(bare(arm)) is Literal
        for value in get_args(bare(arm))
    ]
    listed = ", ".join(str(value) for value in values) or expected.replace("'", "")
    if len(values) == 1:
        return "value", f"{name} must be {listed}; found {brief(raw)}", ""
    message = f"{name} must be one of {listed}; found {brief(raw)}"
    return "value", message, nearest(str(raw), [str(value) for value in values])


def _length(kind: str, name: str, context: dict[str, Any]) -> Words:
    what = "characters" if kind.startswith("string") else "entries"
    if kind.endswith("short"):
        least = context.get("min_length", 1)
        if least == 1:
            return "length", f"{name} is empty", "Write at least one, or leave it out."
        return "length", f"{name} needs at least {least} {what}", ""
    most = context.get("max_length")
    return "length", f"{name} may have at most {most} {what}", ""


def _pattern(name: str, raw: Any, pattern: str, error: Any) -> Words:
    found = raw
    if error["loc"] and error["loc"][-1] == "[key]":
        found = error["loc"][-2]
        name = f"'{found}'"
    rule = NAMES.get(pattern)
    if rule is None:
        return "value", f"{name} does not fit {pattern}; found {brief(found)}", ""
    return "name", f"{brief(found)} cannot be a name here", f"A name {rule}."


def _type(name: str, raw: Any, wanted: str) -> tuple[str, str]:
    message = f"{name} must be {wanted}; found {brief(raw)}"
    if wanted == "text" and isinstance(raw, int | float):
        shown = brief(raw)
        return message, f"Put it in quotes: '{shown}'."
    if wanted == "text" and isinstance(raw, list | dict):
        return message, "Write one text, in quotes."
    if (
        wanted != "text"
        and isinstance(raw, str)
        and wanted in ("a number", "true or false")
    ):
        return message, "Write it without quotes."
    return message, ""
