"""What comes of an act: done, failed, timed out, lost; tried again; verified.

What failed, timed out or was lost stays held until `done_when` or a person says that it
did not happen. A time-out is followed by another try only where `done_when` says not
done, or the action is safe to repeat. Called by core.advance when an act has ended.
"""

from collections.abc import Mapping
from typing import Final

from engine.core import undoing
from engine.core.acting import code_of, do, next_guard, target_of
from engine.core.names import concerns, evidence_of
from engine.core.policy import retry_delay
from engine.core.record import Thread
from engine.core.turn import Resume, Turn, replace
from engine.model.effects import Say
from engine.model.events import Acted, Event, TimerFired

POLL_SECONDS: Final = 5.0  # between two looks of `verify`


def acted(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The act ended: done, failed, or nobody can tell."""
    assert isinstance(event, Acted)
    action = code_of(turn, thread)
    if event.outcome == "ok":
        did(turn, thread, event.detail)
    if turn.ending(thread):
        if event.outcome != "ok":
            _note_lost(turn, thread, event)
        turn.drop(thread)
        undoing.go_on(turn)
    elif "then" in thread.box:
        turn.enter(thread, thread.box["then"])
    elif event.outcome == "ok":
        verify(turn, thread)
    elif event.outcome == "failed" and event.retryable and _tries_left(turn, thread):
        _retry(turn, thread, event.detail)
    elif "done_when" in action.conditions:
        told = {"outcome": event.outcome, "detail": event.detail}
        thread = turn.put(replace(thread, box=thread.box | told))
        turn.look(thread, action.conditions["done_when"].checks, "act.lost", anew=True)
        return
    elif event.outcome == "unknown" and _may_repeat(turn, thread, done=None):
        _retry(turn, thread, event.detail)
    else:
        lost(turn, thread, event.outcome, event.detail)
    next_guard(turn, thread)


def _note_lost(turn: Turn, thread: Thread, event: Acted) -> None:
    action = code_of(turn, thread)
    turn.note(
        "failed",
        f"{action.name}: {event.outcome}",
        thread,
        why=event.detail,
        subject=action.name,
        target=target_of(turn, thread),
    )


def did(turn: Turn, thread: Thread, detail: str) -> None:
    """Say that it was done, and settle what must no longer be undone."""
    action = code_of(turn, thread)
    turn.note(
        "did",
        f"did {action.name}",
        thread,
        why=detail,
        subject=action.name,
        target=target_of(turn, thread),
    )
    for name in action.model.settles:
        _settle(turn, thread, name)


def _settle(turn: Turn, thread: Thread, name: str) -> None:
    target = target_of(turn, thread)
    gone = [
        one
        for one in turn.held
        if one.action == name and one.frame == thread.frame and concerns(one, target)
    ]
    if not gone:
        return
    turn.held = [one for one in turn.held if one not in gone]
    by = turn.node(thread).step.act
    owner = turn.scope(thread).runbook.owner
    turn.note(
        "settled",
        f"point of no return: {name} is no longer undone",
        thread,
        why=f"{by} is done, and undoing {name} would do harm",
        subject=name,
        refs={"undo": [one.params for one in gone], "told": owner},
    )
    turn.effects.append(
        Say(f"Point of no return: {by} is done, {name} is no longer undone ({owner}).")
    )


def _tries_left(turn: Turn, thread: Thread) -> bool:
    retry = code_of(turn, thread).model.retry
    return retry is not None and thread.n <= retry.times


def _may_repeat(turn: Turn, thread: Thread, *, done: bool | None) -> bool:
    repeats = code_of(turn, thread).model.after_crash == "repeat"
    return _tries_left(turn, thread) and (done is False or repeats)


def lost_seen(turn: Turn, thread: Thread, event: Event | None) -> None:
    """After a failure or a time-out: what does the world say?"""
    action = code_of(turn, thread)
    done_when = action.conditions["done_when"]
    true = turn.is_true(thread, done_when)
    detail = f"{thread.box['detail']}; done_when: {done_when.source} is "
    if true:
        did(turn, thread, detail + "true: it was done")
        verify(turn, thread)
    elif thread.box["outcome"] == "unknown" and _may_repeat(turn, thread, done=true):
        _retry(turn, thread, detail + "false: it was not done")
    elif true is False:
        turn.let_go(thread.held)
        lost(turn, thread, "failed", detail + "false: it did not happen")
    else:
        lost(turn, thread, thread.box["outcome"], detail + "unknown: it stays held")
    next_guard(turn, thread)


def lost(turn: Turn, thread: Thread, outcome: str, detail: str) -> None:
    """The act failed for good; what it took stays held."""
    told = "cannot be told" if outcome == "unknown" else "failed"
    turn.failed(thread, f"{told}: {detail}")


def _retry(turn: Turn, thread: Thread, why: str) -> None:
    retry = code_of(turn, thread).model.retry
    assert retry is not None
    seconds = retry_delay(retry, thread.n)
    turn.note("retry", f"try {thread.n + 1} in {seconds:g}s", thread, why=why)
    turn.wait(thread, "act.retry", (turn.timer(thread, "retry", seconds),))


def retried(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The time before the next try is over; a hold holds tries too."""
    if turn.record.on_hold:
        turn.note(
            "hold", f"{turn.node(thread).name} waits: {turn.record.on_hold}", thread
        )
        turn.wait(thread, "act.retry", (turn.timer(thread, "retry", POLL_SECONDS),))
    else:
        do(turn, thread, thread.box["params"])


def verify(turn: Turn, thread: Thread) -> None:
    """Look whether the world agrees, until it does or the time is over."""
    action = code_of(turn, thread)
    expression = action.conditions.get("verify", action.conditions.get("done_when"))
    if expression is None:
        turn.passed(thread)
        return
    within = (action.model.verify_within or action.model.timeout).total_seconds()
    over = turn.timer(thread, "verify_within", within)
    thread = replace(thread, box={"over": over})
    turn.look(thread, expression.checks, "act.verify", anew=True, keep=(over,))


def verified(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Judge one look of `verify`."""
    action = code_of(turn, thread)
    expression = action.conditions.get("verify", action.conditions.get("done_when"))
    assert expression is not None
    if isinstance(event, TimerFired):
        _unverified(turn, thread, expression.source, expression.checks)
    elif turn.is_true(thread, expression):
        turn.note(
            "decision",
            f"{action.name} verified",
            thread,
            why=f"{expression.source} is true",
            subject=action.name,
        )
        turn.passed(thread)
    else:
        key = turn.timer(thread, "poll", POLL_SECONDS)
        turn.wait(thread, "act.verify_wait", (key, thread.box["over"]))


def verify_again(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A time is over: look again, or the whole verify."""
    assert isinstance(event, TimerFired)
    action = code_of(turn, thread)
    expression = action.conditions.get("verify", action.conditions.get("done_when"))
    assert expression is not None
    if event.key == thread.box["over"]:
        _unverified(turn, thread, expression.source, expression.checks)
    else:
        over = (thread.box["over"],)
        turn.look(thread, expression.checks, "act.verify", anew=True, keep=over)


def _unverified(
    turn: Turn, thread: Thread, source: str, checks: frozenset[str]
) -> None:
    seen = [evidence_of(turn, thread, name) for name in sorted(checks)]
    told = "; ".join(f"{one.check} {one.state} ({one.why})" for one in seen if one)
    turn.failed(thread, f"verify: {source} did not come true in time: {told}")


STAGES: Final[Mapping[str, Resume]] = {
    "act.acting": acted,
    "act.lost": lost_seen,
    "act.retry": retried,
    "act.verify": verified,
    "act.verify_wait": verify_again,
}
