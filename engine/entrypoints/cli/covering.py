"""The command `coverage`: alert rules beside runbooks. It opens nothing but files.

Called by app.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from engine.entrypoints.cli.choosing import config_of, known_library, library_of
from engine.entrypoints.cli.screen import PROBLEMS, plain, say, say_json, table, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.coverage import Coverage, Covered
    from engine.language.problems import Problem
    from engine.model.alert_rules import AlertRule

SHOWN: Final = 20  # lines of each list
WORST_FIRST: Final = ("critical", "page", "error", "high", "ticket", "warning")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: runbook coverage --rules alerts.yaml runbooks/")(
        coverage
    )


def coverage(
    context: typer.Context,
    rules: Annotated[
        list[Path],
        typer.Option("--rules", help="Prometheus rule files, or folders of them."),
    ],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Runbooks; else the configured ones."),
    ] = None,
    source: Annotated[
        str, typer.Option(help="The source these alerts come through.")
    ] = "alertmanager",
    all_: Annotated[bool, typer.Option("--all", help="Shorten no list.")] = False,
    fail_on: Annotated[
        Literal["never", "without", "idle", "doubled"],
        typer.Option(help="Exit with 1 where such a list is not empty."),
    ] = "never",
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say which alert rules have no runbook, and which runbooks no rule can start."""
    from engine.analysis.coverage import cover
    from engine.core.intake import rules_of

    config = config_of(context)
    library = library_of(config, paths) if paths else known_library(config)
    found, problems = _read(rules)
    told = cover(found, rules_of(library.runbooks.values()), source)
    for problem in problems:
        tell(f"{problem.file}:{problem.line}: {problem.message}")
    if json_:
        say_json(_json(told))
    else:
        _say(told, len(library.runbooks), len(found) if all_ else SHOWN)
    if fail_on != "never" and getattr(told, fail_on):
        raise typer.Exit(PROBLEMS)


def _read(paths: "Sequence[Path]") -> "tuple[list[AlertRule], list[Problem]]":
    from engine.errors import NotFound
    from engine.language.alert_rules import read_alert_rules

    rules: list[AlertRule] = []
    problems: list[Problem] = []
    for path in paths:
        if not path.exists():
            raise NotFound(f"{path}: there is no such file or folder of rules")
        files = [path]
        if path.is_dir():
            files = sorted(one for one in path.rglob("*.y*ml") if not one.is_dir())
        for file in files:
            some, told = read_alert_rules(_text(file), str(file))
            rules += some
            problems += told
    return rules, problems


def _text(file: Path) -> str:
    from engine.errors import EngineError

    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}") from error


def _say(told: "Coverage", books: int, most: int) -> None:
    certain = sum(bool(one.certain) for one in told.covered)
    say(f"{len(told.covered)} alert rules, {books} runbooks")
    say(f"  {certain} surely start a runbook")
    say(f"  {len(told.perhaps)} start one if their series have the labels it wants")
    say(f"  {len(told.without)} have no runbook")
    _list("No runbook", sorted(told.without, key=_badness), most)
    _list("Perhaps", told.perhaps, most)
    _list("More than one runbook; the first one starts", told.doubled, most)
    if told.idle:
        say("\nNo rule can start")
        for name in told.idle:
            say(f"  {plain(name)}")


def _badness(one: "Covered") -> tuple[int, str]:
    severity = one.rule.labels.get("severity", "")
    known = severity in WORST_FIRST
    return (WORST_FIRST.index(severity) if known else len(WORST_FIRST), one.rule.alert)


def _list(title: str, found: "Sequence[Covered]", most: int) -> None:
    if not found:
        return
    say(f"\n{title}")
    table(
        ("alert", "severity", "runbook", "where"),
        [
            (
                one.rule.alert,
                one.rule.labels.get("severity", ""),
                ", ".join(_fit(fit) for fit in one.fits),
                f"{one.rule.file}:{one.rule.line}",
            )
            for one in found[:most]
        ],
    )
    if len(found) > most:
        say(f"… and {len(found) - most} more; --all shows them")


def _fit(fit: Any) -> str:
    return f"{fit.runbook} (if {', '.join(fit.needs)})" if fit.needs else fit.runbook


def _json(told: "Coverage") -> dict[str, Any]:
    from dataclasses import asdict

    import msgspec

    return {
        "rules": [
            msgspec.to_builtins(one.rule) | {"runbooks": [asdict(f) for f in one.fits]}
            for one in told.covered
        ],
        "idle": list(told.idle),
    }
