"""The command replay: a recorded run, once more; or what a changed runbook makes of it.

It reads the journal, or a file that `timeline --format history` wrote, and touches
nothing else. Exit code 0: the same, or the test was made; 1: it parts.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.entrypoints.cli.choosing import config_of
from engine.entrypoints.cli.completing import run_ids
from engine.entrypoints.cli.screen import PROBLEMS, say, say_json

if TYPE_CHECKING:
    from engine.analysis.replaying.history import History
    from engine.config import Config

SUFFIX = ".jsonl"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: runbook replay r-7kq3xm; "
        "runbook replay r-7kq3xm --with runbooks/disk-full.yaml"
    )(replay)


def replay(
    context: typer.Context,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN|FILE",
            help="The run's id, or a file of `timeline --format history`.",
            autocompletion=run_ids,
        ),
    ],
    with_: Annotated[
        Path | None,
        typer.Option("--with", metavar="FILE", help="Another version of the runbook."),
    ] = None,
    format_: Annotated[
        Literal["text", "json"], typer.Option("--format", help="For people, programs.")
    ] = "text",
) -> None:
    """Replay a recorded run: entry for entry the same, or where it parts."""
    config = config_of(context)
    history = history_of(config, run)
    if with_ is not None:
        parts = _changed(config, history, with_, format_)
    else:
        parts = _same(config, history, format_)
    if parts:
        raise typer.Exit(PROBLEMS)


def _same(config: "Config", history: "History", format_: str) -> bool:
    """Replay on the version of then; return whether it parts."""
    from engine.bootstrap import kinds
    from engine.entrypoints.cli.replays_shown import as_object, as_text
    from engine.runtime.library import compiled_from
    from engine.runtime.replaying import replayed

    compiled = compiled_from(history.texts, history.summary.revision, kinds(config))
    found = replayed(history, compiled)
    if format_ == "json":
        say_json(as_object(history, found))
    else:
        say(as_text(history, found))
    return found.parts


def _changed(config: "Config", history: "History", file: Path, format_: str) -> bool:
    """Play another version on what was recorded; return whether they part."""
    from engine.bootstrap import kinds
    from engine.entrypoints.cli.choosing import body_of
    from engine.entrypoints.cli.replays_shown import changed_object, changed_text
    from engine.runtime.replaying import changed

    text = body_of(str(file)).decode("utf-8", "replace")
    found = changed(history, text, str(file), kinds(config))
    if format_ == "json":
        say_json(changed_object(history, str(file), found))
    else:
        say(changed_text(history, str(file), found))
    return found.parting.parts


def history_of(config: "Config", run: str) -> "History":
    """Return a recorded run, from a file or the journal.

    Raises:
        NotFound: no such run. EngineError: the file is none. StoreUnavailable.
    """
    from engine.analysis.replaying.history import read_history
    from engine.entrypoints.cli.choosing import body_of
    from engine.entrypoints.cli.reading import recorded

    if run.endswith(SUFFIX):
        return read_history(body_of(run), run)
    return recorded(config, run)
