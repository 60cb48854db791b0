"""Mattermost as a chat: a second system behind the same port as Slack.

`plain`, `drawing`, `forms`: what a card and a form look like there. `server`, `rooms`,
`provider`: ports.ChatProvider over its REST API v4. `signing`, `hearing`, `reading`,
`listening`: what people do, over HTTP and over its websocket.

Built by bootstrap.mattermost: `mattermost_ways` is everything of one server, which
shares what is known of it, and how long it wants to be left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.adapters.mattermost.hearing import MattermostEars
from engine.adapters.mattermost.listening import MattermostEvents
from engine.adapters.mattermost.provider import MattermostChat
from engine.adapters.mattermost.server import MattermostServer
from engine.adapters.mattermost.settings import MattermostSettings
from engine.adapters.mattermost.signing import Signer
from engine.ports import Secrets, Web

__all__ = [
    "MattermostChat",
    "MattermostEars",
    "MattermostEvents",
    "MattermostWays",
    "mattermost_ways",
]


@dataclass(frozen=True, slots=True)
class MattermostWays:
    """A server's screen, and its ways in."""

    provider: MattermostChat
    ears: MattermostEars  # judges commands, buttons and dialogs that come over HTTP
    events: MattermostEvents  # the websocket: `run(hear)` until it is cancelled


def mattermost_ways(
    settings: MattermostSettings,
    secrets: Secrets,
    web: Web,
    *,
    groups: Mapping[str, str] | None = None,
) -> MattermostWays:
    """Return everything of one server; nothing is asked yet.

    Args:
        settings: `chat.mattermost` of the configuration.
        secrets: Where its secrets are read, anew each time.
        web: The one door to the network; its addresses hold for the websocket, too.
        groups: Ids of groups there, by the engine's names: who can be mentioned.
    """
    server, signer = MattermostServer(settings, secrets, web), Signer(settings, secrets)
    return MattermostWays(
        MattermostChat(server, signer, callback=settings.callback, groups=groups),
        MattermostEars(settings, secrets, server, signer),
        MattermostEvents(server),
    )
