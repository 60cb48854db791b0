"""The fenced blocks of a page, and what their marks ask for.

```yaml file=NAME        is written to that file before the page's commands run
```yaml runbook=NAME     is a whole runbook of that name, and must load
```console               is run, and each line of output must come, in this order
```console illustration  is shown only: it needs a terminal, a network, or a kill

Read by: the tests of the pages.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FENCE: Final = re.compile(
    r"^( *)```(\S+)?(.*?)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE
)
VOLATILE: Final = (  # what differs from one run to the next
    (re.compile(r"\br-[0-9a-z]{6}\b"), "r-RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\+00:00)?"), "DATE"),
    (re.compile(r"\+\d\d:\d\d "), "+TIME "),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)?s\b"), "SECONDS"),
    (re.compile(r" +"), " "),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int
    marks: dict[str, str] = field(default_factory=dict)


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    return list(_blocks(page.read_text()))


def _blocks(text: str) -> Iterator[Block]:
    for found in FENCE.finditer(text):
        marks = dict(one.partition("=")[::2] for one in found[3].split())
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[2] or "", found[4], line, marks)


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Return each command of a console block with the lines it is shown to give."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def masked(line: str) -> str:
    """Return a line without what differs from run to run."""
    for pattern, word in VOLATILE:
        line = pattern.sub(word, line)
    return line.strip()


def missing(shown: list[str], output: str) -> list[str]:
    """Return the shown lines that do not come, in their order, in the output."""
    real = iter([masked(line) for line in output.splitlines()])
    return [line for line in shown if not any(masked(line) in one for one in real)]
