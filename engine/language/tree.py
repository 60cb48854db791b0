"""Strict YAML: plain values, and where each of them stands in the file.

Built on the event stream of PyYAML's C parser, never on its composer: depth and number
of nodes are judged before anything is built, and 100,000 brackets end at the 33rd.
Refused: duplicate keys, keys that are not text, anchors, aliases, merge keys, tags, a
second document, a top that is not a map.

Usable for any strict YAML file. Read by: load, pydantic_problems, lint, config.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.language.problems import (
    LINE_BREAK,
    Problem,
    brief,
    in_order,
    source_line,
)
from engine.language.scalars import Scalar, plain_scalar
from engine.language.source import decode
from engine.language.syntax import syntax_problem

MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 32
MOST_PROBLEMS: Final = 500  # of one file; whoever mends these sees the others
QUOTE: Final = "Put the whole value in quotes: '{}'."

Path = Sequence[str | int]


class Position(NamedTuple):
    """A place in a file; both count from 1."""

    line: int
    column: int


class Node:
    """Where one value stands, and in which style it is written."""

    __slots__ = ("children", "key", "place", "style")

    def __init__(self, place: Position, style: str | None = None) -> None:
        self.place = place
        self.key: Position | None = None  # of the key it stands under
        self.style = style  # of a scalar: None or "" plain, ' or " quoted, | or > block
        self.children: dict[str | int, Node] = {}


@dataclass(frozen=True, slots=True)
class Tree:
    """Plain values with positions. `lines` are the lines of the file."""

    value: Any
    root: Node
    lines: tuple[str, ...]

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Return where the value (or its key) stands; else its nearest known parent."""
        node = self.nearest(path)
        if key and node.key is not None:
            return node.key
        return node.place

    def nearest(self, path: Path) -> Node:
        """Return the node at the path, or its nearest known ancestor."""
        node = self.root
        for part in path:
            child = node.children.get(part)
            if child is None:
                return node
            node = child
        return node

    def at(self, path: Path) -> Any:
        """Return the raw value at the path, or None where there is none."""
        value = self.value
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value


class _RefusedError(Exception):
    """Reading ends here: a limit is reached or the structure is not ours."""


@dataclass(slots=True)
class _Frame:
    """An open map or list while its members are read."""

    node: Node
    value: dict[str, Any] | list[Any]
    is_list: bool
    key: str | None = None
    key_place: Position | None = None
    is_key: bool = False  # a map or list where a key belongs: read, and left out
    flow: bool = False  # written with brackets
    text: str | None = None  # a template without quotes, which YAML takes for a map


def read_tree(text: str | bytes, file: str) -> tuple[Tree | None, list[Problem]]:
    """Return the file's values, or None with every problem that could be seen.

    Never raises for any input; ends within milliseconds for every input.
    """
    tree, problems, _ = read_on(text, file)
    return (None if problems else tree), problems


def read_on(
    text: str | bytes, file: str
) -> tuple[Tree | None, list[Problem], list[Any]]:
    """Return the values, all problems, and what could not stand in the values.

    Where every problem leaves no doubt of the rest (a key twice, a tag, an anchor, a
    template without quotes), the values are there too, as if it were mended. They are
    for judging the rest of the file, never for running it. Never raises.
    """
    source, problems = decode(text, file)
    lines = tuple(LINE_BREAK.split(source))
    if problems:
        return None, [_with_line(problem, lines) for problem in problems], []
    reader = _Reader(file, lines)
    try:
        tree = reader.read(source)
    except YAMLError as error:
        reader.syntax(error)
        tree = None
    except _RefusedError:
        tree = None
    return tree, in_order(reader.problems), reader.dropped


def _with_line(problem: Problem, lines: Sequence[str]) -> Problem:
    shown = "".join(
        character if character.isprintable() else "?"
        for character in source_line(lines, problem.line)[:400]
    )
    return Problem(**{**vars(problem), "source_line": shown})


class _Reader:
    """Builds values from events; keeps the open maps and lists on a stack."""

    def __init__(self, file: str, lines: tuple[str, ...]) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self.stack: list[_Frame] = []
        self.nodes = 0
        self.documents = 0
        self.top: tuple[Any, Node] | None = None
        self.dropped: list[Any] = []
        self.lost = False  # something was written that no value stands for

    def read(self, source: str) -> Tree | None:
        if len(source) > 2 * MAX_NODES:  # a node takes two characters, or more
            self._refuse_crowds(source)
        parser = CParser(source)
        while (event := parser.get_event()) is not None:
            self._take(event)
        if self.top is None:
            self._say(Position(1, 1), "empty", "the file is empty", "")
            return None
        value, node = self.top
        if not isinstance(value, dict):
            message = f"the file is {brief(value)}; it must be a map of keys"
            self._say(node.place, "top", message, "Begin with `format: 1`.")
            return None
        return None if self.lost else Tree(value, node, self.lines)

    def _refuse_crowds(self, source: str) -> None:
        """Count before anything is built: a third of the time of reading."""
        parser = CParser(source)
        nodes = depth = 0
        try:
            while (event := parser.get_event()) is not None:
                kind = type(event)
                if kind is ScalarEvent:
                    nodes += 1
                elif kind is MappingEndEvent or kind is SequenceEndEvent:
                    depth -= 1
                elif kind is MappingStartEvent or kind is SequenceStartEvent:
                    nodes, depth = nodes + 1, depth + 1
                if depth > MAX_DEPTH:
                    return  # told with what came before it
                if nodes > MAX_NODES:
                    self._too_many(event)
        except YAMLError:
            return  # told with what came before it

    def syntax(self, error: YAMLError) -> None:
        """Add what the error means, unless its line has a problem already."""
        mark = getattr(error, "problem_mark", None)
        if "nesting depth" in (getattr(error, "problem", None) or "") and mark:
            self._too_deep(Position(mark.line + 1, mark.column + 1))
            return  # libyaml from 0.2.6 on counts the brackets ahead of its events
        opened = None
        if self.stack and self.stack[-1].flow:
            opened = self.stack[-1].node.place
        problem = syntax_problem(error, self.file, self.lines, opened=opened)
        if problem.line not in {it.line for it in self.problems}:
            self.problems.append(problem)

    def _take(self, event: Event) -> None:
        kind = type(event)
        if kind is ScalarEvent:
            self._count(event)
            self._scalar(event)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close()
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._count(event)
            self._open(event)
        elif isinstance(event, AliasEvent):
            message = f"the alias '*{event.anchor}' is refused"
            self._stop(event, "yaml-alias", message, "Write the value out.")
        elif isinstance(event, DocumentStartEvent):
            self._document(event)

    def _count(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._too_many(event)
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)

    def _too_many(self, event: Event) -> None:
        message = f"the file has more than {MAX_NODES:,} values"
        self._stop(event, "too-large", message, "Split it.")

    def _document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            message = "the file holds a second YAML document"
            self._stop(event, "yaml", message, "Keep one document in each file.")
        if event.version or event.tags:
            message = "YAML directives (lines that begin with %) are refused"
            self._say(_start(event), "yaml", message, "Remove them.")

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            message = f"the anchor '&{event.anchor}' is refused"
            hint = "Remove it; quote the value if it is meant as text."
            self._say(_start(event), "yaml-anchor", message, hint)
        if event.tag is not None:
            self._refuse_tag(event, event.tag)

    def _refuse_tag(self, event: Event, tag: str) -> None:
        place = _start(event)
        line = source_line(self.lines, place.line)
        written = line[place.column - 1 :].split(" #", 1)[0].strip()
        if tag.startswith("!") and not written.startswith("!!"):
            message = f"'{written}' begins with '!', which YAML reads as a tag"
            hint = QUOTE.format(written.replace("'", "''"))
        else:
            message = f"the tag '{written.split(' ', 1)[0] or tag}' is refused"
            hint = "Remove it; text is quoted, numbers are written as they are."
        self._say(place, "yaml-tag", message, hint)

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        if len(self.stack) >= MAX_DEPTH:
            self._too_deep(_start(event))
            raise _RefusedError
        is_key = bool(self.stack) and not (
            self.stack[-1].is_list or self.stack[-1].key_place is not None
        )
        if is_key:
            self._refuse_key_map(event)
        is_list = isinstance(event, SequenceStartEvent)
        value: dict[str, Any] | list[Any] = [] if is_list else {}
        frame = _Frame(Node(_start(event)), value, is_list, is_key=is_key)
        frame.flow = bool(event.flow_style)
        self.stack.append(frame)

    def _too_deep(self, place: Position) -> None:
        message = f"more than {MAX_DEPTH} levels inside each other"
        self._say(place, "too-deep", message, "Close the brackets, or split it.")

    def _close(self) -> None:
        frame = self.stack.pop()
        if frame.is_key:
            self.stack[-1].key_place = frame.node.place
        elif frame.text is not None:
            self._place(frame.text, Node(frame.node.place))
        else:
            self._place(frame.value, frame.node)

    def _refuse_key_map(self, event: Event) -> None:
        place = _start(event)
        line = source_line(self.lines, place.line)
        start = line.rfind("{{", 0, place.column + 1)
        if start < 0:
            message = "a map or list stands where a key belongs"
            self._say(place, "yaml-key", message, "A key is text: put it in quotes.")
            self.lost = True
            return
        end = line.find("}}", start)
        written = line[start : end + 2] if end > 0 else line[start:]
        message = f"'{written}' without quotes is a map inside a map to YAML"
        hint = QUOTE.format(written.replace("'", "''"))
        self.stack[-1].text = written
        self._say(Position(place.line, start + 1), "yaml-braces", message, hint)

    def _scalar(self, event: Any) -> None:
        place = _start(event)
        value: Scalar = event.value
        if event.tag is not None and event.tag.startswith("!"):
            value = f"{event.tag} {event.value}".rstrip()
        if event.implicit[0] and not event.style and event.tag is None:
            try:
                value = plain_scalar(event.value)
            except OverflowError:
                message = f"the number {brief(event.value)[1:-1]} is too large"
                self._say(place, "number", message, "Put it in quotes to keep it text.")
        frame = self.stack[-1] if self.stack else None
        if frame is None or frame.is_list or frame.key_place is not None:
            self._place(value, Node(place, event.style))
        else:
            self._key(frame, value, event, place)

    def _key(self, frame: _Frame, value: Scalar, event: Any, place: Position) -> None:
        frame.key, frame.key_place = event.value, place
        if not isinstance(value, str):
            shown = event.value or "(nothing)"
            message = f"the key {shown} is not text to YAML"
            self._say(place, "yaml-key", message, f"Put it in quotes: '{event.value}'.")
        elif value == "<<" and event.style in (None, ""):
            message = "the merge key '<<' is refused"
            self._say(place, "yaml-merge", message, "Write the keys out.")
        elif value in frame.value:
            first = frame.node.children[value].key
            line = first.line if first else frame.node.place.line
            message = f"the key '{value}' stands here twice; first in line {line}"
            self._say(place, "duplicate-key", message, "Keep one of them.")

    def _place(self, value: Any, node: Node) -> None:
        if not self.stack:
            self.top = value, node
            return
        frame = self.stack[-1]
        values = frame.value
        if isinstance(values, list):
            frame.node.children[len(values)] = node
            values.append(value)
            return
        key, node.key = frame.key, frame.key_place
        frame.key = frame.key_place = None
        if key is None:
            return
        if key in values:
            self.dropped.append({key: value})
            return
        values[key] = value
        frame.node.children[key] = node

    def _say(self, place: Position, code: str, message: str, hint: str) -> None:
        shown = source_line(self.lines, place.line)
        self.problems.append(
            Problem(self.file, *place, "error", code, message, hint, shown)
        )
        if len(self.problems) == MOST_PROBLEMS:
            message = f"reading ended here, after {MOST_PROBLEMS} problems"
            self._say(place, "too-many", message, "Mend those above first.")
            raise _RefusedError

    def _stop(self, event: Event, code: str, message: str, hint: str) -> None:
        self._say(_start(event), code, message, hint)
        raise _RefusedError


def _start(event: Event) -> Position:
    mark: Any = event.start_mark
    return Position(mark.line + 1, mark.column + 1)
