"""Changes of a run as short messages for its thread: one for each event that matters.

What one event led to is one message: its title is what matters most, the rest stands
below, and what was looked at stands as text. Polls, times and impact samples are
quiet, as in views.lines; so are a person's words that stand in the chat already.

Called by: runtime.chat.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from engine.model.chat import Card, Code, Lines, Post, Small
from engine.model.events import Looked, Noted, Started
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.model.times import time_text
from engine.views.chat.wording import card, code, line, rows
from engine.views.escape import value_text
from engine.views.lines import evidence_of, is_quiet

RANKS: Final[Mapping[str, int]] = {
    # kind of note: how much it matters; what is not here is not posted
    "end": 100, "stop": 90, "stuck": 85, "failed": 80, "guard": 79, "void": 78,
    "rejected": 77, "expired": 76, "severity": 70, "cause": 65, "drift": 64,
    "crash": 62, "hold": 61, "late": 60, "escalated": 57, "asked": 56, "approved": 55,
    "role": 54, "paged": 53, "note": 52, "answered": 50, "settled": 47, "undone": 46,
    "did": 45, "refused": 42, "phase": 40, "step": 35, "lock": 30, "retry": 25,
    "skipped": 24, "already": 23, "joined": 20, "decision": 15, "check": 10,
}  # fmt: skip
COLOURS: Final[Mapping[str, str]] = {
    "did": "good", "undone": "good", "approved": "good", "answered": "good",
    "failed": "danger", "stuck": "danger", "stop": "danger", "guard": "danger",
    "rejected": "danger", "crash": "danger", "asked": "warning", "void": "warning",
    "escalated": "warning", "expired": "danger", "severity": "warning",
    "late": "warning", "drift": "warning", "hold": "warning",
}  # fmt: skip
GOOD_ENDS: Final = ("resolved", "cleared")
WORST: Final = ("danger", "warning", "good", "")  # of several colours
LINES_MOST: Final = 8  # below the title
FIRST_KEPT: Final = 5  # of many posts merged into one
LAST_KEPT: Final = 25


def posts(entries: Sequence[Entry], summary: RunSummary) -> list[Post]:
    """Return what is to be posted of these entries, in order.

    Args:
        entries: Of one run, in order; the first one begins an event.
        summary: The run, for its mark.
    """
    return [
        _post(group, notes, summary.mode)
        for group in _groups(entries)
        if (notes := _told(group)) or isinstance(group[0].event, Started)
    ]


def merged(waiting: Sequence[Post]) -> Post:
    """Return several posts as one, in order; what is left out is counted.

    Raises:
        ValueError: there is none.
    """
    if not waiting:
        raise ValueError("nothing is waiting")
    last = waiting[-1]
    if len(waiting) == 1:
        return last
    run = last.key.rpartition(":")[0]
    lines = [
        f"{time_text(one.at)} {told}"
        for one in waiting
        for told in (one.card.title, *one.said)
    ]
    left_out = len(lines) - FIRST_KEPT - LAST_KEPT
    if left_out > 0:
        told = f"… {left_out} more: runbook show {run}, or /runbook report {run}"
        lines = [*lines[:FIRST_KEPT], told, *lines[-LAST_KEPT:]]
    colours = {one.card.colour for one in waiting}
    shown = Card(
        f"{len(waiting)} changes since {time_text(waiting[0].at)}",
        (Lines(tuple(lines)),),
        last.card.mark,
        tuple(dict.fromkeys(loud for one in waiting for loud in one.card.loud)),
        next(one for one in WORST if one in colours),
    )
    return msgspec.structs.replace(last, card=shown)


def _groups(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield each event with its notes; a note alone (a dead letter) stands alone."""
    group: list[Entry] = []
    for entry in entries:
        if group and (entry.event is not None or entry.tick != group[-1].tick):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _told(group: list[Entry]) -> list[Entry]:
    """Return the notes that are worth a message, in order; none: it is quiet."""
    event = group[0].event
    if isinstance(event, Noted) and event.ref:
        return []  # it stands in the chat, and its author is told
    notes = [one for one in group if one.event is None and one.kind in RANKS]
    following = group[1] if len(group) > 1 else None
    if event is not None and is_quiet(group[0], following):
        notes = [one for one in notes if RANKS[one.kind] > RANKS["decision"]]
    return notes


def _post(group: list[Entry], notes: list[Entry], mode: str) -> Post:
    last = group[-1]
    if isinstance(group[0].event, Started):
        shown = _started(group[0], notes, mode)
    else:
        shown = _changed(group, notes, mode)
    words = [_what(one) for one in notes if "said" in one.refs]
    said = tuple(one for one in words if one != shown.title)
    return Post(f"{last.run}:{last.seq}", last.seq, last.at, shown, said)


def _started(entry: Entry, notes: list[Entry], mode: str) -> Card:
    event = entry.event
    assert isinstance(event, Started)
    given = [
        (line(name, 60), "a secret" if _is_secret(one) else line(value_text(one)))
        for name, one in event.inputs.items()
    ]
    told = Lines(tuple(_words(one) for one in notes[:LINES_MOST]))
    return card(mode, f"{entry.run}: {line(entry.what)}", rows(given), told)


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and list(value) == ["secret"]


def _changed(group: list[Entry], notes: list[Entry], mode: str) -> Card:
    first = max(notes, key=lambda one: RANKS[one.kind])
    rest = [one for one in notes if one is not first and one.kind != "check"]
    lines = [_words(one) for one in rest[:LINES_MOST]]
    if len(rest) > LINES_MOST:
        lines.append(f"… {len(rest) - LINES_MOST} more")
    return card(
        mode,
        _what(first),
        Small(line(first.why)),
        Lines(tuple(lines)),
        _evidence(group[0], notes),
        colour=_colour(first),
    )


def _words(note: Entry) -> str:
    why = f" ({line(note.why)})" if note.why else ""
    return f"{_what(note)}{why}"


def _what(note: Entry) -> str:
    told = line(str(note.refs.get("said", note.what)))
    if note.target and note.target not in note.what:
        told += f" on {line(note.target, 100)}"
    if note.kind == "note":
        return f"{line(note.actor, 60)} notes: {told}"
    return told


def _colour(note: Entry) -> str:
    if note.kind == "end":
        return "good" if note.subject in GOOD_ENDS else "danger"
    return COLOURS.get(note.kind, "")


def _evidence(event: Entry, notes: list[Entry]) -> Code:
    """Return what was looked at, where a note judges it."""
    judges = any(one.kind in ("check", "cause", "decision", "stop") for one in notes)
    if not isinstance(event.event, Looked) or not judges:
        return Code("")
    return code(
        [
            f"{line(one.slot, 100)}: {one.state} ({line(one.why)})"
            for one in evidence_of(event)
        ]
    )
