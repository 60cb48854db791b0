"""One post a second and room, the most urgent first.

Who may not post yet is parked, and told when its turn has come; nobody asks again and
again. Bounded by the number of runs that have something to post.

Called by screens.
"""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from engine.ports import POST_SECONDS

EARLY: Final = 1e-6  # seconds: a timer may fire that much before its time


@dataclass(slots=True)
class _Lane:
    free_at: float = 0.0
    waiting: list[tuple[int, int, str]] = field(default_factory=list)  # a heap
    turn: str = ""  # the run whose turn it is
    timer: asyncio.TimerHandle | None = None


class Lanes:
    """The rooms of a provider, each with who waits to post there.

    Args:
        wake: Told of a run whose turn has come.
        every: Seconds between two posts into one room.
    """

    def __init__(
        self, wake: Callable[[str], None], *, every: float = POST_SECONDS
    ) -> None:
        self._wake, self._every = wake, every
        self._lanes: dict[str, _Lane] = {}
        self._parked: dict[tuple[str, str], int] = {}  # and how urgent
        self._order = count()

    def may_post(self, room: str, run: str, rank: int) -> bool:
        """Return whether a run may post into a room now; else it is told when."""
        now = asyncio.get_running_loop().time()
        lane = self._lanes.setdefault(room, _Lane())
        if now >= lane.free_at - EARLY and (lane.turn == run or not _taken(lane)):
            lane.turn = ""
            lane.free_at = now + self._every  # and anew once it is posted
            return True
        if lane.turn == run:
            lane.turn = ""  # it came too early: somebody posted meanwhile
        if rank < self._parked.get((room, run), rank + 1):
            self._parked[room, run] = rank
            heapq.heappush(lane.waiting, (rank, next(self._order), run))
        self._arm(room, lane, now)
        return False

    def posted(self, room: str) -> None:
        """Take note that something was posted, or tried: the next one waits."""
        now = asyncio.get_running_loop().time()
        lane = self._lanes.setdefault(room, _Lane())
        lane.free_at, lane.turn = now + self._every, ""
        self._arm(room, lane, now)
        if len(self._lanes) > 1000:  # idle rooms are forgotten
            self._lanes = {
                name: one
                for name, one in self._lanes.items()
                if one.free_at > now or _taken(one)
            }

    def passes(self, room: str, run: str) -> None:
        """Let the next one in: this run does not use its turn."""
        lane = self._lanes.get(room)
        if lane is not None and lane.turn == run:
            lane.turn = ""
            self._arm(room, lane, asyncio.get_running_loop().time())

    def pass_all(self, run: str) -> None:
        """Let the next ones in, wherever it was this run's turn."""
        for room in [room for room, one in self._lanes.items() if one.turn == run]:
            self.passes(room, run)

    def stop(self) -> None:
        """Tell nobody any more."""
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()
        self._lanes.clear()

    def _arm(self, room: str, lane: _Lane, now: float) -> None:
        if lane.timer is not None or lane.turn or not lane.waiting:
            return
        loop = asyncio.get_running_loop()
        left = max(0.0, lane.free_at - now)
        lane.timer = loop.call_later(left, self._next, room, lane)

    def _next(self, room: str, lane: _Lane) -> None:
        lane.timer = None
        while lane.waiting and not lane.turn:
            rank, _, run = heapq.heappop(lane.waiting)
            if self._parked.get((room, run)) == rank:  # else it became more urgent
                del self._parked[room, run]
                lane.turn = run
                self._wake(run)


def _taken(lane: _Lane) -> bool:
    return bool(lane.turn or lane.waiting)
