"""The command `break-glass`: one person acts for every group, loudly and for a while.

It needs the data folder and the sealed codes alone: no network, no server, no sign-on.
What it opens is written down before it is open. Called by app.
"""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from engine.entrypoints.cli.choosing import As, config_of, person
from engine.entrypoints.cli.screen import say, tell, wrong_use

if TYPE_CHECKING:
    from engine.config import Config

WRONG_SECONDS: Final = 1.0  # each wrong try takes so long; one is judged at a time


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "break-glass", epilog="Example: runbook break-glass --why 'sign-on is down'"
    )(break_glass)


def break_glass(
    context: typer.Context,
    why: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; everybody sees it.")
    ] = "",
    close: Annotated[bool, typer.Option("--close", help="End it now.")] = False,
    as_: As = "",
) -> None:
    """Act for every group for a while: with the sealed codes, and told to everybody."""
    config = config_of(context)
    who = person(config, as_)
    if close:
        _close(config, who)
    elif not why.strip():
        wrong_use("say why: --why TEXT")
    else:
        _open(config, who, why.strip())


def told_open(config: "Config") -> str:
    """Return one line on the grant that is open; empty: none is."""
    from engine.bootstrap import break_glass as glass
    from engine.views.terminal import grant_line

    grant = glass(config).current()
    return "" if grant is None else grant_line(grant)


def _open(config: "Config", who: str, why: str) -> None:
    import asyncio

    from engine.bootstrap import break_glass as glass
    from engine.errors import EngineError, NotAllowed
    from engine.views.terminal import grant_line

    settings = config.settings.break_glass
    if settings is None:
        raise EngineError(
            "no break_glass is configured; list its codes under `break_glass`"
        )
    wanted = _codes(config)
    given = _asked(len(wanted))
    _folder(config)
    file = glass(config)
    with file.one_at_a_time():
        if not _same(wanted, given):
            asyncio.run(_record(config, who, "break-glass refused", "a wrong code"))
            time.sleep(WRONG_SECONDS)
            raise NotAllowed("the codes are not right; this is written down")
        seconds = settings.lasts.total_seconds()
        told = f"the glass is broken by {who} for {seconds:.0f} s"
        asyncio.run(_record(config, who, told, why, loud=True))
        try:
            grant = file.open(who, why, seconds=seconds)
        except OSError as error:
            raise EngineError(f"the glass cannot be opened: {error}") from error
    tell(grant_line(grant))
    say(f"{who} has every group until then. End it: runbook break-glass --close")


def _close(config: "Config", who: str) -> None:
    import asyncio

    from engine.bootstrap import break_glass as glass
    from engine.errors import EngineError

    if glass(config).current() is None:
        say("it is not open")
        return
    try:
        glass(config).close()
    except OSError as error:
        raise EngineError(f"the glass cannot be closed: {error}") from error
    asyncio.run(_record(config, who, f"break-glass ended by {who}", "", loud=True))
    say("closed")


def _codes(config: "Config") -> list[str]:
    from engine.bootstrap import secrets
    from engine.errors import EngineError

    settings = config.settings.break_glass
    named = secrets(config)
    refs = settings.codes if settings is not None else []
    found = [named.get(one.secret).strip() for one in refs]
    if "" in found or len(set(found)) < len(found):
        raise EngineError("break_glass: each code must have a value of its own")
    return found


def _asked(many: int) -> list[str]:
    """Return what is typed, unseen at a terminal, else a line of input each."""
    import getpass

    if not sys.stdin.isatty():
        return [sys.stdin.readline(4096).rstrip("\r\n") for _ in range(many)]
    return [getpass.getpass(f"Code {n} of {many}: ") for n in range(1, many + 1)]


def _same(wanted: list[str], given: list[str]) -> bool:
    """Compare all in constant time; which one was wrong is not told."""
    import hashlib
    import hmac

    def digest(text: str) -> bytes:
        return hashlib.sha256(text.encode("utf-8", "replace")).digest()

    right = 0
    for a, b in zip(wanted, given, strict=True):
        right += hmac.compare_digest(digest(a), digest(b))
    return right == len(wanted)


def _folder(config: "Config") -> None:
    from engine.errors import StoreUnavailable

    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"{config.data} cannot be made: {error}") from error


async def _record(
    config: "Config", who: str, what: str, why: str, *, loud: bool = False
) -> None:
    """Write it down; tell every open run, which tells every channel."""
    from engine.bootstrap import journal
    from engine.model.events import Noted
    from engine.model.people import ENGINE
    from engine.model.timeline import Entry
    from engine.runtime.plain_text import kept_text

    kind = "break-glass" if loud else "refused"
    entry = Entry(
        "engine", 0, time.time(), 0.0, kind, kept_text(what), who, why=kept_text(why)
    )
    async with journal(config, create=True) as store:
        await store.record(entry)
        text = kept_text(f"{what}: {why}" if why else what)
        for one in await store.runs(open_only=True) if loud else ():
            await store.post(one.run, Noted(by=ENGINE, text=text, loud=True))
