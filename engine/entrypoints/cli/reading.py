"""Commands that only read: runs, timeline, report, verify-timeline.

They read the journal themselves, also beside a server: it is there when the server is
not. With `--server` they ask that one.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.entrypoints.cli.choosing import config_of
from engine.entrypoints.cli.completing import run_ids
from engine.entrypoints.cli.reaching import at, named_server
from engine.entrypoints.cli.screen import (
    PROBLEMS,
    coloured,
    plain,
    say,
    say_json,
    table,
    tell,
    width,
    write_file,
    wrong_use,
)

if TYPE_CHECKING:
    from engine.analysis.replaying.history import History
    from engine.config import Config
    from engine.entrypoints.cli.reaching import Server
    from engine.model.run import RunSummary
    from engine.model.timeline import ChainFault, Entry


Run = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id.", autocompletion=run_ids)
]
Output = Annotated[
    str, typer.Option("-o", "--output", metavar="FILE", help="Else the terminal.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook runs --all")(runs)
    app.command(epilog="Example: runbook timeline r-7kq3xm")(timeline)
    app.command(epilog="Example: runbook report r-7kq3xm --format html -o report.html")(
        report
    )
    app.command("verify-timeline", epilog="Example: runbook verify-timeline")(
        verify_timeline
    )


def runs(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List runs, newest first: their state, what they hold, what they ask."""
    from engine.entrypoints.cli.breaking_glass import told_open
    from engine.entrypoints.cli.following import summary_json

    config = config_of(context)
    there = named_server(context)
    if there is not None:
        found = _runs_there(there, open_only=not all_)
    else:
        found = _runs(config, open_only=not all_)
    if there is None and (glass := told_open(config)):
        tell(plain(glass))
    if json_:
        say_json([summary_json(one) for one in found])
    elif found:
        table(
            ["run", "runbook", "state", "phase", "started", "held", "asks"],
            [_row(one) for one in found],
        )
    else:
        tell("No run is open." if not all_ else "No run yet.")


def _runs(config: "Config", *, open_only: bool) -> "list[RunSummary]":
    """Return the runs; where no run was ever started there is no journal, and none."""
    from engine.bootstrap import JOURNAL

    if not (config.data / JOURNAL).exists():
        return []
    found: list[RunSummary] = _read(
        config, lambda store: store.runs(open_only=open_only)
    )
    return found


def _runs_there(there: "Server", *, open_only: bool) -> "list[RunSummary]":
    from engine.entrypoints.cli.at_a_server import converted
    from engine.model.run import RunSummary

    told = there.ask_once("GET", "/runs", query={"open": str(open_only).lower()})
    found: list[RunSummary] = converted(there, told, list[RunSummary])
    return found


def _row(one: "RunSummary") -> list[str]:
    from engine.model.times import moment_text

    held = ", ".join(f"{h.action} {h.target}".strip() for h in one.held)
    asks = ", ".join(question.called for question in one.questions)
    state = one.state.replace("_", " ") + (
        f" ({one.mode})" if one.mode != "live" else ""
    )
    started = moment_text(one.started_at).removesuffix(" UTC")
    return [one.run, one.runbook, state, one.phase, started, held, asks]


def timeline(
    context: typer.Context,
    run: Run,
    format_: Annotated[
        Literal["text", "json", "markdown", "html", "history"],
        typer.Option("--format", help="history: all that `replay` needs, as lines."),
    ] = "text",
    output: Output = "-",
) -> None:
    """Tell the story of a run."""
    from engine.views import timeline as views

    there = named_server(context)
    if format_ == "history":
        write_file(output, _history(context, run))
        return
    if there is not None:
        from engine.entrypoints.cli.at_a_server import story

        summary, entries = story(there, run)
    else:
        summary, entries, _ = _story(config_of(context), run)
    if format_ == "json":
        made = views.timeline_json(entries)
    elif format_ == "markdown":
        made = views.timeline_markdown(entries)
    elif format_ == "html":
        made = views.timeline_html(entries, title=f"{summary.runbook} {run}")
    else:
        columns = min(width(), 120)
        colour = coloured() and output == "-"
        made = views.timeline_text(entries, width=columns, colour=colour)
    write_file(output, made.encode())


def _history(context: typer.Context, run: str) -> bytes:
    from engine import __version__
    from engine.analysis.replaying.history import history_lines

    if named_server(context) is not None:
        wrong_use("a history is read from the journal: write it where the server runs")
    return history_lines(recorded(config_of(context), run), __version__)


def recorded(config: "Config", run: str) -> "History":
    """Return a run as it was recorded, with the texts that it is pinned to.

    Raises:
        NotFound: no such run, or its texts are not kept. StoreUnavailable.
    """
    from engine.analysis.replaying.history import History
    from engine.errors import NotFound

    summary, entries, texts = _story(config, run)
    if texts is None:
        raise NotFound(f"run '{run}': the texts of its runbook are not kept any more")
    return History(summary, texts, entries)


def report(
    context: typer.Context,
    run: Run,
    format_: Annotated[
        Literal["markdown", "html"], typer.Option("--format")
    ] = "markdown",
    output: Output = "-",
) -> None:
    """Draft the incident report of a run, with the picture of the way it took."""
    from engine.core.machine import machine_graph
    from engine.runtime.library import compiled_from
    from engine.views.paths import path_of
    from engine.views.report import report_html, report_markdown

    config, there = config_of(context), named_server(context)
    if there is not None:
        told = there.ask_once(
            "GET", at("runs", run, "report"), query={"format": format_}
        )
        write_file(output, str(told[format_]).encode())
        return
    summary, entries, text = _story(config, run)
    from engine.bootstrap import kinds, picture_of
    from engine.bootstrap.parts import rehearsals

    compiled = compiled_from(text, summary.revision, kinds(config))
    html = format_ == "html"
    machine, path = machine_graph(compiled, title=summary.title), path_of(entries)
    picture = picture_of(machine, "svg" if html else "mermaid", path).decode()
    view = report_html if html else report_markdown
    last = rehearsals(config).read().get(summary.runbook)
    when = 0.0 if last is None else last.at
    made = view(entries, summary, compiled.runbook, picture=picture, rehearsed=when)
    write_file(output, made.encode())


def verify_timeline(
    context: typer.Context,
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN…]", help="Else all.", autocompletion=run_ids),
    ] = None,
) -> None:
    """Show that timelines are what was written: nothing changed, missing or moved."""
    from engine.errors import NotFound

    async def judged(store: Any) -> list[Any]:
        for run in runs or []:
            if await store.summary(run) is None:
                raise NotFound(f"no run '{run}'. See `runbook runs --all`.")
        if not runs:
            return list(await store.verify())
        return [fault for run in runs for fault in await store.verify(run)]

    there = named_server(context)
    if there is not None:
        faults = [one for run in runs or [""] for one in _faults_there(there, run)]
    else:
        faults = _read(config_of(context), judged)
    for one in faults:
        say(f"{one.run} entry {one.seq}: {plain(one.problem)}")
    if faults:
        tell(
            "The journal is not what was written. Keep a copy of it, and compare with "
            "exports or an older copy."
        )
        raise typer.Exit(PROBLEMS)
    say(f"{', '.join(runs) if runs else 'every timeline'}: as it was written")


def _faults_there(there: "Server", run: str) -> "list[ChainFault]":
    from engine.entrypoints.cli.at_a_server import converted
    from engine.model.timeline import ChainFault

    told = there.ask_once("GET", "/verify", query={"run": run})
    found: list[ChainFault] = converted(there, told["faults"], list[ChainFault])
    return found


def _story(config: "Config", run: str) -> "tuple[RunSummary, list[Entry], str]":
    from engine.errors import NotFound

    async def found(store: Any) -> Any:
        summary = await store.summary(run)
        if summary is None:
            raise NotFound(f"no run '{run}'. See `runbook runs --all`.")
        return summary, await store.entries(run), await store.revision(summary.revision)

    story: tuple[RunSummary, list[Entry], str] = _read(config, found)
    return story


def _read(config: "Config", ask: Any) -> Any:
    """Return what is asked of the journal. Raises StoreUnavailable."""
    import asyncio

    from engine.bootstrap import journal

    async def read() -> Any:
        async with journal(config) as store:
            return await ask(store)

    return asyncio.run(read())
