"""Commands about alerts: why, alerts. They read the journal, or ask `--server`.

Called by app.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from engine.entrypoints.cli.choosing import config_of
from engine.entrypoints.cli.reaching import named_server
from engine.entrypoints.cli.screen import plain, say, say_json, table

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.decision import Decision

Json = Annotated[bool, typer.Option("--json", help="For programs.")]
MOST: Final = 1000
NOTHING_FITS: Final = "no_runbook"
SHOWN: Final = 60  # characters of a reason in the list


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook why MessageDeliveryDelay")(why)
    app.command(epilog="Example: runbook alerts --unmatched")(alerts)


def why(
    context: typer.Context,
    alert: Annotated[
        str,
        typer.Argument(
            metavar="ALERT",
            help="An alertname, a fingerprint, a run's id, or a delivery's number.",
        ),
    ],
    json_: Json = False,
) -> None:
    """Tell why an alert started a run, or did not: every decision, with its reason."""
    import asyncio

    from engine.errors import NotFound
    from engine.model.decision import OUTCOMES

    config, found = config_of(context), _decided(context, about=alert)
    if not found:
        raise NotFound(f"nothing was ever decided about '{alert}'. See: runbook alerts")
    if json_:
        say_json([_plain(one) for one in found])
        return
    for one in found:
        about = f"{one.alertname or one.fingerprint} {one.status}".strip()
        say(f"{_time(one.at)}  {plain(about)}: {OUTCOMES[one.outcome]}")
        where = " ".join(filter(None, (one.runbook, one.group, one.run)))
        say(f"    {plain(where)}" if where else f"    delivery {one.delivery}")
        say(f"    because {plain(one.reason)}")
        if one.outcome == NOTHING_FITS and named_server(context) is None:
            say(f"    {plain(asyncio.run(_nearest(config, one)))}")


def alerts(
    context: typer.Context,
    unmatched: Annotated[
        bool,
        typer.Option("--unmatched", help="Those that no trigger fits."),
    ] = False,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.")] = 50,
    json_: Json = False,
) -> None:
    """List alerts and what became of each, newest last."""
    outcome = NOTHING_FITS if unmatched else ""
    found = _decided(context, outcome=outcome, limit=max(1, min(limit, MOST)))
    if json_:
        say_json([_plain(one) for one in found])
        return
    if not found:
        say("No alert has come." if not unmatched else "Every alert had a runbook.")
        return
    rows = [
        (
            _time(one.at),
            plain(one.source),
            plain(one.alertname or one.fingerprint or one.run),
            one.status,
            one.outcome,
            one.run,
            plain(one.reason)[:SHOWN],
        )
        for one in found
    ]
    table(("time (UTC)", "source", "alert", "status", "became", "run", "because"), rows)


def _decided(context: typer.Context, **which: Any) -> "list[Decision]":
    import asyncio

    there = named_server(context)
    if there is None:
        return asyncio.run(_decisions(config_of(context), **which))
    from engine.entrypoints.cli.at_a_server import converted
    from engine.model.decision import Decision

    told = there.ask_once("GET", "/alerts", query={"limit": MOST, **which})
    found: list[Decision] = converted(there, told, list[Decision])
    return found


async def _decisions(config: "Config", **which: Any) -> "list[Decision]":
    from engine.bootstrap import journal

    async with journal(config) as store:
        return await store.alerts.decisions(**which)


async def _nearest(config: "Config", one: "Decision") -> str:
    """Return which of the runbooks that are there now would nearly have fitted."""
    from engine.bootstrap import journal, rules
    from engine.core.intake import nearest_trigger
    from engine.entrypoints.cli.choosing import known_library

    async with journal(config) as store:
        kept = await store.alerts.alert(one.delivery, one.position)
    if kept is None:
        return "its body is not kept any more"
    known = rules(config, known_library(config)).rules
    return nearest_trigger(known, kept.alerts[0]) or "no trigger is near it"


def _time(at: float) -> str:
    from engine.model.times import date_text, time_text

    return f"{date_text(at)} {time_text(at)}"


def _plain(one: "Decision") -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(one)
    return found
