"""From a place inside a text to its place in the file, through quotes and folding.

Read by: pydantic_problems (for lint's templates and conditions).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from engine.language.problems import LINE_BREAK
from engine.language.tree import Position, Tree

ESCAPES: Final = {"x": 4, "u": 6, "U": 10}  # how long an escape is, in characters
INDENT: Final = re.compile(r" *")


def place_inside(
    tree: Tree, path: Sequence[str | int], line: int, column: int
) -> Position:
    """Return where line and column of the text at the path stand in the file.

    Where that cannot be told (a folded text with blank lines), where the text begins.
    """
    node, text = tree.nearest(path), tree.at(path)
    if not isinstance(text, str):
        return node.place
    offset = _offset(text, line, column)
    start = node.place
    if node.style in ("|", ">"):
        return _in_block(tree, start, text, line, column, offset) or start
    at = start.column - 1 if start.line <= len(tree.lines) else 0
    source = tree.lines[start.line - 1][at:] if start.line <= len(tree.lines) else ""
    if node.style == "'":
        return _quoted(start, source, offset, _single(source))
    if node.style == '"':
        return _quoted(start, source, offset, _double(source))
    if source.startswith(text):
        return Position(start.line, start.column + offset)
    return _folded(tree.lines, start.line, at, text, offset) or start


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        found = text.find("\n", start)
        if found < 0:
            break
        start = found + 1
    return min(start + column - 1, len(text))


def _quoted(
    start: Position, source: str, offset: int, steps: Iterator[int]
) -> Position:
    at = 1
    for _, width in zip(range(offset), steps, strict=False):
        at += width
    if at >= len(source):
        return start
    return Position(start.line, start.column + at)


def _single(source: str) -> Iterator[int]:
    at = 1
    while at < len(source):
        width = 2 if source.startswith("''", at) else 1
        yield width
        at += width


def _double(source: str) -> Iterator[int]:
    at = 1
    while at < len(source):
        width = 1
        if source[at] == "\\":
            width = ESCAPES.get(source[at + 1 : at + 2], 2)
        yield width
        at += width


def _in_block(
    tree: Tree, start: Position, text: str, line: int, column: int, offset: int
) -> Position | None:
    body = tree.lines[start.line :]  # the lines after the one with | or >
    first = next((row for row in body if row.strip()), "")
    width = len(INDENT.match(first)[0])  # type: ignore[index]
    row = start.line + line
    wanted = LINE_BREAK.split(text)[line - 1 : line]
    literal = tree.lines[row - 1 : row]
    if literal and wanted and literal[0][width:].rstrip() == wanted[0].rstrip():
        return Position(row, width + column)
    return _folded(tree.lines, start.line + 1, width, text, offset)


def _folded(
    lines: Sequence[str], first: int, at: int, text: str, offset: int
) -> Position | None:
    """Follow a text whose line breaks were folded into single spaces."""
    done = 0
    for number in range(first, len(lines) + 1):
        row = lines[number - 1]
        begin = at if number == first else len(INDENT.match(row)[0])  # type: ignore[index]
        piece = row[begin:].rstrip()
        if not piece or not text.startswith(piece, done):
            return None
        if offset <= done + len(piece):
            return Position(number, begin + offset - done + 1)
        done += len(piece)
        if text[done : done + 1] not in (" ", ""):
            return None
        done += 1
    return None
