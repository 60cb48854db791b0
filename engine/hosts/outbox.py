"""Sending what runs have said: each message leaves the outbox once it was posted.

Called by: local.
"""

import logging

from engine.errors import ChatDown, ChatRefused
from engine.model.effects import Page, Say
from engine.ports import Chat, Pager, Store

log = logging.getLogger(__name__)


class Outbox:
    """The messages of a journal on their way to people."""

    def __init__(self, store: Store, chat: Chat, pager: Pager) -> None:
        self._store, self._chat, self._pager = store, chat, pager

    async def send(self) -> bool:
        """Send what waits, in order; return whether any was sent.

        Where messages or pages cannot be sent now, those after them wait as well, and
        the other kind goes on. What is never taken as it is stays in the timeline.

        Raises:
            StoreUnavailable: what was sent could not be marked; it is sent again.
        """
        done, down = [], set[type]()
        for message_id, run, message in await self._store.unsent():
            if type(message) in down:
                continue
            try:
                await self._post(message_id, run, message)
            except ChatDown as error:
                log.warning("not sent run=%s error=%s", run, error)
                down.add(type(message))
                continue
            except ChatRefused as error:
                log.error("never sent run=%s error=%s", run, error)  # noqa: TRY400
            done.append(message_id)
        if done:
            await self._store.sent(done)
        return bool(done)

    async def _post(self, number: int, run: str, message: Say | Page) -> None:
        if isinstance(message, Say):
            await self._chat.say(run, message, key=f"outbox/{number}")
            return
        summary = await self._store.summary(run)
        if summary is not None and summary.mode != "live":  # a drill pages nobody
            log.info("not paged run=%s mode=%s: %s", run, summary.mode, message.text)
            return
        await self._pager.page(run, message)
