"""`runbook adopt`: a run that takes over what was done by hand.

As `run`: where a server runs on this data folder, or is named, it drives the run; else
this process does. What was done counts as done, and is given back as if the run had
done it.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.entrypoints.cli.choosing import As, chosen, config_of, given_of, is_file
from engine.entrypoints.cli.choosing import person as person_of
from engine.entrypoints.cli.completing import runbook_names
from engine.entrypoints.cli.reaching import reached
from engine.entrypoints.cli.running import Json
from engine.entrypoints.cli.screen import wrong_use

if TYPE_CHECKING:
    from engine.model.events import Adopted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: runbook adopt disk-full --did drain=db1,weight=5")(
        adopt
    )


def adopt(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH", help="The runbook.", autocompletion=runbook_names
        ),
    ],
    did: Annotated[
        list[str],
        typer.Option(
            "--did",
            metavar="ACTION[=TARGET][,NAME=VALUE…]",
            help="Done by hand; NAME: what it was before, where that is remembered.",
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="An input; as often as needed."
        ),
    ] = None,
    as_: As = "",
    json_: Json = False,
) -> None:
    """Start a run that counts acts as done, and gives them back; and follow it."""
    import asyncio

    config = config_of(context)
    given, acts = given_of(set_ or []), [parsed(one) for one in did]
    there, who = reached(context, config, as_)
    if there is not None and (there.remote or not is_file(name)):
        from engine.entrypoints.cli.at_a_server import start as start_there

        if is_file(name):
            wrong_use(
                f"'{name}': a server runs what it has loaded; name the runbook alone"
            )
        wanted = {"runbook": name, "inputs": given, "did": acts}
        raise typer.Exit(asyncio.run(start_there(there, wanted, json_=json_)))
    from engine.entrypoints.cli.attending import start

    library, bundle = chosen(config, name)
    taken = [_adopted(one) for one in acts]
    who = who or person_of(config, as_)
    raise typer.Exit(
        asyncio.run(
            start(config, library, bundle, given, who, alert=None, json_=json_,
                  did=taken)
        )
    )  # fmt: skip


def parsed(text: str) -> dict[str, Any]:
    """Return `ACTION[=TARGET][,NAME=VALUE…]` in its parts; a value is JSON, or text.

    Exits with 2 where it is not written so.
    """
    first, *rest = text.split(",")
    action, _, target = first.partition("=")
    before: dict[str, Any] = {}
    for one in rest:
        key, equals, value = one.partition("=")
        if not key or not equals:
            wrong_use(f"'{text}': '{one}' is no NAME=VALUE")
        try:
            before[key] = json.loads(value)
        except (ValueError, RecursionError):
            before[key] = value
    if not action:
        wrong_use(f"'{text}' names no action")
    return {"action": action, "target": target, "before": before}


def _adopted(one: dict[str, Any]) -> "Adopted":
    from engine.model.events import Adopted

    return Adopted(**one)
