"""What goes on beside the steps of a run: impact, stop rules, severity, time limits.

Each watch is a thread of its own that looks, judges, and waits for its next look. A
broken time limit is loud and stops nothing: no undo is ever cut short for it.
"""

from collections.abc import Mapping
from typing import Final

from engine.core.record import Thread, Winding
from engine.core.turn import Resume, Turn
from engine.model.effects import Page, Say
from engine.model.events import Event, TimerFired
from engine.model.runbook import ORDER
from engine.model.values import format_duration

LIMITS: Final[Mapping[str, tuple[str, ...]]] = {
    # limit: the phases in which it can still be broken
    "isolated": ("", *ORDER[: ORDER.index("isolate") + 1]),
    "mitigated": ("", *ORDER[: ORDER.index("workaround") + 1]),
    "total": ("", *ORDER),
}


def begin_watch(turn: Turn, thread: Thread) -> None:
    """Look at what is watched."""
    node = turn.node(thread)
    checks = node.exprs["watch"].checks if "watch" in node.exprs else node.step.checks
    turn.look(thread, checks, "watch.look", anew="watch" not in node.exprs)


def watched(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Judge what is watched, and look again later."""
    node = turn.node(thread)
    if "watch" in node.exprs and turn.is_true(thread, node.exprs["watch"]):
        if node.end == "stop":
            _stop(turn, thread)
            return
        _raise(turn, thread)
    every = node.step.every if hasattr(node.step, "every") else None
    seconds = every.total_seconds() if every is not None else 30.0
    turn.wait(
        turn.threads[thread.id], "watch.wait", (turn.timer(thread, "every", seconds),)
    )


def watch_again(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The time between two looks is over."""
    assert isinstance(event, TimerFired)
    begin_watch(turn, thread)


def _stop(turn: Turn, thread: Thread) -> None:
    rule = turn.node(thread).step
    why = f"stop_when: {rule.when} is true"
    turn.note("stop", f"stopped: {rule.then}", thread, why=why)
    if rule.page:
        text = f"{turn.compiled.runbook.runbook} stopped: {why}"
        turn.effects.append(
            Page(rule.page, text, turn.record.severity, f"{thread.id}/stop")
        )
    turn.wind(Winding("handed_over", why, give_back=rule.then == "undo"))


def _raise(turn: Turn, thread: Thread) -> None:
    rule = turn.node(thread).step
    seen = turn.record.severity_seen  # sev1 is worse than sev2, and sorts before it
    if rule.to < turn.record.severity and (not seen or rule.to < seen):
        why, was = f"raise: {rule.when} is true", turn.record.severity
        refs = {"was": was, "to": rule.to}
        turn.note(
            "severity", f"severity {was} -> {rule.to}", thread, why=why, refs=refs
        )
        turn.change(severity=rule.to)
        turn.effects.append(Say(f"Severity is now {rule.to} ({why})"))


def begin_limits(turn: Turn, thread: Thread) -> None:
    """Ask for the time of each limit of the runbook; without any, there is no watch."""
    limits = turn.node(thread).step
    keys = tuple(
        turn.timer(thread, name, length.total_seconds())
        for name in LIMITS
        if (length := getattr(limits, name)) is not None
    )
    if keys:
        turn.wait(thread, "limits.wait", keys)
    else:
        turn.drop(thread)


def limit_over(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Say loudly that a limit is broken, if what it limits is not reached."""
    assert isinstance(event, TimerFired)
    name = event.key.rpartition(":")[2]
    if turn.record.phase in LIMITS[name]:
        limit = getattr(turn.node(thread).step, name)
        told = f"not {name} within {format_duration(limit)}"
        if name == "total":
            told = f"not over within {format_duration(limit)}"
        turn.note("late", told, why=f"limits.time.{name}; nothing is stopped for it")
        turn.effects.append(Say(f"Run {turn.record.run} is late: {told}"))
    left = tuple(key for key in thread.waits if key != event.key)
    if left:
        turn.wait(thread, "limits.wait", left)
    else:
        turn.drop(thread)


STAGES: Final[Mapping[str, Resume]] = {
    "watch.look": watched,
    "watch.wait": watch_again,
    "limits.wait": limit_over,
}
