"""What the tests of the Mattermost adapter share: a server, and all that talks to it.

The server is the stand-in of examples/mattermost; HTTP is real, on 127.0.0.1.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

from mattermost import Mattermost

from engine.adapters.mattermost.hearing import MattermostEars
from engine.adapters.mattermost.provider import MattermostChat
from engine.adapters.mattermost.server import MattermostServer
from engine.adapters.mattermost.signing import Signer
from engine.adapters.web import HttpxWeb
from engine.config.chatting import Mattermost as Settings
from engine.errors import SecretMissing
from engine.model.chat import Place
from engine.model.values import SecretRef

LOOPBACK = ip_network("127.0.0.0/8")
HERE = "http://127.0.0.1:9"  # nobody is there: a callback that no test presses


@dataclass
class Known:
    """ports.Secrets over a dictionary."""

    held: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return a value. Raises SecretMissing."""
        if name not in self.held:
            raise SecretMissing(f"secret '{name}' has no value")
        return self.held[name]

    def values(self) -> list[str]:
        """Return every value."""
        return list(self.held.values())


@dataclass
class Clock:
    """Monotonic seconds that pass when somebody sleeps, or when a test says so."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Side:
    """The engine's side of one server."""

    server: Mattermost
    settings: Settings
    secrets: Known
    web: HttpxWeb
    clock: Clock
    asks: MattermostServer
    chat: MattermostChat
    ears: MattermostEars

    def place(self, name: str = "incidents", thread: str = "") -> Place:
        """Return a place by the channel's name."""
        return Place("mattermost", self.server.world.channel(name).id, thread)


def settings_for(url: str, callback: str | None = HERE) -> Settings:
    """Return a configuration for a server."""
    return Settings(
        url=url,
        token=SecretRef(secret="TOKEN"),
        commands=[SecretRef(secret="NEW"), SecretRef(secret="COMMAND")],
        team="ops",
        callback=callback,
    )


@asynccontextmanager
async def talking(
    server: Mattermost,
    *,
    callback: str | None = HERE,
    groups: Mapping[str, str] | None = None,
) -> AsyncIterator[Side]:
    """Give the engine's side of a server that listens."""
    settings = settings_for(server.url, callback)
    secrets = Known({"TOKEN": server.token, "COMMAND": server.command_token})
    web, clock = HttpxWeb([LOOPBACK]), Clock()
    asks = MattermostServer(settings, secrets, web, clock=clock)
    signer = Signer(settings, secrets)
    chat = MattermostChat(
        asks, signer, callback=settings.callback, groups=groups, sleep=clock.sleep
    )
    ears = MattermostEars(settings, secrets, asks, signer)
    try:
        yield Side(server, settings, secrets, web, clock, asks, chat, ears)
    finally:
        await web.aclose()
