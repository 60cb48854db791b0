"""Why a run is where it is: what was decided on what, the newest last.

Called by: runtime.chat.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from engine.model.chat import Card, Lines, Small
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.model.times import time_text
from engine.views.chat.wording import card, code, line, rows, state_words
from engine.views.lines import evidence_of, is_impact
from engine.views.message import people_text

DECIDING: Final = (
    "cause", "decision", "failed", "guard", "rejected", "expired", "void", "approved",
    "skipped", "already", "stop", "hold", "severity", "late", "drift", "crash", "stuck",
    "retry", "end",
)  # fmt: skip
REASONS_MOST: Final = 8
CHECKS_MOST: Final = 12


def why(summary: RunSummary, entries: Sequence[Entry]) -> Card:
    """Return what led here: the last decisions, their reasons, and what was seen."""
    title = f"Why {line(summary.run, 60)} is {state_words(summary)}"
    decided = [one for one in entries if one.event is None and one.kind in DECIDING][
        -REASONS_MOST:
    ]
    lines = tuple(_reason(one) for one in decided)
    return card(
        summary.mode,
        title,
        rows(_now(summary)),
        Lines(lines or ("nothing has been decided yet",)),
        code(_seen(entries), most=1200),
        Small(f"/runbook show {line(summary.run, 60)} says how it stands"),
    )


def _now(summary: RunSummary) -> Iterator[tuple[str, str]]:
    yield "Why", line(summary.why)
    yield "Cause", line(summary.cause)
    waits = [
        f"{people_text(one.who)}: {line(one.text, 80)}" for one in summary.questions
    ]
    yield "Waits for", "; ".join(waits)
    if summary.wake_at is not None:
        yield "Looks again", f"{time_text(summary.wake_at)} UTC"
    yield "On hold", line(summary.on_hold)


def _reason(note: Entry) -> str:
    told = f"{time_text(note.at)} {line(note.what)}"
    if note.target and note.target not in note.what:
        told += f" on {line(note.target, 100)}"
    return f"{told}: {line(note.why)}" if note.why else told


def _seen(entries: Sequence[Entry]) -> list[str]:
    """Return the last answer of each check, the newest first."""
    last: dict[str, str] = {}
    for entry in reversed(entries):
        if is_impact(entry):
            continue
        for one in evidence_of(entry):
            told = f"{line(one.slot, 100)}: {one.state} ({line(one.why, 160)})"
            last.setdefault(one.slot, f"{told}, seen {time_text(one.at or entry.at)}")
    return list(last.values())[:CHECKS_MOST]
