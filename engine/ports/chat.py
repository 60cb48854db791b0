"""A chat system as a screen, and what the engine keeps of what it shows.

One suite in tests/contracts runs over all providers. Every call ends within ten seconds
as a total. A provider limits itself: at most one post a second and room, and no request
before the time that the server asked to wait is over.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from engine.model.chat import Card, Form, Message, NewRoom, Place, Shown

POST_SECONDS: Final = 1.0  # at least, between two posts into one room


class ChatProvider(Protocol):
    """Shows cards. Raises ChatDown (may work later) or ChatRefused (never will)."""

    @property
    def name(self) -> str:
        """Return how it is called in places and accounts: slack, mattermost."""
        ...

    async def room(self, called: str, /) -> str:
        """Return the id of a room by the name or id that a runbook gives."""
        ...

    async def new_room(self, room: NewRoom, /) -> str:
        """Return the id of a room of that name, made if it is not there; invite all.

        Who cannot be invited is left out; that is no failure.
        """
        ...

    async def post(self, place: Place, card: Card, /, *, key: str) -> str:
        """Post; return the message's ref. `key` is kept with it, for `find`.

        What is too long for the provider is split or shortened, and says so.
        """
        ...

    async def find(self, place: Place, key: str, /) -> str | None:
        """Return the ref of the newest message posted with the key, if it arrived."""
        ...

    async def edit(self, place: Place, ref: str, card: Card, /) -> None:
        """Show this card in place of what the message shows."""
        ...

    async def pin(self, place: Place, ref: str, /) -> None:
        """Pin a message; pinned already is well."""
        ...

    async def topic(self, place: Place, text: str, /) -> None:
        """Set the room's topic."""
        ...

    async def picture(
        self, place: Place, png: bytes, /, *, name: str, text: str, key: str
    ) -> str:
        """Upload a picture into the place; return a ref."""
        ...

    async def link(self, place: Place, ref: str, /) -> str:
        """Return a link for people to a message."""
        ...

    async def whisper(self, place: Place, account: str, card: Card, /) -> None:
        """Show a card to one account alone."""
        ...

    async def form(self, trigger: str, form: Form, /) -> None:
        """Open a dialog for whoever the trigger came from."""
        ...

    async def message(self, place: Place, ref: str, /) -> Message | None:
        """Return a message as it is now; None: it is not there."""
        ...

    async def members(self, group: str, /) -> Sequence[str]:
        """Return the accounts of a group of the provider, by the group's id."""
        ...


class ChatStore(Protocol):
    """What each provider shows, on disk. Raises StoreUnavailable: nothing was kept."""

    async def shown(self, provider: str, run: str) -> Shown | None:
        """Return what a provider shows of a run."""
        ...

    async def showing(self, provider: str) -> list[Shown]:
        """Return what is not over, oldest run first."""
        ...

    async def at(self, place: Place) -> Shown | None:
        """Return what is shown in a thread, or in a room of its own."""
        ...

    async def keep(self, shown: Shown) -> None:
        """Keep it, durably, in place of what was kept for its provider and run."""
        ...

    async def first(self, event: str, *, at: float) -> bool:
        """Return True the first time an event's id is told, False ever after.

        Ids are kept for a day.
        """
        ...


class WayOut(Protocol):
    """A way out when chat is down: e-mail, SMS, a webhook, a file, the terminal."""

    @property
    def name(self) -> str:
        """Return how the configuration calls it."""
        ...

    async def send(self, title: str, text: str, /) -> None:
        """Send plain text, shortened as needed. Raises ChatDown or ChatRefused."""
        ...
