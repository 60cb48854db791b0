"""The command `serve`: what runs in production. Called by app."""

import sys
from typing import Annotated, Literal

import typer

from engine.entrypoints.cli.choosing import config_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: runbook --config engine.yaml serve")(serve)


def serve(
    context: typer.Context,
    log_format: Annotated[
        Literal["text", "json"], typer.Option(help="How each line is written.")
    ] = "text",
) -> None:
    """Take alerts and drive runs until told to end (SIGTERM, Ctrl-C)."""
    import asyncio

    from engine.entrypoints.cli.a_server import run_server
    from engine.entrypoints.cli.logs import write_logs

    config = config_of(context)
    lines = write_logs(sys.stderr, log_format)
    raise typer.Exit(asyncio.run(run_server(config, lines)))
