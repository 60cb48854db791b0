"""Commands that steer: hold, retry, sev, page; in the words of chat, and as there.

`hold` without a run is the global hold: a file beside the journal, so it works where
nothing else does. Everything else is a word to one run. Called by app.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.entrypoints.cli.answering import OpenRun, tell_run
from engine.entrypoints.cli.choosing import As, config_of, person
from engine.entrypoints.cli.completing import held_words
from engine.entrypoints.cli.reaching import at, named_server, server_of
from engine.entrypoints.cli.screen import plain, say, wrong_use

if TYPE_CHECKING:
    from engine.bootstrap import Engine
    from engine.config import Config
    from engine.entrypoints.cli.reaching import Server
    from engine.model.people import Actor

EVERY = "all"  # in place of a run


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook hold on --reason 'network is down' --as ana")(
        hold
    )
    app.command(epilog="Example: runbook retry r-7kq3xm --as ana")(retry)
    app.command(epilog="Example: runbook sev r-7kq3xm 1 --reason 'all users'")(sev)
    app.command(epilog="Example: runbook page r-7kq3xm storage 'the disk is full'")(
        page
    )


def hold(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|all] [on|off]",
            help="Whose hold, left out: everybody's; left out: how it stands.",
            autocompletion=held_words,
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; everybody sees it.")] = "",
    as_: As = "",
) -> None:
    """Set or lift the global hold, or one run's: while it is on, no new act begins."""
    run, state = _meant(words or [])
    if state == "on" and not reason.strip():
        wrong_use("say why: --reason TEXT")
    if run != EVERY:
        _hold_run(context, run, state, reason, as_)
        return
    config, there = config_of(context), named_server(context, as_)
    if there is not None:
        _say_hold(_hold_there(there, state, reason))
    else:
        _say_hold(_hold_here(config, state, person(config, as_), reason))


def _meant(words: list[str]) -> tuple[str, str]:
    """Return the run, or all, and on, off or nothing."""
    states, rest = ("on", "off"), list(words)
    run = rest.pop(0) if rest and rest[0] not in states else EVERY
    state = rest.pop(0) if rest else ""
    if state and state not in states:
        wrong_use(f"'{plain(state)}' is neither on nor off")
    if rest:
        wrong_use(f"'{plain(rest[0])}' is too much: hold [RUN|all] [on|off]")
    return run, state


def _hold_here(config: "Config", state: str, who: str, reason: str) -> str | None:
    from engine.bootstrap import hold as switch_of
    from engine.bootstrap import secrets
    from engine.runtime.holding import lift_hold, set_hold
    from engine.runtime.redact import Redactor

    switch = switch_of(config)
    if state == "on":
        clean = Redactor(secrets(config).values).text
        return set_hold(switch, clean, who, reason)
    return lift_hold(switch) if state == "off" else switch.reason()


def _hold_there(there: "Server", state: str, reason: str) -> str | None:
    method = {"on": "PUT", "off": "DELETE"}.get(state, "GET")
    body = {"reason": reason} if state == "on" else None
    held: str | None = there.ask_once(method, "/hold", body)["held"]
    return held


def _say_hold(told: str | None) -> None:
    if told is None:
        say("off: acts may begin")
    else:
        say(f"on: {plain(told)}; undos go on, no new act begins")


def _hold_run(
    context: typer.Context, run: str, state: str, reason: str, as_: str
) -> None:
    if not state:
        _say_hold(_held(context, run) or None)
        return

    async def switch(engine: "Engine", by: "Actor") -> None:
        if state == "on":
            await engine.steering.hold(run, by, reason)
        else:
            await engine.steering.go_on(run, by, reason)

    method = "PUT" if state == "on" else "DELETE"
    tell_run(context, run, as_, switch, lambda _: {"reason": reason}, method=method)


def _held(context: typer.Context, run: str) -> str:
    """Return who holds the run and why; empty: nobody. Raises NotFound."""
    config = config_of(context)
    there = server_of(context, config)
    if there is not None:
        return str(there.ask_once("GET", at("runs", run))["run"]["on_hold"])
    import asyncio

    from engine.bootstrap import journal
    from engine.errors import NotFound

    async def held() -> str:
        async with journal(config) as store:
            found = await store.summary(run)
        if found is None:
            raise NotFound(f"no run '{run}'. See `runbook runs`.")
        return found.on_hold

    return asyncio.run(held())


def retry(context: typer.Context, run: OpenRun, as_: As = "") -> None:
    """Try again now what waits for its next try."""

    async def again(engine: "Engine", by: "Actor") -> None:
        await engine.steering.retry(run, by)

    tell_run(context, run, as_, again, lambda _: {})


def sev(
    context: typer.Context,
    run: OpenRun,
    severity: Annotated[
        str, typer.Argument(metavar="1…5", help="1 is the worst; or sev1 to sev5.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it stands in the timeline.")] = "",
    as_: As = "",
) -> None:
    """Set the severity of a run."""
    number = severity.lower().removeprefix("sev")
    if number not in ("1", "2", "3", "4", "5"):
        wrong_use(f"'{plain(severity)}' is no severity: write 1 to 5")
    to: Any = f"sev{number}"

    async def change(engine: "Engine", by: "Actor") -> None:
        await engine.steering.severity(run, by, to, reason)

    tell_run(context, run, as_, change, lambda _: {"to": to, "reason": reason})


def page(
    context: typer.Context,
    run: OpenRun,
    group: Annotated[str, typer.Argument(metavar="GROUP", help="Whom.")],
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Why; else the run's title.")
    ] = "",
    as_: As = "",
) -> None:
    """Page a group for a run, with the names of who is on call."""

    async def call(engine: "Engine", by: "Actor") -> None:
        await engine.steering.page(run, by, group, text)

    tell_run(context, run, as_, call, lambda _: {"group": group, "text": text})
