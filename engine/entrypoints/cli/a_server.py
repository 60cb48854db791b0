"""A server from its start to its end: what `serve` does once it is asked to.

It takes up open runs, takes alerts, and serves until it is told to end. What it logs
goes to standard error, one line each. Called by serving, which loads it late.
"""

import asyncio
import contextlib
import logging
import signal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from engine.entrypoints.cli.choosing import known_library, person
from engine.entrypoints.cli.hangups import Hangups, await_hangups
from engine.entrypoints.cli.reaching import SOCKET
from engine.entrypoints.cli.screen import tell
from engine.entrypoints.cli.standing_by import stood_by
from engine.entrypoints.cli.storing import keep_short

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from engine.bootstrap import Engine
    from engine.config import Config
    from engine.entrypoints.chat.ways_in import WaysIn
    from engine.entrypoints.cli.logs import Lines
    from engine.entrypoints.web.serving import Server
    from engine.model.run import RunSummary
    from engine.model.timeline import Entry
    from engine.runtime.doctor import Doctor
    from engine.runtime.reloading import Reloading

log = logging.getLogger("engine.serve")

FILES: Final = 65_536  # open at once, where the system allows it


class _Ending:
    """What a signal ends: first what comes in, then also what is in flight."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.opened: Engine | None = None
        self.times = 0
        self._hurry: asyncio.Task[None] | None = None

    def told(self, times: int) -> None:
        """Take note of a signal: the first waits for acts, a second one does not."""
        from engine.model.events import Stopped

        self.times = times
        log.info("told to end times=%d", times)
        if self.server is not None:
            self.server.end(now=times > 1)
        if times == 2 and self.opened is not None:
            stop = self.opened.service.driver.stop(Stopped(), grace=0.0)
            self._hurry = asyncio.create_task(stop)


async def run_server(config: "Config", lines: "Lines") -> int:
    """Serve until told to end; return the exit code."""
    from engine.bootstrap import engine
    from engine.entrypoints.web import serving

    _more_files()
    hangups = await_hangups()
    library = known_library(config)
    for file, refused in library.refused.items():
        log.error("runbook refused file=%s problems=%d", file, len(refused.problems))
    ending = _Ending()
    with (
        contextlib.closing(serving.listen(config.settings.server.listen)) as sock,
        serving.told_by_signals(ending.told),
    ):
        async with engine(config, library, write=_said, listener=_changed()) as opened:
            ending.opened = opened
            lines.hide(opened.service.redactor.text)
            if await stood_by(opened, sock, ending):
                with serving.listening_locally(
                    config.data / SOCKET, owned=True
                ) as local:
                    await _served(opened, [sock, local], ending, hangups)
            log.info("ending: acts in flight have their grace")
    log.info("ended")
    return 1 if opened.host.lease.lost else 0


async def _served(
    opened: "Engine",
    sockets: "list[socket.socket]",
    ending: _Ending,
    hangups: Hangups,
) -> None:
    """Take alerts at once, take up runs beside it, until told to end."""
    from engine.entrypoints.web import serving

    begun = asyncio.Event()
    reloading, doctor = _reloading(opened), _doctor(opened)
    application, ways_in = _application(opened, begun, reloading.renew, doctor)
    server = serving.server(application)
    ending.server = server
    if ending.times:
        return
    served = asyncio.create_task(server.serve(sockets=sockets))
    try:
        _say_open(opened.config, serving.address_of(sockets[0]))
        taken = await opened.host.serve()
        await opened.intake.start()
        opened.watches.start()
        if opened.chat is not None and ways_in is not None:
            await opened.chat.start()
            ways_in.start()
            opened.chat.at_end(ways_in.stop)
        chores = [
            asyncio.create_task(reloading.watch()),
            asyncio.create_task(doctor.watch()),
            asyncio.create_task(keep_short(opened.store, opened.config)),
            asyncio.create_task(_end_when_lost(opened, server)),
            asyncio.create_task(opened.untaken.keep()),
        ]
        _renew_on_hangup(reloading, hangups)
        begun.set()
        log.info("ready runs_taken_up=%d", len(taken))
        await served
        for chore in chores:
            chore.cancel()
    finally:
        server.end(now=not served.done() and not ending.times)
        await served


async def _end_when_lost(opened: "Engine", server: "Server") -> None:
    """A server whose place was taken answers nothing more."""
    await opened.host.over.wait()
    tell(f"ending: {opened.host.lease.lost}")
    server.end(now=True)


def _application(
    opened: "Engine",
    begun: asyncio.Event,
    reload: "Callable[[], Awaitable[list[str]]]",
    doctor: "Doctor",
) -> "tuple[Any, WaysIn | None]":
    """Return the application, and the ways in of chat where there is one."""
    from engine.bootstrap import sources
    from engine.entrypoints.web.admission import Admission
    from engine.entrypoints.web.app import application
    from engine.entrypoints.web.doors import doors
    from engine.entrypoints.web.health import Health, disk_space
    from engine.entrypoints.web.posting import Posting

    config = opened.config
    posting = Posting(
        config.settings.sources,
        sources(config),
        Admission(opened.secrets),
        opened.intake,
        opened.judge_sns,
    )

    async def driving() -> str:
        return opened.host.condition()

    async def taken_up() -> str:
        return "" if begun.is_set() else "open runs are still being taken up"

    health = Health(
        {
            "journal": opened.store.writable,
            "disk": lambda: disk_space(config.data),
            "engine": driving,
            "runs": taken_up,
        }
    )
    others = doors(
        opened, posting.admission, posting.counts, reload, person(config, ""), doctor
    )
    routes = [*posting.routes(), *health.routes(), *others]
    if opened.chat is None:
        return application(routes), None
    from engine.entrypoints.chat.ways_in import WaysIn

    ways_in = WaysIn(opened, opened.chat, posting.admission)
    return application([*routes, *ways_in.routes()]), ways_in


def _doctor(opened: "Engine") -> "Doctor":
    from engine.bootstrap.doctoring import examined
    from engine.runtime.doctor import Doctor

    config, library, store = opened.config, opened.service.library, opened.store
    return Doctor(
        lambda: examined(config, library, store=store),
        config.settings.doctor.every.total_seconds(),
        heard=opened.intake.examined,
    )


def _reloading(opened: "Engine") -> "Reloading":
    from engine.runtime.reloading import Reloading

    config = opened.config
    return Reloading(
        opened.service.library,
        config.runbooks,
        lambda: known_library(config),
        opened.intake.load,
    )


def _renew_on_hangup(reloading: "Reloading", hangups: Hangups) -> None:
    """Read runbooks anew at each SIGHUP, also for those that came until now."""
    tasks: set[asyncio.Task[list[str]]] = set()

    def renew() -> None:
        task = asyncio.create_task(reloading.renew())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew)
    if hangups.came:
        renew()


def _say_open(config: "Config", address: str) -> None:
    """Say where it listens, and who may post there."""
    from engine.config.serving import ways_in

    tell(f"runbook serves at http://{address} and at {config.data / SOCKET}")
    for name, source in config.settings.sources.items():
        ways = ", ".join(ways_in(source)) or "OPEN: anybody who reaches it may post"
        tell(f"  POST /alerts/{name}: {ways}")
        if not ways_in(source):
            log.warning("source=%s is open: anybody who reaches it may post", name)
    tell("  GET /healthz, /readyz: open, they tell no secret")
    host = address.rpartition(":")[0].strip("[]")
    if not ip_address(host).is_loopback:
        log.warning(
            "listening at %s without TLS: tokens can be read on their way; put a proxy "
            "with TLS before it", address,
        )  # fmt: skip


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
    """Each connection has a file open, and each command that an act runs."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
