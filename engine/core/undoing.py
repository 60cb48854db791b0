"""Giving back: the undo step, the default restore, and every ending that gives back.

Newest first. Each undo: is it given back already (`undone_when`)? may it be undone
(`undo_if`, else a person is asked)? then the undo that was rendered at the intent. One
that fails pages the owner one severity higher, stays held as stuck, and the others go
on.
"""

from collections.abc import Mapping
from typing import Final

from engine.core.asking import PERSON_SECONDS, answer_counts, undo_anyway
from engine.core.code import ActionCode
from engine.core.names import TARGET, concerns, evidence_of, inside
from engine.core.policy import retry_delay
from engine.core.record import Thread
from engine.core.turn import Resume, Turn, replace
from engine.model.effects import Act, Ask, Page
from engine.model.events import Acted, Answered, Event
from engine.model.people import Question
from engine.model.run import Held
from engine.model.vocabulary import Retry


def begin_undo(turn: Turn, thread: Thread) -> None:
    """Give back what the step names: one action's, or all that this frame took."""
    _next(turn, thread)


def begin_restore(turn: Turn, thread: Thread) -> None:
    """The restore that was left out: is the trouble gone? then give back."""
    _look_gone(turn, thread)


def _look_gone(turn: Turn, thread: Thread) -> None:
    checks = [step.check for step in turn.scope(thread).runbook.confirm]
    turn.look(thread, checks, "restore.gone", anew=True)


def gone(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Go on only while the trouble stays gone."""
    bad = []
    for step in turn.scope(thread).runbook.confirm:
        seen = evidence_of(turn, thread, step.check)
        state, why = (seen.state, seen.why) if seen is not None else ("unknown", "")
        turn.note(
            "check", f"{step.check}: {state}", thread, why=why, subject=step.check
        )
        if state in ("unknown", step.expect or "fail"):
            bad.append(f"{step.check} is {state} ({why})")
    if bad:
        turn.failed(thread, "the trouble is not gone: " + "; ".join(bad))
    else:
        _next(turn, thread)


def queue(turn: Turn, thread: Thread) -> list[Held]:
    """Return what this step is to give back, newest first.

    What a step beside it is giving back already is left to that one. Inside `each` it
    is what was taken for this target, not for the others.
    """
    step = turn.node(thread).step
    name = getattr(step, "undo", "all")
    target = str(thread.base.get(TARGET, ""))
    others = {
        one.held
        for one in turn.threads.values()
        if one.id != thread.id and one.stage.startswith("undo.")
    }
    return [
        held
        for held in reversed(turn.held)
        if not held.stuck
        and held.id not in others
        and concerns(held, target)
        and inside(held.frame, thread.frame)
        and name in ("all", held.action)
    ]


def _next(turn: Turn, thread: Thread) -> None:
    left = queue(turn, thread)
    if not left:
        _all_given_back(turn, thread)
        return
    held = left[0]
    if _in_flight(turn, thread, held):
        turn.wait(thread, "undo.flight", ())
        return
    thread = turn.put(replace(thread, held=held.id, names=dict(held.names), n=0))
    undone_when = action_of(turn, held).conditions.get("undone_when")
    if undone_when is None:
        _may_undo(turn, thread)
    else:
        _look_as(turn, thread, held, undone_when.checks, "undo.undone")


def _in_flight(turn: Turn, thread: Thread, held: Held) -> bool:
    """Whether its act is still going on: undone now, it could come after its undo."""
    return any(
        one.held == held.id and one.stage == "act.acting" and one.id != thread.id
        for one in turn.threads.values()
    )


def go_on(turn: Turn) -> None:
    """An act has ended that somebody may have waited for to give it back."""
    for thread in list(turn.threads.values()):
        if thread.stage == "undo.flight":
            _next(turn, thread)


def action_of(turn: Turn, held: Held) -> ActionCode:
    """Return the action that took it, in its own (sub-)runbook."""
    scope = turn.frames[held.frame].scope
    return turn.compiled.scopes[scope].actions[held.action]


def _look_as(
    turn: Turn, thread: Thread, held: Held, checks: frozenset[str], stage: str
) -> None:
    """Look with the eyes of the frame that took it."""
    eyes = replace(thread, frame=held.frame, box=thread.box | {"own": thread.frame})
    turn.look(eyes, checks, stage, anew=True)


def _true_for(turn: Turn, thread: Thread, held: Held, which: str) -> bool | None:
    expression = action_of(turn, held).conditions[which]
    return turn.is_true(replace(thread, frame=held.frame), expression)


def _held(turn: Turn, thread: Thread) -> Held:
    held = turn.held_by_id(thread.held)
    assert held is not None
    return held


def looked_undone(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Already given back, or to be undone."""
    thread = _home(turn, thread)
    held = _held(turn, thread)
    if _true_for(turn, thread, held, "undone_when"):
        source = action_of(turn, held).conditions["undone_when"].source
        given_back(turn, thread, held, f"undone_when: {source} is true already")
    else:
        _may_undo(turn, thread)


def _home(turn: Turn, thread: Thread) -> Thread:
    own = thread.box.get("own", thread.frame)
    return turn.put(replace(thread, frame=own))


def _may_undo(turn: Turn, thread: Thread) -> None:
    held = _held(turn, thread)
    undo_if = action_of(turn, held).conditions.get("undo_if")
    if undo_if is None:
        undo(turn, thread)
    else:
        _look_as(turn, thread, held, undo_if.checks, "undo.if")


def looked_if(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Undo only what is still ours; else ask."""
    thread = _home(turn, thread)
    held = _held(turn, thread)
    ours = _true_for(turn, thread, held, "undo_if")
    if ours:
        undo(turn, thread)
        return
    source = action_of(turn, held).conditions["undo_if"].source
    owner = turn.compiled.runbook.owner
    key = turn.key(thread, f"undo_anyway:{held.id}")
    step, unknown = turn.node(thread).id, ours is None
    question = undo_anyway(key, step, held, source, owner, unknown=unknown)
    turn.effects.append(Ask(key, question))
    turn.note("asked", question.text, thread, subject=key, refs={"who": [[owner, 1]]})
    over = turn.timer(thread, "undo_within", PERSON_SECONDS)
    turn.wait(
        thread,
        "undo.asking",
        (key, over),
        box=thread.box | {"question": question, "unknown": unknown},
    )


def told(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A person says undo it, or takes it over as it is; or nobody answers."""
    held = _held(turn, thread)
    question: Question = thread.box["question"]
    if not answer_counts(turn, thread, question, event):
        return
    if not isinstance(event, Answered):
        may_have = "may have changed" if thread.box["unknown"] else "changed"
        why = f"nobody said whether to undo what someone else {may_have}"
        stuck(turn, thread, held, why)
    elif event.answers.get("undo"):
        turn.note(
            "answered", f"{event.by.id} says undo it", thread, subject=held.action
        )
        undo(turn, thread)
    else:
        turn.note(
            "answered",
            f"{event.by.id} takes over {held.action} {held.target} as it is",
            thread,
            subject=held.action,
            target=held.target,
            refs={"kept": True},
        )
        turn.let_go(held.id)
        _after(turn, thread)


def undo(turn: Turn, thread: Thread) -> None:
    """Ask for the undo itself."""
    held = _held(turn, thread)
    key = turn.key(thread, f"undo:{held.id}")
    turn.note(
        "undoing",
        f"about to undo {held.action}",
        thread,
        subject=held.action,
        target=held.target,
        refs={"key": f"{held.id}/undo", "kind": held.kind, "command": held.params},
    )
    thread = turn.wait(thread, "undo.undoing", (key,), n=thread.n + 1)
    turn.effects.append(
        Act(
            key,
            held.action,
            held.kind,
            held.params,
            held.timeout_seconds,
            f"{held.id}/undo",
            held.target,
            undo=True,
            attempt=thread.n,
            built_in=action_of(turn, held).model.undo_body is None,
        )
    )


def undone(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The undo ended."""
    assert isinstance(event, Acted)
    held = _held(turn, thread)
    if event.outcome == "ok":
        given_back(turn, thread, held, event.detail)
        return
    if turn.ending(thread):
        turn.drop(thread)  # the ending tries it again
        return
    retry = retry_of(action_of(turn, held))
    if retry is not None and thread.n <= retry.times and event.retryable:
        seconds = retry_delay(retry, thread.n)
        turn.note("retry", f"undo again in {seconds:g}s", thread, why=event.detail)
        turn.wait(thread, "undo.retry", (turn.timer(thread, "retry", seconds),))
        return
    undone_when = action_of(turn, held).conditions.get("undone_when")
    thread = turn.put(
        replace(thread, box={"detail": f"{event.outcome}: {event.detail}"})
    )
    if undone_when is None:
        stuck(turn, thread, held, thread.box["detail"])
    else:
        _look_as(turn, thread, held, undone_when.checks, "undo.lost")


def looked_lost(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The undo failed; but perhaps it is given back all the same."""
    detail = thread.box["detail"]
    thread = _home(turn, thread)
    held = _held(turn, thread)
    if _true_for(turn, thread, held, "undone_when"):
        given_back(turn, thread, held, f"{detail}; but undone_when is true")
    else:
        stuck(turn, thread, held, detail)


def retry_of(action: ActionCode) -> Retry | None:
    """Return how often an undo is tried again: as it says, else as the act."""
    body = action.model.undo_body
    return (body.retry if body is not None else None) or action.model.retry


def again(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The time before the next try is over: it may be given back by now."""
    held = _held(turn, thread)
    undone_when = action_of(turn, held).conditions.get("undone_when")
    if undone_when is None:
        undo(turn, thread)
    else:
        _look_as(turn, thread, held, undone_when.checks, "undo.undone")


def given_back(turn: Turn, thread: Thread, held: Held, why: str) -> None:
    """It is no longer held."""
    turn.let_go(held.id)
    turn.note(
        "undone",
        f"undid {held.action}",
        thread,
        why=why,
        subject=held.action,
        target=held.target,
    )
    _after(turn, thread)


def stuck(turn: Turn, thread: Thread, held: Held, why: str) -> None:
    """The undo failed: page one severity higher; the others go on."""
    index = turn.held.index(held)
    turn.held[index] = replace(held, stuck=True)
    severity = f"sev{max(1, int(turn.record.severity[3:] or 3) - 1)}"
    owner = turn.compiled.runbook.owner
    text = f"undo of {held.action} {held.target} failed: {why}"
    turn.note(
        "stuck",
        text,
        thread,
        why=f"{owner} is paged as {severity}",
        subject=held.action,
        target=held.target,
        refs={"kind": held.kind, "command": held.params},
    )
    turn.effects.append(Page(owner, text, severity, f"{held.id}/stuck"))
    _after(turn, thread)


def _after(turn: Turn, thread: Thread) -> None:
    if turn.ending(thread):
        turn.drop(thread)
        return
    thread = turn.put(replace(turn.threads[thread.id], held="", names=thread.base))
    step = turn.node(thread).step
    check = getattr(step, "check", None)
    if check:
        turn.look(thread, [check], "undo.check", anew=True)
    elif turn.node(thread).verb == "restore":
        _look_gone(turn, thread)
    else:
        _pause(turn, thread)


def checked(turn: Turn, thread: Thread, event: Event | None) -> None:
    """After each undo: does the check still pass?"""
    name = turn.node(thread).step.check
    seen = evidence_of(turn, thread, name)
    state, why = (seen.state, seen.why) if seen is not None else ("unknown", "")
    turn.note("check", f"{name}: {state}", thread, why=why, subject=name)
    if state == "pass":
        _pause(turn, thread)
    else:
        turn.failed(thread, f"stopped giving back: {name} is {state} ({why})")


def _pause(turn: Turn, thread: Thread) -> None:
    pause = getattr(turn.node(thread).step, "pause", None)
    if pause is None or not queue(turn, thread):
        _next(turn, thread)
    else:
        key = turn.timer(thread, "pause", pause.total_seconds())
        turn.wait(thread, "undo.pause", (key,))


def paused(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The pause between two undos is over."""
    _next(turn, thread)


def _all_given_back(turn: Turn, thread: Thread) -> None:
    stays = [held.action for held in turn.held if held.stuck]
    if stays and turn.record.winding is None:
        turn.failed(thread, f"could not give back {', '.join(stays)}")
    else:
        turn.passed(thread)


STAGES: Final[Mapping[str, Resume]] = {
    "restore.gone": gone,
    "undo.undone": looked_undone,
    "undo.if": looked_if,
    "undo.asking": told,
    "undo.undoing": undone,
    "undo.lost": looked_lost,
    "undo.retry": again,
    "undo.pause": paused,
    "undo.check": checked,
}
