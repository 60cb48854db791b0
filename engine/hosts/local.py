"""One process and one SQLite file: drives its runs and carries their mail.

A run is driven by one process at a time, the one that the journal names (lease). Taken
up are runs with something in flight; those that wait for a time or a person stay on
disk until then. While it lives: the outbox is sent, the global hold is watched, what
other processes wrote for a run (an approval, a cancel) is delivered, and a server takes
up the runs of engines that died.

Called by: bootstrap, and the entry points that drive runs.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Any, Final

from engine.errors import EngineError, LeaseLost, StoreConflict, StoreUnavailable
from engine.hosts.lease import Lease
from engine.hosts.outbox import Outbox
from engine.model.engines import Enrolled
from engine.model.events import Event, HoldChanged, Restarted, Stopped
from engine.model.people import ENGINE
from engine.model.run import ENDS, RunSummary
from engine.ports import Chat, Clock, GlobalHold, Mailbox, Pager, Store
from engine.runtime.driver import Driver

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.2  # mail and the global hold
MOST_OPEN: Final = 1_000_000  # runs; far above what one process drives
RESUMED_ABREAST: Final = 200  # runs taken up side by side share their commits
SWEEPS: Final = (50_000, 20, 50)  # of the cycle collector; a step makes few cycles
OUTBOX_SECONDS: Final = 1.0  # between two tries of a message that could not be sent
ORPHANS_SECONDS: Final = 1.0  # between two looks for engines that died


class LocalHost:
    """Everything around the driver that one process needs.

    A command that drives its own runs: `start(runs)`, `begins(run)` before a new one,
    `take(run)` for one that is there. A server: `stand_by(waiting)`, `serve()`. Then
    `stop()`.

    `over` is set when another engine took this one's place (`lease.lost` says why):
    nothing is written or done any more, and the process should end. `on_gone` is told
    of each run that is not driven here any more, with the reason.
    """

    def __init__(
        self,
        driver: Driver,
        store: Store,
        mailbox: Mailbox,
        chat: Chat,
        pager: Pager,
        hold: GlobalHold,
        clock: Clock,
        lease: Lease,
    ) -> None:
        self.driver, self.store, self.mailbox = driver, store, mailbox
        self.chat, self.hold, self.clock, self.lease = chat, hold, clock, lease
        self._outbox = Outbox(store, chat, pager)
        self.pager = pager
        self.over = asyncio.Event()
        self.on_gone: Callable[[str, str], None] = lambda run, why: None
        self.serving: Enrolled | None = None  # the server that we stand by for
        self._held = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._beats: asyncio.Task[None] | None = None
        self._mine: set[str] = set()  # the journal names us as their engine
        self._up: set[str] = set()  # and they were taken up
        self._asleep: dict[str, asyncio.TimerHandle | None] = {}
        self._waking: dict[str, asyncio.Task[None]] = {}
        driver.on_conflict, driver.on_end = self._conflict, self.ended
        lease.on_change = self._lease_changed

    # Becoming an engine

    async def start(self, runs: Iterable[RunSummary] = ()) -> list[str]:
        """Begin the chores, take up these runs; return the ids of those taken up.

        Raises:
            StoreUnavailable: the journal cannot be written.
        """
        await self.lease.enrol("local")
        return await self._begin([one.run for one in runs])

    async def stand_by(self, waiting: Callable[[Enrolled], None]) -> None:
        """Return when this process is the one server.

        While another one serves, this one stands by. It takes over at once when that
        one is dead, and when it has not shown for `dead_after` that it lives.

        Args:
            waiting: told once of each server that this one stands by for.
        """
        while not await self._enrolled_as_server(waiting):  # noqa: ASYNC110 # others write
            await asyncio.sleep(self.lease.times.look)
        self._beats = asyncio.create_task(self.lease.keep())

    async def serve(self) -> list[str]:
        """Take up every open run that no living process drives; return their ids.

        After `stand_by`. From then on the runs of engines that die are taken up, too.
        """
        with contextlib.suppress(LeaseLost):
            await self.lease.bury(by_beats=False)
            found = await self.store.runs(open_only=True, limit=MOST_OPEN)
            taken = await self._begin([one.run for one in found])
            self._chore(self._orphans)
            return taken
        return []

    async def _enrolled_as_server(self, waiting: Callable[[Enrolled], None]) -> bool:
        try:
            await self.lease.bury(by_beats=True)
            serving = await self.lease.serving() or await self.lease.enrol("serve")
            if serving is None:
                self.serving = None
                return True
            if self.serving is None or serving.token != self.serving.token:
                self.serving = serving
                waiting(serving)
        except StoreUnavailable as error:
            log.warning("standing by: the journal is unavailable error=%s", error)
        return False

    def says_also(self, chats: Mapping[str, Chat]) -> None:
        """Send what is said by these chats as well, by their names; before `start`."""
        self._outbox = Outbox(self.store, self.chat, self.pager, chats)

    def condition(self) -> str:
        """Return why this process drives nothing now; empty: all is well."""
        if self.serving is not None:
            return f"standby: {self.serving.owner} serves"
        return self.lease.lost or self.lease.trouble or self.lease.low

    async def _begin(self, runs: Sequence[str]) -> list[str]:
        gc.set_threshold(*SWEEPS)  # Python's own cost a fifth of every step
        self._held = self.hold.reason() is not None
        if self._beats is None:
            self._beats = asyncio.create_task(self.lease.keep())
        taken = await self.take_up(runs)
        for chore in (self._mail, self._watch_hold, self._send):
            self._chore(chore)
        return taken

    # Whose run

    def begins(self, run: str) -> bool:
        """Drive a run that is about to begin here; its first entry makes it ours."""
        self._mine.add(run)
        self._up.add(run)
        return True

    async def take(self, run: str) -> bool:
        """Return whether a run is ours now; it is not taken up by this.

        Raises:
            StoreUnavailable: nothing was taken.
        """
        if run not in self._mine:
            self._mine.update(await self.lease.claim([run]))
        return run in self._mine

    @property
    def ours(self) -> list[str]:
        """The runs this process drives."""
        return list(self._mine)

    def ended(self, run: str) -> None:
        """Take note that a run is over: it is nobody's."""
        self._mine.discard(run)
        self._up.discard(run)

    async def take_up(self, runs: Sequence[str]) -> list[str]:
        """Drive those of the runs that are free; return their ids.

        What has something in flight goes on at once; the others sleep on disk.
        """
        claimed = await self.lease.claim([run for run in runs if run not in self._mine])
        self._mine.update(claimed)
        fresh = [run for run in runs if run in self._mine and run not in self._up]
        for run in fresh:
            self.driver.let_go(run)  # what was read before is old
        taken = await self._as_they_stand(fresh)
        now = [one for one in taken if not self._sleeps(one)]
        if asks := [one for one in taken if one.questions and one.run in self._asleep]:
            self._task(self._ask_again(asks))
        for at in range(0, len(now), RESUMED_ABREAST):
            some = now[at : at + RESUMED_ABREAST]
            await asyncio.gather(*(self._resume(summary) for summary in some))
        return [summary.run for summary in taken]

    async def _as_they_stand(self, mine: list[str]) -> list[RunSummary]:
        """Return runs of ours, read since nobody else drives them; none that ended."""
        if len(mine) > 1:
            all_open = await self.store.runs(open_only=True, limit=MOST_OPEN)
            by_name = {one.run: one for one in all_open}
            found = [by_name.get(run) for run in mine]
        else:
            found = [await self.store.summary(run) for run in mine]
        still = [one for one in found if one is not None and one.goes_on]
        self._up.update(one.run for one in still)
        for run in set(mine) - self._up:
            self.ended(run)
        return still

    # Sleeping and waking

    def _sleeps(self, summary: RunSummary) -> bool:
        """Let a run that waits for a time or a person stay on disk until then."""
        if summary.busy or (summary.wake_at is None and not summary.questions):
            return False
        handle = None
        if summary.wake_at is not None:
            left = max(0.0, summary.wake_at - self.clock.now())
            loop = asyncio.get_running_loop()
            handle = loop.call_later(left, self._wake, summary.run)
        self._asleep[summary.run] = handle
        return True

    async def _ask_again(self, asleep: Sequence[RunSummary]) -> None:
        """Show what sleeping runs ask; it may have been lost with their engine."""
        for summary in asleep:
            for question in summary.questions:
                try:
                    await self.chat.ask(summary.run, question)
                except Exception as error:  # noqa: BLE001  # no run waits for chat
                    log.warning("not posted run=%s error=%s", summary.run, error)

    def _wake(self, run: str) -> None:
        handle = self._asleep.pop(run)
        if handle is not None:
            handle.cancel()
        task = asyncio.create_task(self._awaken(run))
        self._waking[run] = task
        task.add_done_callback(lambda _: self._waking.pop(run, None))

    async def _awaken(self, run: str) -> None:
        summary = await self.store.summary(run)
        if summary is not None and summary.state not in ENDS:
            await self._resume(summary)

    async def _awake(self, run: str) -> None:
        """Return when a run of ours is loaded and goes on."""
        if run in self._asleep:
            self._wake(run)
        if run in self._waking:
            await asyncio.shield(self._waking[run])

    async def _resume(self, summary: RunSummary) -> None:
        lost = max(0.0, self.clock.now() - summary.updated_at)
        event = Restarted(times=summary.crashes + 1, lost_seconds=round(lost, 3))
        try:
            hold = await self._missed_hold(summary.run)
            if hold is not None and hold.on:  # before anything may act
                await self.driver.told(summary.run, hold)
            await self.driver.resume(summary.run, event)
            if hold is not None and not hold.on:
                await self.driver.told(summary.run, hold)
        except EngineError as error:
            log.warning("not resumed run=%s error=%s", summary.run, error)

    async def _missed_hold(self, run: str) -> HoldChanged | None:
        """Return what became of the global hold while nobody drove the run."""
        reason = self.hold.reason()
        known = (await self.driver.session(run)).record.hold
        if known == (reason is not None):
            return None
        return HoldChanged(on=reason is not None, by=ENGINE, reason=reason or "")

    async def told(self, run: str, event: Event) -> None:
        """Tell a run of an event, wherever it is driven.

        Returns when it is in the journal; for a run of another living process, when it
        is in its mailbox.

        Raises:
            NotFound: no such run. StoreUnavailable: nothing was told.
        """
        if run not in self._mine:
            summary = await self.store.summary(run)
            is_open = summary is not None and summary.state not in ENDS
            if is_open and not await self.take_up([run]):
                await self.mailbox.post(run, event)
                return
        await self._awake(run)
        await self.driver.told(run, event)

    # Losing

    def _conflict(self, run: str, error: StoreConflict) -> None:
        self._task(self._lost_one(run, error))

    async def _lost_one(self, run: str, error: StoreConflict) -> None:
        """A run was written by somebody else: read it anew, or let it go."""
        await self.lease.doubt()
        if self.lease.lost or run not in self._mine:
            return
        self._mine.discard(run)
        self._up.discard(run)
        if not isinstance(error, LeaseLost) and await self.take_up([run]):
            return
        self.on_gone(run, str(error))

    def _lease_changed(self) -> None:
        if not self.lease.lost or self.over.is_set():
            return
        self.over.set()
        self.driver.abandon()
        for handle in self._asleep.values():
            if handle is not None:
                handle.cancel()
        self._asleep.clear()
        for task in self._tasks:
            task.cancel()
        for run in self.ours:
            self.on_gone(run, self.lease.lost)

    async def stop(self) -> None:
        """Stop in order: acts in flight get their grace, open runs stay on disk."""
        for handle in self._asleep.values():
            if handle is not None:
                handle.cancel()
        tasks = [*self._tasks, *self._waking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self.lease.lost:
            await self.driver.stop(Stopped())
            with contextlib.suppress(StoreUnavailable):
                await self._outbox.send()
        if self._beats is not None:  # up to here: others see that we live
            self._beats.cancel()
            await asyncio.gather(self._beats, return_exceptions=True)
        await self.lease.leave()

    # Chores

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _chore(self, chore: Callable[[], Awaitable[None]]) -> None:
        self._task(self._for_ever(chore))

    async def _for_ever(self, chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await chore()
            except StoreUnavailable as error:
                log.warning("journal unavailable error=%s", error)
                await asyncio.sleep(OUTBOX_SECONDS)
            except Exception:  # a chore that ended would never be missed
                log.exception("a chore failed and goes on")
                await asyncio.sleep(OUTBOX_SECONDS)

    async def _orphans(self) -> None:
        """Take up the runs of engines that died, and those that were left on disk."""
        await self.lease.bury(by_beats=True)
        orphans = await self.lease.engines.orphans()
        taken = await self.take_up([run for run in orphans if run not in self._mine])
        if taken:
            log.warning("taken up from engines that are gone: %s", ", ".join(taken))
        await asyncio.sleep(ORPHANS_SECONDS)

    async def _mail(self) -> None:
        """Deliver what other processes wrote for our runs."""
        for mail_id, run, event in await self.mailbox.mail(self.ours):
            with contextlib.suppress(EngineError):
                await self.told(run, event)
            await self.mailbox.delivered(mail_id)
        await asyncio.sleep(POLL_SECONDS)

    async def _watch_hold(self) -> None:
        """Tell every run of ours when the global hold is set or lifted."""
        reason = self.hold.reason()
        held = reason is not None
        if held != self._held:
            self._held = held
            for run in self._up - self._asleep.keys():
                event = HoldChanged(on=held, by=ENGINE, reason=reason or "")
                self.driver.tell(run, event)
        await asyncio.sleep(POLL_SECONDS)

    async def _send(self) -> None:
        """Send what waits in the outbox; what cannot be sent is tried again."""
        sent = await self._outbox.send()
        await asyncio.sleep(POLL_SECONDS if sent else OUTBOX_SECONDS / 2)
