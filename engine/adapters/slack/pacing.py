"""How fast Slack may be asked: one post a second and room, and never before it allows.

What is here: slots for posts, and how long each method is to be left alone after a 429.
What is not: waiting itself (asking), merging what waits (runtime.chat). Times are of a
monotonic clock, so a clock that is set changes nothing.

Called by asking.
"""

import math
from collections.abc import Callable
from typing import Final

from engine.ports import POST_SECONDS

OTHERWISE: Final = 1.0  # seconds to wait where Retry-After says nothing usable
LONGEST: Final = 300.0
MOST_ROOMS: Final = 1000


def asked_to_wait(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After: 1 where it is none, at most 300."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return OTHERWISE
    if math.isnan(seconds) or seconds < 0:
        return OTHERWISE
    return min(seconds, LONGEST)


class Pace:
    """Remembers when each room was last posted in, and which methods must wait."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take times from a monotonic clock."""
        self._clock = clock
        self._next: dict[str, float] = {}
        self._held: dict[str, float] = {}

    def slot(self, room: str, within: float) -> float:
        """Return the seconds to wait for a post there, and take that moment.

        Where it is more than `within` nothing is taken.
        """
        now = self._clock()
        if len(self._next) >= MOST_ROOMS:
            self._next = {one: at for one, at in self._next.items() if at > now}
        at = max(now, self._next.get(room, 0.0))
        if at - now <= within:
            self._next[room] = at + POST_SECONDS
        return at - now

    def posted(self, room: str) -> None:
        """Take note that a post there was answered: the second begins anew.

        Slack counts from when a post arrives, which is later than when it was sent.
        """
        at = self._clock() + POST_SECONDS
        self._next[room] = max(at, self._next.get(room, 0.0))

    def hold(self, method: str, seconds: float) -> None:
        """Leave a method alone for so long."""
        until = self._clock() + seconds
        self._held[method] = max(until, self._held.get(method, 0.0))

    def held(self, method: str) -> float:
        """Return for how many seconds a method is still to be left alone."""
        return max(0.0, self._held.get(method, 0.0) - self._clock())
