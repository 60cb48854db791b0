"""Problems found in a file: where, what, what to do next; and how they are shown.

What is here: the one shape of a problem, and its three forms for a terminal, for
programs, and for the annotations of a code review. What is not: finding problems
(tree, pydantic_problems, lint). Read by: config, the entry points, the web page.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Final, Literal

LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
LONGEST: Final = 1000  # of a source line; thousands of problems may stand in one
WIDTH: Final = 120  # characters of a source line that are shown around the caret
NEAR: Final = 0.6  # difflib's ratio from which a word counts as a slip of another


@dataclass(frozen=True)
class Problem:
    """One problem; line and column count from 1, `code` is stable."""

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    code: str
    message: str
    hint: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        """Return `file:line:column: error[code]: message`."""
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.severity}[{self.code}]: {self.message}"


def format_text(problems: Iterable[Problem]) -> str:
    """Return the problems as a person reads them, each with hint, line and caret."""
    return "\n".join(_with_source(problem) for problem in problems)


def format_json(problems: Iterable[Problem]) -> str:
    """Return the problems as a JSON list of objects with the fields of Problem."""
    return json.dumps([asdict(problem) for problem in problems], indent=2)


def format_github(problems: Iterable[Problem]) -> str:
    """Return one workflow command a line: `::error file=..,line=..,col=..::text`."""
    return "\n".join(_command(problem) for problem in problems)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems by place, each once: one place says one thing of a code."""
    seen: dict[tuple[str, int, int, str, str], Problem] = {}
    for it in problems:
        seen.setdefault((it.file, it.line, it.column, it.code, it.message), it)
    return sorted(seen.values(), key=lambda it: (it.file, it.line, it.column))


def near(word: str, known: Iterable[str], ratio: float = NEAR) -> str | None:
    """Return the known word nearest to `word`, or None where none is that near."""
    by_lower = {name.lower(): name for name in known}
    for slip in (word.lower()[:64].replace("-", "_"), word.lower()[:64]):
        if found := get_close_matches(slip, by_lower, n=1, cutoff=ratio):
            return by_lower[found[0]]
    return None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for the known word nearest to `word`, or nothing."""
    found = near(word, known)
    return f"Did you mean '{found}'?" if found is not None else ""


def suggest(word: str, known: Sequence[str] | Mapping[str, object], what: str) -> str:
    """Return the nearest known word as a hint, else the list of them, else nothing."""
    if near := nearest(word, known):
        return near
    names = list(known)
    if not names:
        return f"There are no {what} in this file." if what else ""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"Known {what}: {shown}." if what else f"Known: {shown}."


def source_line(lines: Sequence[str], line: int) -> str:
    """Return the line that is counted from 1, at most LONGEST characters of it."""
    return lines[line - 1][:LONGEST] if 0 < line <= len(lines) else ""


def brief(value: object, most: int = 60) -> str:
    """Return the value as its writer knows it, quoted and cut to `most` characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    text = text.replace("\n", " ")
    return text if len(text) <= most else text[: most - 1] + "…"


def _with_source(problem: Problem) -> str:
    rows = [str(problem)]
    if problem.hint:
        rows.append(f"  {problem.hint}")
    if problem.source_line[problem.column - 1 :].strip():
        start = max(0, problem.column - 1 - WIDTH // 2)
        shown = problem.source_line[start : start + WIDTH].replace("\t", " ")
        rows.append(f"    {shown}")
        rows.append("    " + " " * (problem.column - 1 - start) + "^")
    return "\n".join(rows)


def _command(problem: Problem) -> str:
    place = f"file={_escaped(problem.file, ':,')},line={problem.line}"
    title = _escaped(problem.code, ":,")
    text = problem.message + (f" {problem.hint}" if problem.hint else "")
    head = f"::{problem.severity} {place},col={problem.column},title={title}"
    return f"{head}::{_escaped(text)}"


def _escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
