"""The open glass as a file: who may act for every group for a while, and why.

What is here: the grant in `data/BREAK-GLASS`, readable by its owner alone. What is not:
the codes that open it (the command `break-glass`), and what it allows (the service).

It is over by the wall clock or by the time since boot, whichever comes first, and after
a restart of the machine: a clock that is set back prolongs nothing. A file that cannot
be read opens nothing. Called by bootstrap.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from engine.model.people import Grant

BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class _Kept(msgspec.Struct):
    grant: Grant
    boot: str
    opened_uptime: float  # seconds


def uptime() -> float:
    """Return seconds since boot, sleep included; nobody can set them back."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def _boot() -> str:
    try:
        return BOOT.read_text("ascii").strip()
    except OSError:
        return ""


class GrantFile:
    """One grant at a time. Read at every question; it survives a restart of ours."""

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float] = time.time,
        since_boot: Callable[[], float] = uptime,
    ) -> None:
        self._path, self._now, self._since_boot = path, now, since_boot

    def current(self) -> Grant | None:
        """Return the grant that is open, or None."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError, ValueError):
            return None
        grant, passed = kept.grant, self._since_boot() - kept.opened_uptime
        by_wall = grant.since <= self._now() < grant.until
        by_boot = kept.boot == _boot() and 0 <= passed < grant.until - grant.since
        return grant if by_wall and by_boot else None

    def open(self, by: str, why: str, *, seconds: float) -> Grant:
        """Open it for a person; durable when it returns.

        Raises:
            OSError: it could not be written; what was there before still holds.
        """
        now = self._now()
        grant = Grant(by, why, now, now + seconds)
        kept = _Kept(grant, _boot(), self._since_boot())
        folder = self._path.parent
        number, name = tempfile.mkstemp(prefix=".glass.", dir=folder)  # mode 0600
        try:
            with os.fdopen(number, "wb") as file:
                file.write(msgspec.json.encode(kept))
                file.flush()
                os.fsync(number)
            Path(name).replace(self._path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        return grant

    def close(self) -> None:
        """End it. Raises OSError: it is still open."""
        self._path.unlink(missing_ok=True)

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Let no two guesses be judged side by side."""
        with self._path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
