"""Sends each run that ended to whoever keeps traces. Told of runs by the driver.

Beside the run, never in its way: what is sent is read from the timeline once it is
over. Made by bootstrap where the configuration asks for it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.model.run import RunSummary
from engine.model.spans import Span
from engine.ports import Store
from engine.views.spans import spans_of, trace_id

SETTLE_SECONDS = 5.0


class TraceDoor(Protocol):
    """Where spans go."""

    async def send(
        self, summary: RunSummary, trace: int, spans: Sequence[Span]
    ) -> bool:
        """Send the spans of one run; return whether they were taken."""
        ...


@dataclass(slots=True)
class Tracing:
    """Sends runs as traces when they end."""

    store: Store
    door: TraceDoor
    _sending: set[asyncio.Task[None]] = field(default_factory=set)

    def changed(self, summary: RunSummary, ended: bool) -> None:
        """Take note of a run's change; `ended`: it ended just now."""
        if ended:
            task = asyncio.create_task(self._send(summary))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, summary: RunSummary) -> None:
        entries = await self.store.entries(summary.run)
        await self.door.send(summary, trace_id(summary.run), spans_of(entries))

    async def stop(self) -> None:
        """Let what is being sent have a moment."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=SETTLE_SECONDS)
