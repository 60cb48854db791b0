"""Mattermost, as the configuration has it: the screen, and the ways in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.adapters.mattermost import MattermostWays
    from engine.config.chatting import Group, Mattermost
    from engine.ports import Secrets, Web


def mattermost_ways(
    settings: "Mattermost",
    secrets: "Secrets",
    web: "Web",
    groups: "Mapping[str, Group] | None" = None,
) -> "MattermostWays":
    """Return a server's screen, what judges its posts, and what listens to it.

    Args:
        settings: `chat.mattermost` of the configuration.
        secrets: Where its secrets are read, anew for each call.
        web: The one door to the network.
        groups: `groups` of the configuration: who can be mentioned.
    """
    from engine.adapters import mattermost

    known = {
        name: one.mattermost for name, one in (groups or {}).items() if one.mattermost
    }
    return mattermost.mattermost_ways(settings, secrets, web, groups=known)
