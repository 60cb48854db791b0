"""Sending what runs have said: each message leaves the outbox once it was posted.

Messages wait for one another in lanes: what is said has one for each chat, the pages of
each group have one of their own. What cannot be sent now holds back its lane and
nothing else; a message is done with once every lane that it goes by has taken it.

Called by: local.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from engine.errors import ChatDown, ChatRefused
from engine.model.effects import Page, Say
from engine.ports import Chat, Pager, Store

log = logging.getLogger(__name__)

SAID: Final = ""  # the lane of the chat that is always there: the terminal
READ: Final = 100  # messages at a time
LANE_SECONDS: Final = 5.0  # that one lane may keep what comes for the others waiting

Waiting = tuple[int, str, Say | Page]  # its number, its run, and what it says


class Outbox:
    """The messages of a journal on their way to people.

    Args:
        also: Other chats that get all that is said, by their names.
    """

    def __init__(
        self,
        store: Store,
        chat: Chat,
        pager: Pager,
        also: Mapping[str, Chat] | None = None,
    ) -> None:
        self._store, self._pager = store, pager
        self._chats = {SAID: chat} | dict(also or {})
        self._held: dict[str, str] = {}  # lane to why nothing of it could be sent
        self._took: dict[int, set[str]] = {}  # the lanes that have taken a message

    async def send(self) -> bool:
        """Send what waits, each lane in order; return whether any was done with.

        What is never taken as it is stays in the timeline. Chats beside the first, and
        lanes that are held back, are tried side by side, after the others.

        Raises:
            StoreUnavailable: what was sent could not be marked; it is sent again.
        """
        waiting = await self._waiting()
        later, slow = dict[str, list[Waiting]](), False
        for one in waiting:
            for lane in self._owed(one):
                pages = lane not in self._chats
                waits = slow if pages else lane != SAID
                if lane in self._held or lane in later or waits:
                    later.setdefault(lane, []).append(one)
                elif not await self._send(lane, one):
                    slow = slow or pages  # whoever pages nobody may keep all waiting
                    later[lane] = []  # it was tried just now
        first = await self._done(waiting)
        await asyncio.gather(*(self._sent(lane, some) for lane, some in later.items()))
        return await self._done(waiting) or first

    async def _waiting(self) -> list[Waiting]:
        """Return what waits; what is held back does not count to how much is read."""
        found = await self._store.unsent(limit=READ)
        read, free = len(found), self._free(found)
        while read == READ and free < READ:
            more = await self._store.unsent(limit=READ, after=found[-1][0])
            found, read, free = found + more, len(more), free + self._free(more)
        return found

    def _free(self, found: Sequence[Waiting]) -> int:
        return sum(not self._held.keys() >= set(self._owed(one)) for one in found)

    def _owed(self, one: Waiting) -> list[str]:
        """Return the lanes that have not taken a message yet."""
        number, _, message = one
        every = [f"group {message.group}"] if isinstance(message, Page) else self._chats
        return [lane for lane in every if lane not in self._took.get(number, ())]

    async def _done(self, waiting: Sequence[Waiting]) -> bool:
        """Mark what every lane has taken; return whether there is any."""
        numbers = [
            one[0] for one in waiting if one[0] in self._took and not self._owed(one)
        ]
        if numbers:
            await self._store.sent(numbers)
        for number in numbers:
            del self._took[number]
        return bool(numbers)

    async def _sent(self, lane: str, waiting: Sequence[Waiting]) -> None:
        """Send a lane, up to what cannot be sent; the rest of much of it later."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + LANE_SECONDS
        for one in waiting:
            if not await self._send(lane, one) or loop.time() >= ends:
                break

    async def _send(self, lane: str, one: Waiting) -> bool:
        """Return whether a lane is done with a message; why it is not is said once."""
        number, run, message = one
        try:
            await self._post(lane, number, run, message)
        except ChatDown as error:
            if self._held.get(lane) != str(error):
                log.warning("not sent run=%s to=%s error=%s", run, lane, error)
            self._held[lane] = str(error)
            return False
        except ChatRefused as error:
            log.error("never sent run=%s error=%s", run, error)  # noqa: TRY400
        if self._held.pop(lane, ""):
            log.warning("sent again run=%s to=%s", run, lane)
        self._took.setdefault(number, set()).add(lane)
        return True

    async def _post(
        self, lane: str, number: int, run: str, message: Say | Page
    ) -> None:
        if isinstance(message, Say):
            await self._chats[lane].say(run, message, key=f"outbox/{number}")
            return
        summary = await self._store.summary(run)
        if summary is not None and summary.mode != "live":  # a drill pages nobody
            log.info("not paged run=%s mode=%s: %s", run, summary.mode, message.text)
            return
        await self._pager.page(run, message)
