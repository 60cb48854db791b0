"""What `doctor` found: findings about the engine, and how ready each runbook is.

Read by: analysis.readiness (grades), bootstrap.doctoring (finds), runtime.doctor (keeps
the latest), the doors (show it).
"""

from typing import Final, Literal

import msgspec

State = Literal["ok", "warn", "fail"]
Grade = Literal["ready", "doubtful", "not ready"]
STATES: Final[tuple[State, ...]] = ("ok", "warn", "fail")
GRADES: Final[tuple[Grade, ...]] = ("not ready", "doubtful", "ready")  # worst first


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    state: State
    what: str
    told: str
    do: str = ""  # what to do about it


class Rehearsal(msgspec.Struct, frozen=True):
    """When all tests of a runbook were last played, and what came of it."""

    at: float  # epoch seconds
    revision: str  # of the runbook's own file
    played: int
    failed: int


class Readiness(msgspec.Struct, frozen=True):
    """Whether a runbook would be of use if it were needed now, and why not."""

    runbook: str
    grade: Grade
    reasons: tuple[str, ...] = ()  # the worst first; empty: ready
    overdue: str = ""  # its last rehearsal or run is too long ago (G20)


class Examined(msgspec.Struct, frozen=True):
    """Everything that one examination found."""

    at: float  # epoch seconds, when it ended
    seconds: float  # that it took
    findings: tuple[Finding, ...]
    readiness: tuple[Readiness, ...]
