"""Rehearsals of a loaded runbook, played; and that they were, kept in the data folder.

How they are shown: entrypoints.cli.rehearsing. Called by: entrypoints.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.bootstrap.alerts import parse_alerts
from engine.bootstrap.parts import empty_store, rehearsals
from engine.errors import EngineError
from engine.model.health import Rehearsal
from engine.runtime.rehearsal import Rehearsed, rehearse

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.alert import Alert
    from engine.model.runbook import Expectation, Runbook, Test
    from engine.runtime.library import Library


@dataclass(frozen=True, slots=True)
class Show:
    """One rehearsal that was played."""

    file: str
    runbook: str
    name: str
    rehearsed: Rehearsed | None = None
    expect: "Expectation | None" = None
    problems: list[str] = field(default_factory=list)


def played(library: "Library", file: Path, only: str) -> list[Show]:
    """Play the tests of one file whose name has `only`; return what each showed.

    Raises:
        RunbookRefused: the file has problems.
    """
    name = next((one for one, at in library.files.items() if at == file), file.stem)
    compiled = library.bundle(name).compiled
    tests = [one for one in compiled.runbook.tests if only in one.name]
    shows = []
    for test in tests:
        try:
            alert = alert_of(compiled.runbook, test)
            one = rehearse(compiled, test, empty_store(), alert=alert)
        except EngineError as error:
            shows.append(Show(str(file), name, test.name, problems=[str(error)]))
            continue
        shows.append(
            Show(str(file), name, test.name, one, test.expect, list(one.problems))
        )
    return shows


def alert_of(runbook: "Runbook", test: "Test") -> "Alert | None":
    """Return the alert that a test is started by, read as its source sends it.

    Raises:
        EngineError: it is no body of the source, or holds no alert.
    """
    if test.alert is None:
        return None
    triggers = [one.alert for one in runbook.trigger if one.alert is not None]
    source = triggers[0].source if triggers else "alertmanager"
    found = parse_alerts(test.alert, source if isinstance(source, str) else source[0])
    if not found:
        raise EngineError(f"test '{test.name}': its `alert` holds no alert")
    return found[0]


def as_object(show: Show) -> dict[str, Any]:
    """Return a rehearsal as plain values; `seconds` is virtual time."""
    seen = show.rehearsed.seen if show.rehearsed is not None else None
    return {
        "file": show.file,
        "runbook": show.runbook,
        "name": show.name,
        "passed": not show.problems,
        "problems": show.problems,
        "end": seen.end if seen else None,
        "cause": seen.cause if seen else None,
        "did": seen.did if seen else [],
        "undone": seen.undone if seen else [],
        "held": seen.held if seen else [],
        "skipped": seen.skipped if seen else [],
        "asked": [names[0] for names in seen.asked] if seen else [],
        "seconds": seen.seconds if seen else None,
        "path": seen.path if seen else [],
    }


def kept(config: "Config", library: "Library", shows: Sequence[Show]) -> None:
    """Keep that these were played, for `doctor`; all tests of their runbooks were.

    Nothing is kept where no data folder is: nobody runs an engine there.
    """
    found = {}
    for name in {show.runbook for show in shows} & library.loaded.keys():
        mine = [show for show in shows if show.runbook == name]
        failed = sum(bool(show.problems) for show in mine)
        revision = library.loaded[name].revision
        found[name] = Rehearsal(time.time(), revision, len(mine), failed)
    if found and config.data.is_dir():
        rehearsals(config).add(found)
