"""Sending what runs have said: each message leaves the outbox once it was posted.

Called by: local.
"""

import logging

from engine.errors import ChatDown
from engine.model.effects import Say
from engine.ports import Chat, Pager, Store

log = logging.getLogger(__name__)


class Outbox:
    """The messages of a journal on their way to people."""

    def __init__(self, store: Store, chat: Chat, pager: Pager) -> None:
        self._store, self._chat, self._pager = store, chat, pager

    async def send(self) -> bool:
        """Send what waits, in order, up to the first that cannot be; whether any was.

        Raises:
            StoreUnavailable: what was sent could not be marked; it is sent again.
        """
        done = []
        for message_id, run, message in await self._store.unsent():
            try:
                if isinstance(message, Say):
                    await self._chat.say(run, message)
                else:
                    await self._pager.page(run, message)
            except ChatDown as error:
                log.warning("not sent run=%s error=%s", run, error)
                break
            done.append(message_id)
        if done:
            await self._store.sent(done)
        return bool(done)
