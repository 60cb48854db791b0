"""The ten parts of an incident report, as plain data for both templates.

Draft wording: what the timeline does not say is "not known", and what only people can
say is a question to them. Called by report only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.model.people import RUN_ROLES
from engine.model.run import ENDS, RunSummary
from engine.model.runbook import Runbook
from engine.model.timeline import Entry, chain_faults
from engine.model.times import (
    NOT_KNOWN,
    age_text,
    count_text,
    date_text,
    length_text,
    moment_text,
    offset_text,
    times_text,
)
from engine.views.escape import command_text, visible
from engine.views.facts import Deed, Facts
from engine.views.harm import Harm
from engine.views.jumps import jumps_of
from engine.views.lines import Line
from engine.views.messages import (
    external_draft,
    internal_draft,
    mark_of,
    named,
    summary_sentences,
)
from engine.views.timeline import days_of

Row = tuple[str, str]
ACTION_COLUMNS: Final = ("action item", "owner", "type", "ticket", "due")
ACTION_TYPES: Final = "type: prevent, mitigate, detect or process"
QUESTIONS: Final = (
    "What surprised you?",
    "What did you know when you decided, and what did you not?",
    "Who or what was missing?",
    "What made this worse or slower than it had to be?",
    "What would have happened if nobody had been watching?",
)
SURVEY: Final = (
    (
        "Ask 24 to 72 hours after the end, only a sample of affected users, and nobody "
        "more than once in 30 days."
    ),
    "How well did we keep you informed? (1 to 5; CSAT is the share of 4 and 5)",
    "Did it stop you from something important? (yes or no, and what)",
)
SURVEY_COLUMNS: Final = ("asked", "answered", "response rate", "CSAT", "stopped")
SURVEY_NOTE: Final = "Below 30 answers show counts only, no share."


@dataclass(frozen=True, slots=True)
class HeldRow:
    """Something still held: what, since when, and how to give it back by hand."""

    name: str
    since: str
    undo: str
    stuck: bool


@dataclass(frozen=True, slots=True)
class WaitRow:
    """One time people were waited for."""

    what: str
    start: str
    took: str
    outcome: str
    by: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a report prints; strings are not escaped."""

    mark: str
    title: str
    final: bool
    facts: Facts
    summary: RunSummary
    head: tuple[Row, ...]
    severities: tuple[Row, ...]
    sentences: tuple[str, str]
    impact: tuple[Row, ...]
    times: tuple[tuple[str, str, str, str], ...]
    origin: tuple[Row, ...]
    days: Sequence[tuple[str, list[Line]]]
    well: tuple[str, ...]
    badly: tuple[str, ...]
    automation: tuple[Row, ...]
    guards: tuple[Deed, ...]
    waits: tuple[WaitRow, ...]
    could_not: tuple[str, ...]
    held: tuple[HeldRow, ...]
    internal: tuple[str, ...]
    external: tuple[str, ...]
    quality: tuple[Row, ...]
    action_columns: tuple[str, ...] = ACTION_COLUMNS
    action_types: str = ACTION_TYPES
    questions: tuple[str, ...] = QUESTIONS
    survey: tuple[str, ...] = SURVEY
    survey_columns: tuple[str, ...] = SURVEY_COLUMNS
    survey_note: str = SURVEY_NOTE


def draft(
    entries: Sequence[Entry],
    seen: Facts,
    summary: RunSummary,
    runbook: Runbook,
    *,
    rehearsed: float | None = None,
) -> Draft:
    """Return the report of one run as data; `rehearsed` as in views.report."""
    return Draft(
        mark_of(summary.mode),
        summary.title or runbook.title,
        summary.state in ENDS,
        seen,
        summary,
        (*_head(summary, runbook), *_rehearsed(summary, rehearsed)),
        _severities(seen, runbook),
        summary_sentences(seen, summary),
        _impact(seen, summary, runbook),
        _times(seen),
        _origin(seen, summary),
        days_of(entries),
        _well(seen, summary),
        _badly(seen),
        _automation(seen),
        seen.guards,
        _waits(seen),
        _could_not(seen, summary),
        _held(summary),
        tuple(internal_draft(seen, summary)),
        tuple(external_draft(seen, summary)),
        _quality(entries, seen, summary),
    )


def _head(summary: RunSummary, runbook: Runbook) -> tuple[Row, ...]:
    over = "final draft" if summary.state in ENDS else "draft, the run goes on"
    roles = ", ".join(
        f"{role} {summary.roles[role]}" for role in RUN_ROLES if role in summary.roles
    )
    rows = (
        ("Run", summary.run),
        ("Runbook", f"{summary.runbook}, revision {summary.revision[:12]}"),
        ("Date", date_text(summary.started_at)),
        ("Report", f"{over}; not yet reviewed by people"),
        ("Outcome", summary.state.replace("_", " ")),
        ("Authors", "made by the engine; people add themselves here"),
        ("Owner", summary.owner or runbook.owner),
        ("Started by", summary.requester or NOT_KNOWN),
        ("Roles", roles),
    )
    return tuple(row for row in rows if row[1])


def _rehearsed(summary: RunSummary, at: float | None) -> tuple[Row, ...]:
    """Return how long before the run its runbook was last rehearsed (G20)."""
    if at is None:
        return ()
    if not at:
        return (("Last rehearsal", "none on record"),)
    before = summary.started_at - at
    words = f"{age_text(before)} before this run" if before >= 0 else "after this run"
    return (("Last rehearsal", words),)


def _severities(seen: Facts, runbook: Runbook) -> tuple[Row, ...]:
    first = seen.severities[0].was if seen.severities else runbook.severity
    rows = [(first, "from the start")]
    rows += [
        (change.to, f"from {offset_text(change.tick)}: {change.why}")
        for change in seen.severities
    ]
    return tuple(rows)


def _impact(seen: Facts, summary: RunSummary, runbook: Runbook) -> tuple[Row, ...]:
    until = summary.ended_at or summary.updated_at
    rows = [("Duration of the run", length_text(until - summary.started_at))]
    rows += _harm(seen.harm)
    rows += _in_severity(seen, summary, runbook)
    asked = "not known: people add it"
    rows += [("Messages delayed or lost", asked), ("Calls dropped", asked)]
    return (*rows, ("Support contacts", asked))


def _harm(harm: Harm) -> list[Row]:
    if harm.user_minutes is None:
        return [("Users affected", f"{NOT_KNOWN}: no sample was seen")]
    peak = f"{count_text(harm.peak_users or 0)} at {moment_text(harm.peak_at)}"
    bounds = f"between {count_text(harm.lower or 0)} and {count_text(harm.upper or 0)}"
    looked = f"looked {times_text(len(harm.samples))}"
    time = length_text(harm.measured_seconds)
    unknown = length_text(harm.unknown_seconds)
    return [
        ("Users affected, peak", peak),
        ("User-minutes lost", f"{count_text(harm.user_minutes)} ({bounds})"),
        ("How it is counted", (f"weight {harm.weight:g}, {looked} in {time}, {unknown}"
         " of it unknown")),
    ]  # fmt: skip


def _in_severity(seen: Facts, summary: RunSummary, runbook: Runbook) -> list[Row]:
    until = summary.ended_at or summary.updated_at
    first = seen.severities[0].was if seen.severities else runbook.severity
    marks = [(first, summary.started_at)]
    marks += [(change.to, change.at) for change in seen.severities]
    ends = [at for _, at in marks[1:]] + [until]
    return [
        (f"Time in {name}", length_text(end - at))
        for (name, at), end in zip(marks, ends, strict=True)
    ]


def _times(seen: Facts) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (one.name, length_text(one.seconds), one.formula, one.note)
        for one in seen.measures
    )


def _origin(seen: Facts, summary: RunSummary) -> tuple[Row, ...]:
    by, door = seen.started_by or NOT_KNOWN, seen.started_via
    via = f" by way of {door}" if door and door != by else ""
    labels = ", ".join(f"{name}={value}" for name, value in seen.labels)
    other = ", ".join(seen.not_ruled_out)
    temporary = ", ".join(one.action for one in summary.held)
    return (
        ("Trigger", labels or "no alert: started by hand or by schedule"),
        ("Detected by", f"{by}{via}"),
        ("Alert fired at", moment_text(seen.moments.detect)),
        ("Cause class", seen.cause or "not named"),
        ("Why", seen.cause_why or NOT_KNOWN),
        ("Not ruled out", other or "nothing else"),
        ("Contributing factors", "for people: name several, and since when"),
        ("Resolution", seen.end_why or "the run goes on"),
        ("Temporary fix still in place", f"yes: {temporary}" if temporary else "no"),
    )


def _well(seen: Facts, summary: RunSummary) -> tuple[str, ...]:
    told = []
    if seen.cause:
        told.append(f"A cause was named: {seen.cause}.")
    if seen.did:
        told.append(f"Done: {named(seen.did)}.")
    if seen.undone:
        told.append(f"Given back: {named(seen.undone)}.")
    if summary.state in ENDS and not summary.held:
        told.append("Nothing is left in place.")
    return tuple(told)


def _badly(seen: Facts) -> tuple[str, ...]:
    told = [f"{deed.what} ({deed.why})" for deed in (*seen.failed, *seen.stuck)]
    expired = sum(wait.outcome == "expired" for wait in seen.waits)
    if expired:
        told.append(f"Nobody answered in time, {times_text(expired)}.")
    if seen.unknown:
        names = ", ".join(one.check for one in seen.unknown)
        told.append(f"Could not be seen at times: {names}.")
    if seen.crashes:
        told.append(
            f"The engine was restarted {times_text(seen.crashes)};"
            f" {length_text(seen.lost_seconds)} are missing."
        )
    return tuple(told)


def _automation(seen: Facts) -> tuple[Row, ...]:
    share = seen.automation_share
    return (
        ("Done", named(seen.did) or "nothing"),
        ("Given back", named(seen.undone) or "nothing"),
        ("Skipped", _with_why(seen.skipped)),
        ("Already so", named(seen.already) or "nothing"),
        ("Point of no return", named(seen.settled) or "nothing"),
        ("Looks", str(seen.looks)),
        ("Steps without people", NOT_KNOWN if share is None else f"{share:.0%}"),
        ("Time waiting for people", length_text(seen.waited_seconds)),
    )


def _with_why(deeds: tuple[Deed, ...]) -> str:
    return "; ".join(f"{one.name} ({one.why})" for one in deeds) or "nothing"


def _waits(seen: Facts) -> tuple[WaitRow, ...]:
    return tuple(
        WaitRow(
            wait.what, offset_text(wait.start_tick), length_text(wait.seconds),
            wait.outcome, ", ".join(wait.by) or "nobody",
        )
        for wait in seen.waits
    )  # fmt: skip


def _could_not(seen: Facts, summary: RunSummary) -> tuple[str, ...]:
    told = [deed.what for deed in (*seen.failed, *seen.stuck)]
    if summary.state == "handed_over":
        told.append(f"It was handed over: {summary.why or seen.end_why or NOT_KNOWN}.")
    return tuple(told)


def _held(summary: RunSummary) -> tuple[HeldRow, ...]:
    return tuple(
        HeldRow(
            f"{one.action} {one.target}".strip(), moment_text(one.since),
            command_text(one.kind, one.params), one.stuck,
        )
        for one in summary.held
    )  # fmt: skip


def _quality(
    entries: Sequence[Entry], seen: Facts, summary: RunSummary
) -> tuple[Row, ...]:
    broken = chain_faults(summary.run, entries)
    whole = f"whole: {len(entries)} entries" if not broken else (
        f"BROKEN in {len(broken)} places, first at entry {broken[0].seq}:"
        f" {broken[0].problem}"
    )  # fmt: skip
    rows = [("Timeline", whole)]
    for one in seen.unknown:
        source = f"; asked {one.source}" if one.source else ""
        told = f"unknown {times_text(one.times)}, last: {visible(one.why)}{source}"
        rows.append((f"Check {one.check}", told))
    if not seen.unknown:
        rows.append(("Unknown checks", "none"))
    rows += [
        ("Impact unknown", length_text(seen.harm.unknown_seconds)),
        ("Acts without an answer", str(seen.acts_lost)),
        ("Notes added later", str(seen.added_later)),
        (
            "Engine restarts",
            f"{seen.crashes}, {length_text(seen.lost_seconds)} missing",
        ),
    ]
    jumps = jumps_of(entries)
    if jumps:
        moved = ", ".join(f"{one.seconds:+.0f} s" for one in jumps[:5])
        rows.append(("Clock jumps", f"{len(jumps)}: {moved}; lengths are not touched"))
    if seen.moments.detect is None:
        rows.append(("Alert time", "not known; times count from its arrival"))
    return tuple(rows)
