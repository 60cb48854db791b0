"""`runbook drill`: a live rehearsal with people; `runbook drills`: when each was last.

Looking is real, people are real, acting is absent unless it is asked for.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.entrypoints.cli.choosing import (
    As,
    chosen,
    config_of,
    given_of,
    known_library,
    person,
)
from engine.entrypoints.cli.completing import runbook_names
from engine.entrypoints.cli.screen import (
    PROBLEMS,
    say,
    say_json,
    table,
    tell,
    write_file,
    wrong_use,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.bootstrap.drilling import Timed
    from engine.config import Config
    from engine.model.run import RunSummary
    from engine.model.timeline import Entry
    from engine.runtime.library import Bundle, Library


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook drill disk-full --set host=db1 --people bo")(
        drill
    )
    app.command(epilog="Example: runbook drills")(drills)


def drill(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH", help="The runbook.", autocompletion=runbook_names
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An input."),
    ] = None,
    people: Annotated[
        list[str] | None,
        typer.Option("--people", metavar="NAME", help="Who is in it; you are."),
    ] = None,
    actions: Annotated[
        Literal["none", "real"],
        typer.Option(help="real: at what --set or --config points at."),
    ] = "none",
    inject: Annotated[
        list[str] | None,
        typer.Option(metavar="FAULT|COMMAND", help="Break it first, on purpose."),
    ] = None,
    platform: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Of the example platform."),
    ] = None,
    heal: Annotated[str, typer.Option(metavar="COMMAND", help="In the end.")] = "",
    pages: Annotated[
        bool, typer.Option("--pages", help="Page groups for real.")
    ] = False,
    report: Annotated[
        str, typer.Option(metavar="FILE", help="The report, as Markdown.")
    ] = "",
    as_: As = "",
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Rehearse with people: real looks, marked [REHEARSAL], times measured."""
    import asyncio

    from engine.bootstrap.drilling import drill_config, injected, without_acts

    if actions == "real" and not (set_ or context.obj):
        wrong_use("--actions real: name the drill's targets, --set or --config")
    real = config_of(context)
    who = person(real, as_)
    config = drill_config(real, [who, *(people or [])], pages=pages)
    library, bundle = chosen(real, name)
    form = without_acts(bundle, library) if actions == "none" else bundle
    given = given_of(set_ or [])
    with injected(inject or [], platform, heal) as mend:
        played = _played(
            config, library, form, given, who, actions=actions, mend=mend, json_=json_
        )
        summary, entries = asyncio.run(played)
    _over(real, library, bundle, summary, entries, report, json_=json_)


async def _played(
    config: "Config",
    library: "Library",
    bundle: "Bundle",
    given: dict[str, Any],
    who: str,
    *,
    actions: str,
    mend: "Callable[[], None]",
    json_: bool,
) -> "tuple[RunSummary, list[Entry]]":
    import asyncio

    from engine.bootstrap import engine
    from engine.entrypoints.cli.attending import attended, follower_of
    from engine.runtime.dry_run import HeldActions
    from engine.runtime.service import new_run_id

    follower, run = follower_of(json_=json_), new_run_id()
    absent = HeldActions() if actions == "none" else None

    mending: list[asyncio.Future[None]] = []

    def changed(summary: "RunSummary", entries: "list[Entry]") -> None:
        if summary.phase == "restore":  # the cause is mended; later this does nothing
            mending.append(asyncio.get_running_loop().run_in_executor(None, mend))
        follower.changed(summary, entries)

    tell(f"[REHEARSAL] {run}: others answer with RUNBOOK_DATA={config.data}")
    async with engine(
        config, library, write=follower.said, listener=changed, actions=absent
    ) as opened:
        opened.host.begins(run)
        await opened.host.start()
        by = opened.service.actor(who, "cli", bundle.compiled.runbook)
        await opened.service.start(bundle, given, by, mode="rehearsal", run=run)
        await attended(opened, follower, who).to_the_end()
        await asyncio.gather(*mending, return_exceptions=True)  # the end tries again
        summary = await opened.service.summary(run)
        return summary, await opened.service.timeline(run)


def _over(
    config: "Config", library: "Library", bundle: "Bundle", summary: "RunSummary",
    entries: "list[Entry]", report: str, *, json_: bool,
) -> None:  # fmt: skip
    """Tell the times, keep that it was, write the report; exit with 1 if it failed."""
    from dataclasses import asdict

    from engine.analysis.bounds import bounds
    from engine.bootstrap.drilling import keep_drill, times_of
    from engine.model.run import ENDS
    from engine.views.report import report_markdown

    runbook = bundle.compiled.runbook
    times = times_of(entries, runbook.limits.time, bounds(bundle.compiled))
    if summary.state not in ENDS:
        tell(f"{summary.run} was left: it does not count as a drill")
        raise typer.Exit(PROBLEMS)
    kept = keep_drill(config, library, summary, times)
    if report:
        text = report_markdown(entries, summary, runbook, picture=None)
        write_file(report, text.encode())
    if json_:
        say_json({"run": summary.run, "end": summary.state, "failed": bool(kept.failed),
                  "times": [asdict(one) for one in times]})  # fmt: skip
    else:
        say(f"[REHEARSAL] {runbook.runbook} ended as {summary.state.replace('_', ' ')}")
        table(("time", "took", "limit", "at worst", ""), [_time(one) for one in times])
    if kept.failed:
        raise typer.Exit(PROBLEMS)


def _time(one: "Timed") -> tuple[str, ...]:
    from engine.model.times import length_text

    limit = length_text(one.limit) if one.limit is not None else "-"
    late = "TOO LATE" if one.broken else ""
    return one.name, length_text(one.took), limit, length_text(one.worst), late


def drills(
    context: typer.Context,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say when each runbook was last drilled, and how it went."""
    import time

    from engine.bootstrap.parts import drills as file_of
    from engine.model.times import length_text

    config = config_of(context)
    found, now = file_of(config).read(), time.time()
    most = config.settings.doctor.rehearsed_within.total_seconds()
    library = known_library(config)
    rows: list[dict[str, Any]] = []
    for name in sorted(library.loaded):
        last = found.get(name)
        age = now - last.at if last is not None else None
        rows.append({
            "runbook": name,
            "age_seconds": age,
            "failed": bool(last.failed) if last is not None else None,
            "changed": last is not None
            and last.revision != library.loaded[name].revision,
            "overdue": age is None or age > most,
        })  # fmt: skip
    if json_:
        say_json(rows)
        return
    shown = [
        (
            one["runbook"],
            "never" if one["age_seconds"] is None else length_text(one["age_seconds"]),
            {None: "", True: "failed", False: "went well"}[one["failed"]],
            "changed since" if one["changed"] else "",
            "OVERDUE" if one["overdue"] else "",
        )
        for one in rows
    ]
    table(("runbook", "drilled ago", "it", "", ""), shown)
