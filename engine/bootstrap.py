"""The composition root: the only file that chooses adapters and the host.

Everything is imported when it is needed, so that `runbook --help` loads none of it.
Called by the entry points; nothing below imports this.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from engine.adapters.hold_file import HoldFile
    from engine.adapters.kubernetes.parameters import Cluster
    from engine.adapters.sqlite import JournalFile, SqliteReport, SqliteStore
    from engine.adapters.ssh.parameters import SshDefaults
    from engine.adapters.web import HttpxWeb
    from engine.config import Config
    from engine.core.intake import Rules
    from engine.hosts.local import LocalHost
    from engine.model.alert import Alert
    from engine.model.kinds import Kinds
    from engine.model.run import RunSummary
    from engine.model.timeline import Entry
    from engine.ports import Chat, Posted, Secrets, Silences, SourceCode, Store, Web
    from engine.registry import Registry
    from engine.runtime.driver import Listener
    from engine.runtime.intake import Intake
    from engine.runtime.library import Library
    from engine.runtime.measures import Measures
    from engine.runtime.perform import Actions
    from engine.runtime.service import Service
    from engine.runtime.watches import Watched, Watches

JOURNAL: Final = "journal.db"


def registry(config: "Config", web: "Web") -> "Registry":
    """Return every kind of check and action: ours, then plug-ins'.

    Raises:
        EngineError: a plug-in does not load.
    """
    from engine.adapters import (  # isort: skip
        alertmanager, command, datadog, dns, http, kubernetes, newrelic, pagerduty,
        prometheus, ssh, status_page, tcp, tls,
    )  # fmt: skip
    from engine.adapters.patience import PatientWeb
    from engine.model.kinds import Agree
    from engine.registry import Registry

    made = Registry()
    made.add_check("agree", Agree, _viewpoints, judges_itself=True)
    settings, patient = config.settings, PatientWeb(web)
    command.register(made)
    for adapter in (http, tcp, dns, tls, pagerduty):
        adapter.register(made, web)
    prometheus.register(made, patient, settings.prometheus.url)
    datadog.register(made, patient, settings.datadog)
    newrelic.register(made, patient, settings.newrelic)
    status_page.register(made, web, settings.status_page)
    ssh.register(made, web, _ssh_defaults(config))
    kubernetes.register(made, web, _cluster(config))
    alertmanager.register(made, web, settings.alertmanager.url)
    made.add_plugins()
    return made.freeze()


def _cluster(config: "Config") -> "Cluster":
    from engine.adapters.kubernetes.parameters import Cluster

    said = config.settings.kubernetes
    ca_file = config.file_of("kubernetes.ca_file", said.ca_file)
    return Cluster(said.url, said.token, ca_file, said.namespace)


def _ssh_defaults(config: "Config") -> "SshDefaults":
    from engine.adapters.ssh.parameters import SshDefaults

    said = config.settings.ssh
    return SshDefaults(
        said.user,
        config.file_of("ssh.known_hosts", said.known_hosts),
        said.key,
        config.file_of("ssh.key_file", said.key_file),
        said.passphrase,
        agent=said.agent,
    )


async def _viewpoints(params: Any, call: Any) -> Any:
    """The runtime looks at the viewpoints of `agree` itself; alone it sees nothing."""
    from engine.model.evidence import Observation

    return Observation(unknown="agree has no viewpoints to look at", retryable=False)


def door(config: "Config") -> "HttpxWeb":
    """Return the one door to the network."""
    from ipaddress import ip_network

    from engine.adapters.web import HttpxWeb

    return HttpxWeb([ip_network(one) for one in config.settings.network.allow])


def kinds(config: "Config | None" = None) -> "Kinds":
    """Return what is known of each kind, without its code."""
    from engine.config import Config, Settings

    config = config or Config(Settings())
    return registry(config, door(config)).kinds


def secrets(config: "Config") -> "Secrets":
    """Return the secrets that the configuration names."""
    from engine.adapters.secrets import ConfiguredSecrets

    places = {}
    for name, one in config.settings.secrets.items():
        file = config.secret_file(name)
        places[name] = {"file": str(file)} if file else {"env": str(one.env)}
    found = ConfiguredSecrets(places, folder=Path())
    found.read_all()
    return found


def hold(config: "Config") -> "HoldFile":
    """Return the global hold: a file in the data folder."""
    from engine.adapters.hold_file import HoldFile

    return HoldFile(config.data / "HOLD")


def journal_file(config: "Config") -> "JournalFile":
    """Return the journal as a file, to copy it, put it back, bring it forward."""
    from engine.adapters.sqlite import JournalFile

    return JournalFile(config.data / JOURNAL)


def sqlite_report() -> "SqliteReport":
    """Return which SQLite library is in use, and whether it can be trusted."""
    from engine.adapters.sqlite import sqlite_report

    return sqlite_report()


def empty_store() -> "Store":
    """Return a journal in memory, for rehearsals and dry runs."""
    from engine.adapters.memory_store import MemoryStore

    return MemoryStore(seal=False)


def picture(dot: str, form: Literal["svg", "png"]) -> bytes:
    """Return DOT text drawn as `svg` or `png`."""
    from engine.adapters.pictures import draw

    return draw(dot, form)


def parse_alerts(body: Any, source: str) -> "list[Alert]":
    """Return the alerts of a body that a source sent, as plain values.

    Raises:
        EngineError: the source is not known here, or it is no body of it.
    """
    import json

    from engine.adapters.sources import SOURCES
    from engine.errors import EngineError
    from engine.ports import BadBody, Posted

    code = SOURCES.get(source)
    if code is None:
        known = ", ".join(SOURCES)
        raise EngineError(f"bodies of source '{source}' cannot be read; known: {known}")
    raw = json.dumps(body, default=str).encode()
    try:
        return list(code(Posted(raw, {}, 0.0), source).alerts)
    except BadBody as problem:
        raise EngineError(str(problem)) from problem


def sources(config: "Config") -> "dict[str, SourceCode]":
    """Return the code that reads each configured source's bodies, by its name.

    Raises:
        EngineError: a kind is not known, or a part of a `map` is no CEL.
    """
    from engine.adapters.sources import SOURCES, generic_source
    from engine.errors import EngineError

    made: dict[str, SourceCode] = {}
    for name, one in config.settings.sources.items():
        kind = one.kind or name
        if kind == "generic" and one.map is not None:
            made[name] = generic_source(one.map.model_dump())
        elif kind in SOURCES:
            made[name] = SOURCES[kind]
        else:
            why = (
                "needs a `map`"
                if kind == "generic"
                else f"is no kind: {', '.join(SOURCES)}"
            )
            raise EngineError(f"sources.{name}: '{kind}' {why}")
    return made


def watched(config: "Config", kinds: "Kinds") -> "list[Watched]":
    """Return what the engine watches by itself.

    Raises:
        EngineError: a check is none; the message names its place.
    """
    from engine.runtime.watches import Watched, call_of

    made = []
    for number, one in enumerate(config.settings.watch):
        where = f"watch.{number}.check"
        beat, alert = one.heartbeat, one.alert
        labels = {"alertname": alert.alertname, "severity": alert.severity}
        made.append(
            Watched(
                labels | alert.labels,
                one.every.total_seconds(),
                one.for_.total_seconds(),
                call_of(one.check, kinds, where) if one.check is not None else None,
                beat.source if beat is not None else "",
                beat.match if beat is not None else {},
                alert.annotations,
                one.unknown == "fire",
            )
        )
    return made


def rules(config: "Config", library: "Library") -> "Rules":
    """Return what alerts are judged by: triggers, and the configuration's limits."""
    from engine.core.intake import Quiet, Rules, rules_of, schedules_of

    settings, runbooks = config.settings, list(library.runbooks.values())
    return Rules(
        rules_of(runbooks),
        tuple(
            Quiet(one.match, one.from_.timestamp(), one.to.timestamp(), one.why)
            for one in settings.maintenance
        ),
        settings.limits.starts.max,
        settings.limits.starts.per.total_seconds(),
        settings.limits.at_once,
        problems=library.unpinned,
        schedules=schedules_of(runbooks),
        silenced_sources=frozenset(
            name
            for name, one in settings.sources.items()
            if (one.kind or name) == "alertmanager"
        ),
    )


def silences(config: "Config", web: "Web") -> "Silences | None":
    """Return where silences are asked for; None: no Alertmanager is configured."""
    import time

    from engine.adapters.silences import AskedSilences

    url = config.settings.alertmanager.url
    return AskedSilences(web, url, time.monotonic) if url is not None else None


@asynccontextmanager
async def journal(config: "Config") -> "AsyncIterator[SqliteStore]":
    """Open the journal alone, to read. Raises StoreUnavailable: also where none is."""
    from engine.adapters.sqlite import SqliteStore

    store = await SqliteStore.open(config.data / JOURNAL, create=False)
    try:
        yield store
    finally:
        await store.close()


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


@asynccontextmanager
async def engine(
    config: "Config",
    library: "Library",
    *,
    write: Callable[[str], None],
    listener: "Listener | None" = None,
) -> AsyncIterator[Engine]:
    """Open the journal and all around it; close it in order at the end.

    Args:
        write: takes what is said and paged, one line each.
        listener: told of each change of a run, in the loop's thread.

    Raises:
        StoreUnavailable: the journal cannot be opened; the text says what to do.
    """
    from engine.adapters.sources import sns
    from engine.adapters.sqlite import SqliteStore
    from engine.adapters.terminal import TerminalChat
    from engine.hosts.lease import Lease
    from engine.hosts.local import LocalHost
    from engine.runtime.assembly import Outside, SystemClock, live_service
    from engine.runtime.intake import Intake
    from engine.runtime.measures import Measures
    from engine.runtime.watches import Watches

    _make_folder(config.data)
    web, chat, switch = door(config), TerminalChat(write), hold(config)
    store = await SqliteStore.open(config.data / JOURNAL)
    known = secrets(config)
    kinds = registry(config, web)
    lease = Lease(store.engines, config.data / "engines")
    outside = Outside(kinds, store, known, switch, chat, lease)
    intakes: list[Intake] = []
    measures = Measures()

    def heard(summary: "RunSummary", entries: "list[Entry]") -> None:
        measures.changed(summary, entries)
        for one in intakes:
            one.ended(summary)
        if listener is not None:
            listener(summary, entries)

    service = live_service(outside, library, config.groups, heard)
    clock = SystemClock()
    host = LocalHost(service.driver, store, store, chat, chat, switch, clock, lease)
    service.tell = host.told
    intake = Intake(
        service, store.alerts, store, clock, rules(config, library),
        silences(config, web), claim=host.begins,
    )  # fmt: skip
    intakes.append(intake)
    watches = Watches(
        watched(config, kinds.kinds), service.driver.ports.checks, intake, clock
    )
    try:
        yield Engine(
            config, store, service, host, intake, known, sns.judge(web), watches,
            switch, measures,
        )  # fmt: skip
    finally:
        await watches.stop()
        await intake.stop()
        await host.stop()
        await web.aclose()
        await store.close()


def _make_folder(folder: Path) -> None:
    from engine.errors import StoreUnavailable

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"the data folder {folder} cannot be made: {error.strerror}. Name another "
            "one with `data` in the configuration, or make it."
        ) from error


@asynccontextmanager
async def dry_service(
    config: "Config", library: "Library", actions: "Actions", chat: "Chat"
) -> "AsyncIterator[Service]":
    """Open an engine that looks for real, journals in memory, and cannot act."""
    from engine.runtime import assembly

    web = door(config)
    outside = assembly.Outside(
        registry(config, web), empty_store(), secrets(config), hold(config), chat
    )
    try:
        yield assembly.dry_service(outside, library, config.groups, actions)
    finally:
        await web.aclose()
