"""Effects: what the core asks for. The driver performs each under its own key.

An effect with a `key` that some thread of the record waits for is answered by an event
with the same key; the others are done and forgotten (posted, paged, written).
"""

from typing import Any, Literal

import msgspec

from engine.model.people import Question


class CheckCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check as it is to be looked at, parameters rendered."""

    check: str
    slot: str
    kind: str
    params: Any = None
    pass_: str | None = None
    pass_for: str | None = None
    unknown_when: str | None = None
    timeout_seconds: float = 10.0
    attempts: int = 3
    problem: str = ""  # why it cannot be asked (a value that may not stand there)
    parts: tuple["CheckCall", ...] = ()  # of `agree`: the viewpoints
    need: int = 0  # of `agree`: how many must say the same


class Look(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Look at these checks, side by side; answered by Looked."""

    key: str
    checks: tuple[CheckCall, ...]


class Act(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Change the world, or give back (`undo`); answered by Acted."""

    key: str
    action: str
    kind: str
    params: Any
    timeout_seconds: float
    idempotency_key: str  # the same for every try of the same act
    target: str = ""
    undo: bool = False
    attempt: int = 1
    built_in: bool = False  # an undo that the kind does itself: `params` are the act's


class Ask(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Ask people; answered by Voted or Answered with the question's key."""

    key: str
    question: Question


class Close(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """A question is over, with what came of it."""

    key: str
    outcome: str


class Timer(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Say when so long is over; answered by TimerFired."""

    key: str
    seconds: float


class Lock(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Take these paths; answered by Locked as soon as they are free."""

    key: str
    paths: tuple[str, ...]


class Unlock(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Give the run's locks back."""


class Say(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Post a message; the run does not wait for it."""

    text: str
    to: str = ""


class Page(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Page a group; the run does not wait for it."""

    group: str
    text: str
    severity: str
    key: str  # the same page is sent once


class Note(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Write a fact or a decision into the timeline."""

    kind: str  # one of NOTE_KINDS
    what: str
    why: str = ""
    phase: str = ""
    step: str = ""
    subject: str = ""  # the action, check, cause or question it is about
    target: str = ""
    refs: dict[str, Any] = {}  # values before and after, plan hash, undo parameters
    mark: Literal["", "skipped", "unapproved"] = ""  # no part of the timeline


class End(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """The run is over."""

    end: Literal["resolved", "cleared", "handed_over", "cancelled"]
    why: str


Effect = Look | Act | Ask | Close | Timer | Lock | Unlock | Say | Page | Note | End

NOTE_KINDS = (
    "phase",  # a phase began
    "step",  # a step began, failed, or was left
    "check",  # what looks said, and whether that was expected
    "decision",  # a condition was judged
    "cause",  # the cause was named
    "skipped",  # an act was not done since its `when` was not true
    "already",  # an act was not done since it is done already
    "intent",  # an act is about to be done; what it takes is held from here
    "did",  # an act was done (and verified, where it says how)
    "failed",  # an act, a verify, a guard or a step failed
    "retry",
    "adopted",  # an act that was done by hand counts as done, and is held from here
    "joined",  # an act joined a held slot
    "settled",  # point of no return: no longer held, undoing would do harm
    "undoing",
    "undone",
    "stuck",  # an undo failed
    "guard",  # a guard refused
    "asked",
    "approved",
    "rejected",
    "expired",
    "void",  # an approval no longer fits the plan
    "refused",  # an answer that does not count, and why
    "answered",
    "escalated",
    "severity",
    "late",  # a time limit of the runbook is broken
    "stop",  # a stop rule, a lost lock, a cancel
    "hold",
    "drift",  # what is held is not there any more: changed by somebody else
    "lock",
    "crash",
    "role",  # a person has a role in the response
    "paged",  # a person paged a group
    "note",
    "end",
)
