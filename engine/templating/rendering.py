"""Texts and parameters with their values in place.

A text that is one slot and nothing else keeps the type of its value; every other text
becomes a string, each value escaped for the place (places). Called through
engine.templating by core.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from engine.errors import TemplateProblem
from engine.model.kinds import Place
from engine.templating.filters import text_of, value_of
from engine.templating.parsing import Parts, Slot, parsed, template_names
from engine.templating.places import WORDED, NotHere, Value, climbs, placed

MOST_BYTES: Final = 65_536
SURELY_FITS: Final = MOST_BYTES // 4  # characters; UTF-8 takes at most four bytes each
SECRET: Final = frozenset({"secret"})


class Spot(NamedTuple):
    """Where a text stands, and which of its names nobody vouches for."""

    place: Place
    outside: frozenset[str]


PLAIN: Final = Spot("text", frozenset())


def render(
    source: str,
    names: Mapping[str, Any],
    *,
    place: Place = "text",
    outside: frozenset[str] = frozenset(),
) -> Any:
    """Return the text with its values; `{{ name }}` alone gives the value itself.

    In PromQL, URLs, arguments, hosts and headers even a value alone becomes text,
    except a list of arguments and a `{secret: NAME}`.

    Args:
        source: The author's text.
        names: What each name stands for.
        place: Where the text stands.
        outside: The names whose values nobody vouches for.

    Raises:
        TemplateProblem: a name has no value, a value may not stand there, or the
            result is larger than 64 KiB.
    """
    parts = parsed(source)
    if len(parts) == 1:
        only = parts[0]
        if isinstance(only, Slot):
            return _alone(only, value_of(only, names), Spot(place, outside))
        return only  # `parsed` takes no longer ones
    if place == "text":
        return _joined(parts, names)
    return _placed(source, parts, names, Spot(place, outside))


def _joined(parts: Parts, names: Mapping[str, Any]) -> str:
    text = ""
    for part in parts:
        text += part if isinstance(part, str) else _word(part, names)
        if len(text) > SURELY_FITS:
            _bounded(text)
    return text


def _word(slot: Slot, names: Mapping[str, Any]) -> str:
    value = value_of(slot, names)
    return value if type(value) is str else _put(slot, value, PLAIN, "")


def _placed(source: str, parts: Parts, names: Mapping[str, Any], spot: Spot) -> str:
    text = ""
    first: str | Slot | None = None
    for part in parts:
        before = len(text)
        if isinstance(part, Slot):
            text += _put(part, value_of(part, names), spot, text)
        else:
            text += part
        first = first or (part if len(text) > before else None)
        _bounded(text)
    if isinstance(first, Slot):
        _begins(text, first, spot)
    slots = [part for part in parts if isinstance(part, Slot)]
    if slots and spot.place == "url" and not climbs(source):
        _stays(text, slots[0], spot)
    return text


def _alone(slot: Slot, value: Any, spot: Spot) -> Any:
    if isinstance(value, Mapping) and value.keys() == SECRET:
        return value
    if spot.place == "argv" and isinstance(value, list | tuple):
        return [_alone(slot, text_of(one), spot) for one in value]
    if spot.place in WORDED:
        value = _put(slot, value, spot, "")
        _begins(value, slot, spot)
        _stays(value, slot, spot)
    _bounded(value)
    return value


def _put(slot: Slot, value: Any, spot: Spot, before: str) -> str:
    outside = bool(slot.names & spot.outside)
    try:
        return placed(Value(value, outside), spot.place, before)
    except NotHere as refused:
        raise slot.problem(f"{_called(slot)} {refused}") from None
    except ValueError:
        raise slot.problem(f"{_called(slot)} cannot be written as text") from None


def _called(slot: Slot) -> str:
    return f"'{', '.join(sorted(slot.names))}'" if slot.names else "the value"


def _begins(text: str, first: Slot, spot: Spot) -> None:
    dashed = spot.place == "argv" and text.startswith("-")
    if dashed and first.names & spot.outside:
        raise first.problem(
            f"{_called(first)} begins with '-' and may come from outside: it could be "
            "taken for an option"
        )


def _stays(text: str, slot: Slot, spot: Spot) -> None:
    if spot.place == "url" and climbs(text):
        raise slot.problem(
            "a value makes '.' or '..' a part of the path: it would lead elsewhere"
        )


def _bounded(value: Any) -> None:
    if isinstance(value, dict | list):
        value = text_of(value)
    if not isinstance(value, str) or len(value) <= SURELY_FITS:
        return
    if len(value.encode("utf-8", "replace")) > MOST_BYTES:
        raise TemplateProblem(f"the text becomes larger than {MOST_BYTES:,} bytes")


def render_params(
    params: Any,
    names: Mapping[str, Any],
    *,
    places: Mapping[str, Place] = {},
    outside: frozenset[str] = frozenset(),
) -> Any:
    """Return parameters with every text rendered, in lists and maps too.

    Keys are left as they are, and so is a map that is just `{secret: NAME}`.

    Args:
        params: The parameters of a check or an action.
        names: What each name stands for.
        places: Top-level key to the place of all texts below it; others are "text".
        outside: The names whose values nobody vouches for.

    Raises:
        TemplateProblem: as `render`; the message begins with the key.
    """
    if not isinstance(params, Mapping) or params.keys() == SECRET:
        return _rendered(params, names, Spot("text", outside), "")
    if not places:
        return {
            key: _rendered(value, names, PLAIN, str(key))
            for key, value in params.items()
        }
    return {
        key: _rendered(
            value, names, Spot(places.get(str(key), "text"), outside), str(key)
        )
        for key, value in params.items()
    }


def _rendered(value: Any, names: Mapping[str, Any], spot: Spot, path: str) -> Any:
    if isinstance(value, str):
        return _text(value, names, spot, path)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        if value.keys() == SECRET and isinstance(value["secret"], str):
            return dict(value)
        return {
            key: _rendered(one, names, spot, f"{path}.{key}")
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _rendered(one, names, spot, f"{path}.{at}") for at, one in enumerate(value)
        ]
    return value


def _text(source: str, names: Mapping[str, Any], spot: Spot, path: str) -> Any:
    try:
        return render(source, names, place=spot.place, outside=spot.outside)
    except TemplateProblem as problem:
        message = f"{path}: {problem.message}" if path else problem.message
        raise TemplateProblem(
            message, line=problem.line, column=problem.column
        ) from None


def params_names(params: Any) -> frozenset[str]:
    """Return the names that parameters use, however deep. Raises TemplateProblem."""
    if isinstance(params, str):
        return template_names(params)
    if isinstance(params, Mapping):
        if params.keys() == SECRET:
            return frozenset()
        return frozenset().union(*map(params_names, params.values()))
    if isinstance(params, list | tuple):
        return frozenset().union(*map(params_names, params))
    return frozenset()
