"""Commands that drive runs: run, resume.

A run is started through runtime.service and followed live. Leaving the terminal never
ends a run: it stays on disk, and `resume` takes it up again.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.entrypoints.cli.reading import run_ids
from engine.entrypoints.cli.screen import wrong_use

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.alert import Alert
    from engine.model.runbook import Runbook
    from engine.runtime.library import Bundle, Library

As = Annotated[
    str, typer.Option("--as", metavar="NAME", help="Who you are; else `me`, else you.")
]
Json = Annotated[bool, typer.Option("--json", help="The outcome for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook run disk-full --set host=db1 --dry-run")(run)
    app.command(epilog="Example: runbook resume r-7kq3xm")(resume)


def run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="The runbook.")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="An input; as often as needed."
        ),
    ] = None,
    alert: Annotated[
        str, typer.Option("--alert", metavar="FILE|-", help="An Alertmanager body.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look for real, act on nothing.")
    ] = False,
    people: Annotated[
        Literal["approve", "reject", "silence"] | None,
        typer.Option(help="What people answer in a dry run; else they approve."),
    ] = None,
    as_: As = "",
    json_: Json = False,
) -> None:
    """Start a runbook and follow it; 0 if it ends resolved or cleared."""
    import asyncio

    from engine.entrypoints.cli.authoring import config_of

    if people is not None and not dry_run:
        wrong_use("--people stands beside --dry-run; a live run asks real people")
    config = config_of(context)
    given = given_of(set_ or [])
    library, bundle = chosen(config, name)
    who = person(config, as_)
    body = alert_of(bundle.compiled.runbook, alert) if alert else None
    if dry_run:
        from engine.entrypoints.cli.plans import dry

        code = asyncio.run(
            dry(config, library, bundle, given, who, alert=body,
                people=people or "approve", json_=json_)
        )  # fmt: skip
    else:
        from engine.entrypoints.cli.attending import start

        code = asyncio.run(
            start(config, library, bundle, given, who, alert=body, json_=json_)
        )
    raise typer.Exit(code)


def resume(
    context: typer.Context,
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN…]", help="Else all.", autocompletion=run_ids),
    ] = None,
    as_: As = "",
    json_: Json = False,
) -> None:
    """Take up open runs that nobody drives, and follow them."""
    import asyncio

    from engine.entrypoints.cli.attending import go_on
    from engine.entrypoints.cli.authoring import config_of

    config = config_of(context)
    raise typer.Exit(
        asyncio.run(go_on(config, runs or [], person(config, as_), json_=json_))
    )


def given_of(pairs: list[str]) -> dict[str, Any]:
    """Return the inputs of `--set key=value`; exits with 2 where one has no `=`."""
    given: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            wrong_use(f"'{pair}' is no KEY=VALUE")
        given[key] = value
    return given


def chosen(config: "Config", name: str) -> "tuple[Library, Bundle]":
    """Return the runbook of a name or a file, and the library it stands in.

    Raises:
        NotFound: no such runbook. RunbookRefused: it has problems.
    """
    from engine.entrypoints.cli.authoring import library_of

    file = Path(name)
    if file.suffix in (".yaml", ".yml"):
        library = library_of(config, [file])
        return library, library.bundle(file.stem)
    library = known_library(config)
    return library, library.bundle(name)


def known_library(config: "Config") -> "Library":
    """Return the runbooks of the configured folders that are there."""
    from engine.entrypoints.cli.authoring import library_of

    return library_of(config, [one for one in config.runbooks if one.exists()])


def person(config: "Config", named: str) -> str:
    """Return who sits here: --as, `me`, or the user of the system.

    Exits with 2 where people are configured and --as is none of them.
    """
    import getpass

    people = config.settings.people
    if named and people and named not in people:
        wrong_use(f"'{named}' is not one of the people: {', '.join(sorted(people))}")
    try:
        return named or config.settings.me or getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "unknown"


def alert_of(runbook: "Runbook", source: str) -> "Alert":
    """Return the firing alert of a body that starts the runbook.

    Raises:
        EngineError: it cannot be read, or none of its alerts matches.
    """
    import json

    from engine.bootstrap import parse_alerts
    from engine.core.intake import pick_alert
    from engine.errors import EngineError

    try:
        raw = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
        body = json.loads(raw)
    except OSError as error:
        raise EngineError(f"{source} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{source} is no JSON: {error}") from error
    alert, why = pick_alert(runbook, parse_alerts(body, "alertmanager"))
    if alert is None:
        raise EngineError(f"{source} does not start '{runbook.runbook}': {why}")
    return alert
