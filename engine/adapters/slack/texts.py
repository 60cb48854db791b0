"""Values as Slack's text: escaped, on one line, within a limit; and back again.

Slack reads `&`, `<` and `>` as control characters in every text object, so they are
written as entities; nothing else is. Whether `*bold*` counts is said by the object a
text stands in (blocks puts every value into `plain_text`).

Called by blocks, modals, provider (out) and inbound (`read_text`, back).
"""

import re
from typing import Final

from engine.model.visible import visible

ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
NOTHING: Final = "\N{EN DASH}"
COUNTED: Final = 24  # characters for `… (65536 more)`
SPECIAL: Final = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
AUTOMATIC: Final = re.compile(r"(?:https?://|mailto:|tel:)")


def safe(value: object, most: int) -> str:
    """Return a value as text of at most `most` characters; what is cut is counted."""
    text = str(value)
    if len(text) <= most:
        whole = visible(text, most=most).translate(ENTITIES)
        if len(whole) <= most:
            return whole
    kept: list[str] = []
    size = 0
    for at, char in enumerate(text):
        piece = visible(char).translate(ENTITIES)
        size += len(piece)
        if size > most - COUNTED:
            return f"{''.join(kept)}… ({len(text) - at} more)"
        kept.append(piece)
    return "".join(kept)


def plain(value: object, most: int) -> dict[str, object]:
    """Return a text object that formats nothing, not even `:emoji:`."""
    return literal(safe(value, most))


def literal(text: str) -> dict[str, object]:
    """Return a text object of text that is safe already; Slack takes no empty one."""
    shown = text if text.strip() else NOTHING
    return {"type": "plain_text", "text": shown, "emoji": False}


def marked(text: str) -> dict[str, object]:
    """Return a text object of our own mark-up; nothing in it is made into a link."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def web_address(url: str) -> str | None:
    """Return an address as it may stand in `<…>`; None: it is none."""
    if not url.startswith(("https://", "http://")) or not url.isprintable():
        return None
    for char, code in ((" ", "%20"), ("<", "%3C"), (">", "%3E"), ("|", "%7C")):
        url = url.replace(char, code)
    return url.replace("&", "&amp;")


def read_text(text: str) -> str:
    """Return what a person typed, from Slack's form of it.

    `<http://edge-1.example.com|edge-1.example.com>` was typed as the name alone;
    `<@U01ANA>` becomes @U01ANA, `<#C01|shop>` becomes #shop.
    """
    found = SPECIAL.sub(_typed, text)
    return found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _typed(found: re.Match[str]) -> str:
    target, label = found[1], found[2] or ""
    if target[:1] in ("@", "#"):
        return target[0] + (label or target[1:])
    if target[:1] == "!":
        return label or f"@{target[1:].partition('^')[2] or target[1:]}"
    bare = AUTOMATIC.sub("", target)
    if not label:
        return target if target.startswith("http") else bare
    return label if label in (bare, target) else f"{label} ({target})"
