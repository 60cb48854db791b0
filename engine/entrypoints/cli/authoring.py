"""Commands for whoever writes runbooks: validate, schema, show, graph, rehearse.

None of them opens the journal or reaches anything outside. Where a data folder is,
`rehearse` leaves a word there that it was done: `doctor` asks how long ago.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.entrypoints.cli.choosing import config_of, library_of
from engine.entrypoints.cli.screen import (
    PROBLEMS,
    coloured,
    say,
    say_json,
    tell,
    width,
    write_file,
)

if TYPE_CHECKING:
    from engine.language.problems import Problem

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Runbook files, or folders.")
]
OnePath = Annotated[Path, typer.Argument(metavar="PATH", help="A runbook file.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook validate runbooks/")(validate)
    app.command(epilog="Example: runbook pin runbooks/disk-full.yaml")(pin)
    app.command(epilog="Example: runbook schema > runbook.schema.json")(schema)
    app.command(epilog="Example: runbook show runbooks/message-delivery-delay.yaml")(
        show
    )
    app.command(
        epilog="Example: runbook graph runbooks/a.yaml --format svg -o machine.svg"
    )(graph)
    app.command(epilog="Example: runbook rehearse runbooks/ --junit rehearsals.xml")(
        rehearse
    )


def validate(
    context: typer.Context,
    paths: Paths,
    format_: Annotated[
        Literal["text", "json", "github"],
        typer.Option("--format", help="For people, programs, or GitHub's annotations."),
    ] = "text",
) -> None:
    """Say what is wrong with runbooks, and between them, each problem at its place."""
    from engine.language.problems import format_github, format_json, format_text
    from engine.runtime.library import runbook_files
    from engine.runtime.proving import judged, judged_between, together

    config = config_of(context)
    library = library_of(config, paths)
    mine = config.file.resolve() if config.file else None
    found = dict.fromkeys(file for path in paths for file in runbook_files(path))
    files = [file for file in found if file.resolve() != mine]
    own = [one for file in files for one in judged(library, file)]
    problems = together(own, judged_between(library, files))
    if format_ == "json":
        say(format_json(problems))
    elif problems:
        say({"text": format_text, "github": format_github}[format_](problems))
    if format_ == "text":
        say(_counted(files, problems))
    if any(one.severity == "error" for one in problems):
        raise typer.Exit(PROBLEMS)


def _counted(files: list[Path], problems: "list[Problem]") -> str:
    books = f"{len(files)} runbook" + ("" if len(files) == 1 else "s")
    errors = sum(one.severity == "error" for one in problems)
    warnings = len(problems) - errors
    told = f"{books}, {errors} problem" + ("" if errors == 1 else "s")
    if warnings:
        told += f", {warnings} warning" + ("" if warnings == 1 else "s")
    return told


def pin(context: typer.Context, paths: Paths) -> None:
    """Print the hashes with which runbooks may start by themselves (autonomy: auto)."""
    from engine.errors import RunbookRefused
    from engine.runtime.library import runbook_files

    library = library_of(config_of(context), paths)
    say("pinned:")
    for file in dict.fromkeys(file for path in paths for file in runbook_files(path)):
        refused = library.refused.get(file)
        if refused is not None:
            raise RunbookRefused(list(refused.problems))
        say(f"  {file.stem}: {library.loaded[file.stem].revision}")


def schema(context: typer.Context) -> None:
    """Write the JSON Schema of runbooks, for editors."""
    from engine.bootstrap import kinds
    from engine.language.schema import json_schema

    say_json(json_schema(kinds(config_of(context))))


def show(context: typer.Context, path: OnePath) -> None:
    """Show a runbook as a person reads it: limits, steps, gates, states, worst case."""
    from engine.core.machine import machine_graph
    from engine.runtime.proving import worst_case
    from engine.views.graph import graph_text
    from engine.views.page import runbook_text

    library = library_of(config_of(context), [path])
    compiled = library.bundle(path.stem).compiled
    machine, worst = machine_graph(compiled), worst_case(compiled)
    say(runbook_text(compiled.runbook, machine).rstrip())
    say()
    times = (
        (name, getattr(worst, name)) for name in ("isolated", "mitigated", "total")
    )
    say(f"At worst, {worst.words}: " + ", ".join(_time(*one) for one in times))
    say()
    say("States")
    say(graph_text(machine).rstrip())


def _time(name: str, seconds: float) -> str:
    from datetime import timedelta

    from engine.model.values import format_duration

    return f"{name} {format_duration(timedelta(seconds=round(seconds)))}"


def graph(
    context: typer.Context,
    path: OnePath,
    format_: Annotated[
        Literal["svg", "png", "dot", "mermaid", "text"],
        typer.Option("--format", help="What is drawn."),
    ] = "text",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Else the terminal.")
    ] = "-",
) -> None:
    """Draw the state machine of a runbook."""
    from engine.bootstrap import picture_of
    from engine.core.machine import machine_graph

    library = library_of(config_of(context), [path])
    machine = machine_graph(library.bundle(path.stem).compiled)
    write_file(output, picture_of(machine, format_))


def rehearse(
    context: typer.Context,
    paths: Paths,
    only: Annotated[
        str, typer.Option("--only", metavar="TEXT", help="Tests whose name has it.")
    ] = "",
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    junit: Annotated[
        str, typer.Option("--junit", metavar="FILE", help="A JUnit report as well.")
    ] = "",
) -> None:
    """Play the tests of runbooks in virtual time; nothing outside is touched."""
    from engine.bootstrap.rehearsing import as_object, kept, played
    from engine.entrypoints.cli.rehearsing import as_text, junit_xml
    from engine.runtime.library import runbook_files

    config = config_of(context)
    library = library_of(config, paths)
    files = dict.fromkeys(file for path in paths for file in runbook_files(path))
    shows = [one for file in files for one in played(library, file, only)]
    if not only:
        with suppress(OSError):  # a folder that may not be written is no problem here
            kept(config, library, shows)
    if junit:
        write_file(junit, junit_xml(shows))
    if json_:
        say_json([as_object(one) for one in shows])
    else:
        say(as_text(shows, width=width(), colour=coloured()))
    if not shows:
        tell("No test was played. Runbooks hold their rehearsals under `tests`.")
    if not shows or any(one.problems for one in shows):
        raise typer.Exit(PROBLEMS)
