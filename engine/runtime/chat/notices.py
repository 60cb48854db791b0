"""What is said of no run that is there: proposals, storms, what the intake decided.

A ports.Chat for the outbox, one for each provider, so that none waits for another. What
a run says stands in its timeline and is shown from there by the screen. A notice of the
intake has no timeline: it is posted from here, looked for by its key first, so that an
engine that died after it was posted does not post it again.

Called by the outbox of the host.
"""

from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Card, Place
from engine.model.effects import Say
from engine.model.people import Question
from engine.ports import Store
from engine.runtime.chat.screens import Screens


class Notices:
    """Posts what no screen shows.

    Args:
        screens: The provider.
        store: Tells which runs there are.
    """

    def __init__(self, screens: Screens, store: Store) -> None:
        self._screens, self._store = screens, store

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Post it where it belongs. Raises ChatDown: it is tried again."""
        if await self._store.summary(run) is not None:
            return
        one = self._screens
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
