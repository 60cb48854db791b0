"""What runbooks need of the world, looked at: servers, programs, secrets, practice.

What is needed is seen in the files (analysis.needs), how ready a runbook is, is judged
by analysis.readiness. Nothing is asked of a server but whether it listens.

Called by doctoring.
"""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine.bootstrap.kinds import door
from engine.bootstrap.parts import rehearsals, secrets
from engine.core.lists import every_step
from engine.errors import SecretMissing
from engine.model.health import Finding, Readiness
from engine.model.steps import ApproveStep
from engine.runtime.service import groups_of

if TYPE_CHECKING:
    from engine.analysis.needs import Needs, Target
    from engine.config import Config
    from engine.model.run import RunSummary
    from engine.ports import Secrets, Web
    from engine.runtime.library import Library

REACH_SECONDS: Final = 3.0  # one target
ABREAST: Final = 20  # targets that are reached for at once
REFUSES: Final = "it refuses connections"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out about the world before anything is judged."""

    config: "Config"
    library: "Library"
    now: float
    needs: "Mapping[str, Needs]"  # by runbook
    unreached: "Mapping[Target, str]"  # why
    refused: "frozenset[Target]"
    last_runs: "Mapping[str, RunSummary]"  # by runbook
    journal: tuple[Finding, ...] = ()
    chat: tuple[Finding, ...] = ()


def needs_by_name(config: "Config", library: "Library") -> "dict[str, Needs]":
    """Return what each runbook needs, by its name."""
    from engine.analysis.needs import needs_of

    runbooks, urls = library.runbooks, _urls(config)
    return {
        name: needs_of(one, library.kinds, urls=urls, library=runbooks)
        for name, one in sorted(runbooks.items())
    }


def _urls(config: "Config") -> dict[str, str]:
    """Return the address of each kind where a runbook names none."""
    said = config.settings
    both = {
        "prometheus": said.prometheus.url,
        "silence": said.alertmanager.url,
        "kubernetes": said.kubernetes.url,
        "datadog": said.datadog.url,
        "newrelic": said.newrelic.url,
        "status_page": said.status_page.url,
    }
    return {kind: url for kind, url in both.items() if url is not None}


async def reached(
    config: "Config", needs: "Mapping[str, Needs]"
) -> "tuple[dict[Target, str], frozenset[Target]]":
    """Return why targets cannot be reached, and which say that nobody listens."""
    targets = sorted({one for need in needs.values() for one in need.targets})
    web, turn = door(config), asyncio.Semaphore(ABREAST)

    async def one(target: "Target") -> str:
        async with turn:
            return await _why_not(web, target)

    try:
        told = await asyncio.gather(*map(one, targets))
    finally:
        await web.aclose()
    found = {target: why for target, why in zip(targets, told, strict=True) if why}
    maybe = {one for one, why in found.items() if one.judged and why == REFUSES}
    unreached = {one: why for one, why in found.items() if one not in maybe}
    return unreached, frozenset(maybe)


async def _why_not(web: "Web", target: "Target") -> str:
    """Return why nobody answers there; empty: somebody does."""
    from engine.ports import WebProblem

    try:
        async with asyncio.timeout(REACH_SECONDS):
            addresses = await web.addresses(target.host, target.port)
            _, writer = await asyncio.open_connection(addresses[0], target.port)
    except WebProblem as problem:
        return problem.message
    except ConnectionRefusedError:
        return REFUSES
    except TimeoutError:
        return f"no answer within {REACH_SECONDS:g}s"
    except OSError as error:
        return f"it cannot be reached: {error.strerror or error}"
    writer.close()
    return ""


def targets(seen: Seen) -> Iterator[Finding]:
    """Yield whether somebody answers at each target, and who needs it."""
    users: dict[Target, list[str]] = {}
    for name, need in seen.needs.items():
        for target in need.targets:
            users.setdefault(target, []).append(name)
    for target, names in sorted(users.items()):
        what = f"target {target.shown}"
        who = f"needed by {', '.join(names)}"
        if target in seen.refused:
            do = "Its checks will say so; look whether the address is right."
            yield Finding("warn", what, f"{REFUSES}; {who}", do)
        elif seen.unreached.get(target) == REFUSES:
            do = "Begin what should listen there, or mend the address."
            yield Finding("warn", what, f"{REFUSES}; {who}", do)
        elif target in seen.unreached:
            do = "Mend the way there, the address, or `network.allow`."
            yield Finding("fail", what, f"{seen.unreached[target]}; {who}", do)
        else:
            yield Finding("ok", what, f"answers; {who}")


def programs(seen: Seen) -> Iterator[Finding]:
    """Yield each program that is missing, and who needs it."""
    users: dict[str, list[str]] = {}
    for name, need in seen.needs.items():
        for program in need.programs:
            users.setdefault(program, []).append(name)
    for program, names in sorted(users.items()):
        if shutil.which(program) is None:
            told = f"it is not installed here; needed by {', '.join(names)}"
            yield Finding("fail", f"program {program}", told, "Install it.")


def readiness_of(seen: Seen) -> list[Readiness]:
    """Return how ready each runbook is, by name."""
    from engine.analysis.readiness import Known, readiness

    config, library = seen.config, seen.library
    rehearsed, fresh = rehearsals(config).read(), config.settings.doctor
    values, unpinned = _without_value(config, seen.needs), library.unpinned
    found = []
    for name, need in seen.needs.items():
        unreached = [one for one in need.targets if one in seen.unreached]
        known = Known(
            name,
            seen.now,
            fresh.rehearsed_within.total_seconds(),
            tests=len(library.runbooks[name].tests),
            revision=library.loaded[name].revision,
            rehearsed=rehearsed.get(name),
            last_run=seen.last_runs.get(name),
            empty_groups=empty_groups(config, library, name),
            no_value=[one for one in need.secrets if one in values],
            no_program=[one for one in need.programs if shutil.which(one) is None],
            unreached={f"target {one.shown}": seen.unreached[one] for one in unreached},
            refused=[f"target {one.shown}" for one in need.targets
                     if one in seen.refused],
            unpinned=unpinned.get(name, ""),
        )  # fmt: skip
        found.append(readiness(known))
    for file in library.refused:
        if file.stem not in library.runbooks:
            broken = f"the file has problems: runbook validate {file}"
            known = Known(file.stem, seen.now, 0.0, broken=broken)
            found.append(readiness(known))
    return sorted(found, key=lambda one: one.runbook)


def _without_value(config: "Config", needs: "Mapping[str, Needs]") -> set[str]:
    named = secrets(config)
    wanted = {one for need in needs.values() for one in need.secrets}
    return {one for one in wanted if not any_value(named, [one])}


def empty_groups(config: "Config", library: "Library", name: str) -> list[str]:
    """Return the groups of a runbook without a member; nobody configured: none.

    A name under `not_by` that is nobody's counts, too: it would bar nobody.
    """
    people = config.settings.people
    filled = {group for groups in config.groups.values() for group in groups}
    if not people:
        return []
    runbook = library.runbooks[name]
    gates = [one for one in every_step(runbook) if isinstance(one, ApproveStep)]
    barred = {one for gate in gates for one in gate.not_by} - {"requester"}
    return sorted({*groups_of(runbook), *barred} - filled - {*people})


def any_value(named: "Secrets", names: list[str]) -> bool:
    """Return whether one of these secrets has a value."""
    for name in names:
        try:
            named.get(name)
        except SecretMissing:
            continue
        return True
    return False
