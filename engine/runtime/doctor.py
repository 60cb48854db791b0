"""The examination of a running engine, again and again: the latest is kept.

A first one soon after the start, then one every so often, beside everything else; what
changed since the one before is logged. What is looked at: bootstrap.doctoring.

Called by the command `serve`, and by the doors that show it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.model.health import Examined

log = logging.getLogger(__name__)

FIRST_SECONDS: Final = 10.0  # after the start: runs are taken up before
WITHIN_SECONDS: Final = 120.0  # one examination
Told = dict[str, tuple[str, str]]  # what was looked at: its state, and words


@dataclass(slots=True)
class Doctor:
    """Examines, one at a time, and keeps what was found last."""

    look: Callable[[], Awaitable[Examined]]
    every_seconds: float
    first_seconds: float = FIRST_SECONDS
    latest: Examined | None = None
    heard: Callable[[Examined], None] = lambda found: None  # who acts on it
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _begun: int = 0
    _told: Told = field(default_factory=dict)

    async def watch(self) -> None:
        """Examine now and then; never returns."""
        await asyncio.sleep(min(self.first_seconds, self.every_seconds))
        while True:
            try:
                await self.examine()
            except Exception:  # one that ended would never be missed
                log.exception("the examination failed and is tried again")
            await asyncio.sleep(self.every_seconds)

    async def examine(self) -> Examined:
        """Examine now; of many that ask at once one is made for all.

        Raises:
            TimeoutError: it took too long; what was found before stays.
        """
        before = self._begun
        async with self._one:
            if self._begun == before or self.latest is None:
                self._begun += 1
                async with asyncio.timeout(WITHIN_SECONDS):
                    found = await self.look()
                self._log(found)
                self.latest = found
                self.heard(found)
            return self.latest

    def age_seconds(self) -> float | None:
        """Return how long ago the latest one ended, or None."""
        return None if self.latest is None else max(0.0, time.time() - self.latest.at)

    def _log(self, found: Examined) -> None:
        """Log what is in the way, and what was and is not any more; each once."""
        now = dict(_in_the_way(found))
        for what, (state, told) in now.items():
            if self._told.get(what) != (state, told):
                log.warning("doctor what=%s state=%s told=%s", what, state, told)
        for what in self._told.keys() - now.keys():
            log.info("doctor what=%s state=ok", what)
        self._told = now


def _in_the_way(found: Examined) -> Iterator[tuple[str, tuple[str, str]]]:
    for one in found.findings:
        if one.state != "ok":
            yield one.what, (one.state, one.told)
    for ready in found.readiness:
        if ready.grade != "ready":
            words = "; ".join(ready.reasons)
            yield f"runbook {ready.runbook}", (ready.grade, words)
