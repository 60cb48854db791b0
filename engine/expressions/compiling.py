"""A condition from text to something that answers, and what is wrong with it, in words.

Limits: 4,096 characters; 32 levels and 10,000 rounds of `all`, `map` and the like in
one evaluation (both the library's own); macros three deep; where an expression can
grow what it is given, only short values go in. Called through engine.expressions.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, Literal

from engine.errors import ExpressionProblem
from engine.expressions.dialect import SIGNS, Program, Refused, compiled
from engine.expressions.spelling import (
    HYPHENED,
    Chain,
    Word,
    aliased,
    chains,
    macros,
    words,
)
from engine.expressions.types import Types
from engine.expressions.values import UNKNOWN, Unknown, fitted

Yields = Literal["bool", "list", "any"]
Bound = tuple[str, str, tuple[str, ...]]  # name, type, how the program calls it

LONGEST: Final = 4096
MACROS_DEEP: Final = 3
MOST_TOLD: Final = 1024  # answers kept of one condition
SHORT: Final = 1024  # characters or members, where the expression multiplies them
KEPT: Final = 65_536  # characters or members, where they come back as the result
FITTING: Final = {"bool": ("BOOL", "DYN"), "list": ("LIST", "DYN")}
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
UNDECLARED: Final = re.compile(r"undeclared reference to '([^']+)'")
OVERLOAD: Final = re.compile(r"found no matching overload for '(.+)' applied to '(.+)'")
CALLS: Final = (
    "all", "contains", "double", "duration", "endsWith", "exists", "exists_one",
    "filter", "has", "int", "map", "matches", "size", "startsWith", "string",
    "timestamp",
)  # fmt: skip
WORDY: Final = {"and": "&&", "or": "||", "not": "!"}
MADE_OF: Final = re.compile(r"\b(list|map)\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Expression:
    """One compiled condition."""

    source: str
    yields: Yields
    names: frozenset[str]  # declared, qualified: "checks.lag.ok", "region"
    checks: frozenset[str]  # X of every checks.X.*
    paths: frozenset[str]  # names with what is asked of them: "response.status"
    _program: Program = field(repr=False, compare=False)
    _bound: tuple[Bound, ...] = field(repr=False, compare=False)
    _longest: int | None = field(repr=False, compare=False)
    _told: dict[tuple[Any, ...], bool | Unknown] | None = field(
        repr=False, compare=False
    )  # answers for states, which are few; None: its values are not

    def evaluate(self, bindings: Mapping[str, Any]) -> Any | Unknown:
        """Return what it gives for these values, or UNKNOWN; it never raises.

        A name that is not bound, or bound to None, NaN, an infinity or another type
        than its own, has no value. For `bool`, anything but true and false is UNKNOWN;
        for `list`, anything but a list.
        """
        values: dict[str, Any] = {}
        for name, type_, called in self._bound:
            value = fitted(bindings.get(name), type_, self._longest)
            if value is not UNKNOWN:
                for alias in called:
                    values[alias] = value
        if self._told is not None:
            return self._once(values, self._told)
        found = self._program.evaluate(values)
        if self.yields == "bool":
            return found if isinstance(found, bool) else UNKNOWN
        if self.yields == "list":
            return found if isinstance(found, list) else UNKNOWN
        return UNKNOWN if found is None else found

    def _once(
        self, values: dict[str, Any], told: dict[tuple[Any, ...], bool | Unknown]
    ) -> bool | Unknown:
        """Return what was told of the same values before, else ask once."""
        key = tuple(values.items())  # in the order of `_bound`, each of its own type
        answer = told.get(key)
        if answer is None:
            found = self._program.evaluate(values)
            answer = found if isinstance(found, bool) else UNKNOWN
            if len(told) < MOST_TOLD:
                told[key] = answer
        return answer


def compile_expression(
    source: str, types: Types, yields: Yields = "bool"
) -> Expression:
    """Return the condition, its names found and its types checked.

    Args:
        source: CEL.
        types: Every name it may use, with its type.
        yields: What it must give; a type known only later is let through.

    Raises:
        ExpressionProblem: with the line and column in the source, and what to write.
    """
    return _compile(source, frozenset(types.items()), yields)


@lru_cache(maxsize=4096)
def _compile(
    source: str, types: frozenset[tuple[str, str]], yields: Yields
) -> Expression:
    _bounded(source)
    declared = dict(types)
    found = words(source)
    named = chains(source, found, declared)
    has_map, has_macro, deep = macros(found)
    if deep > MACROS_DEEP:
        raise ExpressionProblem(
            f"all, exists, map and filter are nested {deep} deep; at most {MACROS_DEEP}"
        )
    text, aliases = aliased(source, named)
    used = {chain.name for chain in named if chain.name}
    bound = tuple(_bound(name, declared[name], aliases) for name in sorted(used))
    known = {called: type_ for _, type_, calls in bound for called in calls}
    try:
        program = compiled(text, known, _signs(words(text)))
    except Refused as refused:
        raise _problem(refused, source, found, named, declared, aliases) from None
    _fits(program, yields)
    grows = has_map or (has_macro and any(word.text == "+" for word in found))
    return Expression(
        source=source,
        yields=yields,
        names=frozenset(used),
        checks=frozenset(n.split(".")[1] for n in used if n.startswith("checks.")),
        paths=frozenset(".".join(chain.path) for chain in named if chain.name),
        _program=program,
        _bound=bound,
        _longest=SHORT if grows else None if yields == "bool" else KEPT,
        _told={} if yields == "bool" and _of_states(bound) else None,
    )


def _of_states(bound: tuple[Bound, ...]) -> bool:
    """Whether it asks for nothing but the answers of checks."""
    return all(
        name.startswith("checks.") and name.endswith((".ok", ".state"))
        for name, _, _ in bound
    )


def _bounded(source: str) -> None:
    if not source.strip():
        raise ExpressionProblem("the condition is empty")
    if len(source) > LONGEST:
        raise ExpressionProblem(
            f"the condition has {len(source)} characters; at most {LONGEST:,}"
        )
    if control := CONTROL.search(source):
        line, column = _place(source, control.start())
        message = "a control character stands here; take it out"
        raise ExpressionProblem(message, line=line, column=column)


def _bound(name: str, type_: str, aliases: Mapping[str, str]) -> Bound:
    return name, type_, (name, *(a for a, real in aliases.items() if real == name))


def _signs(found: Iterable[Word]) -> Counter[str]:
    wanted = set(SIGNS.values())
    return Counter(w.text for w in found if w.kind != "string" and w.text in wanted)


def _fits(program: Program, yields: Yields) -> None:
    wanted = FITTING.get(yields)
    if wanted and not program.result.startswith(wanted):
        gives = program.result.lower()
        needs = "true or false" if yields == "bool" else "a list"
        raise ExpressionProblem(f"this gives {gives}, where {needs} is needed")


def _place(source: str, at: int) -> tuple[int, int]:
    return source.count("\n", 0, at) + 1, at - (source.rfind("\n", 0, at) + 1) + 1


def _problem(
    refused: Refused,
    source: str,
    found: list[Word],
    named: list[Chain],
    declared: Mapping[str, str],
    aliases: Mapping[str, str],
) -> ExpressionProblem:
    line, column = refused.line, refused.column
    message = refused.message
    for alias, name in aliases.items():
        message = message.replace(alias, name)
    if undeclared := UNDECLARED.search(message):
        name = undeclared[1]
        chain = next((one for one in named if _leads(one, name)), None)
        if chain is not None:
            line, column = _place(source, chain.start)
            hyphened = HYPHENED.match(source, chain.start)
            name = hyphened[0] if hyphened and "-" in hyphened[0] else name
            message = f"'{name}' is not declared. {_meant(name, declared)}".rstrip()
        else:
            message = f"'{name}' is not a function. {_near(name, CALLS)}".rstrip()
    elif overload := OVERLOAD.search(message):
        message = _no_overload(overload[1], overload[2])
    elif "recursion" in message:
        message = "the condition is nested too deeply: at most 32 levels"
    else:
        message = _not_cel(message, found)
    return ExpressionProblem(message, line=line, column=column)


def _leads(chain: Chain, name: str) -> bool:
    return chain.name is None and ".".join(chain.path[: name.count(".") + 1]) == name


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name[:128], list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""


def _meant(name: str, declared: Mapping[str, str]) -> str:
    if f"checks.{name}.ok" in declared:
        return f"Did you mean checks.{name}.ok?"
    if near := _near(name, declared):
        return near
    roots = sorted({one.split(".")[0] for one in declared})
    return f"Known: {', '.join(roots[:20])}." if roots else ""


def _no_overload(function: str, types: str) -> str:
    sign = function.strip("_@") or function
    operands = _plain(types).strip("()").split(", ")
    if function == "_[_]":
        return f"[ ] does not take {' and '.join(operands)}"
    if function == "_?_:_":
        return f"? : does not take {', '.join(operands)}"
    if len(operands) == 2 and sign in ("==", "!=", "<", "<=", ">", ">=", "in"):
        return f"'{sign}' cannot compare {operands[0]} with {operands[1]}"
    return f"'{sign}' does not take {' and '.join(operands)}"


def _plain(types: str) -> str:
    """Return operand types without what lists and maps are made of."""
    while (shorter := MADE_OF.sub(r"\1", types)) != types:
        types = shorter
    return types


def _not_cel(message: str, found: list[Word]) -> str:
    for word in found:
        if word.kind == "word" and word.text in WORDY:
            return f"this is not CEL: write {WORDY[word.text]} for '{word.text}'"
    text = message.removeprefix("Syntax error: ").split(" expecting ")[0]
    text = text.replace("<EOF>", "end")
    if any(word.text == "=" for word in found):
        return f"this is not CEL: {text}; write == to compare"
    return f"this is not CEL: {text}"
