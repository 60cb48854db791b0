"""Where the clock moved in a run: wall time against the run's own seconds.

Every entry has both; the run's own seconds come from a clock that never goes back, and
are carried over a restart by wall time, so that a jump while the engine was away shows
nowhere but in the wall times.

Called by lines and parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.model.timeline import Entry

LEAST_SECONDS: Final = 1.0  # a clock that is being slewed moves less


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock moved before the entry `seq`; negative seconds: it went back."""

    seq: int
    seconds: float


def jumps_of(entries: Sequence[Entry]) -> list[Jump]:
    """Return every jump of a second or more, in order."""
    found = []
    for before, after in pairwise(entries):
        moved = (after.at - before.at) - (after.tick - before.tick)
        if abs(moved) >= LEAST_SECONDS:
            found.append(Jump(after.seq, moved))
    return found
