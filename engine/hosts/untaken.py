"""Runs that ended in somebody's hands: owners are paged until somebody takes them.

One page for each owner and quarter of an hour, however many runs wait; its key tells
PagerDuty and a restarted engine that it is the same. A run that nobody took within a
week is left to `runbook runs` and the report.

Called by: the server, as a chore.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from engine.errors import ChatDown, ChatRefused, StoreUnavailable
from engine.model.effects import Page
from engine.model.run import RunSummary
from engine.model.times import length_text
from engine.ports import Clock, Pager

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 900.0
LOOK_SECONDS: Final = 30.0
WEEK_SECONDS: Final = 7 * 86_400.0
NAMED: Final = 5  # runs in one page


class _Runs(Protocol):
    async def untaken(self, since: float) -> list[RunSummary]: ...


class Untaken:
    """Reminds owners of what is in their hands."""

    def __init__(self, runs: _Runs, pager: Pager, clock: Clock) -> None:
        self._runs, self._pager, self._clock = runs, pager, clock
        self._told: dict[str, int] = {}  # owner to the quarter of the last page

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("nobody was reminded error=%s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Page each owner who is due, once. Raises StoreUnavailable."""
        now = self._clock.now()
        quarter = int(now // EVERY_SECONDS)
        for owner, runs in (await self._due(now)).items():
            if self._told.get(owner) == quarter:
                continue
            page = Page(
                owner, _text(runs, now), min(one.severity for one in runs),
                f"untaken/{owner}/{quarter}",
            )  # fmt: skip
            try:
                await self._pager.page(runs[0].run, page)
            except (ChatDown, ChatRefused) as error:
                log.warning("not reminded owner=%s error=%s", owner, error)
                continue
            self._told[owner] = quarter

    async def _due(self, now: float) -> Mapping[str, Sequence[RunSummary]]:
        due: dict[str, list[RunSummary]] = {}
        for one in await self._runs.untaken(now - WEEK_SECONDS):
            ended = one.ended_at if one.ended_at is not None else one.updated_at
            if one.mode == "live" and now - ended >= EVERY_SECONDS:
                due.setdefault(one.owner, []).append(one)
        return due


def _text(runs: Sequence[RunSummary], now: float) -> str:
    names = ", ".join(f"{one.run} ({one.runbook})" for one in runs[:NAMED])
    more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
    oldest = min(one.ended_at or one.updated_at for one in runs)
    held = sum(len(one.held) for one in runs)
    what = "1 run waits" if len(runs) == 1 else f"{len(runs)} runs wait"
    return (
        f"{what} for somebody to take over: {names}{more}; the oldest for "
        f"{length_text(now - oldest)}, {held} held. Take it: runbook take RUN"
    )
