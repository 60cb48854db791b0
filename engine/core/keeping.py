"""What is kept of an observation: small, and never misleading.

A part that is too large is not cut but left out, and a note stands in its place
(`{"left_out": "120 series", ...}`): a condition on half a list would be told something
false, on the note it is unknown. Called by: judge.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

import msgspec

from engine.model.evidence import LEFT_OUT

MOST_TEXT: Final = 2048  # characters of one string
MOST_SERIES: Final = 50
MOST_JSON: Final = 32_768  # characters of one value written as JSON, about
MOST_NAMES: Final = 50  # of one observation; the known kinds see ten
NOTE: Final = 60  # characters that a note takes, about
DEEPEST: Final = 32
INT_64: Final = range(-(2**63), 2**63)
TREES: Final = (list, tuple, Mapping)

_encode: Final = msgspec.json.Encoder().encode


def kept(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the timeline keeps: plain JSON values, some left out with a note."""
    names = list(seen)[:MOST_NAMES]
    found = {_text(str(name))[:64]: _plain(seen[name], 0) for name in names}
    for name in ("series", "values"):
        if isinstance(found.get(name), list):
            found[name] = _few(found[name])
    # A value of one character counts as eight, so this much is never too large.
    if 8 * len(_encode(found)) <= MOST_JSON:
        return found
    return {name: _pruned(tree, MOST_JSON) for name, tree in found.items()}


def kept_text(text: str) -> str:
    """Return a text as the timeline can hold it, at most 2,048 characters."""
    safe = _text(text)
    return safe if len(safe) <= MOST_TEXT else safe[: MOST_TEXT - 1] + "…"


def shown(value: Any) -> str:
    """Return a value for one line of a message, at most 80 characters."""
    plain = _plain(value, 0)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, float):
        return f"{plain:.12g}"
    if isinstance(plain, dict):
        left_out = plain.get(LEFT_OUT)
        return str(left_out) if left_out else f"a map of {len(plain)}"
    if isinstance(plain, list):
        return f"a list of {len(plain)}"
    text = f'"{plain}"' if isinstance(plain, str) else str(plain)
    text = "null" if plain is None else text.replace("\n", "\\n")
    return text if len(text) <= 80 else text[:79] + "…"


def _text(text: str) -> str:
    # A lone surrogate has no UTF-8; the journal could not be written.
    if text.isascii():
        return str(text)
    return text.encode("utf-8", "replace").decode("utf-8")


def _note(what: str, **more: Any) -> dict[str, Any]:
    return {LEFT_OUT: what, **more}


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is float and isfinite(value):
        return value
    if kind is str:
        return _short(_text(value))
    if kind is dict or kind is list or isinstance(value, TREES):
        if depth >= DEEPEST:
            return _note("nested too deeply")
        if kind is dict or isinstance(value, Mapping):
            return {_text(str(k)): _plain(one, depth + 1) for k, one in value.items()}
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, str):
        return _short(_text(value))
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else _note(str(value))
    if isinstance(value, int):
        return int(value) if value in INT_64 else _note("a number beyond 64 bits")
    return _note(f"a {type(value).__name__}")


def _short(text: str) -> Any:
    if len(text) <= MOST_TEXT:
        return text
    return _note(f"{len(text):,} characters", begins=text[: MOST_TEXT // 2])


def _few(series: list[Any]) -> Any:
    if len(series) <= MOST_SERIES:
        return series
    first = _pruned(series[:MOST_SERIES], MOST_JSON)
    return _note(f"{len(series):,} series", first=first)


def _pruned(tree: Any, budget: int) -> Any:
    size = _size(tree)
    if size <= budget:
        return tree
    if not isinstance(tree, dict) or len(tree) * NOTE > budget:
        return _note(f"about {size:,} characters")
    parts: dict[str, Any] = {}
    left = budget
    for key in sorted(tree, key=lambda key: _size(tree[key])):
        parts[key] = _pruned(tree[key], max(left - len(key), NOTE))
        left -= _size(parts[key]) + len(key)
    return {key: parts[key] for key in tree}


def _size(tree: Any) -> int:
    if isinstance(tree, str):
        return len(tree) + 2
    if isinstance(tree, dict):
        return 2 + sum([len(key) + 4 + _size(one) for key, one in tree.items()])
    if isinstance(tree, list):
        return 2 + sum([2 + _size(one) for one in tree])
    return 8
