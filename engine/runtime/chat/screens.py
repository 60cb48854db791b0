"""Lets every run be shown on one provider: when, in which order, and what if it fails.

Each open run, and each that ended but is not shown to its end, is looked at when its
timeline changed and when its next update is due. A few tasks share the work; in memory
is one small row a run. No run waits for any of it.

Called by bootstrap, which starts it with the server; told of changes by the driver's
listener, and by a look at the journal for what other processes wrote.
"""

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Protocol

from engine.errors import ChatDown, ChatRefused, EngineError, NotFound
from engine.model.chat import Shown
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.ports import POST_SECONDS, Store
from engine.runtime.chat import steps
from engine.runtime.chat.health import SLOWEST_TRY, Health
from engine.runtime.chat.lanes import Lanes
from engine.runtime.chat.screen import Screen
from engine.runtime.chat.story import Stories, Story

log = logging.getLogger(__name__)

ABREAST: Final = 8  # runs that one provider is brought up to date with side by side
SWEEP_SECONDS: Final = 2.0  # between two looks at what other processes wrote
SWEPT: Final = 200  # newest open runs that a sweep looks at
MOST_OPEN: Final = 1_000_000
POSTS: Final = (steps.Send, steps.Draw)


class Away(Protocol):
    """Where word goes while a provider is down: what is said of it afterwards."""

    def words(self, run: str) -> str:
        """Return what the first post after an outage says of it; else nothing."""
        ...

    def said(self, run: str) -> None:
        """Take note that it was said."""
        ...


@dataclass(slots=True)
class Row:
    """What is in memory of a run."""

    due: float = 0.0  # the loop's time; the heap may hold older ones
    seen: float = -1.0  # `updated_at` of what was read last
    edited: float = float("-inf")  # the loop's time of the pinned message's last edit
    busy: bool = False
    again: bool = False  # something happened while it was busy
    lost_since: float | None = None  # the provider will not take it: since, why
    lost_why: str = ""
    behind_since: float | None = None  # the loop's time since when something is missing


class Screens:
    """Every run on one provider."""

    def __init__(
        self,
        screen: Screen,
        stories: Stories,
        store: Store,
        health: Health,
        *,
        post_seconds: float = POST_SECONDS,
        away: "Away | None" = None,
    ) -> None:
        self.screen, self.health = screen, health
        self._stories, self._store = stories, store
        self.away = away  # where word goes meanwhile; bootstrap sets it
        self.posts: Counter[tuple[str, str]] = Counter()  # provider, result
        self._lanes = Lanes(self._turn, every=post_seconds)
        self._rows: dict[str, Row] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._order = count()
        self._busy = 0
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.idle = asyncio.Event()  # nothing is due now; for tests

    # From outside

    async def start(self) -> None:
        """Begin: with all that is open, and all that is not shown to its end.

        Raises:
            StoreUnavailable: nothing was begun.
        """
        for shown in await self.screen.kept.showing(self.screen.provider.name):
            self._wake(shown.run)
        for summary in await self._store.runs(open_only=True, limit=MOST_OPEN):
            self._wake(summary.run)
        work = [self._work() for _ in range(ABREAST)]
        self._tasks = [asyncio.create_task(one) for one in [*work, self._sweep()]]

    async def stop(self) -> None:
        """Stop; what was on its way is found again by its key."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lanes.stop()

    def changed(self, summary: RunSummary, entries: Sequence[Entry]) -> None:
        """Take note that a run has new entries; in the loop's thread."""
        self._wake(summary.run)

    def lost(self, run: str) -> float:
        """Return for how many seconds a run could not be shown at all; 0: it can."""
        row = self._rows.get(run)
        if row is None or row.lost_since is None:
            return 0.0
        return asyncio.get_running_loop().time() - row.lost_since

    @property
    def loses_any(self) -> bool:
        """Whether there is a run that could not be shown at all."""
        return any(row.lost_since is not None for row in self._rows.values())

    def behind(self) -> tuple[int, float]:
        """Return how many runs are not up to date, and the longest of them so far."""
        now = asyncio.get_running_loop().time()
        since = [one.behind_since for one in self._rows.values()]
        late = [now - one for one in since if one is not None]
        return len(late), max(late, default=0.0)

    # Who is next

    def _wake(self, run: str, at: float | None = None) -> None:
        now = asyncio.get_running_loop().time()
        at = now if at is None else at
        row = self._rows.setdefault(run, Row(due=float("inf")))
        if row.busy:
            row.again = True
            return
        if at < row.due or row.due <= now:
            self._push(run, row, at)

    def _turn(self, run: str) -> None:
        """It is the run's turn to post."""
        if run in self._rows:
            self._wake(run)
        else:
            self._lanes.pass_all(run)

    def _push(self, run: str, row: Row, at: float) -> None:
        row.due = at
        heapq.heappush(self._heap, (at, next(self._order), run))
        self.idle.clear()
        self._news.set()

    async def _next(self) -> str:
        """Return a run that is due; wait for one."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            rest = self.health.wait_seconds()
            while self._heap and self._stale(self._heap[0]):
                heapq.heappop(self._heap)
            one_tries = self.health.failing_since is not None and self._busy > 0
            if one_tries:
                rest = max(rest, 1.0)
            if self._heap and self._heap[0][0] <= now and rest <= 0:
                _, _, run = heapq.heappop(self._heap)
                row = self._rows[run]
                row.due, row.busy = float("inf"), True
                self._busy += 1
                return run
            left = max(rest, self._heap[0][0] - now) if self._heap else None
            if left is None or (self._heap[0][0] > now):
                self._look_idle()
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _stale(self, one: tuple[float, int, str]) -> bool:
        row = self._rows.get(one[2])
        return row is None or row.busy or row.due != one[0]

    def _look_idle(self) -> None:
        if not self._busy:
            self.idle.set()

    async def _work(self) -> None:
        while True:
            run = await self._next()
            again, began = float("inf"), self.screen.clock.monotonic()
            try:
                again = await self._one(run)
            except ChatDown as error:
                again = self._failed(run, error, began)
            except NotFound as error:  # deleted, or its runbook is not kept
                log.warning("not shown run=%s error=%s", run, error)
                self._rows.pop(run, None)
            except EngineError as error:
                log.warning("not shown run=%s error=%s", run, error)
                again = asyncio.get_running_loop().time() + 1.0
            except Exception:  # a task that ended would never be missed
                log.exception("not shown run=%s", run)
                again = asyncio.get_running_loop().time() + SLOWEST_TRY
            finally:
                self._put_back(run, again)

    def _put_back(self, run: str, again: float) -> None:
        self._busy -= 1
        self._news.set()
        row = self._rows.get(run)
        if row is None:
            self._lanes.pass_all(run)
            return
        row.busy = False
        if row.again:
            row.again, again = False, asyncio.get_running_loop().time()
        if again != float("inf"):
            self._push(run, row, again)

    # One step for one run

    async def _one(self, run: str) -> float:
        """Do the next step of a run; return when to look again (the loop's time)."""
        loop, clock = asyncio.get_running_loop(), self.screen.clock
        row = self._rows[run]
        story = await self._stories.of(run)
        name = self.screen.provider.name
        shown = await self.screen.kept.shown(name, run) or Shown(name, run)
        row.seen = story.summary.updated_at
        now, wall = loop.time(), clock.now()
        edit_at = wall + max(0.0, row.edited + self.screen.rules.edit_seconds - now)
        step = steps.next_step(
            shown, story, self.screen.rules, now=wall, edit_at=edit_at,
            away=self.away.words(run) if self.away is not None else "",
        )  # fmt: skip
        if isinstance(step, steps.Rest):
            return self._rests(run, row, story, step, now + self._left(step, wall))
        if row.behind_since is None:
            row.behind_since = now
        if isinstance(step, POSTS):
            room = await self._room_of(step, shown)
            if not self._lanes.may_post(room, run, step.rank):
                return float("inf")  # it is told when its turn has come
            await self._post(step, shown, story, room)
        else:
            self._lanes.pass_all(run)
            await self.screen.do(step, shown, story)
            if isinstance(step, steps.Edit) and step.what == "pinned":
                row.edited = loop.time()
        row.lost_since, row.lost_why = None, ""
        if isinstance(step, steps.Over):
            self._rows.pop(run, None)
            return float("inf")
        self.health.works()
        return loop.time()

    def _left(self, step: steps.Rest, wall: float) -> float:
        return float("inf") if step.until is None else max(0.0, step.until - wall)

    def _rests(
        self, run: str, row: Row, story: Story, step: steps.Rest, until: float
    ) -> float:
        self._lanes.pass_all(run)
        row.behind_since = None
        if step.until is None and not row.again and story.ended:
            self._rows.pop(run, None)  # told again by its next entry
        return until

    async def _room_of(self, step: steps.Send | steps.Draw, shown: Shown) -> str:
        try:
            return await self.screen.room_of(step, shown)
        except ChatRefused:
            return ""  # told, and gone on from, by the step itself
        except ChatDown as error:
            if not error.lasting:
                raise
            return ""

    async def _post(
        self, step: steps.Send | steps.Draw, shown: Shown, story: Story, room: str
    ) -> None:
        name = self.screen.provider.name
        try:
            await self.screen.do(step, shown, story)
        except ChatDown:
            self.posts[name, "down"] += 1
            raise
        finally:
            self._lanes.posted(room)
        self.posts[name, "sent"] += 1
        if self.away is not None and "/news/" in step.key:
            self.away.said(story.summary.run)

    def _failed(self, run: str, error: ChatDown, began: float) -> float:
        """Take note of a failure; return when this run is tried again."""
        now = asyncio.get_running_loop().time()
        row = self._rows[run]
        self._lanes.pass_all(run)
        if row.behind_since is None:
            row.behind_since = now
        self.health.failed(error, began)
        if not error.lasting:
            return now + self.health.wait_seconds()
        if row.lost_since is None:
            log.error("chat cannot show run=%s error=%s", run, error)
            row.lost_since, row.lost_why = now, str(error)
        return now + SLOWEST_TRY

    async def _sweep(self) -> None:
        """Look now and then at what other processes wrote."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                self._look_at(await self._store.runs(open_only=True, limit=SWEPT))
            except EngineError as error:
                log.warning("chat: the journal is unavailable error=%s", error)
            except Exception:  # a chore that ended would never be missed
                log.exception("chat: a look at the journal failed")

    def _look_at(self, found: Sequence[RunSummary]) -> None:
        for one in found:
            row = self._rows.get(one.run)
            if row is None or 0 <= row.seen < one.updated_at:
                self._wake(one.run)
        if len(found) < SWEPT:  # all of them: what is not there has ended
            still = {one.run for one in found}
            for run in [one for one in self._rows if one not in still]:
                if self._rows[run].behind_since is None:
                    self._wake(run)
