"""What somebody did is heard, and they alone are told what became of it.

Called by the doors of chat: each event that came in ends here.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Card, Inbound, Lines, Place, Reply, Rewritten
from engine.ports import ChatProvider
from engine.runtime.chat.desk import Desk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Replying:
    """A desk, and the chats through which it answers."""

    desk: Desk
    providers: Mapping[str, ChatProvider]

    async def hear(self, inbound: Inbound) -> None:
        """Hear it; show the answer to whoever did it. Chat that fails is logged."""
        reply = await self.desk.hear(inbound)
        if isinstance(inbound, Rewritten) or not (reply.whisper or reply.form):
            return
        provider = self.providers.get(inbound.by.provider)
        if provider is None:
            return
        place = inbound.place or Place(provider.name, "")
        try:
            await self._show(provider, inbound, place, reply)
        except (ChatDown, ChatRefused) as error:
            log.warning("not answered provider=%s error=%s", provider.name, error)

    async def _show(
        self, provider: ChatProvider, inbound: Inbound, place: Place, reply: Reply
    ) -> None:
        assert not isinstance(inbound, Rewritten)
        who, trigger = inbound.by.id, getattr(inbound, "trigger", "")
        if reply.form is not None and trigger:
            try:
                await provider.form(trigger, reply.form)
            except ChatRefused as why:  # too late: say it in words
                told = Card("Not shown", (Lines((str(why),)),), colour="warning")
                await provider.whisper(place, who, told)
        if reply.whisper is not None:
            await provider.whisper(place, who, reply.whisper)
