"""`runbook backtest`: which alerts of the past would have started which runbook.

The intake decides as it would in life; nothing is started, posted or written.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from engine.entrypoints.cli.choosing import config_of, known_library, library_of
from engine.entrypoints.cli.screen import (
    plain,
    say,
    say_json,
    table,
    tell,
    wrong_use,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.backtest import Backtest, Run
    from engine.config import Config
    from engine.model.alert import Alert

SHOWN: Final = 20  # lines of each list


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: runbook backtest --prometheus http://127.0.0.1:9090")(
        backtest
    )


def backtest(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Runbooks; else the configured ones."),
    ] = None,
    alerts: Annotated[
        list[Path] | None,
        typer.Option("--alerts", metavar="FILE", help="Bodies, or JSON lines of them."),
    ] = None,
    source: Annotated[
        str, typer.Option(metavar="NAME", help="Of the files; else the first that can.")
    ] = "",
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Its series ALERTS, of --since.")
    ] = "",
    alertmanager: Annotated[
        str, typer.Option(metavar="URL", help="What it has now.")
    ] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="As 12h or 30d.")] = "30d",
    all_: Annotated[bool, typer.Option("--all", help="Shorten no list.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what past alerts would have started, and how often people were asked."""
    from engine.bootstrap.backtesting import played

    if sum(map(bool, (alerts, prometheus, alertmanager))) != 1:
        wrong_use("name one of --alerts FILE, --prometheus URL, --alertmanager URL")
    config = config_of(context)
    library = library_of(config, paths) if paths else known_library(config)
    found = _alerts(config, alerts or [], source, prometheus, alertmanager, since)
    told = played(config, library, found)
    if json_:
        say_json(as_json(told))
    else:
        _say(told, len(library.runbooks), None if all_ else SHOWN)


def _alerts(
    config: "Config",
    files: "Sequence[Path]",
    source: str,
    prometheus: str,
    alertmanager: str,
    since: str,
) -> "list[tuple[float, Alert]]":
    import asyncio
    import time

    from engine.bootstrap.backtesting import asked
    from engine.model.values import parse_duration

    if files:
        return _in_files(config, files, source)
    try:
        seconds = parse_duration(since).total_seconds()
    except ValueError as error:
        wrong_use(f"--since: {error}")
    now = time.time()
    return asyncio.run(
        asked(
            config,
            prometheus=prometheus,
            alertmanager=alertmanager,
            since=now - seconds,
            until=now,
        )
    )


def _in_files(
    config: "Config", paths: "Sequence[Path]", source: str
) -> "list[tuple[float, Alert]]":
    """Return the alerts of files and of folders; what is no body is told, not counted.

    Raises:
        EngineError: nothing of it can be read.
    """
    from engine.bootstrap.backtesting import alerts_in
    from engine.errors import EngineError

    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*.json*")) if path.is_dir() else [path])
    ]
    found: list[tuple[float, Alert]] = []
    problems: list[str] = []
    for file in files:
        try:
            found += alerts_in(file, source, config)
        except EngineError as error:
            problems.append(str(error))
    if not found and problems:
        raise EngineError("\n".join(problems[:SHOWN]))
    for problem in problems:
        tell(f"not counted: {plain(problem)}")
    return found


def _say(told: "Backtest", books: int, most: int | None) -> None:
    from engine.model.decision import OUTCOMES
    from engine.model.times import moment_text

    say(f"{told.alerts} alerts, {books} runbooks, {len(told.runs)} runs would begin")
    if not told.alerts:
        return
    say(f"  from {moment_text(told.first_at)} to {moment_text(told.last_at)}")
    for outcome, many in sorted(told.outcomes.items(), key=lambda one: -one[1]):
        say(f"  {many:>6}  {outcome}: {OUTCOMES[outcome]}")
    at, many = told.storm
    if many > 1:
        say(f"  most in a minute: {many}, at {moment_text(at)}")
    for title, titles, rows in _lists(told):
        _list(title, titles, rows, most)


def _lists(
    told: "Backtest",
) -> "Iterator[tuple[str, tuple[str, ...], Sequence[Sequence[object]]]]":
    titles: tuple[str, ...] = ("runbook", "runs", "joined", "longest wait", "first")
    yield "Runs", (*titles, "last"), _runs(told)
    held = [(*key, many) for key, many in told.held_back.most_common()]
    yield "Held back", ("runbook", "why", "times"), held
    yield "No runbook", ("alert", "times"), told.nothing.most_common()
    doubled = [(*key, many) for key, many in told.doubled.most_common()]
    title = "More than one runbook; the first one starts"
    yield title, ("alert", "starts", "also fits", "times"), doubled
    cannot = [(*key, many) for key, many in told.cannot.most_common()]
    yield "Cannot start", ("runbook", "why", "times"), cannot
    conflicts = [_conflict(one) for one in told.conflicts]
    title = "The same lock at the same time"
    yield title, ("path", "held by", "wanted by", "at"), conflicts
    asked = [_asked(one) for one in told.asked]
    title = "Asked at most (one way through each run; night: 22 to 6 UTC)"
    yield title, ("who", "date", "", "questions", "runs"), asked


def _runs(told: "Backtest") -> list[tuple[object, ...]]:
    from engine.model.times import length_text, moment_text

    by_name: dict[str, list[Run]] = {}
    for run in told.runs:
        by_name.setdefault(run.runbook, []).append(run)
    return [
        (
            name,
            len(runs),
            told.joined[name],
            length_text(max(run.waited for run in runs)),
            moment_text(runs[0].began),
            moment_text(runs[-1].began),
        )
        for name, runs in sorted(by_name.items(), key=lambda one: -len(one[1]))
    ]


def _conflict(one: Any) -> tuple[str, str, str, str]:
    from engine.model.times import moment_text

    at = moment_text(one.second.began)
    return one.path, one.first.runbook, one.second.runbook, at


def _asked(one: Any) -> tuple[object, ...]:
    when = "night" if one.by_night else "day"
    return one.person, one.night, when, one.questions, one.runs


def _list(
    title: str,
    titles: tuple[str, ...],
    rows: "Sequence[Sequence[object]]",
    most: int | None,
) -> None:
    if not rows:
        return
    say(f"\n{title}")
    table(titles, [[str(cell) for cell in row] for row in rows[:most]])
    if most is not None and len(rows) > most:
        say(f"… and {len(rows) - most} more; --all shows them")


def as_json(told: "Backtest") -> dict[str, Any]:
    """Return it for programs; times are epoch seconds, lengths seconds."""
    from dataclasses import asdict

    def counted(names: tuple[str, ...], counter: Any) -> list[dict[str, Any]]:
        return [
            dict(zip((*names, "times"), (*key, many), strict=True))
            for key, many in counter.most_common()
        ]

    return {
        "alerts": told.alerts,
        "first_at": told.first_at,
        "last_at": told.last_at,
        "outcomes": dict(told.outcomes.most_common()),
        "runs": [asdict(one) for one in told.runs],
        "joined": dict(told.joined.most_common()),
        "held_back": counted(("runbook", "outcome"), told.held_back),
        "no_runbook": dict(told.nothing.most_common()),
        "doubled": counted(("alert", "starts", "also"), told.doubled),
        "cannot_start": counted(("runbook", "why"), told.cannot),
        "storm": {"at": told.storm[0], "alerts": told.storm[1]},
        "conflicts": [asdict(one) for one in told.conflicts],
        "asked_at_most": [asdict(one) for one in told.asked],
    }
