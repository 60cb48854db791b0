"""From an event and what the core made of it to the entries of the timeline.

One entry for the event, from which the run is replayed, then one for each note. Nothing
is decided here; the words are for people, the event is for replay.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec

from engine.core.record import Record
from engine.model.effects import Effect, Note
from engine.model.events import (
    Acted,
    AlertAttached,
    AlertResolved,
    Answered,
    Cancelled,
    Drifted,
    Event,
    GroupPaged,
    HoldChanged,
    LockLost,
    Looked,
    Noted,
    Restarted,
    RetryAsked,
    RoleTaken,
    RunHeld,
    SeveritySet,
    Started,
    Taken,
    TimerFired,
    Voted,
)
from engine.model.people import BROKEN
from engine.model.timeline import Entry


def entries_of(
    before: Record, event: Event, effects: list[Effect], *, seq: int, run: str
) -> list[Entry]:
    """Return the entries of one step, numbered from `seq`, not yet sealed."""
    first = Entry(
        run,
        seq,
        event.at,
        event.tick,
        KINDS[type(event)],
        describe(event),
        actor_of(event),
        before.phase,
        subject=getattr(event, "key", ""),
        event=event,
    )
    entries = [first]
    for effect in effects:
        if type(effect) is Note:
            seq += 1
            entries.append(_noted(run, seq, event, effect))
    return entries


def _noted(run: str, seq: int, event: Event, note: Note) -> Entry:
    by = note.refs.get("by")
    return Entry(
        run,
        seq,
        event.at,
        event.tick,
        note.kind,
        note.what,
        str(by) if by else "engine",
        note.phase,
        note.step,
        note.why,
        note.subject,
        note.target,
        note.refs,
    )


def actor_of(event: Event) -> str:
    """Return who made the event happen."""
    by = getattr(event, "by", None)
    return by.id if by is not None else "engine"


def describe(event: Event) -> str:
    """Return one line for people."""
    words = DESCRIBE.get(type(event))
    return words(event) if words is not None else KINDS[type(event)]


def _under(event: Voted | Answered) -> str:
    return f" {BROKEN}" if event.by.via.endswith(BROKEN) else ""


def _looked(event: Looked) -> str:
    return "looked: " + ", ".join(f"{one.check} {one.state}" for one in event.evidence)


DESCRIBE: Final[Mapping[type, Callable[[Any], str]]] = {
    Started: lambda event: f"run started by {event.by.id}",
    Looked: _looked,
    Acted: lambda event: f"act ended: {event.outcome} ({event.took_seconds:.1f}s)",
    TimerFired: lambda event: f"time over: {event.key.rpartition(':')[2]}",
    Voted: lambda event: f"{event.by.id} votes {event.vote}{_under(event)}",
    Answered: lambda event: f"{event.by.id} answers{_under(event)}",
    Cancelled: lambda event: f"{event.by.id} cancels",
    HoldChanged: lambda event: (
        f"{event.by.id} {'sets' if event.on else 'lifts'} the global hold"
    ),
    Drifted: lambda event: "what is held was changed by somebody else",
    LockLost: lambda event: "locks lost",
    AlertResolved: lambda event: "the alert is over",
    AlertAttached: lambda event: f"{event.many} more of its group fire",
    Restarted: lambda event: "engine is back",
    Noted: lambda event: f"note by {event.by.id}",
    Taken: lambda event: f"{event.by.id} takes over",
    RoleTaken: lambda event: f"{event.by.id} takes the role {event.role}",
    SeveritySet: lambda event: f"{event.by.id} sets the severity {event.to}",
    GroupPaged: lambda event: f"{event.by.id} pages {event.group}",
    RunHeld: lambda event: (
        f"{event.by.id} {'holds the run' if event.on else 'lets the run go on'}"
    ),
    RetryAsked: lambda event: f"{event.by.id} asks for the next try",
}


KINDS: Final[Mapping[type, str]] = {
    event: event.__name__.lower() for event in get_args(Event)
}


def events_of(entries: list[Entry]) -> list[Event]:
    """Return the events of a timeline, in order."""
    return [entry.event for entry in entries if entry.event is not None]


def plain(value: Any) -> Any:
    """Return a value as plain JSON types."""
    return msgspec.to_builtins(value)
