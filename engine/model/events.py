"""Events: what the core is told. Each carries its own time; the core has no clock.

`at` is wall time in epoch seconds, `tick` the run's own seconds, which never go back
(monotonic while the engine lives, carried over a restart). An event whose `key` nobody
waits for changes nothing.
"""

from typing import Any, Literal

import msgspec

from engine.model.evidence import Evidence
from engine.model.people import Actor, RunRole


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag=True, kw_only=True):
    at: float = 0.0
    tick: float = 0.0


class Adopted(msgspec.Struct, frozen=True, omit_defaults=True):
    """An act that people did by hand before the run began: it counts as done."""

    action: str
    target: str = ""  # of an `each`
    before: dict[str, Any] = {}  # what `remember` would have seen


class Started(_Event, frozen=True, kw_only=True):
    """The run begins."""

    run: str
    revision: str
    inputs: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    alert_source: str = ""
    alert_starts_at: str = ""  # as the source wrote it
    alert_fingerprint: str = ""
    by: Actor
    mode: Literal["live", "dry-run", "rehearsal"] = "live"  # a mark for people to read
    held_globally: bool = False
    did: tuple[Adopted, ...] = ()  # by hand; `by` says so


class Looked(_Event, frozen=True, kw_only=True):
    """A look ended, with one piece of evidence for each check that was asked."""

    key: str
    evidence: tuple[Evidence, ...]


class Acted(_Event, frozen=True, kw_only=True):
    """An act or an undo ended. `unknown`: cut at its limit, or the answer was lost."""

    key: str
    outcome: Literal["ok", "failed", "unknown"]
    detail: str = ""
    retryable: bool = True
    took_seconds: float = 0.0


class TimerFired(_Event, frozen=True, kw_only=True):
    """A time that was asked for is over."""

    key: str


class Voted(_Event, frozen=True, kw_only=True):
    """A person answered an approval. `plan` is the hash of what they saw."""

    key: str
    by: Actor
    vote: Literal["approve", "reject"]
    plan: str
    reason: str = ""
    typed: str = ""
    link: str = ""  # id of the one-time link that it came by, which is used by it


class Answered(_Event, frozen=True, kw_only=True):
    """A person answered a question."""

    key: str
    by: Actor
    answers: dict[str, Any]
    link: str = ""  # id of the one-time link that it came by, which is used by it


class Locked(_Event, frozen=True, kw_only=True):
    """The locks are ours."""

    key: str


class LockLost(_Event, frozen=True, kw_only=True):
    """The locks are not ours any more."""

    why: str = ""


class Cancelled(_Event, frozen=True, kw_only=True):
    """A person stops the run. `keep`: what is held goes to that person."""

    by: Actor
    keep: bool = False
    reason: str = ""


class AlertResolved(_Event, frozen=True, kw_only=True):
    """The alert that started the run is over, and every alert that joined it."""

    fingerprint: str = ""
    when_resolved: str = ""  # of the trigger that fitted; empty: of the first one


class AlertAttached(_Event, frozen=True, kw_only=True):
    """More alerts of the run's group fire; or again, after all of them were over."""

    name: str  # of the first of them
    many: int = 1
    fingerprint: str = ""


class HoldChanged(_Event, frozen=True, kw_only=True):
    """The global hold was set or lifted."""

    on: bool
    by: Actor
    reason: str = ""


class Drifted(_Event, frozen=True, kw_only=True):
    """What a held act did is not there any more, though we did not give it back."""

    held: str  # its id
    why: str = ""


class Restarted(_Event, frozen=True, kw_only=True):
    """The engine was killed or stopped, and is back."""

    times: int = 1
    lost_seconds: float = 0.0


class Stopped(_Event, frozen=True, kw_only=True):
    """The engine stops in order; what was in flight has ended or was cut."""


class Noted(_Event, frozen=True, kw_only=True):
    """A person adds to the timeline."""

    by: Actor
    text: str
    about_at: float | None = None  # when it happened, if earlier: "added later"
    loud: bool = False  # also posted where the run is told of
    ref: str = ""  # of the message in a chat that it stands in: provider:room:ref
    link: str = ""  # to that message
    author: str = ""  # who wrote the message, where that is somebody else
    files: tuple[str, ...] = ()  # links to what hangs on it
    change: Literal["", "edited", "deleted"] = ""  # of a message that was kept before


class Taken(_Event, frozen=True, kw_only=True):
    """A person takes over by name what the run still held at its end."""

    by: Actor
    held: tuple[str, ...] = ()  # held ids; empty: all of them


class RoleTaken(_Event, frozen=True, kw_only=True):
    """A person takes a role in the response; who had it before has it no more."""

    by: Actor
    role: RunRole


class SeveritySet(_Event, frozen=True, kw_only=True):
    """A person says how severe it is."""

    by: Actor
    to: Literal["sev1", "sev2", "sev3", "sev4", "sev5"]
    reason: str = ""


class GroupPaged(_Event, frozen=True, kw_only=True):
    """A person pages a group."""

    by: Actor
    group: str
    text: str = ""


class RunHeld(_Event, frozen=True, kw_only=True):
    """A person holds this run alone, or lets it go on: no further act begins."""

    by: Actor
    on: bool
    reason: str = ""


class RetryAsked(_Event, frozen=True, kw_only=True):
    """A person wants the next try now."""

    by: Actor


Event = (
    Started
    | Looked
    | Acted
    | TimerFired
    | Voted
    | Answered
    | Locked
    | LockLost
    | Cancelled
    | AlertResolved
    | AlertAttached
    | HoldChanged
    | Drifted
    | Restarted
    | Stopped
    | Noted
    | Taken
    | RoleTaken
    | SeveritySet
    | GroupPaged
    | RunHeld
    | RetryAsked
)
