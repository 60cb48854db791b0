"""What a name in a text stands for: what is written, what the alert brings, or open.

An input with a `default` and no `from` is its default, since nobody gives it when an
alert starts the run; one with `from` is what the alert brings there; a choice is any of
its values; a name of `with` is what is bound, a name of `each` one of the list where
the list is written. All else is open.

Read by: effects, locks.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.analysis.between.members import Inner, Member
from engine.analysis.between.texts import Open, Part, Text, joined
from engine.errors import ExpressionProblem
from engine.expressions import compile_expression
from engine.language.walk import Placed
from engine.model.vocabulary import Input

SLOT: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Names = Mapping[str, Text]


def inputs_of(member: Member) -> dict[str, Text]:
    """Return what each input of a runbook stands for when it runs by itself."""
    given = member.runbook.inputs.items()
    return {name: _input(one, name, f"{member.file} {name}") for name, one in given}


def inside(inner: Inner, names: Names) -> dict[str, Text]:
    """Return what each input of a runbook stands for where another runs it."""
    own = inputs_of(inner.member)
    here = f"{inner.member.file} {inner.path}"
    bound = {name: _bound(raw, names, here) for name, raw in inner.step.with_.items()}
    return own | bound


def at_step(placed: Placed, names: Names, member: Member) -> dict[str, Text]:
    """Return the names that stand for something at a step: those around it, its own."""
    here = f"{member.file} {placed.path}"
    each = {
        name: (Open(f"{here} {name}", name, _members(source, member)),)
        for name, source in placed.each.items()
    }
    around = {**names, **each}
    bound = {name: _bound(raw, around, here) for name, raw in placed.bound.items()}
    return around | bound


def text_of(raw: Any, names: Names, here: str) -> Text:
    """Return a text with its names put in; a number or a truth value as it is shown."""
    if isinstance(raw, bool):
        return (str(raw).lower(),)
    if isinstance(raw, int | float):
        whole = isinstance(raw, int) or raw.is_integer()
        return (str(int(raw)) if whole else repr(raw),)
    if not isinstance(raw, str):
        return (Open(f"{here} {raw}", "a value"),)
    parts: list[Part] = []
    for at, piece in enumerate(SLOT.split(raw)):
        if at % 2 == 0:
            parts.append(piece)
        elif piece in names:
            parts += names[piece]
        else:
            parts.append(Open(f"{here} {piece}", piece))
    return joined(parts)


def _input(given: Input, name: str, key: str) -> Text:
    if given.from_:
        choices = _choices(given)
        pattern = given.pattern or ""
        return (Open(given.from_, name, choices, pattern),)
    if given.type == "choice":
        return (Open(key, name, _choices(given)),)
    if not given.required and isinstance(given.default, str | int | float):
        return text_of(given.default, {}, key)
    return (Open(key, name, pattern=given.pattern or ""),)


def _choices(given: Input) -> tuple[str, ...]:
    listed = given.of if given.type == "choice" and isinstance(given.of, list) else []
    return tuple(str(one) for one in listed)


def _bound(raw: Any, names: Names, here: str) -> Text:
    if isinstance(raw, Mapping) and set(raw) == {"cel"}:
        source = str(raw["cel"]).strip()
        if NAME.fullmatch(source) and source in names:
            return names[source]
        return (Open(f"{here} {source}", source),)
    return text_of(raw, names, here)


def _members(source: str, member: Member) -> tuple[str, ...]:
    """Return the targets of an `each`, where the file says them."""
    given = member.runbook.inputs.get(source.strip())
    if given is not None:
        fixed = not given.from_ and isinstance(given.default, list)
        return tuple(str(one) for one in given.default) if fixed else ()
    try:
        expression = compile_expression(source, {}, "list")
    except ExpressionProblem:
        return ()
    found = expression.evaluate({})
    return tuple(str(one) for one in found) if isinstance(found, list) else ()
