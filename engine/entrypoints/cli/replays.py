"""The command replay: a recorded run, once more; or what a changed runbook makes of it.

It reads the journal, or a file that `timeline --format history` wrote, and touches
nothing else. Exit code 0: the same, or the test was made; 1: it parts.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.entrypoints.cli.choosing import config_of
from engine.entrypoints.cli.completing import run_ids
from engine.entrypoints.cli.screen import (
    PROBLEMS,
    plain,
    say,
    say_json,
    tell,
    write_file,
    wrong_use,
)

if TYPE_CHECKING:
    from engine.analysis.replaying.history import History
    from engine.config import Config

SUFFIX = ".jsonl"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: runbook replay r-7kq3xm; "
        "runbook replay r-7kq3xm --with runbooks/disk-full.yaml; "
        "runbook replay r-7kq3xm --as-test --write"
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
    as_test: Annotated[
        bool, typer.Option("--as-test", help="Make it a test of the runbook.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Put the test into the runbook's file.")
    ] = False,
    format_: Annotated[
        Literal["text", "json"], typer.Option("--format", help="For people, programs.")
    ] = "text",
) -> None:
    """Replay a recorded run: entry for entry the same, or where it parts."""
    config = config_of(context)
    if write and not as_test:
        wrong_use("--write stands beside --as-test; nothing else is written")
    history = history_of(config, run)
    if as_test:
        parts = _as_test(config, history, with_, format_, write=write)
    elif with_ is not None:
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


def _as_test(
    config: "Config",
    history: "History",
    file: Path | None,
    format_: str,
    *,
    write: bool,
) -> bool:
    """Make the run a test, and rehearse it; return whether it fails."""
    from engine.bootstrap.replaying import made_test, rehearsed_in
    from engine.entrypoints.cli.choosing import body_of, known_library
    from engine.language.adding import written

    made = made_test(config, history)
    name = history.summary.runbook
    if file is None and write:
        file = known_library(config).files.get(name)
        if file is None:
            wrong_use(f"no file of '{name}' is configured; name it: --with FILE")
    text = body_of(str(file)).decode("utf-8", "replace") if file else None
    new, problems = rehearsed_in(config, history, made, text, str(file or name))
    if format_ == "json":
        told = {"test": made.test, "problems": problems, "left_out": made.left_out}
        say_json(told | {"written": str(file) if write and not problems else None})
    elif not write:
        say(written(made.test))
    for one in made.left_out:
        tell(f"left out: {plain(one)}")
    for one in problems:
        tell(f"its rehearsal differs: {plain(one)}")
    if write and not problems and file is not None:
        write_file(str(file), new.encode(), runbook=True)
    return bool(problems)


def history_of(config: "Config", run: str) -> "History":
    """Return a recorded run, from a file or the journal.

    Raises:
        NotFound: no such run. EngineError: the file is none. StoreUnavailable.
    """
    from engine.analysis.replaying.history import read_history
    from engine.entrypoints.cli.choosing import body_of
    from engine.entrypoints.cli.reading import recorded

    if run.endswith(SUFFIX) or Path(run).is_file():
        return read_history(body_of(run), run)
    return recorded(config, run)
