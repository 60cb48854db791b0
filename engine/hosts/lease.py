"""May this process drive runs? Its place among the others, and when it is lost.

A process that drives runs enrols in the journal: its token is the fence. It shows that
it lives in two ways: a lock on `<data>/engines/<token>.lock`, which the kernel frees at
the instant of its death, and a counter in the journal that it beats. Others take the
place of one whose lock is free, or whose counter has stood still for `dead_after`
seconds of their own clock. Clocks of two processes are never compared.

Rule 1: no act begins on a beat older than `acts_for`, counted on a clock that goes on
while the machine sleeps; so whoever was stopped looks at the journal before it acts.
Rule 2: a place that was taken is lost for ever.

Called by: local, bootstrap; runtime.perform asks `may_act` before every act.
"""

import asyncio
import contextlib
import fcntl
import getpass
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Protocol

from engine.errors import LeaseLost, StoreUnavailable
from engine.hosts.stopped import end_stopped
from engine.model.engines import Enrolled, Role

log = logging.getLogger(__name__)

_AWAKE_OR_NOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds: how often it beats, and what follows when it does not."""

    beat: float = 5.0
    acts_for: float = 10.0  # after a beat; then no act before another beat
    dead_after: float = 15.0  # without a beat, seen by another process
    look: float = 0.5  # between two looks at the others, and at the journal's file

    def __post_init__(self) -> None:
        """Refuse times under which two could act."""
        if not 0 < self.look <= self.beat < self.acts_for < self.dead_after:
            raise ValueError(
                f"a lease needs look <= beat < acts_for < dead_after: {self}"
            )


class Engines(Protocol):
    """What the journal keeps of the processes: each change is one transaction."""

    async def enrol(
        self, role: Role, owner: str, begun: Callable[[int], None]
    ) -> int | None:
        """Return our token, once `begun` has it; None: another one serves."""
        ...

    async def beat(self) -> bool:
        """Show that we live; False, or LeaseLost: somebody took our place."""
        ...

    async def others(self) -> list[Enrolled]:
        """Return every other process whose place nobody took."""
        ...

    async def supersede(self, other: Enrolled) -> bool:
        """Take a dead one's place; False: it has beaten since it was read."""
        ...

    async def claim(self, runs: Sequence[str]) -> list[str]:
        """Return those that are ours now. Raises LeaseLost."""
        ...

    async def orphans(self) -> list[str]:
        """Return the open runs that nobody drives."""
        ...

    async def leave(self) -> None:
        """Give back our runs and our place."""
        ...

    def low(self) -> str:
        """Return that the disk is full and the reserve in use; empty: it is not."""
        ...

    def missing(self) -> str:
        """Return what became of the journal's file; empty: it is in its place."""
        ...


def awake_or_not() -> float:
    """Return seconds from an arbitrary start; they go on while the machine sleeps."""
    return time.clock_gettime(_AWAKE_OR_NOT)


class Lease:
    """One process's place. Used from one event loop."""

    def __init__(
        self, engines: Engines, folder: Path, times: LeaseTimes | None = None
    ) -> None:
        self.engines, self.folder = engines, folder
        self.times = times or LeaseTimes()
        self.role: Role = "local"
        self.lost = ""  # why our place is not ours any more
        self.low = ""  # that the disk is full, and what is left
        self.trouble = ""  # why we cannot show that we live, for now
        self.on_change: Callable[[], None] = lambda: None  # of the two above
        self._token = 0
        self._file: IO[str] | None = None
        self._beaten = NEVER  # when our last good beat began
        self._beating, self._enrolling = asyncio.Lock(), asyncio.Lock()
        self._seen: dict[int, _Seen] = {}

    @property
    def fence(self) -> int:
        """Return our token; 0 before we have one."""
        return self._token

    async def enrol(self, role: Role) -> Enrolled | None:
        """Take a place, once; return None, or who serves already.

        Raises:
            StoreUnavailable: the journal or the folder of locks cannot be written.
        """
        async with self._enrolling:
            while not self._token:
                began = awake_or_not()
                token = await self.engines.enrol(role, _who_we_are(role), self._hold)
                if token is not None:
                    self._token, self.role, self._beaten = token, role, began
                    break
                serving = await self.serving()
                if serving is not None:
                    return serving
        return None

    def _hold(self, token: int) -> None:
        """Keep a locked file of our own: locked before it has its name."""
        place = self.folder / f"{token}.lock"
        draft = self.folder / f".{os.getpid()}.draft"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = draft.open("w")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.replace(place)
        except OSError as error:
            raise StoreUnavailable(
                f"{place}: {error.strerror}. An engine shows there that it lives: look "
                "at the rights and the space of its folder."
            ) from error
        self._let_go_of_file()  # of a try whose transaction came to nothing
        self._file = file

    def _let_go_of_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    # What we may

    async def may_act(self) -> bool:
        """Return True while nobody took our place; wait while that cannot be told."""
        while not self.lost:
            if self._fresh() and not self._is_missing():
                return True
            with contextlib.suppress(StoreUnavailable):
                await self.enrol("local")
            await self.beat()
            if not self._fresh():
                await asyncio.sleep(self.times.look)
        return False

    def _fresh(self) -> bool:
        return awake_or_not() - self._beaten < self.times.acts_for

    async def doubt(self) -> None:
        """Look at once whether our place is still ours."""
        self._beaten = NEVER
        await self.beat()

    def _is_missing(self) -> bool:
        missing = self.engines.missing()
        if missing:
            self._beaten = NEVER
            self._say(missing)
        return bool(missing)

    async def beat(self) -> None:
        """Show that we live; from then on acts may begin for a while."""
        async with self._beating:
            began = awake_or_not()
            if self.lost or not self._token or began - self._beaten < self.times.look:
                return
            try:
                kept = await self.engines.beat()
            except LeaseLost:
                kept = False
            except StoreUnavailable as error:
                self._beaten = NEVER
                self._say(str(error))
                return
            if kept:
                self._beaten = began
                self._say("")
                self._say_low(self.engines.low())
            else:
                self.lose(
                    f"another engine took the place of this one (token {self._token}), "
                    "which did not show that it lives. It does nothing more; its runs "
                    "go on there. See: runbook runs"
                )

    def lose(self, why: str) -> None:
        """Our place is taken: we never act again."""
        if not self.lost:
            log.error("lease lost fence=%d why=%s", self._token, why)
            self.lost = why
            self.on_change()

    def _say(self, trouble: str) -> None:
        if trouble == self.trouble:
            return
        self.trouble = trouble
        if trouble:
            log.error("no act begins until the journal is back: %s", trouble)
        else:
            log.warning("the journal is back: acts begin again")
        self.on_change()

    def _say_low(self, low: str) -> None:
        if low == self.low:
            return
        self.low = low
        if low:
            log.error("%s", low)
        else:
            log.warning("there is space again, and the reserve is made anew")
        self.on_change()

    async def keep(self) -> None:
        """Beat for ever, and look at the journal's file in between."""
        while not self.lost:
            ends = awake_or_not() + self.times.beat
            await self.beat()
            while not self.lost and awake_or_not() < ends:
                if self._is_missing() or self._beaten == NEVER:
                    await asyncio.sleep(self.times.look)
                    break
                await asyncio.sleep(min(self.times.look, self.times.beat))

    # The others

    async def bury(self, *, by_beats: bool) -> list[Enrolled]:
        """Take the places of the dead; return whose.

        Args:
            by_beats: also those that live and do not beat, which takes `dead_after`.
        """
        others = await self.engines.others()
        dead = [one for one in others if self._lock_is_free(one.token)]
        if by_beats:
            dead += [one for one in self._still(others) if one not in dead]
        buried = [one for one in dead if await self._supersede(one)]
        for one in buried:
            log.info("an engine is dead: %s (token %d)", one.owner, one.token)
            self._place(one.token).unlink(missing_ok=True)
        return buried

    async def _supersede(self, one: Enrolled) -> bool:
        try:
            return await self.engines.supersede(one)
        except StoreUnavailable:
            if end_stopped(self._place(one.token)):
                return False  # its place is taken at the next look
            raise

    async def serving(self) -> Enrolled | None:
        """Return the server whose place nobody took, if there is one."""
        others = await self.engines.others()
        return next((one for one in others if one.role == "serve"), None)

    def _place(self, token: int) -> Path:
        return self.folder / f"{token}.lock"

    def _lock_is_free(self, token: int) -> bool:
        """Whoever lives has its file, and has it locked."""
        try:
            with self._place(token).open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return True
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def _still(self, others: list[Enrolled]) -> list[Enrolled]:
        """Return those whose counter stood still while we were looking."""
        now, before = time.monotonic(), self._seen
        self._seen = {}
        for one in others:
            seen = before.get(one.token)
            if seen is None or seen.beat != one.beat:
                self._seen[one.token] = _Seen(one.beat, 0.0, now)
                continue
            # While we did not look, we may have been stopped as well.
            watched = min(now - seen.looked, 2 * self.times.look + 1.0)
            self._seen[one.token] = _Seen(one.beat, seen.still + watched, now)
        limit = self.times.dead_after
        return [one for one in others if self._seen[one.token].still >= limit]

    async def claim(self, runs: Sequence[str]) -> list[str]:
        """Return those of the runs that are ours now: free, or of a dead engine.

        Raises:
            LeaseLost: our place was taken.
            StoreUnavailable: nothing was claimed.
        """
        if not runs:
            return []
        await self.enrol("local")
        await self.bury(by_beats=False)
        try:
            return await self.engines.claim(runs)
        except LeaseLost as error:
            self.lose(str(error))
            raise

    async def leave(self) -> None:
        """Give back our runs and our place."""
        if not self._token:
            return
        if not self.lost:
            with contextlib.suppress(StoreUnavailable):
                await self.engines.leave()
                self._place(self._token).unlink(missing_ok=True)
        self._let_go_of_file()


@dataclass(frozen=True, slots=True)
class _Seen:
    beat: int
    still: float  # seconds that we watched it stand still
    looked: float


def _who_we_are(role: Role) -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        user = str(os.getuid())
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"{user}@{socket.gethostname()}, process {os.getpid()} ({role}), since {since}"
    )
