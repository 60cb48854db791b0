"""An event loop whose time jumps: where a real one would wait, this one is there.

A rehearsal runs the same driver as a live run, on this loop: an hour of waiting takes
milliseconds, and everything that is due happens in its order. Nothing that runs on it
may do real I/O.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")
START: Final = 1_767_225_600.0  # wall time at the start: 2026-01-01T00:00:00Z
MOST_SECONDS: Final = 60.0 * 86_400  # of virtual time; no run is longer


class NeverEnds(RuntimeError):
    """What runs here waits for something that does not come."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: passes the time that was asked for to the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise NeverEnds("the rehearsal waits for something that never comes")
        if not ready and timeout is not None and timeout > 0:
            self.now += timeout
            if self.now > MOST_SECONDS:
                raise NeverEnds("the rehearsal takes more than 60 days")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with its own time, from 0 s."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Return the virtual seconds since the start."""
        return self._jumping.now


class VirtualClock:
    """The clock of a rehearsal, read from its loop."""

    def now(self) -> float:
        """Return virtual wall time, epoch seconds."""
        return START + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        """Return virtual seconds; the first is not zero."""
        return 1.0 + asyncio.get_running_loop().time()


def run_virtual(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time; return the result.

    Raises:
        NeverEnds: nothing is left that could happen, or it takes more than 60 days.
    """
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        while left := asyncio.all_tasks(loop):  # one that ends may begin another
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
