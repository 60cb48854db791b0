"""Slack, as the configuration has it: the screen, and the ways in."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.adapters.slack.sockets import SlackSockets
    from engine.config.chatting import Slack
    from engine.model.chat import Filled, Heard, Inbound
    from engine.ports import ChatProvider, Secrets

Kind = Literal["events_api", "interactive", "slash_commands"]


def slack_provider(
    settings: "Slack",
    secrets: "Secrets",
    named: "Mapping[str, str] | None" = None,
) -> "ChatProvider":
    """Return the screen of a workspace; nothing is asked yet.

    Args:
        settings: `chat.slack` of the configuration.
        secrets: Where the token is read, anew for each call.
        named: Groups and people that can be mentioned, and their ids in Slack.
    """
    from engine.adapters.slack import SlackApi, SlackChat

    api = SlackApi(settings.url, lambda: secrets.get(settings.token.secret))
    return SlackChat(api, groups=named)


def slack_reader() -> "Callable[[Kind, bytes], Heard]":
    """Return what reads the bodies of Slack's requests, for its door."""
    from engine.adapters.slack.inbound import read_request

    return read_request


def slack_sockets(
    settings: "Slack",
    secrets: "Secrets",
    take: "Callable[[Inbound], bool]",
    check: "Callable[[Filled], Mapping[str, str]] | None" = None,
) -> "SlackSockets | None":
    """Return what keeps Socket Mode open: `await it.run()`, cancel it to end.

    None: the configuration has no app token.

    Args:
        settings: `chat.slack` of the configuration.
        secrets: Where the token is read, anew for each connection.
        take: `Hearing.take`: takes an event at once.
        check: What is wrong with a form that was sent, by field.
    """
    from engine.adapters.slack import SlackApi
    from engine.adapters.slack.sockets import SlackSockets

    app = settings.app
    if app is None:
        return None
    api = SlackApi(settings.url, lambda: secrets.get(app.secret))
    return SlackSockets(api, take, check) if check else SlackSockets(api, take)


def slack_manifest(link: str | None) -> str:
    """Return the manifest of the Slack app as YAML; `link` None: Socket Mode."""
    import yaml

    from engine.adapters.slack.manifest import manifest

    return yaml.safe_dump(manifest(link), sort_keys=False, allow_unicode=True)
