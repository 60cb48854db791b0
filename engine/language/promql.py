"""Rule: queries that filter where they should answer. Warnings only.

A comparison without `bool` drops the series, and a ratio whose upper part has no series
is empty: both look like "cannot be seen", and the check says unknown for ever.

Read by: lint.
"""

import re
from typing import Final

from engine.language.context import Context
from engine.language.shape import Path, strings

STRING: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
SELECTOR: Final = re.compile(r"\{[^{}]*\}")
TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
COMPARISON: Final = re.compile(r"(==|!=|>=|<=|>|<)(?!\s*bool\b)")
NAME: Final = re.compile(r"[A-Za-z_:]")
MATCHER: Final = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*(@*)")


def promql(context: Context) -> None:
    """Warn of queries whose answer is empty just when it matters."""
    for name, check in context.checks.items():
        kind = context.check_kind(name)
        places = kind.places if kind else {}
        if kind is None or not isinstance(check.params, dict):
            continue
        for key, value in check.params.items():
            if places.get(key) == "promql":
                path: Path = (*context.check_path(name), check.kind, key)
                for where, query in strings(value, path):
                    _query(context, query, where)


def _query(context: Context, query: str, path: Path) -> None:
    plain = _blank(STRING, _blank(TEMPLATE, query, "@"), "@")
    outer = _blank(SELECTOR, plain, " ")
    if found := COMPARISON.search(outer):
        message = (
            f"'{found[1]}' in a query filters: where it is false nothing comes back"
        )
        hint = f"Write '{found[1]} bool', or compare in `pass`."
        context.add(
            path, "promql-filter", message, hint, severity="warning",
            inside=_inside(query, found.start()),
        )  # fmt: skip
    elif (at := _slash(outer)) is not None:
        above, below = query[:at], query[at + 1 :]
        narrower = _matchers(plain[:at], above) - _matchers(plain[at + 1 :], below)
        if "{" not in plain[at + 1 :] and not NAME.search(plain[at + 1 :]):
            return  # divided by a number: a change of unit, no ratio
        if narrower and "vector(0)" not in above.replace(" ", ""):
            message = (
                "the upper part of this ratio may have no series, then it is unknown"
            )
            hint = "Write (… or vector(0)) / …, so that none counts as zero."
            context.add(
                path, "promql-ratio", message, hint, severity="warning",
                inside=_inside(query, at),
            )  # fmt: skip


def _blank(pattern: re.Pattern[str], text: str, filler: str) -> str:
    return pattern.sub(lambda found: filler * len(found[0]), text)


def _slash(outer: str) -> int | None:
    depth = 0
    for at, character in enumerate(outer):
        depth += character in "([{"
        depth -= character in ")]}"
        if character == "/" and depth == 0:
            return at
    return None


def _matchers(plain: str, query: str) -> set[str]:
    """Return the matchers of a part as written: label, operator, quoted value."""
    return {
        f"{found[1]}{found[2]}{query[found.start(3) : found.end(3)]}"
        for selector in SELECTOR.finditer(plain)
        for found in MATCHER.finditer(plain, selector.start(), selector.end())
    }


def _inside(query: str, at: int) -> tuple[int, int]:
    return query.count("\n", 0, at) + 1, at - query.rfind("\n", 0, at)
