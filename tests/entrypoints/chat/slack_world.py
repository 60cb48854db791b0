"""Slack's stand-in before a real server with Slack's door, and what was heard there.

Read by the tests beside it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chat import Slack

from engine.adapters.secrets import ConfiguredSecrets
from engine.bootstrap.slack import slack_reader
from engine.config.serving import SlackSignature
from engine.entrypoints.chat.hearing import Hearing
from engine.entrypoints.chat.slack_door import SlackDoor
from engine.entrypoints.web import serving
from engine.entrypoints.web.admission import Admission
from engine.entrypoints.web.app import application
from engine.model.chat import Inbound


@dataclass
class World:
    """The door, what it heard, and what hearing does first."""

    slack: Slack
    environment: dict[str, str]
    door: SlackDoor
    url: str = ""
    heard: list[Inbound] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, event: Inbound) -> None:
        """Take note of an event."""
        if self.before is not None:
            await self.before()
        self.heard.append(event)
        self.changed.set()

    async def until(self, count: int) -> list[Inbound]:
        """Return what was heard, once it is so much."""
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.heard


@asynccontextmanager
async def a_door(slack: Slack, *, most: int = 500) -> AsyncIterator[World]:
    """Run a server with Slack's door, and let Slack post there."""
    environment = {"NEW": slack.signing_secret, "OLD": "an older one"}
    places = {"old": {"env": "OLD"}, "new": {"env": "NEW"}}
    secrets = ConfiguredSecrets(places, folder=Path(), environment=environment)

    async def hear(event: Inbound) -> None:
        await world.hear(event)

    hearing = Hearing(hear, most=most)
    door = SlackDoor(
        SlackSignature(secret=["old", "new"]),
        Admission(secrets),
        slack_reader(),
        hearing,
    )
    world = World(slack, environment, door)
    sock = serving.listen("127.0.0.1:0")
    server = serving.server(application(door.routes()))
    task = asyncio.create_task(server.serve(sockets=[sock]))
    world.url = f"http://127.0.0.1:{sock.getsockname()[1]}/chat/slack"
    slack.request_urls(
        events=f"{world.url}/events",
        interactivity=f"{world.url}/actions",
        commands=f"{world.url}/commands",
    )
    try:
        yield world
    finally:
        server.end(now=True)
        await task
        await hearing.close(within=0.1)
        sock.close()
