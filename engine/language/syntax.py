"""What a YAML syntax error means, in words for people who do not know YAML's grammar.

libyaml says where it lost the thread; the line it stood on says why, most of the time.

Read by: tree.
"""

import re
from collections.abc import Sequence
from typing import Final

from yaml import MarkedYAMLError, YAMLError

from engine.language.problems import Problem, source_line

VALUE: Final = (
    r"(?:^|[\s\[{,])(?:[^\s'\"#:][^'\"#:]*:\s+|-\s+)"  # after `key: ` or `- `
)
BRACES: Final = re.compile(VALUE + r"(\{\{)")
BANG: Final = re.compile(VALUE + r"(!)")
RESERVED: Final = re.compile(VALUE + r"([@`%&*|>])")
ENDED_QUOTE: Final = re.compile(VALUE + r"((?:'[^']*'|\"[^\"]*\"))\s*[^\s,\]}#:]")
TAB: Final = re.compile(r"^ *(\t)")
QUOTE_IT: Final = "Put the whole value in quotes, such as '{}'."

Found = tuple[int, int, str, str]  # line, column, message, hint


def syntax_problem(
    error: YAMLError,
    file: str,
    lines: Sequence[str],
    *,
    opened: tuple[int, int] | None = None,
) -> Problem:
    """Return the error where it is, in plain words, with what to do.

    `opened` is the place of the innermost bracket that is still open, if any.
    """
    line, column = _place(error, lines)
    text = source_line(lines, line)
    found = (
        _tab(lines, line)
        or _quotes(error)
        or _at_end(lines, line, opened)
        or _brackets(error, lines)
        or _shape(text, line)
        or _fallback(error, line, column)
    )
    at_line, at_column, message, hint = found
    shown = source_line(lines, at_line)
    return Problem(file, at_line, at_column, "error", "yaml", message, hint, shown)


def _place(error: YAMLError, lines: Sequence[str]) -> tuple[int, int]:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    if mark is None and isinstance(error, MarkedYAMLError):
        mark = error.context_mark
    if mark is None:
        return 1, 1
    line = min(mark.line + 1, max(1, len(lines)))
    return line, min(mark.column, len(source_line(lines, line))) + 1


def _tab(lines: Sequence[str], line: int) -> Found | None:
    for number in (line, line - 1):
        found = TAB.match(source_line(lines, number))
        if found:
            message = "a tab is used for indentation, which YAML does not allow"
            return number, found.start(1) + 1, message, "Indent with spaces."
    return None


def _quotes(error: YAMLError) -> Found | None:
    if not isinstance(error, MarkedYAMLError) or error.context_mark is None:
        return None
    context, problem = error.context or "", error.problem or ""
    if "quoted scalar" in context and "end of stream" in problem:
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
        message = "the quote that begins here is never closed"
        return line, column, message, "Close it; write '' for a quote inside the text."
    if "escape" in problem and error.problem_mark is not None:
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        message = "this backslash escape is not known inside double quotes"
        hint = "Use single quotes: in them a backslash is only a backslash."
        return line, column, message, hint
    return None


def _brackets(error: YAMLError, lines: Sequence[str]) -> Found | None:
    if not isinstance(error, MarkedYAMLError) or error.context_mark is None:
        return None
    if "did not find expected ','" not in (error.problem or ""):
        return None
    line, column = error.context_mark.line + 1, error.context_mark.column + 1
    opened = source_line(lines, line)[column - 1 : column]
    message = f"the '{opened}' that begins here is not closed, or a comma is missing"
    return line, column, message, "Quote a value that holds ': ', ',' or brackets."


def _at_end(
    lines: Sequence[str], line: int, opened: tuple[int, int] | None
) -> Found | None:
    if opened is None or any(text.strip() for text in lines[line - 1 :]):
        return None
    bracket = source_line(lines, opened[0])[opened[1] - 1 : opened[1]]
    message = f"the '{bracket}' that begins here is never closed"
    return opened[0], opened[1], message, "Close it, or quote the value."


def _shape(text: str, line: int) -> Found | None:
    if found := BRACES.search(text):
        message = "a value that begins with '{{' reads as a map to YAML"
        return line, found.start(1) + 1, message, QUOTE_IT.format("{{ x }}")
    if found := BANG.search(text):
        message = "a value that begins with '!' reads as a tag to YAML"
        return line, found.start(1) + 1, message, QUOTE_IT.format("!checks.x.ok")
    if found := RESERVED.search(text):
        message = f"a value that begins with '{found[1]}' means something else to YAML"
        return line, found.start(1) + 1, message, QUOTE_IT.format(found[1] + "…")
    if found := ENDED_QUOTE.search(text):
        message = "text goes on after the closing quote"
        hint = "Quote the whole value; write '' for a quote inside single quotes."
        return line, found.end(1) + 1, message, hint
    return None


def _fallback(error: YAMLError, line: int, column: int) -> Found:
    problem = getattr(error, "problem", None) or ""
    if "mapping values are not allowed" in problem:
        message = "a second ': ' in one value, or a key that is indented too far"
        return line, column, message, "Quote the value, or align the key."
    if "did not find expected key" in problem or "block collection" in (
        getattr(error, "context", None) or ""
    ):
        message = "this line does not fit the lines before it"
        hint = "Align it with its neighbours; quote a value with special characters."
        return line, column, message, hint
    if "could not find expected ':'" in problem:
        message = "a key without ': ' after it"
        return line, column, message, "Write `key: value`."
    if "document start" in problem or "directive" in problem:
        message = "a runbook is one YAML document, without directives"
        return line, column, message, "Remove everything outside it."
    message = "this is not YAML from here on"
    return line, column, message, "Look for a missing quote, bracket, colon or space."
