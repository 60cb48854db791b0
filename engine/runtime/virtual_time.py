"""An event loop whose time jumps: where a real one would wait, this one is there.

A rehearsal runs the same driver as a live run, on this loop: an hour of waiting takes
milliseconds, and everything that is due happens in its order. Nothing that runs on it
may do real I/O; what has to be asked of the real world is asked in `RealTime`, a loop
of its own, and while it is waited for no virtual time goes by.
"""

import asyncio
import selectors
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

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
        self.real = 0  # questions to the real world that are waited for

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(None if self.real and timeout != 0 else 0)
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

    async def standing(self, answer: asyncio.Future[T]) -> T:
        """Return what comes of the real world; until then time stands still."""
        self._jumping.real += 1
        try:
            return await answer
        finally:
            self._jumping.real -= 1


class RealTime:
    """A loop in a thread of its own, for what has to be asked of the real world."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; what still goes on is cancelled."""
        self.done(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    def done(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work gives; called where no loop runs."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work gives; called on a VirtualLoop, whose time stands."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        answer = asyncio.run_coroutine_threadsafe(work, self._loop)
        return await loop.standing(asyncio.wrap_future(answer))


class VirtualClock:
    """The clock of a rehearsal, read from its loop."""

    def __init__(self, start: float = START) -> None:
        self._start = start  # wall time at the start, epoch seconds

    def now(self) -> float:
        """Return virtual wall time, epoch seconds."""
        return self._start + asyncio.get_running_loop().time()

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
