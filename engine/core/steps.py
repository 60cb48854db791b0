"""How a step begins: its `when`, then its verb.

Called by core.advance for each thread that is ready. The verbs themselves are in the
modules named in BEGIN.
"""

from collections.abc import Callable, Mapping
from typing import Final

from engine.core import (
    acting,
    asking,
    blocks,
    ends,
    gates,
    looking,
    undoing,
    watching,
)
from engine.core.record import Thread
from engine.core.turn import Turn
from engine.model.events import Event

BEGIN: Final[Mapping[str, Callable[[Turn, Thread], None]]] = {
    "check": looking.begin_check,
    "looks": looking.begin_looks,
    "confirm": looking.begin_confirm,
    "cause": looking.begin_cause,
    "wait": looking.begin_wait,
    "wait_for": looking.begin_wait_for,
    "act": acting.begin_act,
    "undo": undoing.begin_undo,
    "restore": undoing.begin_restore,
    "approve": gates.begin_gate,
    "ask": asking.begin_ask,
    "say": asking.begin_say,
    "hand_over": asking.begin_hand_over,
    "all": blocks.begin_all,
    "each": blocks.begin_each,
    "repeat": blocks.begin_repeat,
    "run": blocks.begin_run,
    "choose": blocks.begin_choose,
    "start": ends.begin_start,
    "finish": ends.begin_finish,
    "leave": ends.begin_leave,
    "end": ends.begin_end,
    "last_look": ends.begin_last_look,
    "resolved": ends.begin_resolved,
    "watch": watching.begin_watch,
    "limits": watching.begin_limits,
}


def begin(turn: Turn, thread: Thread) -> None:
    """Begin the step the thread stands on: judge its `when` first, if it has one."""
    node = turn.node(thread)
    if thread.top and not thread.frame and node.phase not in ("", turn.record.phase):
        turn.change(phase=node.phase)
        turn.note("phase", f"phase {node.phase}", thread)
    if node.when is None:
        BEGIN[node.verb](turn, thread)
    else:
        turn.look(thread, node.when.checks, "when")


def judge_when(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Go on with the step as its `when` says."""
    node = turn.node(thread)
    assert node.when is not None
    true = turn.is_true(thread, node.when)
    rule = f"when: {node.when.source}"
    if true is None:
        _unknown_when(turn, thread, rule)
    elif true:
        BEGIN[node.verb](turn, thread)
    else:
        kind = "skipped" if node.verb == "act" else "step"
        subject = node.step.act if node.verb == "act" else ""
        told, why = f"{node.name} skipped", f"{rule} is false"
        turn.skipped(thread, kind, told, why, subject=subject, mark="skipped")


def _unknown_when(turn: Turn, thread: Thread, rule: str) -> None:
    node = turn.node(thread)
    does = node.step.on_unknown or ("skip" if node.verb in ("act", "say") else "do")
    if node.verb == "approve" and does == "skip":
        does = "do"  # nothing unknown opens a gate
    if does == "hand_over":
        turn.failed(thread, f"{rule} cannot be told")
    elif does == "do":
        turn.note("decision", f"{node.name} is done", thread, why=f"{rule} is unknown")
        BEGIN[node.verb](turn, thread)
    else:
        kind = "skipped" if node.verb == "act" else "step"
        subject = node.step.act if node.verb == "act" else ""
        told, why = f"{node.name} SKIPPED", f"{rule} is unknown"
        turn.skipped(thread, kind, told, why, subject=subject, mark="skipped")
        turn.say_loud(thread, f"{node.name} was skipped: {rule} is unknown")
