"""When something that is watched becomes an alert, and when it is over.

Pure: a state and a time in, fire or over out. Failing must last for its time without a
pass between; one pass ends it. Unknown changes nothing, or counts as failed. The time
is one that never goes back: a clock that is set must not make or hide an alert.

Called by: runtime.watches.
"""

from dataclasses import dataclass, replace
from typing import Literal

State = Literal["pass", "fail", "unknown"]
Turn = Literal["fire", "over", ""]


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of one watch: since when it fails, and whether its alert fires."""

    failing_since: float | None = None  # monotonic seconds
    firing: bool = False


def felt(
    pulse: Pulse, state: State, now: float, *, for_seconds: float, unknown_fires: bool
) -> tuple[Pulse, Turn]:
    """Return the pulse after one look, and what is to be told."""
    if state == "unknown" and not unknown_fires:
        return pulse, ""
    if state == "pass":
        return Pulse(), "over" if pulse.firing else ""
    since = now if pulse.failing_since is None else pulse.failing_since
    pulse = replace(pulse, failing_since=since)
    if pulse.firing or now - since < for_seconds:
        return pulse, ""
    return replace(pulse, firing=True), "fire"
