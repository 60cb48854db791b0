"""A run from outside: its state, its summary line, what it holds."""

from typing import Any, Final, Literal

import msgspec

from engine.model.people import Question

RunState = Literal[
    "waiting",  # for a time, a check, a lock or a person
    "running",
    "undoing",
    "on_hold",  # the global hold is set
    "resolved",
    "cleared",
    "handed_over",
    "cancelled",
]
ENDS: Final = ("resolved", "cleared", "handed_over", "cancelled")


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was taken and is to be given back."""

    id: str  # unique in the run; also the idempotency key of the act
    action: str
    target: str = ""
    frame: str = ""  # the (sub-)runbook it belongs to
    kind: str = ""  # of the undo
    params: Any = None  # the rendered undo
    timeout_seconds: float = 60.0
    since: float = 0.0  # epoch seconds
    stuck: bool = False  # its undo failed, or nobody could say
    slot: str = ""
    names: dict[str, Any] = {}  # what was bound and remembered, for its conditions
    drifted: bool = False  # its effect was found gone; told once


class RunSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of `runbook runs`."""

    run: str
    runbook: str
    revision: str
    title: str
    severity: str
    state: RunState
    phase: str
    cause: str
    mode: str
    started_at: float
    updated_at: float
    ended_at: float | None = None
    why: str = ""
    held: tuple[Held, ...] = ()
    questions: tuple[Question, ...] = ()
    requester: str = ""
    owner: str = ""
    taken_by: str = ""
    inputs: dict[str, Any] = {}
    crashes: int = 0
    wake_at: float | None = None  # epoch seconds of the next time it waits for
    busy: bool = False  # something is in flight: a look, an act, a lock
    roles: dict[str, str] = {}  # commander, deputy, scribe, liaison: who has it
    on_hold: str = ""  # who holds this run alone, and why

    @property
    def goes_on(self) -> bool:
        """Whether an engine may take it up: a drill ends with its own process."""
        return self.state not in ENDS and self.mode == "live"
