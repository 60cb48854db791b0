"""Slack, as the configuration has it: the screen, and the ways in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.config.chatting import Group, Slack
    from engine.ports import ChatProvider, Secrets


def slack_provider(
    settings: "Slack", secrets: "Secrets", groups: "Mapping[str, Group] | None" = None
) -> "ChatProvider":
    """Return the screen of a workspace; nothing is asked yet.

    Args:
        settings: `chat.slack` of the configuration.
        secrets: Where the token is read, anew for each call.
        groups: `groups` of the configuration: who can be mentioned.
    """
    from engine.adapters.slack import SlackApi, SlackChat

    api = SlackApi(settings.url, lambda: secrets.get(settings.token.secret))
    known = {name: one.slack for name, one in (groups or {}).items() if one.slack}
    return SlackChat(api, groups=known)
