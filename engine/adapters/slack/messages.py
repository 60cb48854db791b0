"""A message of Slack's as the engine knows it. Called by provider, inbound."""

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.adapters.slack.shapes import as_maps, as_text
from engine.adapters.slack.texts import read_text
from engine.model.chat import Message, Place

PROVIDER: Final = "slack"


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
        at=_epoch(ref),
        files=tuple(one for one in files if one),
    )


def _epoch(ts: str) -> float:
    """Return the seconds of a message's ts; 0 for what is none."""
    fits = re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", ts)
    return float(ts) if fits else 0.0
