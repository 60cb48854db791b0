"""Commands about what the intake offers to people: proposals, accept, decline.

The server has the list, and starts what is accepted: under the name of whoever accepts,
with the alert that it is about. Where no server runs, the journal tells the list, and a
runbook is started by `run`.

Called by app.
"""

from typing import Annotated, Any

import typer

from engine.entrypoints.cli.choosing import As, config_of
from engine.entrypoints.cli.completing import proposal_names
from engine.entrypoints.cli.reaching import Server, at, reached, server_of
from engine.entrypoints.cli.running import Json
from engine.entrypoints.cli.screen import plain, say, say_json, table, tell, wrong_use

Proposal = Annotated[
    str,
    typer.Argument(
        metavar="PROPOSAL",
        help="Its name, or its runbook's.",
        autocompletion=proposal_names,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook proposals")(proposals)
    app.command(epilog="Example: runbook accept p-3fa2c1 --as ana")(accept)
    app.command(epilog="Example: runbook decline p-3fa2c1 --reason 'a drill'")(decline)


def proposals(
    context: typer.Context,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List what alerts would start, and a person has to: the worst first."""
    from engine.bootstrap.offers import offered

    there = server_of(context, config_of(context))
    if there is not None:
        found = there.ask_once("GET", "/proposals")
    else:
        found = offered(config_of(context))
    if json_:
        say_json(found)
    elif found:
        titles = ("proposal", "runbook", "for", "severity", "alert", "since", "because")
        table(titles, [_row(one) for one in found])
    else:
        tell("Nothing is proposed.")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    from engine.model.times import moment_text

    since = moment_text(one["since"]).removesuffix(" UTC")
    return (
        one["proposal"], one["runbook"], one["group"], one["severity"],
        one["alertname"], since, one["reason"],
    )  # fmt: skip


def accept(
    context: typer.Context, proposal: Proposal, as_: As = "", json_: Json = False
) -> None:
    """Start what is proposed, with its alert, under your own name; and follow it."""
    import asyncio

    from engine.entrypoints.cli.at_a_server import asked, attended

    there = _server(context, as_)

    async def accepted() -> int:
        async with asked(there):
            told = await there.ask("POST", at("proposals", proposal, "accept"), {})
            tell(f"{told['run']} is driven by {there.where}")
            return await attended(there, str(told["run"]), json_=json_)

    raise typer.Exit(asyncio.run(accepted()))


def decline(
    context: typer.Context,
    proposal: Proposal,
    reason: Annotated[str, typer.Option(help="Why; it is written down.")] = "",
    as_: As = "",
) -> None:
    """Say that what is proposed is not to be started."""
    if not reason.strip():
        wrong_use("say why: --reason TEXT")
    there = _server(context, as_)
    body = {"reason": reason}
    told = there.ask_once("POST", at("proposals", proposal, "decline"), body)
    say(f"declined: {plain(told['declined'])}")


def _server(context: typer.Context, as_: str) -> Server:
    """Return the server. Raises DoesNotApply: none runs, and what to do."""
    from engine.errors import DoesNotApply

    config = config_of(context)
    there, _ = reached(context, config, as_)
    if there is None:
        raise DoesNotApply(
            f"no server runs on {config.data}, and only it starts what alerts ask for. "
            "Begin it with runbook serve; or start the runbook by hand, with its "
            "alert's values: runbook run NAME --set KEY=VALUE"
        )
    return there
