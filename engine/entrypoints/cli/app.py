"""The commands in their order, what stands before them, and what a failure says.

No traceback for anything that people or the world do: an EngineError is a message and
exit code 1. What is left is a defect of the engine, and looks like one.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine import __version__
from engine.entrypoints.cli import (
    adopting,
    alerts,
    answering,
    authoring,
    backtesting,
    breaking_glass,
    chatting,
    covering,
    diffing,
    drilling,
    keeping,
    offering,
    printing,
    proofs,
    reading,
    rehearsals,
    replays,
    running,
    serving,
    steering,
    storing,
)
from engine.entrypoints.cli.reaching import THERE
from engine.entrypoints.cli.screen import PROBLEMS, plain, tell, wrong_use


def build() -> typer.Typer:
    """Return the whole command line."""
    app = typer.Typer(
        name="runbook",
        help="Incident response runbooks: written, proved, rehearsed, run.",
        epilog="Begin with: runbook demo",
        no_args_is_help=True,
        rich_markup_mode=None,  # rich alone would take longer than all the rest
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before)
    modules = (
        authoring,
        rehearsals,
        proofs,
        diffing,
        printing,
        running,
        drilling,
        adopting,
        answering,
        steering,
        breaking_glass,
        reading,
        replays,
        serving,
    )
    others = covering, backtesting, alerts, offering, chatting, keeping, storing
    for module in (*modules, *others):
        module.register(app)
    return app


def run() -> int:
    """Run one command; return its exit code."""
    from engine.errors import EngineError

    _open_streams()
    try:
        build()(prog_name="runbook")
    except SystemExit as ended:
        return _ended(ended.code)
    except EngineError as error:
        return _ended(_told(error))
    except BrokenPipeError:
        return _nobody_reads()
    return 0


def _open_streams() -> None:
    """Put something in a closed stream's place, so that no file takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _before(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="The configuration; else ./engine.yaml."
        ),
    ] = None,
    _server: Annotated[
        str,
        typer.Option(
            "--server",
            metavar="URL",
            envvar="RUNBOOK_URL",
            help="A server on another machine; else the one that runs here.",
        ),
    ] = "",
    _token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", metavar="FILE", help="Your token; else $RUNBOOK_TOKEN."
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_say_version, help="Say the version."
        ),
    ] = False,
) -> None:
    context.obj = config
    command = context.invoked_subcommand
    typed = context.get_parameter_source("_server")
    said = typed is not None and typed.name == "COMMANDLINE"
    if said and command and command not in THERE:
        wrong_use(f"{command} works on this machine alone: leave --server out")


def _ended(code: Any) -> int:
    try:
        sys.stdout.flush()
    except OSError:
        return _nobody_reads()
    return code if isinstance(code, int) else PROBLEMS


def _nobody_reads() -> int:
    """Whoever read our output has gone: nothing is left to say or to flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PROBLEMS


def _told(error: Exception) -> int:
    from engine.errors import ConfigRefused, RunbookRefused
    from engine.language.problems import Problem, format_text

    if isinstance(error, ConfigRefused | RunbookRefused):
        tell(format_text(one for one in error.problems if isinstance(one, Problem)))
    else:
        tell("runbook: " + "\n".join(map(plain, str(error).split("\n"))))
    return PROBLEMS
