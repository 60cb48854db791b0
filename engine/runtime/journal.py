"""From an event and what the core made of it to the entries of the timeline.

One entry for the event, from which the run is replayed, then one for each note. Nothing
is decided here; the words are for people, the event is for replay.
"""

from typing import Any

import msgspec

from engine.core.record import Record
from engine.model.effects import Effect, Note
from engine.model.events import (
    Acted,
    Answered,
    Cancelled,
    Event,
    HoldChanged,
    LockLost,
    Looked,
    Noted,
    Restarted,
    Started,
    Taken,
    TimerFired,
    Voted,
)
from engine.model.timeline import Entry


def entries_of(
    before: Record, event: Event, effects: list[Effect], *, seq: int, run: str
) -> list[Entry]:
    """Return the entries of one step, numbered from `seq`, not yet sealed."""
    kind, what = type(event).__name__.lower(), describe(event)
    first = Entry(
        run, seq, event.at, event.tick, kind, what, actor_of(event), before.phase,
        subject=getattr(event, "key", ""), event=event,
    )  # fmt: skip
    entries = [first]
    for effect in effects:
        if isinstance(effect, Note):
            seq += 1
            entries.append(_noted(run, seq, event, effect))
    return entries


def _noted(run: str, seq: int, event: Event, note: Note) -> Entry:
    by = note.refs.get("by")
    return Entry(
        run, seq, event.at, event.tick, note.kind, note.what,
        str(by) if by else "engine", note.phase, note.step, note.why, note.subject,
        note.target, note.refs,
    )  # fmt: skip


def actor_of(event: Event) -> str:
    """Return who made the event happen."""
    by = getattr(event, "by", None)
    return by.id if by is not None else "engine"


def describe(event: Event) -> str:
    """Return one line for people."""
    match event:
        case Started():
            return f"run started by {event.by.id}"
        case Looked():
            seen = (f"{one.check} {one.state}" for one in event.evidence)
            return "looked: " + ", ".join(seen)
        case Acted():
            return f"act ended: {event.outcome} ({event.took_seconds:.1f}s)"
        case TimerFired():
            return f"time over: {event.key.rpartition(':')[2]}"
        case Voted():
            return f"{event.by.id} votes {event.vote}"
        case Answered():
            return f"{event.by.id} answers"
        case Cancelled():
            return f"{event.by.id} cancels"
        case HoldChanged():
            return f"{event.by.id} {'sets' if event.on else 'lifts'} the global hold"
        case LockLost():
            return "locks lost"
        case Restarted():
            return "engine is back"
        case Noted():
            return f"note by {event.by.id}"
        case Taken():
            return f"{event.by.id} takes over"
        case _:
            return type(event).__name__.lower()


def events_of(entries: list[Entry]) -> list[Event]:
    """Return the events of a timeline, in order."""
    return [entry.event for entry in entries if entry.event is not None]


def plain(value: Any) -> Any:
    """Return a value as plain JSON types."""
    return msgspec.to_builtins(value)
