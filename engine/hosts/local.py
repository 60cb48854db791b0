"""One process and one SQLite file: drives its runs and carries their mail.

Start: every open run that this process may drive is taken up again; runs that only wait
for a time or a person stay on disk until then. While it lives: the outbox is sent, the
global hold is watched, and what other processes wrote for a run (an approval, a cancel)
is delivered. A run is driven by one process at a time: whoever holds its lock file.
"""

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Final

from engine.errors import ChatDown, EngineError, StoreUnavailable
from engine.model.effects import Say
from engine.model.events import HoldChanged, Restarted, Stopped
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


class RunLocks:
    """Which runs this process drives: one lock file each, gone with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[str]] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take(self, run: str) -> bool:
        """Return whether the run is ours now."""
        if run in self._files:
            return True
        path = self._folder / f"{run}.lock"
        while True:
            file = path.open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                return False
            if _is_at(file, path):
                self._files[run] = file
                return True
            file.close()  # it was given back, and its name taken away, in between

    def give_back(self, run: str) -> None:
        """Let another process drive the run."""
        file = self._files.pop(run, None)
        if file is not None:  # first the name: who opens it now waits for nobody
            (self._folder / f"{run}.lock").unlink(missing_ok=True)
            file.close()

    @property
    def ours(self) -> list[str]:
        """The runs this process drives."""
        return list(self._files)


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file.fileno()), found)


class LocalHost:
    """Everything around the driver that one process needs."""

    def __init__(
        self,
        driver: Driver,
        store: Store,
        mailbox: Mailbox,
        chat: Chat,
        pager: Pager,
        hold: GlobalHold,
        clock: Clock,
        locks: RunLocks,
    ) -> None:
        self.driver, self.store, self.mailbox = driver, store, mailbox
        self.chat, self.pager, self.hold, self.clock = chat, pager, hold, clock
        self.locks = locks
        self._held = False
        self._tasks: list[asyncio.Task[None]] = []
        self._wakes: dict[str, asyncio.TimerHandle] = {}

    async def start(self, runs: Iterable[RunSummary] = ()) -> list[str]:
        """Begin the chores, take up these runs; return the ids of those taken up."""
        gc.set_threshold(*SWEEPS)  # Python's own cost a fifth of every step
        self._held = self.hold.reason() is not None
        mine = [one.run for one in runs if self.locks.take(one.run)]
        taken = await self._as_they_stand(mine)
        now = []
        for summary in taken:
            if summary.busy or summary.wake_at is None or summary.questions:
                now.append(summary)
            else:
                self._wake_later(summary)
        for at in range(0, len(now), RESUMED_ABREAST):
            some = now[at : at + RESUMED_ABREAST]
            await asyncio.gather(*(self._resume(summary) for summary in some))
        chores: tuple[Callable[[], object], ...] = (
            self._mail,
            self._watch_hold,
            self._send,
        )
        self._tasks = [asyncio.create_task(self._chore(chore)) for chore in chores]
        return [summary.run for summary in taken]

    async def _as_they_stand(self, mine: list[str]) -> list[RunSummary]:
        """Return runs of ours, read since nobody else drives them; none that ended."""
        if len(mine) > 1:
            all_open = await self.store.runs(open_only=True, limit=MOST_OPEN)
            by_name = {one.run: one for one in all_open}
            found = [by_name.get(run) for run in mine]
        else:
            found = [await self.store.summary(run) for run in mine]
        still = [one for one in found if one is not None and one.state not in ENDS]
        for run in set(mine) - {one.run for one in still}:
            self.locks.give_back(run)
        return still

    def _wake_later(self, summary: RunSummary) -> None:
        assert summary.wake_at is not None
        left = max(0.0, summary.wake_at - self.clock.now())
        loop = asyncio.get_running_loop()

        def wake() -> None:
            self._wakes.pop(summary.run, None)
            self._tasks.append(asyncio.create_task(self._resume(summary)))

        self._wakes[summary.run] = loop.call_later(left, wake)

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

    async def stop(self) -> None:
        """Stop in order: acts in flight get their grace, open runs stay on disk."""
        for wake in self._wakes.values():
            wake.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.driver.stop(Stopped())
        with contextlib.suppress(StoreUnavailable):
            await self._send_once()
        for run in self.locks.ours:
            self.locks.give_back(run)

    async def _chore(self, chore: Callable[[], object]) -> None:
        while True:
            try:
                await chore()  # type: ignore[misc]
            except StoreUnavailable as error:
                log.warning("journal unavailable error=%s", error)
                await asyncio.sleep(OUTBOX_SECONDS)
            except Exception:  # a chore that ended would never be missed
                log.exception("a chore failed and goes on")
                await asyncio.sleep(OUTBOX_SECONDS)

    async def _mail(self) -> None:
        """Deliver what other processes wrote for our runs."""
        mails = await self.mailbox.mail(self.locks.ours)
        for mail_id, run, event in mails:
            with contextlib.suppress(EngineError):
                await self._awake(run)
                await self.driver.told(run, event)
            await self.mailbox.delivered(mail_id)
        await asyncio.sleep(POLL_SECONDS)

    async def _awake(self, run: str) -> None:
        wake = self._wakes.pop(run, None)
        if wake is not None:
            wake.cancel()
            summary = await self.store.summary(run)
            if summary is not None:
                await self._resume(summary)

    async def _watch_hold(self) -> None:
        """Tell every run of ours when the global hold is set or lifted."""
        reason = self.hold.reason()
        held = reason is not None
        if held != self._held:
            self._held = held
            for run in self.locks.ours:
                if run not in self._wakes:
                    by = ENGINE
                    self.driver.tell(
                        run, HoldChanged(on=held, by=by, reason=reason or "")
                    )
        await asyncio.sleep(POLL_SECONDS)

    async def _send(self) -> None:
        """Send what waits in the outbox; what cannot be sent is tried again."""
        sent = await self._send_once()
        await asyncio.sleep(POLL_SECONDS if sent else OUTBOX_SECONDS / 2)

    async def _send_once(self) -> bool:
        done = []
        for message_id, run, message in await self.store.unsent():
            try:
                if isinstance(message, Say):
                    await self.chat.say(run, message)
                else:
                    await self.pager.page(run, message)
            except ChatDown as error:
                log.warning("not sent run=%s error=%s", run, error)
                break
            done.append(message_id)
        if done:
            await self.store.sent(done)
        return bool(done)
