"""A test as text, and put among the tests of its file; every other byte stays.

The text is made by hand in the order of the format page; what it says is YAML's own.
Nothing here opens a file.

Called by: engine.testing.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import yaml

from engine.language.tree import Tree
from engine.model.runbook import Expectation, Test
from engine.model.values import format_duration

WIDTH: Final = 96  # of a line; longer maps are written one key a line
EXPECTED: Final = (
    "end", "cause", "did", "undone", "held", "skipped", "asked", "within"
)  # fmt: skip

LIKE_A_NUMBER: Final = re.compile(r"[-+]?(\d|\.\d|\.inf|\.nan)", re.IGNORECASE)


class NotWritable(Exception):
    """The file's `tests` are written in a way that nothing can be put into."""


def test_text(test: Test, *, indent: int) -> list[str]:
    """Return the lines of a test as an item of a list."""
    rows = list(_parts(test))
    pad = " " * indent
    return [f"{pad}- {rows[0]}", *(f"{pad}  {row}" for row in rows[1:])]


def _parts(test: Test) -> Iterator[str]:
    yield f"name: {_flow(test.name)}"
    if test.inputs:
        yield from _map("inputs", test.inputs)
    if test.alert is not None:
        yield f"alert: {_flow(test.alert)}"
    for key in ("checks", "actions"):
        scripts = getattr(test, key)
        if scripts:
            yield from _map(key, {name: _script(one) for name, one in scripts.items()})
    if test.people:
        yield f"people: {_flow(list(test.people))}"
    if test.events:
        events = [{"at": format_duration(one.at), "do": one.do} for one in test.events]
        yield f"events: {_flow(events)}"
    expected = dict(_expected(test.expect))
    if expected:
        yield from _map("expect", expected)


def _script(answers: Sequence[Any]) -> Any:
    return answers[0] if len(answers) == 1 else list(answers)


def _expected(expect: Expectation) -> Iterator[tuple[str, Any]]:
    for name in EXPECTED:
        wanted = getattr(expect, name)
        if isinstance(wanted, timedelta):
            yield name, format_duration(wanted)
        elif wanted is not None:
            yield name, wanted


def _map(key: str, values: Mapping[str, Any]) -> Iterator[str]:
    short = f"{key}: {_flow(values)}"
    if len(short) <= WIDTH:
        yield short
        return
    yield f"{key}:"
    for name, value in values.items():
        yield f"  {_flow(name)}: {_flow(value)}"


def _flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        pairs = (f"{_flow(str(key))}: {_flow(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """Return text as YAML writes it within brackets, in quotes where it has to."""
    dumped: str = yaml.safe_dump(
        [text], default_flow_style=True, width=1_000_000, allow_unicode=True
    )
    plain = dumped.strip()[1:-1]
    if plain == text and LIKE_A_NUMBER.match(text):  # 1.2 reads more numbers than 1.1
        return json.dumps(text, ensure_ascii=False)
    return plain


def with_tests(text: str, tree: Tree, tests: Sequence[Test]) -> str:
    """Return the text of a file with tests put after those it has.

    Raises:
        NotWritable: its `tests` stand in brackets.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    indent, at, head = _place(tree, lines)
    rows = [row for test in tests for row in test_text(test, indent=indent)]
    put = "".join(f"{row}{newline}" for row in [*head, *rows])
    before, after = "".join(lines[:at]), "".join(lines[at:])
    if before and not before.endswith("\n"):
        before += newline
    return before + put + after


def _place(tree: Tree, lines: Sequence[str]) -> tuple[int, int, list[str]]:
    """Return the indent of an item, before which line it goes, and what comes first."""
    known = tree.value.get("tests")
    if "tests" not in tree.value:
        return 2, len(lines), ["", "tests:"]
    if not known:
        key = tree.position(("tests",), key=True).line
        written = lines[key - 1].split("#")[0].strip()
        if written != "tests:":
            raise NotWritable("its `tests` stand in brackets: write one test a line")
        return 2, key, []
    first = tree.position(("tests", 0))
    dash = lines[first.line - 1][: first.column - 1]
    if not dash.rstrip().endswith("-") or dash.strip(" -"):
        raise NotWritable("its `tests` stand in brackets: write one test a line")
    return dash.index("-"), _end(tree, lines), []


def _end(tree: Tree, lines: Sequence[str]) -> int:
    """Return how many lines there are to the end of the last test."""
    mine = tree.position(("tests",), key=True).line
    keys = [tree.position((key,), key=True).line for key in tree.value]
    after = min((line for line in keys if line > mine), default=len(lines) + 1)
    end = after - 1
    while end > mine and _between(lines[end - 1]):
        end -= 1
    return end


def _between(line: str) -> bool:
    """Whether a line belongs to what comes after: empty, or a comment at the edge."""
    return not line.strip() or line.startswith(("#", "...", "---"))
