"""The command `serve`: what runs in production.

It takes up open runs, takes alerts, and serves until it is told to end. What it logs
goes to standard error, one line each. Called by app.
"""

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from engine.entrypoints.cli.choosing import config_of, known_library
from engine.entrypoints.cli.screen import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.bootstrap import Engine
    from engine.config import Config
    from engine.model.run import RunSummary
    from engine.model.timeline import Entry

log = logging.getLogger("engine.serve")

SOCKET: Final = "engine.sock"
MOST_OPEN: Final = 1_000_000
FILES: Final = 65_536  # open at once, where the system allows it


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: runbook --config engine.yaml serve")(serve)


def serve(
    context: typer.Context,
    log_format: Annotated[
        Literal["text", "json"], typer.Option(help="How each line is written.")
    ] = "text",
) -> None:
    """Take alerts and drive runs until told to end (SIGTERM, Ctrl-C)."""
    from engine.entrypoints.cli.logs import write_logs

    config = config_of(context)
    write_logs(sys.stderr, log_format)
    raise typer.Exit(asyncio.run(_serve(config)))


async def _serve(config: "Config") -> int:
    from engine.bootstrap import engine
    from engine.entrypoints.web import serving

    _more_files()
    library = known_library(config)
    for file, refused in library.refused.items():
        log.error("runbook refused file=%s problems=%d", file, len(refused.problems))
    address = config.settings.server.listen
    sock = serving.listen(address)
    async with engine(config, library, write=_said, listener=_changed()) as opened:
        server = serving.server(_application(opened))
        serving.end_on_signals(server)
        taken = await opened.host.start(
            await opened.store.runs(open_only=True, limit=MOST_OPEN)
        )
        await opened.intake.start()
        local = serving.listen_locally(config.data / SOCKET)
        _begun(config, address, len(taken), len(library.loaded))
        try:
            await server.serve(sockets=[sock, local])
        finally:
            (config.data / SOCKET).unlink(missing_ok=True)
        log.info("ending: acts in flight have their grace")
    log.info("ended")
    return 0


def _application(opened: "Engine") -> Any:
    from engine.bootstrap import sources
    from engine.entrypoints.web.admission import Admission
    from engine.entrypoints.web.app import application
    from engine.entrypoints.web.health import Health
    from engine.entrypoints.web.posting import Posting

    config = opened.config
    posting = Posting(
        config.settings.sources,
        sources(config),
        Admission(opened.secrets),
        opened.intake,
        opened.judge_sns,
    )
    health = Health({"journal": opened.store.writable, "hold": _no_problem})
    return application([*posting.routes(), *health.routes()])


async def _no_problem() -> str:
    """A global hold keeps acts back, not alerts: the engine is of use."""
    return ""


def _begun(config: "Config", address: str, taken: int, runbooks: int) -> None:
    tell(f"runbook serves at http://{address}: {runbooks} runbooks, {taken} open runs")
    for name, source in config.settings.sources.items():
        if source.insecure:
            log.warning("source=%s is open: anybody who reaches it may post", name)
    host = address.rpartition(":")[0].strip("[]")
    if host not in ("127.0.0.1", "::1", "localhost"):
        log.warning("listening at %s without TLS: put a proxy before it", address)


def _changed() -> "Callable[[RunSummary, list[Entry]], None]":
    """Return what logs each change of a run's state, and each question, once."""
    shown: dict[str, tuple[str, ...]] = {}

    def changed(summary: "RunSummary", entries: "list[Entry]") -> None:
        asks = tuple(one.called for one in summary.questions)
        now = (summary.state, summary.phase, *asks)
        if shown.get(summary.run) == now:
            return
        shown[summary.run] = now
        log.info(
            "run=%s runbook=%s state=%s phase=%s asks=%s why=%s",
            summary.run, summary.runbook, summary.state, summary.phase or "-",
            ",".join(asks) or "-", summary.why or "-",
        )  # fmt: skip
        if summary.ended_at is not None:
            shown.pop(summary.run)

    return changed


def _said(line: str) -> None:
    log.info("%s", line)


def _more_files() -> None:
    """Each run that is driven, and each connection, has a file open."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
