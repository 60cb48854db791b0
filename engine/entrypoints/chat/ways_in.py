"""Every way in of the chats that are configured: routes of the server, and sockets.

Called by the command `serve`: `routes()` when the server is made, `start()` once it
drives runs, `stop()` at its end.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.routing import Route

from engine.bootstrap import Engine
from engine.bootstrap.slack import slack_reader, slack_sockets
from engine.config.serving import SlackSignature
from engine.entrypoints.chat.hearing import Hearing
from engine.entrypoints.chat.mattermost_door import MattermostDoor
from engine.entrypoints.chat.slack_door import Result, SlackDoor
from engine.entrypoints.web.admission import Admission
from engine.model.chat import Inbound
from engine.runtime.chat.chatting import Chatting
from engine.views.chat.forms import said_nothing

RESULTS: Final[Mapping[int, Result]] = {
    200: "taken", 401: "forged", 413: "too-large", 503: "closed",
}  # fmt: skip
Listening = Callable[[], Awaitable[None]]  # until it is cancelled


@dataclass(slots=True)
class WaysIn:
    """The doors of one engine's chats."""

    opened: Engine
    chat: Chatting
    admission: Admission
    hearing: Hearing = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _slack: SlackDoor | None = None
    _mattermost: MattermostDoor | None = None

    def __post_init__(self) -> None:
        """Hear through one place, so that an event that came twice is heard once."""
        self.hearing = Hearing(self.chat.hear)
        self.chat.requests = self.requests

    def routes(self) -> list[Route]:
        """Return the routes of every chat that posts to us."""
        settings, made = self.opened.config.settings.chat, list[Route]()
        slack = settings.slack
        if slack is not None and slack.signing is not None:
            many = isinstance(slack.signing, list)
            refs = slack.signing if many else [slack.signing]
            signed = SlackSignature(secret=[one.secret for one in refs])  # type: ignore[union-attr]
            self._slack = SlackDoor(
                signed, self.admission, slack_reader(), self.hearing
            )
            made += self._slack.routes()
        ways = self.chat.mattermost
        if ways is not None:
            self._mattermost = MattermostDoor(ways.ears, self._heard)
            made += self._mattermost.routes()
        return made

    def requests(self) -> Counter[tuple[str, str]]:
        """Return how many requests came, by door and what became of them."""
        found: Counter[tuple[str, str]] = Counter()
        if self._slack is not None:
            for (what, result), count in self._slack.counts.items():
                found[f"slack/{what}", result] += count
        if self._mattermost is not None:
            for (kind, status), count in self._mattermost.counts.items():
                found[f"mattermost/{kind}", RESULTS.get(status, "unreadable")] += count
        return found

    def start(self) -> None:
        """Open the connections through which chats tell us what people do."""
        self._tasks = [asyncio.ensure_future(one()) for one in self._listening()]

    def _listening(self) -> list[Listening]:
        settings, found = self.opened.config.settings.chat, list[Listening]()
        if settings.slack is not None:
            sockets = slack_sockets(
                settings.slack, self.opened.secrets, self.hearing.take, said_nothing
            )
            if sockets is not None:
                found.append(sockets.run)
        ways = self.chat.mattermost
        if ways is not None:
            found.append(lambda: ways.events.run(self._heard))
        return found

    async def _heard(self, inbound: Inbound) -> None:
        await self.chat.hear(inbound)

    async def stop(self) -> None:
        """Close them; what was taken ends first."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.hearing.close()
        if self._mattermost is not None:
            await self._mattermost.close()
