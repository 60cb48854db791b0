"""A drill: a live rehearsal with real checks and real people, apart from what is real.

It has a journal of its own (`data/drills`), so that no server takes up its run and no
list, metric or page of the real ones shows it. Only the people named are there. What
acts is absent, unless it is asked for: then it is what the inputs and the configuration
point at. Chat is not begun: a second engine on one chat would take the first one's
words. Pages go to the terminal, unless they are asked for.

Called by `runbook drill` and `runbook drills`.
"""

import json
import shlex
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.bootstrap.parts import drills
from engine.errors import DoesNotApply, EngineError
from engine.model.health import Rehearsal

if TYPE_CHECKING:
    from engine.analysis.bounds import Bounds
    from engine.config import Config
    from engine.model.run import RunSummary
    from engine.model.runbook import TimeLimits
    from engine.model.timeline import Entry
    from engine.runtime.library import Bundle, Library

GOOD: Final = ("resolved", "cleared")
INJECT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Timed:
    """One time of a drill, beside what it may take; seconds."""

    name: str
    took: float
    limit: float | None
    worst: float

    @property
    def broken(self) -> bool:
        """Whether it took longer than the runbook allows."""
        return self.limit is not None and self.took > self.limit


def drill_config(config: "Config", people: Sequence[str], *, pages: bool) -> "Config":
    """Return the configuration of a drill.

    Raises:
        DoesNotApply: somebody is none of the people.
    """
    from engine.config.chatting import Chat, PagerDuty
    from engine.config.settings import Address

    known = config.settings.people
    strangers = [one for one in people if known and one not in known]
    if strangers:
        there = ", ".join(sorted(known))
        raise DoesNotApply(f"{', '.join(strangers)}: none of the people: {there}")
    changes: dict[str, Any] = {
        "data": str((config.data / "drills").absolute()),
        "people": {name: one for name, one in known.items() if name in people},
        "chat": Chat(),
        "traces": Address(),
        "watch": [],
    }
    if not pages:
        changes |= {"pagerduty": PagerDuty(), "groups": {}}
    return replace(config, settings=config.settings.model_copy(update=changes))


def without_acts(bundle: "Bundle", library: "Library") -> "Bundle":
    """Return the runbook for a drill in which nothing acts: no act is verified."""
    from engine.core.compile import compile_runbook
    from engine.runtime.dry_run import past_form

    compiled = bundle.compiled
    form = compile_runbook(
        past_form(compiled.runbook), compiled.kinds, revision=compiled.revision,
        library={name: past_form(one) for name, one in library.runbooks.items()},
    )  # fmt: skip
    return replace(bundle, compiled=form)


@contextmanager
def injected(
    names: Sequence[str], platform: Path | None, heal: str
) -> Iterator[Callable[[], None]]:
    """Break what the drill is about; give what mends it, and tries again what failed.

    In the end it is mended, or it is said what is still broken.

    Args:
        names: Faults of the example platform by name, or commands.
        platform: The folder of the platform that runs, with its `platform.json`.
        heal: A command for the end.

    Raises:
        EngineError: it cannot be broken; what was broken before is mended. Or it could
            not be mended: the text names what is left.
    """
    broken: list[str] = []
    left = [heal] if heal else []

    one_at_a_time = threading.Lock()

    def mend() -> None:
        with one_at_a_time:
            broken[:] = [one for one in broken if not _request("DELETE", one)]
            told = [f"{one} could not be switched off" for one in broken]
            for line in tuple(left):
                try:
                    _command(line, "--heal")
                    left.remove(line)
                except EngineError as error:
                    told.append(str(error))
        if told:
            raise EngineError(f"still broken: {'; '.join(told)}. Mend it by hand.")

    try:
        for name in names:
            if " " in name or "/" in name:
                _command(name, "--inject")
            else:
                broken.append(_fault(name, platform))
        yield mend
    finally:
        mend()


def _command(line: str, option: str) -> None:
    try:
        words = shlex.split(line)
        subprocess.run(  # noqa: S603 - whoever begins the drill wrote it
            words, check=True, timeout=INJECT_SECONDS, capture_output=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise EngineError(f"{option}: {line}: {error}") from error


def _fault(name: str, platform: Path | None) -> str:
    """Switch a fault on at the process that has it; return its address."""
    if platform is None:
        raise DoesNotApply(
            f"--inject {name}: say where the platform runs, --platform DIR; a command "
            "has a `/` or a blank in it"
        )
    try:
        urls: Mapping[str, str] = json.loads((platform / "platform.json").read_text())[
            "urls"
        ]
    except (OSError, ValueError, KeyError) as error:
        raise EngineError(f"{platform}: no platform runs there: {error}") from error
    for url in urls.values():
        if _request("POST", f"{url}/faults/{name}"):
            return f"{url}/faults/{name}"
    raise EngineError(f"--inject {name}: no process of {platform} has such a fault")


def _request(method: str, url: str) -> bool:
    asked = urllib.request.Request(url, data=b"{}", method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=INJECT_SECONDS) as answer:  # noqa: S310
            return 200 <= int(answer.status) < 300
    except OSError:
        return False


def times_of(
    entries: "Sequence[Entry]", limits: "TimeLimits", worst: "Bounds"
) -> list[Timed]:
    """Return the times of a drill beside the runbook's limits and its worst cases."""
    from engine.views.moments import moments_of, phases_of

    seen = moments_of(entries, phases_of(entries), harmed_at=None)
    began = entries[0].at
    ends = {
        "isolated": seen.isolated,
        "mitigated": seen.mitigated,
        "total": seen.closed,
    }
    found = []
    for name, at in ends.items():
        if at is not None:
            limit = getattr(limits, name)
            most = limit.total_seconds() if limit is not None else None
            found.append(Timed(name, at - began, most, getattr(worst, name)))
    return found


def keep_drill(
    config: "Config",
    library: "Library",
    summary: "RunSummary",
    times: Sequence[Timed],
) -> Rehearsal:
    """Keep that a runbook was drilled, and whether it went well; return it."""
    failed = summary.state not in GOOD or any(one.broken for one in times)
    revision = library.loaded[summary.runbook].revision
    one = Rehearsal(time.time(), revision, 1, int(failed))
    drills(config).add({summary.runbook: one})
    return one
