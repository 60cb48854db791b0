"""A chore: looks now and then whether what runs did still stands (guard G17).

A live run that holds something whose action has `done_when` is told once when that is
false though nothing was given back: somebody or something else changed it. Nothing is
done again; people decide. Rehearsals have no chores, so no scripted answer is used up.

Called by: bootstrap, which starts it with the engine.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from engine.core.drifting import drifted, looks
from engine.errors import EngineError
from engine.model.events import Drifted, Event
from engine.model.run import RunSummary
from engine.ports import Store
from engine.runtime.effector import Compile
from engine.runtime.perform import Checks
from engine.runtime.session import Session

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 30.0
ABREAST: Final = 20  # runs looked at side by side
MOST_OPEN: Final = 1_000_000


class Drift:
    """Looks at what the runs of this process hold."""

    def __init__(
        self,
        store: Store,
        checks: Checks,
        compiled: Compile,
        runs: Callable[[], Sequence[str]],
        tell: Callable[[str, Event], Awaitable[None]],
        *,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._store, self._checks, self._compiled = store, checks, compiled
        self._runs, self._tell, self._every = runs, tell, every_seconds
        self._read: dict[str, Session] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, each `every_seconds`."""
        self._task = asyncio.create_task(self._for_ever())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except EngineError as error:
                log.warning("drift not looked for error=%s", error)
            except Exception:  # a chore that ended would never be missed
                log.exception("drift not looked for")

    async def look(self) -> None:
        """Look once at every run. Raises StoreUnavailable."""
        mine = set(self._runs())
        if not mine:
            return
        found = await self._store.runs(open_only=True, limit=MOST_OPEN)
        holding = [one for one in found if one.held and one.run in mine]
        self._read = {
            one.run: self._read[one.run] for one in holding if one.run in self._read
        }
        few = asyncio.Semaphore(ABREAST)
        await asyncio.gather(*(self._look_at(one, few) for one in holding))

    async def _look_at(self, summary: RunSummary, few: asyncio.Semaphore) -> None:
        if summary.mode != "live":
            return
        async with few:
            with contextlib.suppress(EngineError):  # looked at again in a while
                session = await self._session(summary)
                calls = looks(session.compiled, session.record)
                for held in session.record.held:
                    for_it = calls.get(held.id, ())
                    asked = [
                        self._checks.look(
                            call, run=summary.run, tick=lambda: session.last_tick
                        )
                        for call in for_it
                    ]
                    seen = await asyncio.gather(*asked)
                    why = (
                        drifted(session.compiled, session.record, held, seen)
                        if seen
                        else ""
                    )
                    if why:
                        log.warning("drift run=%s held=%s", summary.run, held.id)
                        await self._tell(summary.run, Drifted(held=held.id, why=why))

    async def _session(self, summary: RunSummary) -> Session:
        """Return the run as the journal has it; the driver's own stays untouched."""
        known = self._read.get(summary.run)
        if known is None or known.last_at != summary.updated_at:
            compiled = await self._compiled(summary.revision)
            entries = await self._store.entries(summary.run)
            known = Session.from_entries(summary.run, compiled, entries)
            self._read[summary.run] = known
        return known
