"""The CEL library, and where our dialect differs from it. Nobody else imports it.

Differences, each since a condition must not take for false what could not be told:
- numbers of two kinds compare and calculate with each other (`value < 2`);
- NaN and infinities are errors in every comparison;
- `==`, `!=` and `in` over values of two types are errors, null and numbers aside.
Functions keep their built-in implementation once registered, so those of ours have
names of their own, put in after the type check: see SWAPPED.

Called by: compiling.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product
from math import isfinite
from typing import Any, Final

from cel_expr_python import cel  # type: ignore[import-untyped]

from engine.expressions.values import UNKNOWN, finite

T = cel.Type
Impl = Callable[[Any, Any], Any]
Row = tuple[str, str, str]  # two operands, what comes back

KINDS: Final = {
    "bool": T.BOOL,
    "int": T.INT,
    "uint": T.UINT,
    "double": T.DOUBLE,
    "string": T.STRING,
    "null": T.NULL,
    "list": T.List(T.DYN),
    "map": T.Map(T.DYN, T.DYN),
    "time": T.TIMESTAMP,
    "span": T.DURATION,
}
DECLARED: Final = {
    "bool": T.BOOL,
    "int": T.INT,
    "double": T.DOUBLE,
    "string": T.STRING,
    "list": T.List(T.DYN),
    "map": T.Map(T.STRING, T.DYN),
}
NUMBERS: Final = ("int", "uint", "double")
SWAPPED: Final = {  # of equal length: the compiled form is changed in place
    "_<_": "lt_",
    "_>_": "gt_",
    "_<=_": "lte_",
    "_>=_": "gte_",
    "@in": "in_",
}
SIGNS: Final = {"_<_": "<", "_>_": ">", "_<=_": "<=", "_>=_": ">=", "@in": "in"}
ORDER: Final[Mapping[str, Impl]] = {
    "_<_": operator.lt,
    "_>_": operator.gt,
    "_<=_": operator.le,
    "_>=_": operator.ge,
}
SUMS: Final[Mapping[str, Impl]] = {
    "_+_": operator.add,
    "_-_": operator.sub,
    "_*_": operator.mul,
    "_/_": operator.truediv,
}
TIMES: Final[Mapping[str, tuple[Row, ...]]] = {
    "_+_": (
        ("string", "string", "string"),
        ("list", "list", "list"),
        ("time", "span", "time"),
        ("span", "time", "time"),
        ("span", "span", "span"),
    ),
    "_-_": (
        ("time", "time", "span"),
        ("time", "span", "time"),
        ("span", "span", "span"),
    ),
}
ERROR: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The library does not take the condition; line and column count from 1."""

    message: str
    line: int
    column: int


class Program:
    """One compiled condition."""

    __slots__ = ("_run", "result")

    def __init__(self, run: Any, result: str) -> None:
        self._run = run
        self.result = result  # the type of what comes back, as the library calls it

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Return a bool, number, string, list, map or None; UNKNOWN for any error."""
        try:
            answer = self._run.eval(data=values)
            plain = answer.value()
            if plain is True or plain is False:
                return plain
            if answer.type() in (T.ERROR, T.UNKNOWN):
                return UNKNOWN
            plain = answer.plain_value()
            return plain if finite(plain) else UNKNOWN
        except Exception:  # noqa: BLE001 (its limits end in RuntimeError; none may pass)
            return UNKNOWN


def compiled(
    source: str, types: Mapping[str, str], signs: Mapping[str, int]
) -> Program:
    """Return the condition ready to evaluate.

    Args:
        source: The condition, names aliased.
        types: The names it uses, with their types.
        signs: How often each sign of SIGNS stands in it, strings left out.

    Raises:
        Refused: it is no CEL, or its types do not fit.
    """
    return _program(source, frozenset(types.items()), frozenset(signs.items()))


@lru_cache(maxsize=4096)  # lint asks with more names in sight than the condition uses
def _program(
    source: str,
    types: frozenset[tuple[str, str]],
    signs: frozenset[tuple[str, int]],
) -> Program:
    env = _environment(types)
    try:
        checked = env.compile(source)
        run = env.deserialize(_swapped(checked.serialize(), dict(signs)))
    except RuntimeError as error:
        raise _refused(str(error)) from None
    return Program(run, checked.return_type().name())


def _refused(text: str) -> Refused:
    found = ERROR.search(text)
    if found is None:
        return Refused(text.split("\n", maxsplit=1)[0], 1, 1)
    return Refused(found[3], max(1, int(found[1])), max(1, int(found[2])))


def _swapped(code: bytes, signs: Mapping[str, int]) -> bytes:
    for name, ours in SWAPPED.items():
        length = bytes([len(name)])
        call = b"\x12" + length + name.encode()
        if code.count(call) != signs.get(SIGNS[name], 0):
            raise RuntimeError(
                "a string of it holds control characters; leave them out"
            )
        code = code.replace(call, b"\x12" + length + ours.encode())
        code = code.replace(
            b"\n" + length + name.encode(), b"\n" + length + ours.encode()
        )
    return code


@lru_cache(maxsize=1024)
def _environment(types: frozenset[tuple[str, str]]) -> cel.Env:
    names = {name: DECLARED.get(type_, T.DYN) for name, type_ in types}
    return cel.NewEnv(config=CONFIG, variables=names, functions=FUNCTIONS)


def _same(left: Any, right: Any) -> bool:
    """Return whether two values are equal. Raises ValueError: that cannot be told."""
    if left is None or right is None:
        _told(left, right)
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and _all_same(zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = ((left[key], right[key]) for key in left.keys() & right.keys())
        return left.keys() == right.keys() and _all_same(pairs)
    _told(left, right)
    number = _number(left) and _number(right)
    if not number and type(left) is not type(right):
        raise ValueError("values of two types")
    return bool(left == right)


def _all_same(pairs: Iterable[tuple[Any, Any]]) -> bool:
    untold = False
    for left, right in pairs:
        try:
            if not _same(left, right):
                return False
        except ValueError:
            untold = True
    if untold:
        raise ValueError("values of two types")
    return True


def _differ(left: Any, right: Any) -> bool:
    return not _same(left, right)


def _within(member: Any, group: Any) -> bool:
    """Return whether a list has the member, a map the key. Raises ValueError."""
    if isinstance(group, dict):
        return member in group
    untold = False
    for one in group:
        try:
            if _same(member, one):
                return True
        except ValueError:
            untold = True
    if untold:
        raise ValueError("values of two types")
    return False


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _told(*values: Any) -> None:
    if any(isinstance(value, float) and not isfinite(value) for value in values):
        raise ValueError("not a number")


def _ordered(compare: Impl) -> Impl:
    def judge(left: Any, right: Any) -> bool:
        _told(left, right)
        return bool(compare(left, right))

    return judge


def _mixed(calculate: Impl) -> Impl:
    return lambda left, right: float(calculate(left, right))


def _function(name: str, rows: Iterable[Row], impl: Impl | None = None) -> Any:
    return cel.FunctionDecl(
        name,
        [
            cel.Overload(f"{name}.{a}.{b}", KINDS[out], [KINDS[a], KINDS[b]], impl=impl)
            for a, b, out in rows
        ],
    )


def _equality() -> list[Row]:
    alike = [(kind, kind, "bool") for kind in KINDS]
    numbers = [(a, b, "bool") for a, b in permutations(NUMBERS, 2)]
    nulls = [(k, "null", "bool") for k in KINDS if k != "null"]
    return alike + numbers + nulls + [(b, a, out) for a, b, out in nulls]


def _comparisons() -> list[Any]:
    rows: list[Row] = [(a, b, "bool") for a, b in product(NUMBERS, NUMBERS)]
    rows += [(kind, kind, "bool") for kind in ("string", "time", "span")]
    members: list[Row] = [(k, c, "bool") for k in KINDS for c in ("list", "map")]
    found = [_function("@in", members), _function(SWAPPED["@in"], members, _within)]
    for name, compare in ORDER.items():
        found.append(_function(name, rows))
        found.append(_function(SWAPPED[name], rows, _ordered(compare)))
    return found


def _sums() -> list[Any]:
    found = []
    for name, calculate in SUMS.items():
        alike: list[Row] = [(kind, kind, kind) for kind in NUMBERS]
        alike += TIMES.get(name, ())
        mixed = [(a, b) for a, b in permutations(("int", "double"), 2)]
        overloads = [
            cel.Overload(f"{name}.{a}.{b}", KINDS[out], [KINDS[a], KINDS[b]])
            for a, b, out in alike
        ]
        overloads += [
            cel.Overload(
                f"{name}.{a}.{b}",
                T.DOUBLE,
                [KINDS[a], KINDS[b]],
                impl=_mixed(calculate),
            )
            for a, b in mixed
        ]
        found.append(cel.FunctionDecl(name, overloads))
    return found


FUNCTIONS: Final = [
    _function("_==_", _equality(), _same),
    _function("_!=_", _equality(), _differ),
    *_comparisons(),
    *_sums(),
]
CONFIG: Final = cel.NewEnvConfigFromYaml(
    "stdlib:\n  exclude_functions:\n"
    + "".join(f'    - name: "{f}"\n' for f in ("_==_", "_!=_", "@in", *ORDER, *SUMS))
)
