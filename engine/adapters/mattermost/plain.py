"""Plain text for Mattermost's Markdown: it reads as it was written, and does nothing.

A backslash or an entity before `@` does not stop a mention: the server takes both away
before it looks for names. Only a character between the sign and the word does, so a
word joiner stands there: it has no width, and no line breaks at it. The same goes for
hashtags, `~channel` links, addresses that become links by themselves, and emoji.

What is not here: what a message is made of (drawing). Called by drawing, forms, rooms.
"""

import re
from typing import Final

from engine.model.visible import visible

JOINER: Final = "\u2060"
MARKS: Final = re.compile(r"[\\`*\[\]()|$!]|(?<![^\W_])_|_(?![^\W_])|(?<=~)~|~(?=~)")
ENTITY: Final = re.compile(r"&(?=#?\w+;)")
IN_FRONT: Final = re.compile(r"^( *)(?:([-+=>])|(\d{1,9})([.)]))")
TRIGGERS: Final = re.compile(
    r"[@#~](?=\S)"  # a name, a hashtag, a channel
    r"|#"  # a heading
    r"|:(?=[\w+-]+:)"  # emoji
    r"|(?<!\S)[:;=<](?=\S)|<(?=[A-Za-z/!?])"  # emoticons, HTML
    r"|:(?=/)|(?i:\b(?:mailto|tel|data|javascript|mattermost):)(?=\S)"
    r"|(?i:\bwww\d{0,3})(?=\.)"
    r"|\.[A-Za-z]{2,24}(?=/)"  # example.com/
)
INDENT: Final = re.compile(r"^ {4,}")


def shown(text: str, *, lines: bool = False) -> str:
    """Return the text with every character that hides or moves text as its escape.

    Args:
        lines: Line breaks and tabs stay (a code block shows them).
    """
    if not lines:
        return visible(text, most=len(text))
    pieces = re.split(r"([\n\t])", text)
    return "".join(one if one in ("\n", "\t") else shown(one) for one in pieces)


def escaped(text: str) -> str:
    """Return one line of Markdown that shows the text, and does nothing else."""
    safe = ENTITY.sub("&amp;", shown(text))
    safe = MARKS.sub(lambda found: "\\" + found[0], safe)
    safe = IN_FRONT.sub(_in_front, safe)
    safe = TRIGGERS.sub(lambda found: found[0] + JOINER, safe)
    return INDENT.sub(lambda found: "\u00a0" * len(found[0]), safe)


def fenced(text: str) -> str:
    """Return a code block that nothing in the text can end."""
    inside = shown(text.replace("\r\n", "\n"), lines=True).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", inside)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{inside}\n{fence}"


def cut(text: str, most: int) -> str:
    """Return the text with at most so many characters; what is cut is counted."""
    if len(text) <= most:
        return text
    kept = max(0, most - 24)
    return f"{text[:kept]}… ({len(text) - kept:,} more)"


def cut_bytes(text: str, most: int) -> str:
    """Return the text in at most so many bytes: dialogs are measured in them."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return raw[: max(0, most - 3)].decode("utf-8", "ignore") + "…"


def _in_front(found: re.Match[str]) -> str:
    lead, sign, number, dot = found.groups()
    return f"{lead}\\{sign}" if sign else f"{lead}{number}\\{dot}"
