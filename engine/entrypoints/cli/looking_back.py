"""`run --dry-run --at`: what a runbook would have seen, diagnosed and done back then.

Read by: running.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.bootstrap.looking_back import not_asked, played_at
from engine.entrypoints.cli.following import summary_json
from engine.entrypoints.cli.plans import GOOD, plan_rows, planned
from engine.entrypoints.cli.screen import (
    FINE,
    PROBLEMS,
    coloured,
    say,
    say_json,
    width,
)
from engine.model.events import Looked
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.model.times import moment_text, offset_text
from engine.runtime.library import Bundle
from engine.runtime.proving import Worst, worst_case
from engine.views.escape import visible
from engine.views.timeline import timeline_objects, timeline_text

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.alert import Alert
    from engine.runtime.library import Library

WIDEST: Final = 120
ASSUMED: Final = "true is true"  # how an act is verified that was not done


def look_back(
    config: "Config",
    library: "Library",
    bundle: Bundle,
    given: dict[str, Any],
    who: str,
    *,
    at: float,
    alert: "Alert | None",
    people: str,
    json_: bool,
) -> int:
    """Play the runbook at a moment of the past; write what came; return the exit code.

    Raises:
        DoesNotApply: an input is missing or wrong.
    """
    summary, entries = played_at(
        config, library, bundle, given, who, at=at, people=people, alert=alert
    )
    plan = [planned(entry, bundle) for entry in entries if entry.kind == "intent"]
    worst = worst_case(bundle.compiled)
    if json_:
        say_json({
            "at": at,
            "summary": summary_json(summary),
            "not_asked": unasked(entries),
            "acts_from_seconds": first_act(entries),
            "plan": plan,
            "worst_case_seconds": worst.total,
            "worst_case": worst.known,
            "timeline": timeline_objects(entries),
        })  # fmt: skip
    else:
        say("\n".join(_lines(at, summary, entries, plan, worst)))
    return FINE if summary.state in GOOD else PROBLEMS


def _lines(
    at: float,
    summary: RunSummary,
    entries: Sequence[Entry],
    plan: list[dict[str, Any]],
    worst: Worst,
) -> Iterator[str]:
    yield f"[DRY RUN] as of {moment_text(at)}: the past was asked, nothing was done"
    columns = min(width(), WIDEST)
    told = [one for one in entries if one.why != ASSUMED]
    yield timeline_text(told, width=columns, colour=coloured()).rstrip()
    yield ""
    for name, kind in unasked(entries).items():
        yield f"Unknown: {visible(name)}, since {visible(not_asked(kind))}"
    if (since := first_act(entries)) is not None:
        yield (
            f"What was seen from {offset_text(since)} on is what was there without "
            "these acts"
        )
    yield from plan_rows(plan, worst)
    why = f": {visible(summary.why)}" if summary.why else ""
    yield f"It would have ended as {summary.state.replace('_', ' ')}{why}"


def unasked(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the checks that could not be asked about the past, with their kinds."""
    seen = [
        one
        for entry in entries
        if isinstance(entry.event, Looked)
        for one in entry.event.evidence
    ]
    return {
        one.check: kind
        for one in sorted(seen, key=lambda one: one.check)
        if (kind := one.why.partition(" ")[0]) and one.why == not_asked(kind)
    }


def first_act(entries: Sequence[Entry]) -> float | None:
    """Return the run seconds at which it would have acted first; None: not at all."""
    return next((one.tick for one in entries if one.kind == "intent"), None)
