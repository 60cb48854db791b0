"""The command `chat-manifest`: the Slack app to install. Called by app."""

from typing import Annotated

import typer

from engine.entrypoints.cli.choosing import config_of
from engine.entrypoints.cli.screen import say, tell


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chat-manifest", epilog="Example: runbook chat-manifest > app.yaml")(
        chat_manifest
    )


def chat_manifest(
    context: typer.Context,
    http: Annotated[
        bool | None,
        typer.Option(
            "--http/--socket",
            help="Events over HTTP at chat.link, or over Socket Mode. Left out: as "
            "the configuration has it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the manifest of the Slack app to install (api.slack.com/apps)."""
    from engine.bootstrap.slack import slack_manifest
    from engine.errors import EngineError

    chat = config_of(context).settings.chat
    over_http = http
    if over_http is None:
        over_http = chat.slack is not None and chat.slack.app is None
    if over_http and chat.link is None:
        raise EngineError(
            "events over HTTP need an address that Slack reaches: set chat.link to "
            "https://…, or take Socket Mode: runbook chat-manifest --socket"
        )
    say(slack_manifest(chat.link if over_http else None).rstrip("\n"))
    if over_http:
        tell("its signing secret (Basic Information) goes to chat.slack.signing")
    else:
        tell("its app-level token (connections:write) goes to chat.slack.app")
    tell("its bot token (OAuth & Permissions) goes to chat.slack.token")
