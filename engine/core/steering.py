"""What people say to a run beside its questions: roles, severity, pages, holds, tries.

None of it moves a step of its own: a role is written down, a severity holds until the
trouble grows beyond what the person saw, a hold lets no further act begin, and a try
that waits for its time is made now. What cannot be done is written down as refused.

Called by: core.outside_events.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.core import acting, outcomes, undoing
from engine.core.record import Record, Thread
from engine.core.turn import Turn
from engine.model.effects import Effect, Note, Page, Say
from engine.model.events import (
    Answered,
    Cancelled,
    Event,
    GroupPaged,
    RetryAsked,
    RoleTaken,
    RunHeld,
    SeveritySet,
    Voted,
)
from engine.model.people import Actor

AGAIN: Final = {"act.retry": outcomes.retried, "undo.retry": undoing.again}


def _role(turn: Turn, event: RoleTaken) -> None:
    roles, by = turn.record.roles, event.by.id
    if roles.get(event.role) == by:
        _refuse(turn, event.by, f"{by} is {event.role} already")
        return
    before = roles.get(event.role)
    turn.change(roles=roles | {event.role: by})
    why = f"before: {before}" if before else ""
    refs = {"by": by, "role": event.role}
    turn.note("role", f"{by} is {event.role}", why=why, subject=event.role, refs=refs)


def _severity(turn: Turn, event: SeveritySet) -> None:
    now, by = turn.record.severity, event.by.id
    if now == event.to:
        _refuse(turn, event.by, f"the severity is {now} already")
        return
    worst = min(now, event.to, turn.record.severity_seen or now)  # sev1 is the worst
    turn.change(severity=event.to, severity_seen=worst)
    why = f"{by} says so" + (f": {event.reason}" if event.reason else "")
    what = f"severity {now} -> {event.to}"
    refs = {"by": by, "was": now, "to": event.to}
    turn.note("severity", what, why=why, refs=refs)
    turn.effects.append(Say(f"Severity is now {event.to} ({why})"))


def _paged(turn: Turn, event: GroupPaged) -> None:
    run, by = turn.record.run, event.by.id
    text = event.text or turn.compiled.runbook.title
    key = f"{run}/page/{event.group}/{by}/{event.tick:g}"
    severity = turn.record.severity
    told = f"{run}: {by} pages you: {text}"
    turn.effects.append(Page(event.group, told, severity, key))
    refs = {"by": by, "group": event.group}
    what = f"{by} pages {event.group}"
    turn.note("paged", what, why=event.text, subject=event.group, refs=refs)


def _held(turn: Turn, event: RunHeld) -> None:
    by = event.by.id
    if bool(turn.record.hold_here) == event.on:
        is_now = "on hold already" if event.on else "not on hold by itself"
        _refuse(turn, event.by, f"the run is {is_now}")
        return
    told = f"{by}: {event.reason}" if event.reason else by
    turn.change(hold_here=told if event.on else "")
    does = "holds the run" if event.on else "lets the run go on"
    turn.note("hold", f"{by} {does}", why=event.reason, refs={"by": by})
    if not event.on:
        acting.go_on(turn, event)


def _retry(turn: Turn, event: RetryAsked) -> None:
    """Make the next try of an act or an undo now; what has failed for good is over."""
    waits = [one for one in turn.threads.values() if one.stage in AGAIN]
    if why := _no_try(turn, waits):
        _refuse(turn, event.by, why)
        return
    for one in waits:
        thread = turn.threads.get(one.id)
        if thread != one:
            continue  # what came of another try has ended it
        refs = {"by": event.by.id}
        turn.note("retry", f"{event.by.id} asks for the try now", thread, refs=refs)
        AGAIN[thread.stage](turn, thread, None)


def _no_try(turn: Turn, waits: list[Thread]) -> str:
    if not waits:
        return "nothing waits for its next try; what has failed is not tried again"
    if turn.record.on_hold and all(one.stage == "act.retry" for one in waits):
        return f"no act is tried: {turn.record.on_hold}"
    return ""


def _refuse(turn: Turn, by: Actor, why: str) -> None:
    turn.effects.append(_refused(by, why))


def _refused(by: Actor, why: str) -> Note:
    what = f"{by.id}'s word does not count"
    return Note("refused", what, why=why, refs={"by": by.id})


def steered_after_the_end(record: Record, event: Event) -> list[Effect]:
    """Return what a run that is over says to a word; nothing to any other event.

    Args:
        record: Of the run.
        event: What came too late.
    """
    by = getattr(event, "by", None)
    if type(event) not in LATE or not isinstance(by, Actor):
        return []
    return [_refused(by, f"the run has ended: {record.end}")]


STEER: Final[Mapping[type, Callable[[Turn, Any], None]]] = {
    RoleTaken: _role,
    SeveritySet: _severity,
    GroupPaged: _paged,
    RunHeld: _held,
    RetryAsked: _retry,
}
LATE: Final = frozenset({*STEER, Voted, Answered, Cancelled})  # after the end
