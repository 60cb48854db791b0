"""One open engine: the journal and all around it, opened and closed in order."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.bootstrap.alerts import rules, silences, watched
from engine.bootstrap.chatting import chatting
from engine.bootstrap.kinds import door, registry, services
from engine.bootstrap.parts import JOURNAL, break_glass, hold, secrets
from engine.bootstrap.people import on_call

if TYPE_CHECKING:
    from engine.adapters.hold_file import HoldFile
    from engine.adapters.sqlite import SqliteStore
    from engine.config import Config
    from engine.hosts.local import LocalHost
    from engine.hosts.untaken import Untaken
    from engine.model.run import RunSummary
    from engine.model.timeline import Entry
    from engine.ports import Pager, Posted, Secrets, Web
    from engine.runtime.assembly import Outside
    from engine.runtime.chat.chatting import Chatting
    from engine.runtime.drift import Drift
    from engine.runtime.driver import Listener
    from engine.runtime.intake import Intake
    from engine.runtime.library import Library
    from engine.runtime.measures import Measures
    from engine.runtime.on_call import OnCall
    from engine.runtime.perform import Actions
    from engine.runtime.service import Service
    from engine.runtime.steering import Steering
    from engine.runtime.tracing import Tracing
    from engine.runtime.watches import Watches


@asynccontextmanager
async def journal(
    config: "Config", *, create: bool = False
) -> "AsyncIterator[SqliteStore]":
    """Open the journal alone. Raises StoreUnavailable: also where none is."""
    from engine.adapters.sqlite import SqliteStore

    store = await SqliteStore.open(config.data / JOURNAL, create=create)
    try:
        yield store
    finally:
        await store.close()


class Stops(Protocol):
    """What goes on until it is stopped."""

    async def stop(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One open engine of this process."""

    config: "Config"
    store: "SqliteStore"
    service: "Service"
    host: "LocalHost"
    intake: "Intake"
    secrets: "Secrets"
    judge_sns: "Callable[[Posted, list[str]], Awaitable[str]]"
    watches: "Watches"
    switch: "HoldFile"
    measures: "Measures"
    untaken: "Untaken"
    chat: "Chatting | None" = None  # begun by the server
    on_call: "OnCall | None" = None

    @property
    def steering(self) -> "Steering":
        """What may be said to a run beside its questions."""
        from engine.runtime.steering import Steering

        return Steering(self.service, self.on_call, self.config.settings.groups)


@dataclass(slots=True)
class Heard:
    """Who is told of each change of a run; the intake comes in later."""

    measures: "Measures"
    listener: "Listener | None" = None
    intake: "Intake | None" = None
    tracing: "Tracing | None" = None
    chat: "Chatting | None" = None

    def __call__(self, summary: "RunSummary", entries: "list[Entry]") -> None:
        """Tell everybody."""
        self.measures.changed(summary, entries)
        if self.intake is not None:
            self.intake.ended(summary)
        if self.tracing is not None:
            ended = any(entry.kind == "end" for entry in entries)
            self.tracing.changed(summary, ended)
        if self.chat is not None:
            self.chat.changed(summary, entries)
        if self.listener is not None:
            self.listener(summary, entries)


@asynccontextmanager
async def engine(
    config: "Config",
    library: "Library",
    *,
    write: Callable[[str], None],
    listener: "Listener | None" = None,
    actions: "Actions | None" = None,
) -> AsyncIterator[Engine]:
    """Open the journal and all around it; close it in order at the end.

    Args:
        write: takes what is said and paged, a line each.
        listener: told of each change of a run, in the loop's thread.
        actions: in the place of all that acts, for a drill.

    Raises:
        StoreUnavailable: the journal cannot be opened; the text says what to do.
    """
    from engine.adapters.sources import sns
    from engine.adapters.terminal import TerminalChat
    from engine.hosts.lease import Lease
    from engine.hosts.local import LocalHost
    from engine.hosts.untaken import Untaken
    from engine.runtime.assembly import Outside, SystemClock
    from engine.runtime.intake import Intake
    from engine.runtime.measures import Measures
    from engine.runtime.watches import Watches

    _make_folder(config.data)
    web, chat, switch = door(config), TerminalChat(write), hold(config)
    known, kinds = secrets(config), registry(config, web)
    store = await _store(config, switch, known)
    lease = Lease(store.engines, config.data / "engines")
    outside = Outside(kinds, store, known, switch, chat, lease)
    heard = Heard(Measures(), listener, tracing=_tracing(config, store))
    service = _service(outside, library, config, heard, actions)
    clock, pager = SystemClock(), _pager(config, web, known, chat)
    host = LocalHost(service.driver, store, store, chat, pager, switch, clock, lease)
    service.tell, service.grant = host.told, break_glass(config).current
    intake = Intake(
        service, store.alerts, store, clock, rules(config, library),
        silences(config, web), claim=host.begins,
    )  # fmt: skip
    heard.intake, schedules = intake, on_call(config, known, web, clock)
    heard.chat = chatting(
        config, service, host, store, known, web, switch, chat, schedules
    )
    drift, ports = _drift(service, host), service.driver.ports
    watches = Watches(watched(config, kinds.kinds), ports.checks, intake, clock)
    try:
        yield Engine(
            config, store, service, host, intake, known, sns.judge(web), watches,
            switch, heard.measures, Untaken(store, pager, clock), heard.chat,
            schedules,
        )  # fmt: skip
    finally:
        for part in (heard.chat, drift, watches, intake, host, heard.tracing):
            await _ended(part)
        await web.aclose()
        await store.close()


def _service(
    outside: "Outside",
    library: "Library",
    config: "Config",
    heard: Heard,
    actions: "Actions | None",
) -> "Service":
    from engine.runtime.assembly import dry_service, live_service

    if actions is None:
        return live_service(outside, library, config.groups, heard)
    return dry_service(outside, library, config.groups, actions, listener=heard)


async def _ended(part: "Stops | None") -> None:
    if part is not None:
        await part.stop()


def _pager(config: "Config", web: "Web", known: "Secrets", beside: "Pager") -> "Pager":
    """Return what pages groups: PagerDuty, and the engine's own lines."""
    from engine.adapters.pagerduty import PagerDutyPager

    return PagerDutyPager(web, services(config), known.get, beside)


def _drift(service: "Service", host: "LocalHost") -> "Drift":
    """Begin to look now and then at what the runs of this process hold."""
    from engine.runtime.drift import Drift

    def runs() -> list[str]:
        return [] if host.over.is_set() else host.ours

    ports = service.driver.ports
    drift = Drift(ports.store, ports.checks, ports.compiled, runs, host.told)
    drift.start()
    return drift


def _tracing(config: "Config", store: "SqliteStore") -> "Tracing | None":
    """Return what sends traces; None: no endpoint is configured.

    Raises:
        EngineError: the extra is not installed.
    """
    endpoint = config.settings.traces.url
    if endpoint is None:
        return None
    from engine.errors import EngineError
    from engine.runtime.tracing import Tracing

    try:
        from engine.adapters.traces import Traces
    except ImportError as error:
        raise EngineError(
            "`traces` needs more packages: pip install 'incident-runbook[otel]'"
        ) from error
    return Tracing(store, Traces(endpoint))


async def _store(
    config: "Config", switch: "HoldFile", known: "Secrets"
) -> "SqliteStore":
    """Open the journal; where it is a copy of one, the global hold is set."""
    from engine.adapters.sqlite import SqliteStore
    from engine.errors import StoreUnavailable
    from engine.runtime.holding import set_hold
    from engine.runtime.redact import Redactor

    def held(why: str) -> None:
        if switch.reason() is not None:
            return
        told = f"{why}. Look at each open run, then lift it"
        try:
            set_hold(switch, Redactor(known.values).text, "the engine", told)
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{why}, and {error}") from error

    return await SqliteStore.open(config.data / JOURNAL, on_copy=held)


def _make_folder(folder: Path) -> None:
    from engine.errors import StoreUnavailable

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"the data folder {folder} cannot be made: {error.strerror}. Name another "
            "one with `data` in the configuration, or make it."
        ) from error
