"""All of chat that one engine has: its screens, its way out, what it hears.

Begun with the server and stopped with it. Called by bootstrap (makes it), the server
(begins it), the driver's listener (tells it), the metrics and `doctor` (read it).
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from engine.errors import EngineError
from engine.model.chat import Inbound
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.runtime.chat.fallback import Fallback
from engine.runtime.chat.links import Links
from engine.runtime.chat.people import People
from engine.runtime.chat.screens import Screens

log = logging.getLogger(__name__)

PostKind = Literal["command", "action", "dialog"]
Hear = Callable[[Inbound], Awaitable[None]]  # takes what people did
Work = Callable[[Hear], Awaitable[None]]  # what is left of a post that was judged


class Events(Protocol):
    """What keeps listening to a chat."""

    async def run(self, hear: Hear) -> None:
        """Hand every event on, until cancelled."""
        ...


class Ears(Protocol):
    """Judges what a chat posts; never waits."""

    def take(self, kind: PostKind, body: bytes, /) -> Work:
        """Return the work that is left. Raises NotAllowed, BadBody, SecretMissing."""
        ...


class Ways(Protocol):
    """The ways in of a chat that judges its own posts."""

    @property
    def ears(self) -> Ears:
        """What judges what is posted."""
        ...

    @property
    def events(self) -> Events:
        """What keeps listening."""
        ...


@dataclass(slots=True)
class Chatting:
    """Every provider of one engine."""

    screens: Sequence[Screens]
    hear: Hear
    mattermost: Ways | None = None
    fallback: Fallback | None = None
    links: Links | None = None
    people: People | None = None
    requests: Callable[[], Counter[tuple[str, str]]] = Counter  # by door and result
    begun: bool = False
    _ends: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def start(self) -> None:
        """Begin to show. Raises StoreUnavailable: nothing was begun."""
        if self.fallback is not None:
            await self.fallback.start()
        for one in self.screens:
            await one.start()
        if self.people is not None:
            self.people.begin()
        self.begun = True

    def at_end(self, end: Callable[[], Awaitable[None]]) -> None:
        """Do this when chat stops, before the screens do."""
        self._ends.append(end)

    async def stop(self) -> None:
        """Stop; what was on its way is found again by its key."""
        self.begun = False
        for end in [*self._ends, *(one.stop for one in self.screens)]:
            await end()
        if self.fallback is not None:
            await self.fallback.stop()
        if self.people is not None:
            await self.people.stop()

    def changed(self, summary: RunSummary, entries: Sequence[Entry]) -> None:
        """Take note that a run has new entries; in the loop's thread."""
        if self.begun:
            for one in self.screens:
                one.changed(summary, entries)

    def posts(self) -> Counter[tuple[str, str]]:
        """Return how many messages were sent, or were not, by provider and result."""
        counted: Counter[tuple[str, str]] = Counter()
        for one in self.screens:
            counted += one.posts
        if self.fallback is not None:
            counted += self.fallback.posts
        return counted


def noting(
    tell: Callable[[str, str], Awaitable[None]],
) -> Callable[[str, str], Awaitable[None]]:
    """Return what writes a note into a timeline; what cannot be is logged alone."""

    async def note(run: str, text: str) -> None:
        try:
            await tell(run, text)
        except EngineError as error:
            log.warning("not noted run=%s error=%s", run, error)

    return note
