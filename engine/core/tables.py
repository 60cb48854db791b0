"""Which states follow which, for a run and for a step: the whole answer, as two tables.

Rule 1: the state of a run or a step changes only by a row of RUN_TABLE or STEP_TABLE.
A new behaviour is a new row, not an `if` somewhere else.
Rule 2: this module knows nothing of checks, chat or stores; it sees names of events and
states.

A step's stages ("act.guard", "gate.asking") are finer than its states; STAGE_STATE says
which state each stage is. Read by: core.turn (every move), core.machine (builds the
`transitions` machines), views (drawn), tests/core/test_tables.py (no dead ends).
"""

from collections.abc import Mapping
from typing import Final

from engine.model.run import RunState

RUN_TABLE: Final[Mapping[str, Mapping[str, RunState]]] = {
    # from: {event: to}
    "waiting": {
        "works": "running",
        "waits": "waiting",
        "gives_back": "undoing",
        "is_held_up": "on_hold",
        "resolves": "resolved",
        "clears": "cleared",
        "hands_over": "handed_over",
        "is_cancelled": "cancelled",
    },
    "running": {
        "works": "running",
        "waits": "waiting",
        "gives_back": "undoing",
        "is_held_up": "on_hold",
        "resolves": "resolved",
        "clears": "cleared",
        "hands_over": "handed_over",
        "is_cancelled": "cancelled",
    },
    "undoing": {
        "works": "running",  # an undo step in the middle of a phase is over
        "waits": "waiting",
        "gives_back": "undoing",
        "is_held_up": "on_hold",
        "resolves": "resolved",
        "hands_over": "handed_over",
        "is_cancelled": "cancelled",
        "clears": "cleared",
    },
    "on_hold": {
        "works": "running",  # the global hold was lifted
        "waits": "waiting",
        "gives_back": "undoing",  # giving back is allowed while on hold
        "is_held_up": "on_hold",
        "resolves": "resolved",  # what was held up had no time left, and may fail
        "hands_over": "handed_over",
        "is_cancelled": "cancelled",
        "clears": "cleared",
    },
    "resolved": {},  # final
    "cleared": {},  # final
    "handed_over": {},  # final; what is held waits on the ledger for a person
    "cancelled": {},  # final
}

RUN_EVENT: Final[Mapping[str, str]] = {
    # the state a record shows: the event that leads there
    "running": "works",
    "waiting": "waits",
    "undoing": "gives_back",
    "on_hold": "is_held_up",
    "resolved": "resolves",
    "cleared": "clears",
    "handed_over": "hands_over",
    "cancelled": "is_cancelled",
}

_LIVE: Final = {
    "look": "looking",
    "act": "acting",
    "ask": "asking",
    "wait": "waiting",
    "fork": "forked",
    "hold": "on_hold",
    "pass": "passed",
    "fail": "failed",
    "skip": "skipped",
}

STEP_TABLE: Final[Mapping[str, Mapping[str, str]]] = {
    "ready": _LIVE,
    "looking": _LIVE,
    "acting": {
        "look": "looking",  # verify, or done_when after a time-out
        "act": "acting",  # given back, and the next one begins
        "wait": "waiting",  # before the next try
        "ask": "asking",  # after a crash nobody but a person can say
        "pass": "passed",
        "fail": "failed",
    },
    "asking": _LIVE,
    "waiting": _LIVE,
    "forked": {
        "fork": "forked",  # the next batch, the next round
        "look": "looking",
        "wait": "waiting",
        "pass": "passed",
        "fail": "failed",
    },
    "on_hold": _LIVE,
    "passed": {},  # final
    "failed": {},  # final
    "skipped": {},  # final
}

STEP_MOVES: Final = frozenset(  # the same table: from which state to which other
    (here, there) for here, row in STEP_TABLE.items() for there in row.values()
)

STAGE_EVENT: Final[Mapping[str, str]] = {
    # a stage in which a step waits: the event that leads there
    "when": "look",
    "check.seen": "look",
    "looks.seen": "look",
    "confirm.seen": "look",
    "act.by_hand": "look",
    "act.recheck": "look",
    "act.done_when": "look",
    "act.remember": "look",
    "act.guard": "look",
    "act.guard_turn": "wait",
    "act.with": "look",
    "act.hold": "hold",
    "act.acting": "act",
    "act.lost": "look",
    "act.retry": "wait",
    "act.verify": "look",
    "act.verify_wait": "wait",
    "act.happened": "ask",
    "act.crashed": "look",
    "gate.plan": "look",
    "gate.asking": "ask",
    "ask.asking": "ask",
    "cause.judge": "look",
    "wait.wait": "wait",
    "wait_for.look": "look",
    "wait_for.wait": "wait",
    "each.targets": "look",
    "each.batch": "fork",
    "each.pause": "wait",
    "all.join": "fork",
    "repeat.while": "look",
    "repeat.round": "fork",
    "repeat.pause": "wait",
    "run.with": "look",
    "run.inside": "fork",
    "undo.undone": "look",
    "undo.if": "look",
    "undo.asking": "ask",
    "undo.undoing": "act",
    "undo.lost": "look",
    "undo.retry": "wait",
    "undo.pause": "wait",
    "undo.flight": "wait",
    "undo.check": "look",
    "restore.gone": "look",
    "start.lock": "wait",
    "watch.look": "look",
    "watch.wait": "wait",
    "limits.wait": "wait",
    "resolved.ask": "ask",
    "last_look.seen": "look",
}

STAGE_STATE: Final[Mapping[str, str]] = {
    "ready": "ready",
    **{stage: _LIVE[event] for stage, event in STAGE_EVENT.items()},
}
