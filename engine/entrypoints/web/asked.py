"""One request that is let in: who asks, what of, and what comes of a word to a run.

Read by: api (makes it), doing and tending (do what it says).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.bootstrap import Engine
from engine.entrypoints.web.access import Caller
from engine.errors import DoesNotApply
from engine.model.people import Actor
from engine.model.runbook import Runbook
from engine.runtime.doctor import Doctor
from engine.runtime.heard import came_of, why_not_counted
from engine.views.terminal import progress_line


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that is let in."""

    opened: Engine
    caller: Caller
    path: Mapping[str, Any]
    query: Mapping[str, str]
    body: Any
    reload: Callable[[], Awaitable[list[str]]]
    doctor: Doctor
    turn: asyncio.Semaphore  # of what takes long: one at a time

    @property
    def run(self) -> str:
        """The run that is meant."""
        return str(self.path["run"])

    def number(self, name: str, otherwise: int, most: int = 10_000) -> int:
        """Return a number of the query. Raises ValueError: it is none."""
        written = self.query.get(name, "")
        if not written:
            return otherwise
        if not (written.isascii() and written.isdigit()) or len(written) > 12:
            raise ValueError(f"{name}: '{written[:20]}' is no whole number")
        return min(int(written), most)

    def word(self, name: str, known: Sequence[str]) -> str:
        """Return one of some words of the query; the first where it is left out.

        Raises:
            ValueError: it is none of them.
        """
        written = self.query.get(name, "") or known[0]
        if written not in known:
            raise ValueError(f"{name}: '{written[:20]}' is none of {', '.join(known)}")
        return written

    def actor(self, runbook: Runbook | None = None) -> Actor:
        """Return who asks, with their own groups."""
        return self.opened.service.actor(self.caller.name, self.caller.via, runbook)

    async def actor_of_run(self) -> Actor:
        """Return who asks, for a run: where nobody is configured, with its groups."""
        service = self.opened.service
        summary = await service.summary(self.run)
        code = await service.driver.ports.compiled(summary.revision)
        return self.actor(code.runbook)

    async def written(self) -> int:
        """Return how many entries the run has."""
        return len(await self.opened.store.entries(self.run))

    async def came_of_it(self, by: Actor, before: int) -> dict[str, Any]:
        """Return whether the word was `heard` after `before`, and what is `told` of it.

        `told`: what the timeline got, a line each. Where another process drives the
        run, it is waited for; not heard: it is in its mailbox.

        Raises:
            DoesNotApply: it does not count.
        """
        mine = await came_of(self.opened.store, self.run, by, after=before)
        if why := why_not_counted(mine, by):
            raise DoesNotApply(f"it does not count: {why}")
        lines = [line for line in map(progress_line, mine) if line is not None]
        return {"heard": bool(mine), "told": lines}
