"""From a text to its parts: the author's words, and slots that take a value.

A slot holds a name or a literal, and filters of FILTERS with literal arguments. All
else that Jinja2 knows is refused here, so rendering can do no more than that. Called
by: rendering, and through engine.templating by lint.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import TemplateProblem

LONGEST: Final = 16_384  # characters of a text
LONGEST_ARGUMENT: Final = 64  # characters; a longer separator would multiply
FILTERS: Final[Mapping[str, int]] = {  # name to the most arguments it takes
    "default": 1,
    "first": 0,
    "int": 0,
    "join": 1,
    "last": 0,
    "length": 0,
    "lower": 0,
    "round": 1,
    "sort": 0,
    "string": 0,
    "tojson": 0,
    "trim": 0,
    "unique": 0,
    "upper": 0,
}
SLOTS: Final = re.compile(
    r"""\{\#.*?\#\}|(?P<slot>\{\{(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^'"])*?\}\})""",
    re.DOTALL,
)
STATEMENT: Final = re.compile(r"\{%")
STATEMENTS: Final = ("block_begin", "raw_begin")
ENVIRONMENT: Final = ImmutableSandboxedEnvironment(keep_trailing_newline=True)


@dataclass(frozen=True, slots=True)
class Slot:
    """One `{{ ... }}`: what stands in it, and where; line and column count from 1."""

    expression: nodes.Expr
    names: frozenset[str]
    line: int
    column: int

    def problem(self, message: str) -> TemplateProblem:
        """Return the problem, placed at this slot."""
        return TemplateProblem(message, line=self.line, column=self.column)


Parts = tuple[str | Slot, ...]


def template_names(source: str) -> frozenset[str]:
    """Return the names that a text uses.

    Raises:
        TemplateProblem: it is no text we take; line and column are within it.
    """
    slots = [part for part in parsed(source) if isinstance(part, Slot)]
    return frozenset().union(*(slot.names for slot in slots))


def is_whole(source: str) -> str | None:
    """Return the name when the text is one `{{ name }}` and nothing else, or None."""
    try:
        parts = parsed(source)
    except TemplateProblem:
        return None
    only = parts[0] if len(parts) == 1 else None
    if isinstance(only, Slot) and isinstance(only.expression, nodes.Name):
        return only.expression.name
    return None


@lru_cache(maxsize=4096)
def parsed(source: str) -> Parts:
    """Return the parts of a text, in order. Raises TemplateProblem."""
    if len(source) > LONGEST:
        raise TemplateProblem(
            f"the text has {len(source):,} characters; at most {LONGEST:,}"
        )
    if "{" not in source:
        return (source,) if source else ()
    body = _tree(source).body
    if any(not isinstance(node, nodes.Output) for node in body):
        raise _statement(source)
    found = [
        child for node in body if isinstance(node, nodes.Output) for child in node.nodes
    ]
    return _parts(source, found)


def _tree(source: str) -> nodes.Template:
    try:
        if any(token in STATEMENTS for _, token, _ in ENVIRONMENT.lex(source)):
            raise _statement(source)
        return ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        line = error.lineno
        column = _text_line(source, line).find("{{") + 1
        message = f"the text cannot be read: {error.message}"
        raise TemplateProblem(message, line=line, column=max(1, column)) from None
    except (RecursionError, ValueError, OverflowError):
        message = "the text cannot be read: what stands in {{ }} is too large"
        raise TemplateProblem(message) from None


def _text_line(source: str, line: int) -> str:
    lines = source.splitlines()
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _statement(source: str) -> TemplateProblem:
    found = STATEMENT.search(source)
    line, column = _place(source, found.start() if found else 0)
    message = "{% %} is not taken: a text has no logic. Put the condition into `when`"
    return TemplateProblem(message, line=line, column=column)


def _place(source: str, at: int) -> tuple[int, int]:
    return source.count("\n", 0, at) + 1, at - (source.rfind("\n", 0, at) + 1) + 1


def _parts(source: str, found: list[nodes.Expr]) -> Parts:
    spots = [it.start() for it in SLOTS.finditer(source) if it["slot"]]
    parts: list[str | Slot] = []
    for node in found:
        if isinstance(node, nodes.TemplateData):
            if node.data:
                parts.append(node.data)
            continue
        at = spots.pop(0) if spots else 0
        line, column = _place(source, at)
        slot = Slot(node, _names(node), line, column)
        if fault := _fault(node):
            raise slot.problem(fault)
        parts.append(slot)
    return tuple(parts)


def _names(node: nodes.Expr) -> frozenset[str]:
    found = {name.name for name in node.find_all(nodes.Name)}
    return frozenset(found | ({node.name} if isinstance(node, nodes.Name) else set()))


def _fault(node: nodes.Expr) -> str:
    """Return what a slot holds that it may not hold, or nothing."""
    while isinstance(node, nodes.Filter):
        if fault := _filter_fault(node):
            return fault
        if node.node is None:
            return "a filter stands after a value: {{ name | upper }}"
        node = node.node
    if isinstance(node, nodes.Name | nodes.Const):
        return ""
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        return "no part of a value can be reached here; bind it to a name of its own"
    if isinstance(node, nodes.Call):
        return "nothing can be called here; write {{ name }} or {{ name | filter }}"
    return "only a name and filters stand in {{ }}; calculate in a `cel:` binding"


def _filter_fault(node: nodes.Filter) -> str:
    if node.name not in FILTERS:
        return f"there is no filter '{node.name}'. Known: {', '.join(FILTERS)}."
    plain = all(isinstance(argument, nodes.Const) for argument in node.args)
    if not plain or node.kwargs or node.dyn_args or node.dyn_kwargs:
        return f"the filter '{node.name}' takes literals only, without names"
    if len(node.args) > FILTERS[node.name]:
        return f"the filter '{node.name}' takes at most {FILTERS[node.name]} argument"
    if any(len(str(argument.value)) > LONGEST_ARGUMENT for argument in node.args
           if isinstance(argument, nodes.Const)):  # fmt: skip
        return f"an argument of '{node.name}' is longer than {LONGEST_ARGUMENT}"
    return ""
