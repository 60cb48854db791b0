"""A runbook on paper: boxes to tick, commands to type, for when no engine runs.

The sheet is data (analysis.checklist makes it); here it becomes plain text, Markdown,
or one HTML page that prints on A4. Nothing in it is a secret's value.

Called by the command line (`runbook print`).
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.views.escape import markdown, visible
from engine.views.pages import HTML

WIDTH: Final = 96
TICK: Final = "[ ]"
LINE: Final = "________________"
HOUR: Final = "__:__"
ROOMY: Final = 28  # rows that one page takes in letters of the usual size


@dataclass(frozen=True, slots=True)
class Box:
    """One step to tick; `undo` stands beside an act, as a line to type or in words."""

    number: str  # "2.1": the first step inside the second
    what: str
    details: tuple[str, ...] = ()
    do: str = ""  # the line to type; empty: nothing is typed
    undo: str = ""
    typed: bool = True  # `undo` is a line to type, not words

    @property
    def depth(self) -> int:
        """How many steps it stands inside of."""
        return self.number.count(".")


@dataclass(frozen=True, slots=True)
class Part:
    """A phase, or one workaround of it."""

    title: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A check: the line to type, and what its answer must be."""

    name: str
    line: str
    good: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """One time: what the runbook allows, and what it can take at worst."""

    name: str
    allowed: str
    worst: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A group, what it does here, who is in it and who is on call."""

    group: str
    does: str
    people: tuple[str, ...] = ()
    on_call: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """An input, and the value it has on this sheet; a blank is filled in by hand."""

    name: str
    value: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that stands on the paper."""

    title: str
    runbook: str
    revision: str
    owner: str
    severity: str
    printed: str
    values: tuple[Value, ...] = ()
    limits: tuple[Limit, ...] = ()
    contacts: tuple[Contact, ...] = ()
    channels: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    looks: tuple[Look, ...] = ()
    gaps: tuple[str, ...] = field(default=())  # what could not be put on paper, and why

    @property
    def long(self) -> bool:
        """Whether it needs the smaller letters to stay on one page."""
        boxes = sum(len(part.boxes) for part in self.parts)
        return boxes + len(self.parts) + len(self.looks) > ROOMY

    @property
    def about(self) -> str:
        """The line below the title."""
        return (
            f"runbook {self.runbook}, revision {self.revision}, owner {self.owner}, "
            f"severity {self.severity}, printed {self.printed}"
        )


INTRO: Final = (
    "Done by hand, from top to bottom: tick each box, write the time beside it. "
    "__name__: put the value in (a number in JSON: without the quotes around it). What "
    "was done is undone in the opposite order."
)


# Plain text


def sheet_text(sheet: Sheet) -> str:
    """Return the sheet as plain text, 96 columns; a line to type is never broken."""
    rows = [f"BY HAND: {visible(sheet.title)}", *_wrap(sheet.about, "", "  ")]
    rows += _wrap(INTRO, "", "")
    for title, lines in _tables(sheet):
        rows += ["", title, *lines]
    for part in sheet.parts:
        rows += ["", part.title]
        for box in part.boxes:
            rows += _box(box)
    if sheet.looks:
        rows += ["", "How to look"]
        for look in sheet.looks:
            rows.append(f"  {visible(look.name)}")
            rows += [f"    $ {look.line}"] if look.line else []
            rows += [f"    good: {visible(look.good)}"] if look.good else []
    return "\n".join(rows) + "\n"


def _box(box: Box) -> Iterator[str]:
    depth = "  " * (box.depth + 1)
    yield from _wrap(
        f"{box.what}", f"{depth}{TICK} {HOUR} {box.number}. ", f"{depth}      "
    )
    inner = f"{depth}      "
    if box.do:
        yield f"{inner}$ {box.do}"
    if box.undo:
        yield f"{inner}undo: {'$ ' if box.typed else ''}{box.undo}"
    for detail in box.details:
        yield from _wrap(detail, inner, f"{inner}  ")


def _tables(sheet: Sheet) -> Iterator[tuple[str, list[str]]]:
    if sheet.values:
        yield "Values", _columns([(v.name, v.value, v.about) for v in sheet.values])
    rows = [(one.name, one.allowed, one.worst) for one in sheet.limits]
    yield "Times", _columns([("", "limit", "at worst"), *rows])
    yield "Whom to call", _columns(_calls(sheet))
    yield "Roles", [f"  {role:<10} {LINE}" for role in sheet.roles]
    if sheet.stops:
        yield "Stop at once", [row for one in sheet.stops for row in _wrap(one, "  ")]
    if sheet.gaps:
        rows_of = [row for one in sheet.gaps for row in _wrap(one, "  ", "    ")]
        yield "Not on this sheet", rows_of


def _calls(sheet: Sheet) -> list[tuple[str, str, str]]:
    rows = [(one.group, who(one), one.does) for one in sheet.contacts]
    return rows + [("channel", one, "") for one in sheet.channels]


def who(contact: Contact) -> str:
    """Return who is called: the people, the one on call first; or a blank."""
    names = [one for one in contact.people if one != contact.on_call]
    if contact.on_call:
        names = [f"{contact.on_call} (on call)", *names]
    return ", ".join(visible(one) for one in names) or LINE


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    shown = [[visible(cell) for cell in row] for row in rows]
    wide = [max(len(row[at]) for row in shown) for at in range(len(shown[0]))]
    return [
        (
            "  " + "  ".join(f"{cell:<{wide[at]}}" for at, cell in enumerate(row))
        ).rstrip()
        for row in shown
    ]


def _wrap(text: str, first: str = "", rest: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


# Markdown


def sheet_markdown(sheet: Sheet) -> str:
    """Return the sheet as Markdown: task lists, each line to type in a block."""
    rows = [f"# By hand: {markdown(sheet.title)}", "", markdown(sheet.about), ""]
    rows += [markdown(INTRO), ""]
    values = [(one.name, one.value, one.about) for one in sheet.values]
    limits = [(one.name, one.allowed, one.worst) for one in sheet.limits]
    rows += _md_table(("value", "is", ""), values)
    rows += _md_table(("time", "limit", "at worst"), limits)
    rows += _md_table(("whom to call", "who", "for"), _calls(sheet))
    rows += _md_table(("role", "who"), [(role, LINE) for role in sheet.roles])
    for title, lines in (("Stop at once", sheet.stops), ("Not here", sheet.gaps)):
        rows += [
            f"## {title}",
            "",
            *(f"- {markdown(one)}" for one in lines),
            "",
        ] * bool(lines)
    for part in sheet.parts:
        rows += [f"## {markdown(part.title)}", ""]
        rows += [row for box in part.boxes for row in _md_box(box)]
        rows.append("")
    rows += _md_looks(sheet.looks)
    return "\n".join(rows).rstrip("\n") + "\n"


def _md_table(titles: tuple[str, ...], cells: Iterable[tuple[str, ...]]) -> list[str]:
    rows = [f"| {' | '.join(markdown(cell) for cell in row)} |" for row in cells]
    if not rows:
        return []
    head = f"| {' | '.join(titles)} |"
    return [head, "|" + "---|" * len(titles), *rows, ""]


def _md_box(box: Box) -> Iterator[str]:
    depth = "  " * box.depth
    yield f"{depth}- [ ] `{HOUR}` **{box.number}.** {markdown(box.what)}"
    if box.do:
        yield from _md_block("do", box.do, f"{depth}  ")
    if box.undo and box.typed:
        yield from _md_block("undo", box.undo, f"{depth}  ")
    elif box.undo:
        yield f"{depth}  - undo: {markdown(box.undo)}"
    for detail in box.details:
        yield f"{depth}  - {markdown(detail)}"


def _md_block(what: str, line: str, depth: str) -> Iterator[str]:
    longest = max((len(row) for row in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{depth}- {what}:"
    yield f"{depth}  {fence}"
    yield f"{depth}  {line}"
    yield f"{depth}  {fence}"


def _md_looks(looks: Sequence[Look]) -> list[str]:
    rows = ["## How to look", ""] if looks else []
    for look in looks:
        good = f", good: {markdown(look.good)}" if look.good else ""
        rows.append(f"- {markdown(look.name)}{good}")
        rows += list(_md_block("look", look.line, "  ")) if look.line else []
    return rows


# HTML


def sheet_html(sheet: Sheet) -> str:
    """Return the sheet as one HTML page that prints on A4; no script, no network."""
    page = HTML.get_template("sheet.html.j2")
    return page.render(s=sheet, who=who, intro=INTRO, line=LINE, hour=HOUR)
