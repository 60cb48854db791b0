"""Small cards that tell one person what became of their word.

Called by desk and its parts.
"""

from collections.abc import Sequence
from typing import Final

from engine.core.words import Refusal
from engine.model.chat import Button, Buttons, Card, Lines, Part, Reply, Small
from engine.model.timeline import Entry
from engine.views.chat.values import Value, value_text
from engine.views.chat.wording import line

NOTHING: Final = Reply()
LINES_MOST: Final = 30
MEANT_MOST: Final = 1000  # characters of a command that a button repeats


def told(title: str, *lines: str, small: str = "") -> Reply:
    """Return a whisper of a title and a few lines."""
    shown = tuple(line(one) for one in lines[:LINES_MOST] if one)
    parts: list[Part] = [Lines(shown)] if shown else []
    if small:
        parts.append(Small(line(small)))
    return Reply(Card(line(title, 150), tuple(parts)))


def not_done(why: str) -> Reply:
    """Return that nothing was done, and why, in as many lines as it has."""
    lines = why.splitlines() or ["nothing more is known"]
    shown = tuple(line(one, 1000) for one in lines[:LINES_MOST])
    return Reply(Card("Not done", (Lines(shown),), colour="warning"))


def refused(refusal: Refusal) -> Reply:
    """Return why words mean nothing; what may have been meant is a button."""
    parts: list[Part] = [Lines((line(refusal.text, 1500),))]
    if refusal.meant and len(refusal.meant) <= MEANT_MOST:
        value = value_text(Value("said", text=refusal.meant))
        label = f"Yes: {line(refusal.meant, 60)}"
        parts.append(Buttons((Button(label, "said", value),)))
    return Reply(Card("Not understood", tuple(parts), colour="warning"))


def done(run: str, notes: Sequence[Entry]) -> Reply:
    """Return what the run wrote down of a person's word."""
    if not notes:
        told_of = f"{run}: left for the engine that drives the run"
        return Reply(Card(told_of))
    first = notes[0]
    lines = (line(first.why),) if first.why else ()
    return Reply(
        Card(f"{run}: {line(first.what, 120)}", (Lines(lines),) if lines else ())
    )
