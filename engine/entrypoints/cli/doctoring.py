"""What `doctor` looks at: one finding for each thing that could be in the way.

Read by: keeping. It changes nothing, and shows no secret.
"""

import asyncio
import stat
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine import bootstrap
from engine.entrypoints.cli.breaking_glass import told_open
from engine.entrypoints.cli.choosing import library_of
from engine.entrypoints.cli.doctoring_chat import chat
from engine.entrypoints.cli.finding import Finding
from engine.errors import EngineError, SecretMissing
from engine.model.times import length_text
from engine.runtime.library import Library
from engine.runtime.service import groups_of

if TYPE_CHECKING:
    from engine.config import Config
    from engine.ports import Secrets

BUILT: Final = 1_735_689_600.0  # 2025-01-01: no clock of today stands before it
AHEAD_SECONDS: Final = 60.0  # an entry may not lie further in the future
WIDE_BITS: Final = 8  # of an IPv4 prefix: anything wider lets nearly all through


def findings(config: "Config") -> list[Finding]:
    """Return everything that was looked at, in the order of an incident's needs."""
    library = _library(config)
    looks = (
        _file(config), _folder(config), _library_of_journal(), *_journal(config),
        *_secrets(config), *_runbooks(config, library), *_people(config, library),
        *_sources(config), _listen(config), _network(config), _clock(), _hold(config),
        *_glass(config), *chat(config, library),
    )  # fmt: skip
    return list(looks)


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
    found = bootstrap.sqlite_report()
    if found.problem:
        do = "Install the apsw wheel, which brings its own SQLite."
        return Finding("fail", "SQLite", str(found), do)
    return Finding("ok", "SQLite", str(found))


def _journal(config: "Config") -> list[Finding]:
    file = config.data / bootstrap.JOURNAL
    if not file.exists():
        return [Finding("ok", "journal", f"{file} is not there yet")]
    try:
        problems, stats, newest = asyncio.run(_read(config))
    except EngineError as error:
        return [Finding("fail", "journal", str(error))]
    if problems:
        do = "Put back the newest copy; see the page on recovery."
        return [Finding("fail", "journal", "; ".join(problems), do)]
    told = (
        f"{file}: whole, {stats.runs} runs ({stats.open_runs} open), "
        f"{stats.entries} entries, {stats.unsent} messages unsent"
    )
    found = [Finding("ok", "journal", told)]
    if stats.open_runs:
        do = "Take up what nobody drives: runbook resume"
        found[0] = Finding("ok", "journal", told, do)
    ahead = newest - time.time()
    if ahead > AHEAD_SECONDS:
        told = f"its newest run lies {length_text(ahead)} in the future"
        found.append(Finding("fail", "clock", told, "Set the machine's clock."))
    return found


async def _read(config: "Config") -> tuple[list[str], Any, float]:
    async with bootstrap.journal(config) as store:
        problems = await store.integrity()
        problems += [f"{one.run} entry {one.seq}: {one.problem}"
                     for one in await store.verify()]  # fmt: skip
        newest = await store.runs(limit=1)
        at = newest[0].updated_at if newest else 0.0
        return problems, await store.stats(), at


def _secrets(config: "Config") -> Iterator[Finding]:
    named = bootstrap.secrets(config)
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


def _library(config: "Config") -> Library:

    return library_of(config, [one for one in config.runbooks if _holds_any(one)])


def _holds_any(path: Path) -> bool:
    return path.is_file() or any(path.rglob("*.y*ml"))


def _runbooks(config: "Config", library: Library) -> Iterator[Finding]:
    for path in config.runbooks:
        if path.is_dir() and not _holds_any(path):
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


def _people(config: "Config", library: Library) -> Iterator[Finding]:
    if not config.settings.people:
        told = "nobody is configured: whoever has the command line may approve anything"
        yield Finding("warn", "people", told, "List them under `people`.")
        return
    filled = {group for groups in config.groups.values() for group in groups}
    for name, runbook in sorted(library.runbooks.items()):
        for group in sorted({*groups_of(runbook)} - filled - {*config.settings.people}):
            told = f"group '{group}' of runbook '{name}' has no member"
            yield Finding("fail", "people", told, "Its gates can only expire.")
    yield Finding("ok", "people", f"{len(config.settings.people)} are configured")


def _sources(config: "Config") -> Iterator[Finding]:
    """Who may post alerts; an open door and one that nobody can pass are both told."""
    from engine.entrypoints.web.admission import secrets_of, ways_in

    try:
        bootstrap.sources(config)
    except EngineError as error:
        yield Finding("fail", "sources", str(error), "`runbook serve` does not start.")
    named = bootstrap.secrets(config)
    for name, source in config.settings.sources.items():
        what, ways = f"source {name}", " and ".join(ways_in(source))
        closed = [one for one in secrets_of(source) if not _any_value(named, one)]
        if not ways:
            told = f"anybody who reaches /alerts/{name} may post"
            do = "Give it a token, or let only the sender reach it."
            yield Finding("warn", what, told, do)
        elif closed:
            told = f"nobody can post: no value for secret {' or '.join(closed[0])}"
            yield Finding("fail", what, told, "Set it, or name one that is set.")
        else:
            yield Finding("ok", what, f"asks for {ways}")


def _any_value(named: "Secrets", names: list[str]) -> bool:
    for name in names:
        try:
            named.get(name)
        except SecretMissing:
            continue
        return True
    return False


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
    reason = bootstrap.hold(config).reason()
    if reason is None:
        return Finding("ok", "hold", "off")
    return Finding("warn", "hold", f"on: {reason}", "Lift it: runbook hold off")


def _glass(config: "Config") -> Iterator[Finding]:
    if told := told_open(config):
        yield Finding(
            "warn", "break-glass", told, "End it: runbook break-glass --close"
        )
