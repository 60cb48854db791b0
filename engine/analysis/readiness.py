"""How ready a runbook is, from what is known of it: one word, and every reason.

Three words and no marks, since each asks for something else. `ready`: all that it needs
is there, and it was tried lately. `doubtful`: it would begin, but nobody can say that
it works. `not ready`: it would fail, or wait for somebody who is not there. One bad
reason is enough: what is wrong is not weighed against what is well.

Pure. Read by: bootstrap.doctoring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.model.health import Readiness, Rehearsal
from engine.model.run import RunSummary
from engine.model.times import age_text

FAILED: Final = "its last rehearsal failed"
NOT_SINCE: Final = "it was neither rehearsed nor run since it was changed"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one runbook at one moment."""

    runbook: str
    now: float  # epoch seconds
    fresh_seconds: float  # a rehearsal or a run counts for so long
    broken: str = ""  # why it cannot be loaded
    tests: int = 0
    revision: str = ""
    rehearsed: Rehearsal | None = None
    last_run: RunSummary | None = None  # the newest live one that has ended
    empty_groups: Sequence[str] = ()
    no_value: Sequence[str] = ()  # secrets
    no_program: Sequence[str] = ()
    unreached: Mapping[str, str] = field(default_factory=dict)  # target to why
    refused: Sequence[str] = ()  # targets whose checks would say so
    unpinned: str = ""


def readiness(known: Known) -> Readiness:
    """Return the grade with its reasons, the worst first."""
    bad, doubts = _bad(known), _doubts(known) if not known.broken else []
    grade = "not ready" if bad else "doubtful" if doubts else "ready"
    reasons, overdue = (*bad, *doubts), "".join(_overdue(known))
    return Readiness(known.runbook, grade, reasons, overdue)  # type: ignore[arg-type]


def _bad(known: Known) -> list[str]:
    if known.broken:
        return [known.broken]
    found = [f"group '{one}' has no member" for one in known.empty_groups]
    found += [f"secret '{one}' has no value" for one in known.no_value]
    found += [f"program '{one}' is not installed" for one in known.no_program]
    found += [f"{one}: {why}" for one, why in known.unreached.items()]
    last = known.rehearsed
    if last is not None and last.failed and last.revision == known.revision:
        found.append(f"{last.failed} of {last.played} rehearsals failed")
    return found


def _doubts(known: Known) -> list[str]:
    found = [f"{one} refuses connections" for one in known.refused]
    if not known.tests:
        found.append("it has no rehearsals")
    if known.unpinned:
        found.append(known.unpinned)
    found += _tried(known)
    last = known.last_run
    if last is not None and last.state == "handed_over":
        why = f": {last.why}" if last.why else ""
        found.append(f"its last run {last.run} was handed over{why}")
    return found


def _tried(known: Known) -> list[str]:
    """Return why it is not known to work as it is written now."""
    if known.rehearsed is None and not _times(known):
        return ["it was neither rehearsed nor run"]
    return [one for one in _overdue(known) if one != FAILED]  # which is told as bad


def _overdue(known: Known) -> list[str]:
    """Return why what is known of it is too old; nothing where nothing is known."""
    times = _times(known)
    if not times and known.rehearsed is not None:
        failed = known.rehearsed.revision == known.revision
        return [FAILED if failed else NOT_SINCE]
    age = known.now - max(times, default=known.now)
    if age <= known.fresh_seconds:
        return []
    most = age_text(known.fresh_seconds)
    return [f"rehearsed or run {age_text(age)} ago, more than {most}"]


def _times(known: Known) -> list[float]:
    times = []
    last = known.rehearsed
    if last is not None and last.revision == known.revision and not last.failed:
        times.append(last.at)
    if known.last_run is not None and known.last_run.ended_at is not None:
        times.append(known.last_run.ended_at)
    return times
