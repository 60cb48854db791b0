"""What the desk says back, shown to whoever did something: a whisper, or a form.

The provider's request was acknowledged long before; what comes back goes through the
provider, to one account alone. A form that comes too late becomes words. What cannot be
shown is logged: what was done is done, and the run's own thread tells of it.

Put together by whoever serves: `Hearing(answering(desk.hear, providers))`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from engine.entrypoints.chat.hearing import Hear
from engine.errors import ChatDown, ChatRefused, EngineError
from engine.model.chat import Card, Inbound, Lines, Place, Reply, Rewritten
from engine.ports import ChatProvider

log = logging.getLogger(__name__)

AskDesk = Callable[[Inbound], Awaitable[Reply]]
TRIES: Final = 3
LONGEST_WAIT: Final = 10.0  # seconds; who waits longer has gone on


def answering(ask: AskDesk, providers: Mapping[str, ChatProvider]) -> Hear:
    """Return what hears an event at the desk and shows what it says back.

    Args:
        ask: `Desk.hear`.
        providers: By their names, as they stand in accounts.
    """

    async def hear(event: Inbound) -> None:
        reply = await ask(event)
        if isinstance(event, Rewritten):
            return  # nobody is there to be told
        provider = providers.get(event.by.provider)
        if provider is None:
            return
        place = event.place or Place(provider.name, "")
        whisper = reply.whisper
        if reply.form is not None:
            try:
                await provider.form(getattr(event, "trigger", ""), reply.form)
            except EngineError as problem:
                lines = (str(problem), *reply.form.text)
                title = f"Not opened: {reply.form.title}"
                whisper = whisper or Card(title, (Lines(lines),), colour="warning")
        if whisper is not None:
            await _whisper(provider, place, event.by.id, whisper)

    return hear


async def _whisper(
    provider: ChatProvider, place: Place, account: str, card: Card
) -> None:
    """Show a card to one account; where it cannot be shown, say so in the log."""
    for left in reversed(range(TRIES)):
        try:
            await provider.whisper(place, account, card)
        except ChatRefused as refused:
            log.warning("not told provider=%s why=%s", provider.name, refused)
            return
        except ChatDown as down:
            wait = down.wait_seconds or 1.0
            if not left or down.lasting or wait > LONGEST_WAIT:
                log.warning("not told provider=%s why=%s", provider.name, down)
                return
            await asyncio.sleep(wait)
        else:
            return
