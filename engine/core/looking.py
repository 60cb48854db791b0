"""The verbs that look: check, looks (side by side), confirm, cause, wait, wait_for."""

from collections.abc import Mapping
from typing import Final

from engine.core.binding import with_names
from engine.core.code import Policy
from engine.core.names import evidence_of, frame_slot
from engine.core.record import Thread
from engine.core.turn import Resume, Turn, replace
from engine.model.events import Event, Looked, TimerFired
from engine.model.steps import CheckStep


def begin_check(turn: Turn, thread: Thread) -> None:
    """Look, always anew."""
    step = turn.node(thread).step
    thread = bind(turn, thread)
    turn.look(thread, [step.check], "check.seen", anew=True)


def bind(turn: Turn, thread: Thread) -> Thread:
    """Return the thread with the names of its step's `with` bound."""
    names = with_names(turn, thread, turn.node(thread))
    return thread if names is thread.names else turn.put(replace(thread, names=names))


def check_seen(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Say what was seen, and hold it against `expect`."""
    node = turn.node(thread)
    step: CheckStep = node.step
    seen = evidence_of(turn, thread, step.check)
    state = seen.state if seen is not None else "unknown"
    why = seen.why if seen is not None else "not looked at"
    if isinstance(event, Looked) and step.with_:
        plain = frame_slot(thread.frame, step.check)
        turn.evidence = turn.evidence | {plain: event.evidence[0]}
    turn.note("check", f"{step.check}: {state}", thread, why=why, subject=step.check)
    if step.expect is None or state == step.expect:
        turn.passed(thread)
    elif state == "unknown" and step.on_unknown and step.when is None:
        _on_unknown(turn, thread, step.on_unknown, f"{step.check} is unknown: {why}")
    else:
        turn.failed(thread, f"{step.check} is {state}, expected {step.expect} ({why})")


def _on_unknown(turn: Turn, thread: Thread, does: str, why: str) -> None:
    if does == "hand_over":
        turn.failed(thread, why, Policy("hand_over"))
    else:
        turn.skipped(thread, "step", f"{turn.node(thread).name} left", why)


def begin_looks(turn: Turn, thread: Thread) -> None:
    """Look at several checks side by side: one effect, one result."""
    checks = [step.check for step in turn.node(thread).step.all]
    turn.look(thread, checks, "looks.seen", anew=True)


def looks_seen(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Say what was seen; each that has an `expect` is held against it."""
    node = turn.node(thread)
    good, bad = 0, []
    for step in node.step.all:
        seen = evidence_of(turn, thread, step.check)
        state, why = (seen.state, seen.why) if seen is not None else ("unknown", "")
        turn.note(
            "check", f"{step.check}: {state}", thread, why=why, subject=step.check
        )
        if step.expect is None or step.expect == state or step.on_fail == "continue":
            good += 1
        else:
            bad.append(
                (step, f"{step.check} is {state}, expected {step.expect} ({why})")
            )
    need = node.step.need or len(node.step.all)
    if good >= need:
        turn.passed(thread)
        return
    own = "on_fail" in node.step.model_fields_set
    first = bad[0][0].on_fail
    policy = node.on_fail if own or first is None else turn.policy_of(thread, first)
    turn.failed(thread, "; ".join(why for _, why in bad), policy)


def begin_confirm(turn: Turn, thread: Thread) -> None:
    """Look whether the trouble is real."""
    checks = [step.check for step in turn.node(thread).step]
    turn.look(thread, checks, "confirm.seen", anew=True)


def confirm_seen(turn: Turn, thread: Thread, event: Event | None) -> None:
    """All as expected: go on. None: cleared. Mixed or unknown: on_unknown."""
    node = turn.node(thread)
    states = []
    for step in node.step:
        seen = evidence_of(turn, thread, step.check)
        state, why = (seen.state, seen.why) if seen is not None else ("unknown", "")
        states.append((step.check, state, step.expect or "fail"))
        turn.note(
            "check", f"{step.check}: {state}", thread, why=why, subject=step.check
        )
    told = "; ".join(
        f"{name} is {state}, trouble is {exp}" for name, state, exp in states
    )
    if all(state == expected for _, state, expected in states):
        turn.note("decision", "the trouble is real", thread, why=told)
        turn.passed(thread)
    elif all(state not in (expected, "unknown") for _, state, expected in states):
        turn.note("decision", "the trouble is gone", thread, why=told)
        if turn.record.by_hand and not thread.frame:  # that is why
            turn.note("decision", "restore now", thread, why="it was done by hand")
            turn.enter(thread, turn.scope(thread).restore)
        else:
            turn.cleared(thread, told)
    else:
        _unconfirmed(turn, thread, told)


def _unconfirmed(turn: Turn, thread: Thread, told: str) -> None:
    node = turn.node(thread)
    does = next((step.on_unknown for step in node.step if step.on_unknown), "hand_over")
    if does == "hand_over":
        turn.failed(thread, f"cannot tell whether the trouble is real: {told}")
    else:
        turn.note("decision", "going on though unsure", thread, why=told)
        turn.passed(thread)


def begin_cause(turn: Turn, thread: Thread) -> None:
    """Look at everything the causes name, side by side."""
    names = {name for expr in turn.node(thread).exprs.values() for name in expr.checks}
    turn.look(thread, names, "cause.judge")


def judge_cause(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Name the first cause whose `when` is true; record what could not be ruled out."""
    node = turn.node(thread)
    open_causes, chosen, why = [], None, "none of the others"
    for index, cause in enumerate(node.step.cause):
        expression = node.exprs.get(f"cause.{index}")
        true = True if expression is None else turn.is_true(thread, expression)
        if true is None:
            open_causes.append(cause.name)
        elif true:
            chosen = cause
            if expression is not None:
                why = f"{expression.source} is true"
            checks = tuple(sorted(expression.checks)) if expression is not None else ()
            break
    if chosen is None:
        turn.failed(thread, "no cause fits: " + _not_ruled_out(open_causes))
        return
    frame = turn.frame(thread)
    turn.frames[frame.id] = replace(
        frame,
        cause=chosen.name,
        workaround=chosen.workaround or "",
        cause_checks=checks,
    )
    turn.note(
        "cause",
        f"cause: {chosen.name}",
        thread,
        subject=chosen.name,
        why=f"{why}; {_not_ruled_out(open_causes)}",
        refs={"not_ruled_out": open_causes, "workaround": chosen.workaround or ""},
    )
    turn.passed(thread)


def _not_ruled_out(names: list[str]) -> str:
    return f"not ruled out: {', '.join(names)}" if names else "the others are ruled out"


def begin_wait(turn: Turn, thread: Thread) -> None:
    """Wait."""
    seconds = turn.node(thread).step.wait.total_seconds()
    key = turn.timer(thread, "wait", seconds)
    turn.wait(thread, "wait.wait", (key,))


def waited(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The wait is over."""
    turn.passed(thread)


def begin_wait_for(turn: Turn, thread: Thread) -> None:
    """Poll until true: the whole time runs from now."""
    within = turn.node(thread).step.within.total_seconds()
    _poll(turn, replace(thread, box={"within": turn.timer(thread, "within", within)}))


def _poll(turn: Turn, thread: Thread) -> None:
    keep = _kept(thread)
    names = turn.node(thread).exprs["wait_for"].checks
    turn.look(thread, names, "wait_for.look", anew=True, keep=keep)


def _kept(thread: Thread) -> tuple[str, ...]:
    return tuple(key for key in (thread.box["within"], thread.box.get("hold")) if key)


def polled(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Judge one look; go on, hold, or wait for the next."""
    if isinstance(event, TimerFired):
        _wait_for_time(turn, thread, event)
        return
    node = turn.node(thread)
    true = turn.is_true(thread, node.exprs["wait_for"])
    box = dict(thread.box)
    hold = node.step.hold
    if true and hold is None:
        turn.note(
            "decision", f"{node.name}: true", thread, why=node.exprs["wait_for"].source
        )
        turn.passed(thread)
        return
    if true and not box.get("hold") and hold is not None:
        box["hold"] = turn.timer(thread, "hold", hold.total_seconds())
    elif not true and box.pop("hold", None):
        turn.note(
            "decision", f"{node.name}: no longer true", thread, why=_last(turn, thread)
        )
    thread = replace(thread, box=box, n=thread.n + 1)
    key = turn.timer(thread, "every", node.step.every.total_seconds())
    turn.wait(thread, "wait_for.wait", (key, *_kept(thread)))


def poll_again(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A time is over: the next poll, the hold, or the whole wait."""
    assert isinstance(event, TimerFired)
    if event.key == turn.key(thread, "every"):
        _poll(turn, thread)
    else:
        _wait_for_time(turn, thread, event)


def _wait_for_time(turn: Turn, thread: Thread, event: TimerFired) -> None:
    node = turn.node(thread)
    if event.key == thread.box.get("hold"):
        turn.note("decision", f"{node.name}: held", thread, why=_last(turn, thread))
        turn.passed(thread)
    else:
        within = node.step.within
        turn.failed(thread, f"not true within {within}: {_last(turn, thread)}")


def _last(turn: Turn, thread: Thread) -> str:
    names = sorted(turn.node(thread).exprs["wait_for"].checks)
    seen = [evidence_of(turn, thread, name) for name in names]
    return "; ".join(
        f"{one.check} {one.state} ({one.why})" for one in seen if one is not None
    )


STAGES: Final[Mapping[str, Resume]] = {
    "check.seen": check_seen,
    "looks.seen": looks_seen,
    "confirm.seen": confirm_seen,
    "cause.judge": judge_cause,
    "wait.wait": waited,
    "wait_for.look": polled,
    "wait_for.wait": poll_again,
}
