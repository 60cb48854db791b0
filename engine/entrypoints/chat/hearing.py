"""What came in is taken at once and heard afterwards, each event once.

A provider waits for its acknowledgement and sends again without it, so nothing is
looked up before that: `take` returns at once and the work goes on in a task. The last
ids are remembered here; what holds over a restart is ports.ChatStore.first, which
`hear` asks.

Called by the doors of chat, and by whoever runs Socket Mode.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, Final

from engine.model.chat import Inbound
from engine.runtime.chat.chatting import Hear

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 500
REMEMBERED: Final = 20_000
ENDING_SECONDS: Final = 5.0


class UnderWay:
    """Work that was taken and is not done yet: so much of it, and a time to end in."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        """Take at most `most` at once."""
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Whether no more is taken now."""
        return len(self._tasks) >= self._most

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin work in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finished(self) -> None:
        """Return once all of it is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, *, within: float = ENDING_SECONDS) -> None:
        """Let what is under way end; what does not is cut."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(set(self._tasks), timeout=within)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Hearing:
    """Takes events; hears each one once, in a task of its own."""

    def __init__(
        self, hear: Hear, *, most: int = MOST_AT_ONCE, remembered: int = REMEMBERED
    ) -> None:
        """Hear with `hear`, at most `most` at once; so many ids are remembered."""
        self._hear = hear
        self._remembered = remembered
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._under_way = UnderWay(most)

    def take(self, event: Inbound) -> bool:
        """Take an event; False: too many are under way, it has to come again.

        The same id again is taken and does nothing.
        """
        if event.id in self._ids:
            return True
        if self._under_way.is_full:
            return False
        self._ids[event.id] = None
        if len(self._ids) > self._remembered:
            self._ids.popitem(last=False)
        self._under_way.begin(self._heard(event))
        return True

    def knows(self, event: Inbound) -> bool:
        """Return whether an event of this id was taken before."""
        return event.id in self._ids

    async def close(self, *, within: float = ENDING_SECONDS) -> None:
        """Let what is under way end; what does not is cut."""
        await self._under_way.close(within=within)

    async def _heard(self, event: Inbound) -> None:
        try:
            await self._hear(event)
        except Exception:  # it may come again: the provider, or the person
            self._ids.pop(event.id, None)
            log.exception("an event was not heard event=%s", type(event).__name__)
