"""What is said of no run that is there: proposals, storms, what the intake decided.

A ports.Chat for the outbox. What a run says stands in its timeline and is shown from
there by the screen; here it is only passed on to the terminal. A notice of the intake
has no timeline: it is posted from here, looked for by its key first, so that an engine
that died after it was posted does not post it again.

Called by the outbox of the host.
"""

from collections.abc import Sequence

from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Card, Place
from engine.model.effects import Say
from engine.model.people import Question
from engine.ports import Chat, Store
from engine.runtime.chat.screens import Screens


class Notices:
    """Posts what no screen shows.

    Args:
        beside: Where everything is written as well: the terminal.
        screens: The providers.
        store: Tells which runs there are.
    """

    def __init__(self, beside: Chat, screens: Sequence[Screens], store: Store) -> None:
        self._beside, self._screens, self._store = beside, screens, store
        self._written = ""  # the key that waits: it is written beside once

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Post it where it belongs. Raises ChatDown: it is tried again."""
        if not key or key != self._written:
            await self._beside.say(run, message, key=key)
        self._written = key
        if await self._store.summary(run) is not None:
            return
        for one in self._screens:
            await self._post(one, message, key)

    async def _post(self, one: Screens, message: Say, key: str) -> None:
        provider, room = one.screen.provider, message.to or one.screen.rules.channel
        if not room:
            return
        if one.health.wait_seconds() > 0:
            raise ChatDown(one.health.why, wait_seconds=one.health.wait_seconds())
        began = one.screen.clock.monotonic()
        try:
            place = Place(provider.name, await provider.room(room))
            if not key or await provider.find(place, key) is None:
                await provider.post(place, Card(message.text), key=key)
        except ChatRefused:
            one.posts[provider.name, "refused"] += 1
            return  # it stands in the log, and in what the intake decided
        except ChatDown as error:
            one.posts[provider.name, "down"] += 1
            if error.lasting:
                return
            one.health.failed(error, began)
            raise
        one.posts[provider.name, "sent"] += 1
        one.health.works()

    async def ask(self, run: str, question: Question, /) -> None:
        """Nothing: the screen shows it from the timeline."""

    async def close(self, run: str, key: str, outcome: str, /) -> None:
        """Nothing: the screen shows it from the timeline."""
