"""Sending what runs have said: each message leaves the outbox once it was posted.

Messages wait for one another in lanes: all that is said in one, the pages of each group
in one of their own. What cannot be sent now holds back its lane and nothing else.

Called by: local.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from engine.errors import ChatDown, ChatRefused
from engine.model.effects import Page, Say
from engine.ports import Chat, Pager, Store

log = logging.getLogger(__name__)

SAID: Final = ""  # the lane of all that is said
READ: Final = 100  # messages at a time

Waiting = tuple[int, str, Say | Page]  # its number, its run, and what it says


class Outbox:
    """The messages of a journal on their way to people."""

    def __init__(self, store: Store, chat: Chat, pager: Pager) -> None:
        self._store, self._chat, self._pager = store, chat, pager
        self._held: dict[str, str] = {}  # lane to why nothing of it could be sent

    async def send(self) -> bool:
        """Send what waits, each lane in order; return whether any was sent.

        What is never taken as it is stays in the timeline. Lanes that are held back are
        tried side by side, after the others.

        Raises:
            StoreUnavailable: what was sent could not be marked; it is sent again.
        """
        done, later, slow = list[int](), dict[str, list[Waiting]](), set[type]()
        for one in await self._waiting():
            lane, kind = _lane(one), type(one[2])
            if lane in self._held or lane in later or kind in slow:
                later.setdefault(lane, []).append(one)
            elif await self._took(lane, one):
                done.append(one[0])
            else:
                slow.add(kind)  # what is not there for one may keep all waiting
                later[lane] = []  # it was tried just now
        if done:
            await self._store.sent(done)
        ways = (self._sent(lane, waiting) for lane, waiting in later.items())
        late = [number for sent in await asyncio.gather(*ways) for number in sent]
        if late:
            await self._store.sent(late)
        return bool(done or late)

    async def _waiting(self) -> list[Waiting]:
        """Return what waits; what is held back does not count to how much is read."""
        found = await self._store.unsent(limit=READ)
        read, free = len(found), self._free(found)
        while read == READ and free < READ:
            more = await self._store.unsent(limit=READ, after=found[-1][0])
            found, read, free = found + more, len(more), free + self._free(more)
        return found

    def _free(self, found: Sequence[Waiting]) -> int:
        return sum(_lane(one) not in self._held for one in found)

    async def _sent(self, lane: str, waiting: Sequence[Waiting]) -> list[int]:
        """Send a lane up to what cannot be sent; return the numbers of what was."""
        done = []
        for one in waiting:
            if not await self._took(lane, one):
                break
            done.append(one[0])
        return done

    async def _took(self, lane: str, one: Waiting) -> bool:
        """Return whether a message is done with; why it is not is said once."""
        number, run, message = one
        try:
            await self._post(number, run, message)
        except ChatDown as error:
            if self._held.get(lane) != str(error):
                log.warning("not sent run=%s to=%s error=%s", run, lane, error)
            self._held[lane] = str(error)
            return False
        except ChatRefused as error:
            log.error("never sent run=%s error=%s", run, error)  # noqa: TRY400
        if self._held.pop(lane, ""):
            log.warning("sent again run=%s to=%s", run, lane)
        return True

    async def _post(self, number: int, run: str, message: Say | Page) -> None:
        if isinstance(message, Say):
            await self._chat.say(run, message, key=f"outbox/{number}")
            return
        summary = await self._store.summary(run)
        if summary is not None and summary.mode != "live":  # a drill pages nobody
            log.info("not paged run=%s mode=%s: %s", run, summary.mode, message.text)
            return
        await self._pager.page(run, message)


def _lane(one: Waiting) -> str:
    message = one[2]
    return SAID if isinstance(message, Say) else f"group {message.group}"
