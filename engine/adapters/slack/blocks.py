"""A Card as Slack's Block Kit, and as the text of the notice.

Rule 1: every value stands in a `plain_text` object, escaped: it cannot mention, link,
format or show an emoji. Mark-up is ours alone: a plain label in bold, a link that the
engine made, a mention of a group that the configuration names. Code stands between
fences where it holds no backtick; else as plain text, so that no character is changed.
Rule 2: one card is one message. What fits no limit is shortened and says so; buttons,
links and the small print are never what is cut.

Limits of Slack: 50 blocks, 3,000 characters a section, 150 a header, 10 fields of
2,000, 25 buttons a row, 40,000 the text, and about 13,000 of text for a whole message.

Called by provider.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.adapters.slack.texts import literal, marked, plain, safe, web_address
from engine.errors import ChatRefused
from engine.model.chat import (
    LONGEST_VALUE,
    Button,
    Buttons,
    Card,
    Code,
    Lines,
    Link,
    Part,
    Rows,
    Small,
)
from engine.model.visible import visible

Block = dict[str, Any]

MOST_BLOCKS: Final = 48  # of 50: one for the mention, one for what was left out
MOST_FIXED: Final = 30  # blocks that are never cut
SECTION: Final = 3000
HEADER: Final = 150
FIELD: Final = 1500  # of 2,000: two of them stand side by side
ROWS_A_SECTION: Final = 5  # a name and a value each, of 10 fields
BUTTONS_A_ROW: Final = 25
BUDGET: Final = 9000  # characters of all blocks
NOTICE: Final = 3000  # characters of the text
LINE: Final = 1500
SMALL: Final = 500
LABEL: Final = re.compile(r"[\w .,()/+-]{1,200}", re.ASCII)
FORMATS: Final = re.compile(r"(?:^|\W)_|_(?:\W|$)")
MENTIONED: Final = re.compile(r"[SUW][A-Z0-9]{1,20}")  # groups, and people
COLOURS: Final[Mapping[str, str]] = {
    "": "",
    "good": "\N{LARGE GREEN CIRCLE} ",
    "warning": "\N{LARGE YELLOW CIRCLE} ",
    "danger": "\N{LARGE RED CIRCLE} ",
}
STYLES: Final = {"good": "primary", "danger": "danger"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One message: its blocks, and its text for notices and for whoever sees none."""

    text: str
    blocks: list[Block]


@dataclass(slots=True)
class _Room:
    """What is left of the limits."""

    characters: int
    blocks: int
    lost: int = 0  # lines that found no place


def drawn(
    card: Card, groups: Mapping[str, str] | None = None, *, budget: int = BUDGET
) -> Drawn:
    """Return a card as one message.

    Args:
        card: What is to be shown.
        groups: Slack's id of each group that is known there, by the group's name.
        budget: Characters of all blocks together.

    Raises:
        ChatRefused: a button's value is longer than Slack keeps.
    """
    top = _top(card)
    mention = _mention(card.loud, groups or {})
    fixed, over = _fixed(card.parts)
    kept = [*top, *mention, *(one for some in fixed.values() for one in some)]
    room = _Room(budget - size(kept), MOST_BLOCKS - len(kept), over)
    blocks = [*top]
    for at, part in enumerate(card.parts):
        blocks += fixed[at] if at in fixed else _flexible(part, room)
    if room.lost:
        blocks.append(_context(f"… ({room.lost} more, see timeline)"))
    return Drawn(notice(card), blocks + mention)


def notice(card: Card, most: int = NOTICE) -> str:
    """Return the card as plain text, escaped."""
    lines = [safe(_title(card), HEADER)]
    left = most - len(lines[0])
    rest = [one for part in card.parts for one in _words(part)]
    for at, line in enumerate(rest):
        shown = safe(line, LINE)
        left -= len(shown) + 1
        if left < 40:
            lines.append(f"… ({len(rest) - at} more, see timeline)")
            break
        lines.append(shown)
    return "\n".join(lines)


def size(blocks: Iterable[Block]) -> int:
    """Return the characters of all texts in blocks."""
    return sum(map(_characters, blocks))


def _characters(found: Any) -> int:
    if isinstance(found, Mapping):
        own = found.get("text")
        return (len(own) if isinstance(own, str) else 0) + sum(
            _characters(one) for one in found.values() if not isinstance(one, str)
        )
    return sum(map(_characters, found)) if isinstance(found, list) else 0


def _title(card: Card) -> str:
    mark = f"{card.mark} " if card.mark else ""
    return f"{COLOURS[card.colour]}{mark}{card.title}"


def _top(card: Card) -> list[Block]:
    title = _title(card)
    if not card.parts:
        return [{"type": "section", "text": plain(title, LINE)}]
    header: Block = {"type": "header", "text": plain(title, HEADER)}
    if len(safe(title, LINE)) <= HEADER:
        return [header]
    return [header, {"type": "section", "text": plain(title, LINE)}]


def _mention(loud: Sequence[str], groups: Mapping[str, str]) -> list[Block]:
    ids = [groups.get(name, "") for name in loud]
    known = dict.fromkeys(one for one in ids if MENTIONED.fullmatch(one))
    if not known:
        return []
    text = " ".join(
        f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in known
    )
    return [{"type": "section", "text": marked(text)}]


def _fixed(parts: Sequence[Part]) -> tuple[dict[int, list[Block]], int]:
    """Return the blocks that are never cut, by their part, and how many were."""
    found: dict[int, list[Block]] = {}
    count = over = 0
    verbs = Counter[str]()
    for at, part in enumerate(parts):
        match part:
            case Buttons(buttons):
                made = _buttons(buttons, verbs)
            case Link(label, url):
                made = [_link(label, url)]
            case Small(text):
                made = [_context(text)]
            case _:
                continue
        kept = made[: MOST_FIXED - count]
        count, over = count + len(kept), over + len(made) - len(kept)
        found[at] = kept
    return found, over


def _context(text: str) -> Block:
    return {"type": "context", "elements": [plain(text, SMALL)]}


def _link(label: str, url: str) -> Block:
    address = web_address(url)
    if address is None:
        return _context(f"{label}: {url}")
    if _unformatted(label):
        return {"type": "section", "text": marked(f"<{address}|{label}>")}
    return {"type": "section", "fields": [plain(label, 200), marked(f"<{address}>")]}


def _unformatted(text: str) -> bool:
    """Return whether mark-up finds nothing in a text that it would change."""
    return LABEL.fullmatch(text) is not None and FORMATS.search(text) is None


def _buttons(buttons: Sequence[Button], verbs: Counter[str]) -> list[Block]:
    """Return rows of buttons; the second of one verb is called `verb:2`."""
    made = []
    for one in buttons:
        verbs[one.verb] += 1
        number = verbs[one.verb]
        made.append(_button(one, f"{one.verb}:{number}" if number > 1 else one.verb))
    return [
        {"type": "actions", "elements": made[at : at + BUTTONS_A_ROW]}
        for at in range(0, len(made), BUTTONS_A_ROW)
    ]


def _button(button: Button, called: str) -> Block:
    if len(button.value) > LONGEST_VALUE:
        raise ChatRefused(
            f"the button '{visible(button.label, most=60)}' would carry "
            f"{len(button.value)} characters; Slack keeps {LONGEST_VALUE}"
        )
    made: Block = {
        "type": "button",
        "text": plain(button.label, 75),
        "action_id": called,
    }
    if button.value:
        made["value"] = button.value
    if button.style in STYLES:
        made["style"] = STYLES[button.style]
    if button.sure:
        made["confirm"] = {
            "title": plain(button.label, 100),
            "text": plain(button.sure, 300),
            "confirm": plain(button.label, 30),
            "deny": plain("No", 30),
        }
    return made


def _flexible(part: Part, room: _Room) -> list[Block]:
    match part:
        case Lines(lines):
            return _sections([safe(one, LINE) for one in lines], room)
        case Rows(rows):
            return _fields(rows, room)
        case Code(text):
            return _code(text, room)
        case _:
            return []


def _sections(lines: Sequence[str], room: _Room, fence: str = "") -> list[Block]:
    packed = _packed(lines, room, SECTION - 2 * len(fence))
    if fence:
        texts = [marked(f"{fence}{one}{fence}") for one in packed]
    else:
        texts = [literal(one) for one in packed]
    return [{"type": "section", "text": one} for one in texts]


def _packed(lines: Sequence[str], room: _Room, most: int) -> list[str]:
    """Return escaped lines put together up to a section's size; the rest is lost."""
    made: list[str] = []
    for at, line in enumerate(lines):
        text = line or " "
        joined = bool(made) and len(made[-1]) + len(text) < most
        room.characters -= len(text) + 1
        room.blocks -= not joined
        if room.characters < 0 or room.blocks < 0:
            room.lost += len(lines) - at
            break
        if joined:
            made[-1] += f"\n{text}"
        else:
            made.append(text)
    return made


def _fields(rows: Sequence[tuple[str, str]], room: _Room) -> list[Block]:
    pairs: list[tuple[dict[str, object], dict[str, object]]] = []
    for at, (name, value) in enumerate(rows):
        called = name.strip()
        bold = marked(f"*{called}*") if _unformatted(called) else plain(name, 200)
        pair = bold, plain(value, FIELD)
        room.characters -= sum(len(str(one["text"])) for one in pair)
        room.blocks -= at % ROWS_A_SECTION == 0
        if room.characters < 0 or room.blocks < 0:
            room.lost += len(rows) - at
            break
        pairs.append(pair)
    return [
        {
            "type": "section",
            "fields": [one for pair in pairs[at : at + ROWS_A_SECTION] for one in pair],
        }
        for at in range(0, len(pairs), ROWS_A_SECTION)
    ]


def _code(text: str, room: _Room) -> list[Block]:
    lines = [safe(one, LINE) for one in text.expandtabs(4).split("\n")]
    return _sections(lines, room, fence="" if "`" in text else "```")


def _words(part: Part) -> list[str]:
    match part:
        case Lines(lines):
            return list(lines)
        case Rows(rows):
            return [f"{name}: {value}" for name, value in rows]
        case Code(text):
            return text.split("\n")
        case Small(text):
            return [text]
        case Link(label, url):
            return [f"{label}: {url}"]
        case _:
            return []
