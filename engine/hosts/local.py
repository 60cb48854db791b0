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
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Final

from engine.errors import ChatDown, EngineError, StoreUnavailable
from engine.model.effects import Say
from engine.model.events import HoldChanged, Restarted, Stopped
from engine.model.people import ENGINE
from engine.model.run import RunSummary
from engine.ports import Chat, Clock, GlobalHold, Mailbox, Pager, Store
from engine.runtime.driver import Driver

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.2  # mail and the global hold
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
        file = (self._folder / f"{run}.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._files[run] = file
        return True

    def give_back(self, run: str) -> None:
        """Let another process drive the run."""
        file = self._files.pop(run, None)
        if file is not None:
            file.close()
            (self._folder / f"{run}.lock").unlink(missing_ok=True)

    @property
    def ours(self) -> list[str]:
        """The runs this process drives."""
        return list(self._files)


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
        taken = [summary for summary in runs if self.locks.take(summary.run)]
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
            await self.driver.resume(summary.run, event)
        except EngineError as error:
            log.warning("not resumed run=%s error=%s", summary.run, error)

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
