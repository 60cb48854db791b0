"""A message of Slack's as the engine knows it, and its link.

Called by provider, inbound.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.adapters.slack.shapes import as_maps, as_text
from engine.adapters.slack.texts import read_text
from engine.model.chat import Message, Place

PROVIDER: Final = "slack"
DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def read_message(found: Mapping[str, Any], place: Place) -> Message:
    """Return a message; of what it lacks, nothing."""
    files = [
        as_text(one.get("permalink")) or as_text(one.get("url_private"))
        for one in as_maps(found.get("files"))
    ]
    ref = as_text(found.get("ts"))
    return Message(
        Place(PROVIDER, place.room, as_text(found.get("thread_ts")) or place.thread),
        ref,
        by=as_text(found.get("user")) or as_text(found.get("bot_id")),
        text=read_text(as_text(found.get("text"))),
        at=epoch(ref),
        files=tuple(one for one in files if one),
    )


def permalink(domain: str, found: Message) -> str:
    """Return the link to a message as Slack makes it; nothing for an odd domain."""
    if DOMAIN.fullmatch(domain) is None or not found.place.room or not found.ref:
        return ""
    room, ref, thread = found.place.room, found.ref, found.place.thread
    link = f"https://{domain}.slack.com/archives/{room}/p{ref.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={room}" if thread not in ("", ref) else link


def epoch(ts: str) -> float:
    """Return the seconds of a message's ts; 0 for what is none."""
    fits = re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", ts)
    return float(ts) if fits else 0.0
