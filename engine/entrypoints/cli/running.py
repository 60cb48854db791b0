"""Commands that drive runs: run, resume.

A run is started through runtime.service and followed live. Leaving the terminal never
ends a run: it stays on disk, and `resume` takes it up again.
"""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.entrypoints.cli.choosing import (
    As,
    alert_of,
    chosen,
    config_of,
    given_of,
    person,
)
from engine.entrypoints.cli.completing import open_runs, runbook_names
from engine.entrypoints.cli.screen import wrong_use

if TYPE_CHECKING:
    pass

Json = Annotated[bool, typer.Option("--json", help="The outcome for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook run disk-full --set host=db1 --dry-run")(run)
    app.command(epilog="Example: runbook resume r-7kq3xm")(resume)


def run(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH", help="The runbook.", autocompletion=runbook_names
        ),
    ],
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
        typer.Argument(metavar="[RUN…]", help="Else all.", autocompletion=open_runs),
    ] = None,
    as_: As = "",
    json_: Json = False,
) -> None:
    """Take up open runs that nobody drives, and follow them."""
    import asyncio

    from engine.entrypoints.cli.attending import go_on

    config = config_of(context)
    raise typer.Exit(
        asyncio.run(go_on(config, runs or [], person(config, as_), json_=json_))
    )
