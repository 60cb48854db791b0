"""What came in is taken at once and heard afterwards, each event once.

A provider waits for its acknowledgement and sends again without it, so nothing is
looked up before that: `take` returns at once and the work goes on in a task. The last
ids are remembered here; what holds over a restart is ports.ChatStore.first, which
`hear` asks.

Called by slack_door and by whoever runs Socket Mode.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from engine.model.chat import Inbound

log = logging.getLogger(__name__)

Hear = Callable[[Inbound], Awaitable[None]]
MOST_AT_ONCE: Final = 500
REMEMBERED: Final = 20_000
ENDING_SECONDS: Final = 5.0


class Hearing:
    """Takes events; hears each one once, in a task of its own."""

    def __init__(
        self, hear: Hear, *, most: int = MOST_AT_ONCE, remembered: int = REMEMBERED
    ) -> None:
        """Hear with `hear`, at most `most` at once; so many ids are remembered."""
        self._hear = hear
        self._most, self._remembered = most, remembered
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, event: Inbound) -> bool:
        """Take an event; False: too many are under way, it has to come again.

        The same id again is taken and does nothing.
        """
        if event.id in self._ids:
            return True
        if len(self._tasks) >= self._most:
            return False
        self._ids[event.id] = None
        if len(self._ids) > self._remembered:
            self._ids.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._heard(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def close(self, *, within: float = ENDING_SECONDS) -> None:
        """Let what is under way end; what does not is cut."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(set(self._tasks), timeout=within)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _heard(self, event: Inbound) -> None:
        try:
            await self._hear(event)
        except Exception:  # it may come again: the provider, or the person
            self._ids.pop(event.id, None)
            log.exception("an event was not heard event=%s", type(event).__name__)
