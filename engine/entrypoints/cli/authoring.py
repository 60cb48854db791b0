"""Commands for whoever writes runbooks: validate, pin, schema, show, graph.

None of them opens the journal or reaches anything outside. To rehearse: rehearsals.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.entrypoints.cli.choosing import config_of, library_of
from engine.entrypoints.cli.screen import (
    PROBLEMS,
    say,
    say_json,
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
    proof: Annotated[
        bool, typer.Option("--proof", help="Mark what is proved, tested and drilled.")
    ] = False,
) -> None:
    """Draw the state machine of a runbook."""
    from engine.bootstrap import picture_of
    from engine.core.machine import machine_graph

    config = config_of(context)
    library = library_of(config, [path])
    machine = machine_graph(library.bundle(path.stem).compiled)
    marks: dict[str, str] | None = None
    if proof:
        from engine.entrypoints.cli.marking import marks_of

        marks = marks_of(config, library, path, machine)
    write_file(output, picture_of(machine, format_, marks=marks))
