"""Commands that drive runs: run, resume.

Where a server runs on this data folder, or is named, it drives the run; else this
process does. It is followed live. Leaving the terminal never ends a run: the server
goes on with it, or it stays on disk, and `resume` takes it up again.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from engine.entrypoints.cli.choosing import (
    As,
    body_of,
    chosen,
    config_of,
    given_of,
    is_file,
    person,
)
from engine.entrypoints.cli.completing import open_runs, runbook_names
from engine.entrypoints.cli.reaching import reached
from engine.entrypoints.cli.screen import wrong_use

if TYPE_CHECKING:
    from engine.config import Config
    from engine.entrypoints.cli.reaching import Server
    from engine.model.alert import Alert
    from engine.runtime.library import Bundle, Library

Json = Annotated[bool, typer.Option("--json", help="The outcome for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog="Examples: runbook run disk-full --set host=db1 --dry-run; "
        "runbook run disk-full --dry-run --at 2026-11-01T03:12Z"
    )(run)
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
        str, typer.Option("--alert", metavar="FILE|-", help="A body of its source.")
    ] = "",
    source: Annotated[
        str,
        typer.Option(metavar="NAME", help="Of the body; else as its triggers say."),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look for real, act on nothing.")
    ] = False,
    people: Annotated[
        Literal["approve", "reject", "silence"] | None,
        typer.Option(help="What people answer in a dry run; else they approve."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="A dry run as of then: 2026-11-01T03:12Z."
        ),
    ] = None,
    as_: As = "",
    json_: Json = False,
) -> None:
    """Start a runbook and follow it; 0 if it ends resolved or cleared."""
    import asyncio

    moment = _asked_for(people, at, dry_run=dry_run)
    config = config_of(context)
    given = given_of(set_ or [])
    there, who = (None, "") if dry_run else reached(context, config, as_)
    if there is not None and (there.remote or not is_file(name)):
        _start_there(there, name, given, alert, source, json_=json_)
    library, bundle = chosen(config, name)
    who = who or person(config, as_)
    body = _alert(config, bundle, alert, source) if alert else None
    if dry_run:
        code = _dry(config, library, bundle, given, who, at=moment, alert=body,
                    people=people or "approve", json_=json_)  # fmt: skip
    else:
        from engine.entrypoints.cli.attending import start

        code = asyncio.run(
            start(config, library, bundle, given, who, alert=body, json_=json_)
        )
    raise typer.Exit(code)


def _dry(
    config: "Config",
    library: "Library",
    bundle: "Bundle",
    given: "dict[str, Any]",
    who: str,
    *,
    at: float | None,
    alert: "Alert | None",
    people: str,
    json_: bool,
) -> int:
    """Play it as of now, or of a moment of the past; return the exit code."""
    import asyncio

    if at is not None:
        from engine.entrypoints.cli.looking_back import look_back

        return look_back(
            config, library, bundle, given, who, at=at, alert=alert,
            people=people, json_=json_,
        )  # fmt: skip
    from engine.entrypoints.cli.plans import dry

    return asyncio.run(
        dry(config, library, bundle, given, who, alert=alert, people=people,
            json_=json_)
    )  # fmt: skip


def _asked_for(people: str | None, at: str | None, *, dry_run: bool) -> float | None:
    """Return the moment of a dry run; exits with 2 where words do not fit together."""
    if people is not None and not dry_run:
        wrong_use("--people stands beside --dry-run; a live run asks real people")
    if at is not None and not dry_run:
        wrong_use("--at stands beside --dry-run; nothing can be done in the past")
    return _moment(at) if at is not None else None


def _moment(text: str) -> float:
    """Return the epoch seconds of --at; exits with 2 where there is no such moment."""
    import time

    from engine.model.times import epoch_seconds

    moment = epoch_seconds(text)
    if moment is None:
        wrong_use(
            f"--at: '{text}' is no moment; write date, time and zone: 2026-11-01T03:12Z"
        )
    if moment > time.time():
        wrong_use(f"--at: {text} is still to come; leave --at out to look now")
    return moment


def _alert(config: "Config", bundle: "Bundle", file: str, source: str) -> "Alert":
    """Return the alert of a file that starts the runbook. Raises DoesNotApply."""
    from engine.bootstrap import starting_alert
    from engine.errors import DoesNotApply

    try:
        return starting_alert(bundle.compiled.runbook, body_of(file), source, config)
    except DoesNotApply as error:
        raise DoesNotApply(f"{file}: {error}") from error


def _start_there(
    there: "Server",
    name: str,
    given: "dict[str, Any]",
    alert: str,
    source: str,
    *,
    json_: bool,
) -> NoReturn:
    """Start it at a server, and follow it."""
    import asyncio

    from engine.entrypoints.cli.at_a_server import start

    if is_file(name):
        wrong_use(f"'{name}': a server runs what it has loaded; name the runbook alone")
    wanted: dict[str, Any] = {"runbook": name, "inputs": given}
    if alert:
        text = body_of(alert).decode("utf-8", "replace")
        wanted |= {"alert": text, "source": source}
    raise typer.Exit(asyncio.run(start(there, wanted, json_=json_)))


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
