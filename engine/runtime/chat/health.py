"""Whether a chat provider works, since when it does not, and when to try it again.

A failure that asks to wait is waited for; one that does not is tried again after 1 s,
2 s, … 30 s. While it fails nothing is asked of the provider before its time. A failure
that will not mend by itself may be that of one room: the others go on at once.

Called by screens; read by fallback and the metrics.
"""

import logging
from dataclasses import dataclass
from typing import Final

from engine.errors import ChatDown
from engine.ports import Clock

log = logging.getLogger(__name__)

LONGEST_WAIT: Final = 300.0  # seconds that a server's word to wait is believed
SLOWEST_TRY: Final = 30.0


@dataclass(slots=True)
class Health:
    """How one provider does. Times are monotonic seconds."""

    clock: Clock
    name: str
    failing_since: float | None = None
    failing_at: float = 0.0  # the same, epoch seconds, for people
    try_at: float = 0.0
    why: str = ""
    lasting: bool = False
    failures: int = 0  # in a row
    worked_at: float | None = None  # the last answer that was well

    def works(self) -> None:
        """Take note of an answer that was well."""
        if self.failing_since is not None:
            lasted = self.clock.monotonic() - self.failing_since
            log.warning("chat works again provider=%s after=%.0fs", self.name, lasted)
        self.failing_since, self.why, self.lasting = None, "", False
        self.failures, self.try_at = 0, 0.0
        self.worked_at = self.clock.monotonic()

    def failed(self, error: ChatDown, began: float) -> None:
        """Take note of a failure; loud once, not once a try.

        Args:
            error: What it said, if it said anything.
            began: When it was asked: since then it is known not to work.
        """
        now = self.clock.monotonic()
        self.failures += 1
        if self.failing_since is None:
            self.failing_since = began
            self.failing_at = self.clock.now() - (now - began)
            log.warning("chat fails provider=%s error=%s", self.name, error)
        if error.lasting and not self.lasting:
            log.error("chat needs people provider=%s error=%s", self.name, error)
        self.lasting = self.lasting or error.lasting
        self.why = str(error)
        wait = min(LONGEST_WAIT, max(0.0, error.wait_seconds))
        slower = min(SLOWEST_TRY, 2.0 ** min(self.failures - 1, 10))
        self.try_at = now + (wait or (0.0 if error.lasting else slower))

    def wait_seconds(self) -> float:
        """Return how long nothing may be asked of it; 0: now."""
        return max(0.0, self.try_at - self.clock.monotonic())

    def down_for(self) -> float:
        """Return for how many seconds it has failed; 0: it works, or nobody asked."""
        if self.failing_since is None:
            return 0.0
        return self.clock.monotonic() - self.failing_since
