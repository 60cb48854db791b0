"""What goes into a condition: values made safe for the CEL library, and UNKNOWN.

The library crashes on a value nested 50,000 deep, refuses a whole tree for one number
beyond 64 bits, and takes `true` for 1. Called by: compiling.
"""

from collections.abc import Mapping
from math import isfinite, nan
from typing import Any, Final

from engine.model.evidence import LEFT_OUT

DEEPEST: Final = 64
INT_64: Final = range(-(2**63), 2**63)


class Unknown:
    """The answer that is neither true nor false; there is one of it, UNKNOWN."""

    __slots__ = ()

    def __bool__(self) -> bool:
        """Refuse: unknown counts neither as true nor as false."""
        raise TypeError("unknown is neither true nor false; compare with `is UNKNOWN`")

    def __repr__(self) -> str:
        """Return `unknown`."""
        return "unknown"

    def __reduce__(self) -> str:
        """Copies and pickles are UNKNOWN itself."""
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def fitted(value: Any, type_: str, longest: int | None) -> Any:
    """Return the value as its declared type, or UNKNOWN where it has none of it.

    Args:
        value: Anything; None, NaN and infinities are no value.
        type_: One of the types of `types`.
        longest: Strings and lists above this length count as no value; None: no limit.
    """
    try:
        fits = _FITS.get(type_, _any)(value)
        return UNKNOWN if longest and _longest(fits) > longest else fits
    except (TypeError, ValueError, OverflowError):
        return UNKNOWN


def _bool(value: Any) -> Any:
    return value if isinstance(value, bool) else UNKNOWN


def _int(value: Any) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool)
    return int(value) if number and value in INT_64 else UNKNOWN


def _double(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNKNOWN
    return float(value) if isfinite(value) else UNKNOWN


def _string(value: Any) -> Any:
    return _text(value) if isinstance(value, str) else UNKNOWN


def _list(value: Any) -> Any:
    return _tree(value, 0) if isinstance(value, list | tuple) else UNKNOWN


def _map(value: Any) -> Any:
    return _tree(value, 0) if isinstance(value, Mapping) else UNKNOWN


def _any(value: Any) -> Any:
    tree = _tree(value, 0)
    return UNKNOWN if tree is None or not finite(tree, deep=False) else tree


_FITS: Final = {
    "bool": _bool,
    "int": _int,
    "double": _double,
    "string": _string,
    "list": _list,
    "map": _map,
    "dyn": _any,
}


def _text(value: str) -> str:
    # A lone surrogate has no UTF-8, and the library fails on it.
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _tree(value: Any, depth: int) -> Any:
    """Return a JSON tree; what cannot be shown is NaN, which no comparison takes."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value) if value in INT_64 else _float(value)
    if isinstance(value, float):
        return value if isfinite(value) else nan
    if depth >= DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, Mapping) and LEFT_OUT not in value:
        return {_text(str(k)): _tree(one, depth + 1) for k, one in value.items()}
    if isinstance(value, list | tuple):
        return [_tree(one, depth + 1) for one in value]
    return nan


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return nan


def _longest(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return max([len(value), *map(_longest, value), *map(_longest, value.values())])
    if isinstance(value, list):
        return max([len(value), *map(_longest, value)])
    return 0


def finite(value: Any, *, deep: bool = True) -> bool:
    """Return whether no number in a value is NaN or infinite."""
    if isinstance(value, float):
        return isfinite(value)
    if not deep or not isinstance(value, dict | list):
        return True
    return all(map(finite, value.values() if isinstance(value, dict) else value))
