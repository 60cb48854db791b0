"""What `doctor` looks at: one finding for each thing that could be in the way.

The command line and a running server ask the same; the command line reads the whole
journal as well. It changes nothing, and shows no secret. How ready a runbook is, is
judged by analysis.readiness; the schedule is runtime.doctor.

Called by: entrypoints.
"""

import asyncio
import stat
import time
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.bootstrap import alerts
from engine.bootstrap.doctoring_chat import chat
from engine.bootstrap.kinds import services
from engine.bootstrap.needed import (
    Seen,
    any_value,
    empty_groups,
    needs_by_name,
    programs,
    reached,
    readiness_of,
    targets,
)
from engine.bootstrap.opening import journal
from engine.bootstrap.parts import JOURNAL, break_glass, hold, secrets, sqlite_report
from engine.bootstrap.people import shared_accounts
from engine.config.serving import secrets_of, ways_in
from engine.errors import EngineError, SecretMissing
from engine.model.health import Examined, Finding, Readiness
from engine.model.times import length_text
from engine.runtime.watches import SOURCE as WATCH
from engine.views.terminal import grant_line

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.run import RunSummary
    from engine.ports import Store
    from engine.runtime.library import Library

BUILT: Final = 1_735_689_600.0  # 2025-01-01: no clock of today stands before it
AHEAD_SECONDS: Final = 60.0  # an entry may not lie further in the future
WIDE_BITS: Final = 8  # of an IPv4 prefix: anything wider lets nearly all through
NEWEST: Final = 2_000  # runs that are looked through for each runbook's last one


async def examined(
    config: "Config", library: "Library", *, store: "Store | None" = None
) -> Examined:
    """Return everything that was looked at, in the order of an incident's needs.

    Args:
        config: The configuration.
        library: The runbooks as they are loaded.
        store: The open journal of a server, which is asked for little; left out: the
            journal on disk, of which every entry is read.
    """
    began = time.monotonic()
    needs = await asyncio.to_thread(needs_by_name, config, library)
    unreached, refused = await reached(config, needs)
    judged, last_runs = await _of_journal(config, store)
    seen = Seen(
        config, library, time.time(), needs, unreached, refused, last_runs, judged,
        tuple(await chat(config, library)),
    )  # fmt: skip
    findings, grades = await asyncio.to_thread(_judged, seen)
    took = time.monotonic() - began
    return Examined(time.time(), round(took, 3), tuple(findings), tuple(grades))


def _judged(seen: Seen) -> tuple[list[Finding], list[Readiness]]:
    config, library = seen.config, seen.library
    looks = (
        _file(config), _folder(config), _library_of_journal(), *seen.journal,
        *_secrets(config), *_runbooks(config, library), *_people(config, library),
        *_paged(config, library), *_sources(config),
        *_triggers(config, library), _listen(config),
        _network(config), *targets(seen), *programs(seen), _clock(), _hold(config),
        *_glass(config), *seen.chat,
    )  # fmt: skip
    return list(looks), readiness_of(seen)


# The journal


async def _of_journal(
    config: "Config", store: "Store | None"
) -> "tuple[tuple[Finding, ...], dict[str, RunSummary]]":
    file = config.data / JOURNAL
    if store is None and not file.exists():
        return (Finding("ok", "journal", f"{file} is not there yet"),), {}
    try:
        if store is not None:
            return await _asked(store, file, [], whole=False)
        async with journal(config) as opened:
            problems = await opened.integrity()
            problems += [f"{one.run} entry {one.seq}: {one.problem}"
                         for one in await opened.verify()]  # fmt: skip
            return await _asked(opened, file, problems, whole=True)
    except EngineError as error:
        return (Finding("fail", "journal", str(error)),), {}


async def _asked(
    store: Any, file: Path, problems: list[str], *, whole: bool
) -> "tuple[tuple[Finding, ...], dict[str, RunSummary]]":
    runs = await store.runs(limit=NEWEST)
    ended = [one for one in runs if one.ended_at is not None and one.mode == "live"]
    last = {one.runbook: one for one in sorted(ended, key=lambda it: it.ended_at or 0)}
    if problems:
        do = "Put back the newest copy; see the page on recovery."
        return (Finding("fail", "journal", "; ".join(problems), do),), last
    stats = await store.stats()
    told = (
        f"{file}: {'whole, ' if whole else ''}{stats.runs} runs "
        f"({stats.open_runs} open), {stats.entries} entries, {stats.unsent} messages "
        "unsent"
    )
    take_up = whole and stats.open_runs
    do = "Take up what nobody drives: runbook resume" if take_up else ""
    found = [Finding("ok", "journal", told, do)]
    ahead = (runs[0].updated_at if runs else 0.0) - time.time()
    if ahead > AHEAD_SECONDS:
        told = f"its newest run lies {length_text(ahead)} in the future"
        found.append(Finding("fail", "clock", told, "Set the machine's clock."))
    return tuple(found), last


# The engine itself


def _file(config: "Config") -> Finding:
    if config.file is None:
        told = "no file: defaults, and what the environment sets"
        return Finding("ok", "configuration", told)
    return Finding("ok", "configuration", str(config.file))


def _folder(config: "Config") -> Finding:
    data = config.data
    if not data.exists():
        told = f"{data} is not there yet"
        return Finding("warn", "data folder", told, "The first run creates it.")
    if not data.is_dir():
        return Finding("fail", "data folder", f"{data} is no folder", "Move it away.")
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o077:
        told = f"{data} is open to others (mode {mode:04o})"
        return Finding("warn", "data folder", told, f"Close it: chmod 700 {data}")
    return Finding("ok", "data folder", f"{data} (mode {mode:04o})")


def _library_of_journal() -> Finding:
    found = sqlite_report()
    if found.problem:
        do = "Install the apsw wheel, which brings its own SQLite."
        return Finding("fail", "SQLite", str(found), do)
    return Finding("ok", "SQLite", str(found))


def _secrets(config: "Config") -> Iterator[Finding]:
    named = secrets(config)
    for name in config.settings.secrets:
        try:
            named.get(name)
            yield Finding("ok", f"secret {name}", "has a value")
        except SecretMissing as missing:
            do = f"It stands at {_origin(config, f'secrets.{name}')}."
            yield Finding("fail", f"secret {name}", str(missing), do)


def _origin(config: "Config", start: str) -> str:
    found = (place for key, place in config.origins.items() if key.startswith(start))
    return next(found, "no place")


def holds_any(path: Path) -> bool:
    """Return whether a runbook file is there, or in the folder."""
    return path.is_file() or any(path.rglob("*.y*ml"))


def _runbooks(config: "Config", library: "Library") -> Iterator[Finding]:
    for path in config.runbooks:
        if path.is_dir() and not holds_any(path):
            do = "Put a runbook there: a file NAME.yaml."
            yield Finding("warn", "runbooks", f"{path} holds no runbook", do)
        if not path.exists():
            do = "Create the folder, or name another one under `runbooks`."
            yield Finding("warn", "runbooks", f"{path} is not there", do)
    for file in library.refused:
        do = f"See: runbook validate {file}"
        yield Finding("fail", "runbooks", f"{file} has problems", do)
    if library.loaded:
        count = len(library.loaded)
        told = f"{count} runbook{'' if count == 1 else 's'} can be run"
        yield Finding("ok", "runbooks", told)


def _people(config: "Config", library: "Library") -> Iterator[Finding]:
    if not config.settings.people:
        told = "nobody is configured: whoever has the command line may approve anything"
        yield Finding("warn", "people", told, "List them under `people`.")
        return
    for name in sorted(library.runbooks):
        for group in empty_groups(config, library, name):
            told = f"group '{group}' of runbook '{name}' has no member"
            yield Finding("fail", "people", told, "Its gates can only expire.")
    for (provider, id_), names in shared_accounts(config).items():
        told = f"{provider}:{id_} stands under {' and '.join(names)}"
        do = "It counts for none of them; leave it under the one whose it is."
        yield Finding("fail", "people", told, do)
    yield Finding("ok", "people", f"{len(config.settings.people)} are configured")


def _paged(config: "Config", library: "Library") -> Iterator[Finding]:
    """Which groups are paged by a line in the log alone."""
    through = services(config)
    owners = {one.owner for one in library.runbooks.values()}
    deaf = sorted(owner for owner in owners if through.of(owner) is None)
    if deaf:
        named = ", ".join(f"'{one}'" for one in deaf)
        told = f"nothing wakes {named}: a page to them is a line in the log"
        do = "Set `pagerduty.routing_key`, or `groups.NAME.pagerduty`."
        yield Finding("warn", "pages", told, do)
    elif owners:
        yield Finding("ok", "pages", "every owner has a service that is paged")


def _sources(config: "Config") -> Iterator[Finding]:
    """Who may post alerts; an open door and one that nobody can pass are both told."""
    try:
        alerts.sources(config)
    except EngineError as error:
        yield Finding("fail", "sources", str(error), "`runbook serve` does not start.")
    named = secrets(config)
    for name, source in config.settings.sources.items():
        what, ways = f"source {name}", " and ".join(ways_in(source))
        closed = [one for one in secrets_of(source) if not any_value(named, one)]
        if not ways:
            told = f"anybody who reaches /alerts/{name} may post"
            do = "Give it a token, or let only the sender reach it."
            yield Finding("warn", what, told, do)
        elif closed:
            told = f"nobody can post: no value for secret {' or '.join(closed[0])}"
            yield Finding("fail", what, told, "Set it, or name one that is set.")
        else:
            yield Finding("ok", what, f"asks for {ways}")


def _triggers(config: "Config", library: "Library") -> Iterator[Finding]:
    """Which runbooks wait for alerts of a source that nobody can post to."""
    there = {*config.settings.sources, *([WATCH] if config.settings.watch else [])}
    known = there or alerts.kinds_of_sources()
    for name, runbook in sorted(library.runbooks.items()):
        for source in alerts.sources_of(runbook):
            if source in known:
                continue
            told = f"'{name}' waits for alerts of '{source}', which is no source here"
            near = get_close_matches(source, sorted(known), n=1)
            meant = f"Did you mean '{near[0]}'? " if near else ""
            do = f"{meant}Name it under `sources`, or change the trigger."
            yield Finding("warn", "triggers", told, do)


def _listen(config: "Config") -> Finding:
    address = config.settings.server.listen
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost" or _is_loopback(host):
        return Finding("ok", "server", f"{address}, for this machine alone")
    told = (
        f"{address} is for other machines, without TLS: tokens can be read on the way"
    )
    return Finding("warn", "server", told, "Put a proxy with TLS before it.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: who knows where it leads
        return False


def _network(config: "Config") -> Finding:
    allow = config.settings.network.allow
    wide = [one for one in allow if ip_network(one).prefixlen < WIDE_BITS]
    if wide:
        told = f"{', '.join(wide)} lets checks and actions reach nearly everything"
        return Finding("warn", "network", told, "Name the networks that are needed.")
    told = f"private addresses that may be reached: {', '.join(allow) or 'none'}"
    return Finding("ok", "network", told)


def _clock() -> Finding:
    now = time.time()
    if now < BUILT:
        told = time.strftime("%Y-%m-%d", time.gmtime(now))
        return Finding("fail", "clock", f"it says {told}", "Set the machine's clock.")
    return Finding("ok", "clock", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)))


def _hold(config: "Config") -> Finding:
    reason = hold(config).reason()
    if reason is None:
        return Finding("ok", "hold", "off")
    return Finding("warn", "hold", f"on: {reason}", "Lift it: runbook hold off")


def _glass(config: "Config") -> Iterator[Finding]:
    grant = break_glass(config).current()
    if grant is not None:
        do = "End it: runbook break-glass --close"
        yield Finding("warn", "break-glass", grant_line(grant), do)
