"""What a slot gives: its value, through its filters. And values as text.

Filters are strict where Jinja2 guesses: `int` of "abc" is a problem, not 0. Called by:
rendering.
"""

import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from jinja2 import TemplateError, Undefined, nodes

from engine.templating.parsing import ENVIRONMENT, Slot

EXACT: Final = 2**53  # below it a float that is whole is that number


def value_of(slot: Slot, names: Mapping[str, Any]) -> Any:
    """Return the value of a slot, of any type.

    Raises:
        TemplateProblem: a name has no value here, or a filter does not fit it.
    """
    return _value(slot.expression, slot, names)


def _value(node: nodes.Expr | None, slot: Slot, names: Mapping[str, Any]) -> Any:
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.Name):
        if node.name not in names:
            raise slot.problem(_missing(node.name, names))
        return names[node.name]
    assert isinstance(node, nodes.Filter)  # parsing lets nothing else through
    arguments = [arg.value for arg in node.args if isinstance(arg, nodes.Const)]
    if node.name == "default":
        return _default(node, arguments, slot, names)
    value = _value(node.node, slot, names)
    if value is None:
        raise slot.problem(f"{_called(node)} has no value here")
    try:
        found = _filtered(node.name, value, arguments)
    except (TypeError, ValueError, ArithmeticError, TemplateError):
        found = Undefined()
    if isinstance(found, Undefined):
        shown = f"{type_name(value)} {text_of(value)[:40]!r}"
        raise slot.problem(f"the filter '{node.name}' does not fit {shown}")
    return found


def _default(
    node: nodes.Filter, arguments: list[Any], slot: Slot, names: Mapping[str, Any]
) -> Any:
    inner = node.node
    instead = arguments[0] if arguments else ""
    if isinstance(inner, nodes.Name) and names.get(inner.name) is None:
        return instead
    return _value(inner, slot, names)


def _filtered(name: str, value: Any, arguments: list[Any]) -> Any:
    if own := OWN.get(name):
        return own(value)
    found = ENVIRONMENT.call_filter(name, value, arguments)
    return list(found) if name == "unique" else found


def _whole(value: Any) -> int:
    if (isinstance(value, float) and value.is_integer()) or isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return int(value)
    raise ValueError("not a whole number")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def text_of(value: Any) -> str:
    """Return a value as a text shows it: `true`, `48`, `48.5`, JSON for lists and maps.

    Raises:
        ValueError: an integer of thousands of digits.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


OWN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int": _whole,
    "tojson": _json,
    "string": text_of,
}


def type_name(value: Any) -> str:
    """Return what a value is, in plain words."""
    names = {
        bool: "the boolean",
        int: "the number",
        float: "the number",
        str: "the text",
    }
    names |= {list: "the list", dict: "the map"}
    return names.get(type(value), "the value")


def _called(node: nodes.Filter) -> str:
    inner = node.node
    return f"'{inner.name}'" if isinstance(inner, nodes.Name) else "the value"


def _missing(name: str, names: Mapping[str, Any]) -> str:
    near = get_close_matches(name[:64], list(names), n=1, cutoff=0.6)
    if near:
        return f"'{name}' has no value here. Did you mean '{near[0]}'?"
    known = ", ".join(sorted(names)[:12])
    return f"'{name}' has no value here." + (f" Known: {known}." if known else "")
