"""Events from outside the steps: start, cancel, resolved, hold, restart, notes.

Called by core.advance for every event that no step waits for by key.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.core import acting, adopting, crashes, drifting, ends, undoing
from engine.core.record import MAIN, Frame, Record, Thread, Winding
from engine.core.steering import STEER, steered_after_the_end
from engine.core.turn import Turn, replace
from engine.model.effects import Effect, Note, Page, Say, Unlock
from engine.model.events import (
    AlertAttached,
    AlertResolved,
    Cancelled,
    Drifted,
    Event,
    HoldChanged,
    LockLost,
    Noted,
    Restarted,
    Started,
    Stopped,
    Taken,
)

MOST_CRASHES: Final = 3  # of one run; then it is a dead letter


def tell(turn: Turn, event: Event) -> None:
    """Tell the run of an event from outside; a second start changes nothing."""
    if isinstance(event, Started) == bool(turn.record.run):
        return
    TELL[type(event)](turn, event)


def _started(turn: Turn, event: Started) -> None:
    runbook = turn.compiled.runbook
    turn.change(
        run=event.run,
        mode=event.mode,
        requester=event.by,
        labels=event.labels,
        annotations=event.annotations,
        severity=runbook.severity,
        state="waiting",
        hold=event.held_globally,
    )
    turn.frames[""] = Frame("", 0, event.inputs)
    adopting.adopt(turn, event)
    for index, watch in enumerate(turn.compiled.watches):
        thread = Thread(f"{watch.kind}{index}", watch.pc, since=turn.tick)
        turn.put(thread)
        turn.ready.append(thread.id)
    limits = Thread("limits", turn.compiled.limits, since=turn.tick)
    turn.put(limits)
    turn.ready.append(limits.id)
    turn.put(Thread(MAIN, turn.compiled.scopes[0].start, top=True, since=turn.tick))
    turn.ready.insert(0, MAIN)


def _cancelled(turn: Turn, event: Cancelled) -> None:
    why = f"cancelled by {event.by.id}" + (f": {event.reason}" if event.reason else "")
    turn.note(
        "stop", why, why="kept in that person's hands" if event.keep else "given back"
    )
    winding = turn.record.winding
    if winding is not None and winding.started:
        giving_back = winding.give_back or event.keep
        turn.change(winding=replace(winding, end="cancelled", why=why, give_back=True))
        if giving_back:
            return
    to = event.by.id if event.keep else ""
    turn.wind(Winding("cancelled", why, give_back=not event.keep, to=to))


def _resolved(turn: Turn, event: AlertResolved) -> None:
    if turn.record.alert_over:
        return
    turn.change(alert_over=True)
    turn.note("step", "the alert is resolved")
    if turn.record.winding is not None:
        return
    rule = next(
        (one for one in turn.compiled.runbook.trigger if one.alert is not None), None
    )
    does = event.when_resolved or (rule.when_resolved if rule else "continue")
    if not turn.record.acted:
        turn.wind(Winding("cleared", "the alert resolved before anything was done"))
    elif does == "restore":
        turn.note("decision", "restore now", why="when_resolved: restore")
        ends.go_to_restore(turn)
    elif does == "ask" and "resolved" not in turn.threads:
        thread = Thread("resolved", turn.compiled.resolved_question, since=turn.tick)
        turn.put(thread)
        turn.ready.append(thread.id)


def _attached(turn: Turn, event: AlertAttached) -> None:
    more = f" and {event.many - 1} more" if event.many > 1 else ""
    turn.change(alert_over=False)
    turn.note("step", f"alert {event.name}{more} joined")


def _hold(turn: Turn, event: HoldChanged) -> None:
    if turn.record.hold == event.on:
        return
    turn.change(hold=event.on)
    does = "set" if event.on else "lifted"
    turn.note("hold", f"global hold {does} by {event.by.id}", why=event.reason)
    if not event.on:
        acting.go_on(turn, event)


def _drifted(turn: Turn, event: Drifted) -> None:
    """Tell people, once; nothing is done again: it may have been done on purpose."""
    held = next((one for one in turn.held if one.id == event.held), None)
    if held is None or not drifting.stands(held, turn.threads):
        return
    turn.held[turn.held.index(held)] = replace(held, drifted=True)
    name = f"{held.action} {held.target}".strip()
    what = f"{name} is held, but somebody else changed it"
    turn.note("drift", what, why=event.why, subject=held.action, target=held.target)
    record, owner = turn.record, turn.compiled.runbook.owner
    text = f"{record.run}: {what}. Nothing is done again. {event.why}"
    turn.effects.append(Say(text))
    key = f"{record.run}/drift/{held.id}"
    turn.effects.append(Page(owner, text, record.severity, key))


def _lock_lost(turn: Turn, event: LockLost) -> None:
    if turn.record.winding is not None:
        return
    turn.note("lock", "the locks are lost", why=event.why)
    turn.wind(Winding("handed_over", f"the locks are lost: {event.why}"))


def _restarted(turn: Turn, event: Restarted) -> None:
    if turn.record.stopped:
        turn.change(stopped=False)
        turn.note("crash", "the engine is back after an orderly stop")
    else:
        turn.change(crashes=turn.record.crashes + 1)
        told = f"the engine died and is back; {event.lost_seconds:.1f}s are missing"
        turn.note("crash", told, why=f"restart {turn.record.crashes} of this run")
    if turn.record.crashes >= MOST_CRASHES and turn.record.winding is None:
        why = f"the engine died {turn.record.crashes} times during this run"
        turn.wind(Winding("handed_over", why))
    for thread in list(turn.threads.values()):
        _resume(turn, thread)


def _resume(turn: Turn, thread: Thread) -> None:
    """Judge what was in flight; looks are simply repeated by the driver."""
    winding = turn.record.winding
    ending = winding is not None and not winding.started
    if thread.stage not in ("act.acting", "undo.undoing"):
        return
    if ending or turn.orphan(thread):
        turn.note("crash", "in flight when the engine died; it stays held", thread)
        turn.drop(thread)
        undoing.go_on(turn)
    elif "then" in thread.box:
        turn.note("crash", "in flight when the engine died; it stays held", thread)
        turn.enter(thread, thread.box["then"])
    elif thread.stage == "act.acting":
        crashes.crashed(turn, thread)
    else:
        undoing.again(turn, thread, None)


def _stopped(turn: Turn, event: Stopped) -> None:
    turn.change(stopped=True)
    turn.note("crash", "the engine stops; the run stays on disk")


def _noted(turn: Turn, event: Noted) -> None:
    turn.effects.append(note_of(event))
    if event.loud:
        turn.effects.append(Say(f"{turn.record.run}: {event.text}"))


def _taken(turn: Turn, event: Taken) -> None:
    """While it runs, nothing is on the ledger yet: there is nothing to take."""


def note_of(event: Noted) -> Effect:
    """Return a person's note as it stands in the timeline."""
    refs: dict[str, Any] = {"by": event.author or event.by.id}
    if event.about_at is not None:
        refs["about_at"] = event.about_at
    if event.ref:
        return _kept(event, refs)
    why = "added later" if event.about_at is not None else ""
    return Note("note", event.text, why=why, refs=refs)


def _kept(event: Noted, refs: dict[str, Any]) -> Note:
    """Return a message of a chat as it is kept: its words, and where it stands."""
    refs |= {"ref": event.ref, "link": event.link, "kept_by": event.by.id}
    if event.files:
        refs["files"] = list(event.files)
    author = event.author or event.by.id
    if event.change == "deleted":
        return Note("note", f"the message of {author} was deleted", refs=refs)
    if event.change == "edited":
        return Note("note", event.text, why="the message was edited", refs=refs)
    why = f"kept by {event.by.id}" if event.author not in ("", event.by.id) else ""
    return Note("note", event.text, why=why, refs=refs)


def after_the_end(record: Record, event: Event) -> tuple[Record, list[Effect]]:
    """Return what still changes once a run is over: notes, and who takes over."""
    if isinstance(event, Noted):
        return record, [note_of(event)]
    if late := steered_after_the_end(record, event):
        return record, late
    in_hands = record.end == "handed_over" or bool(record.held)
    if not isinstance(event, Taken) or not in_hands or record.taken_by:
        return record, []
    mine = event.held or tuple(one.id for one in record.held)
    taken = [one for one in record.held if one.id in mine]
    left = tuple(one for one in record.held if one.id not in mine)
    names = ", ".join(f"{one.action} {one.target}".strip() for one in taken)
    what = f"took over {names}" if names else "took over"
    effects: list[Effect] = [
        Note("step", f"{event.by.id} {what}", refs={"by": event.by.id}),
        Say(f"{event.by.id} {what} of run {record.run}"),
    ]
    if not left:
        effects.append(Unlock())
    by = "" if left else event.by.id
    return replace(record, held=left, taken_by=by), effects


TELL: Final[Mapping[type, Callable[[Turn, Any], None]]] = {
    Started: _started,
    Cancelled: _cancelled,
    AlertResolved: _resolved,
    AlertAttached: _attached,
    HoldChanged: _hold,
    Drifted: _drifted,
    LockLost: _lock_lost,
    Restarted: _restarted,
    Stopped: _stopped,
    Noted: _noted,
    Taken: _taken,
    **STEER,
}
