"""The facts of a run: what was done, asked, seen and lost, read from its timeline.

Nothing is judged and nothing is guessed: what the timeline does not say is empty or
None. Called by report, by rehearsals that compare what happened with what was expected,
and by the web pages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from engine.model.events import Acted, Noted, Restarted, Started
from engine.model.timeline import Entry
from engine.views.harm import FRESH_SECONDS, Harm, harm_of
from engine.views.lines import evidence_of
from engine.views.moments import (
    Measure,
    Moments,
    PhaseSpan,
    measures_of,
    moments_of,
    phases_of,
)
from engine.views.waits import Wait, covered_seconds, waits_of


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done, given back, skipped or refused."""

    name: str  # the action, or the step where the note names none
    target: str
    tick: float
    at: float
    what: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class SeverityChange:
    """The severity was raised."""

    was: str
    to: str
    tick: float
    at: float
    why: str


@dataclass(frozen=True, slots=True)
class UnknownCheck:
    """A check that could not be seen, with the last reason and how often."""

    check: str
    times: int
    first_at: float
    last_at: float
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a report says, without its words."""

    run: str = ""
    revision: str = ""
    mode: str = "live"
    started_by: str = ""
    started_via: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    did: tuple[Deed, ...] = ()
    undone: tuple[Deed, ...] = ()
    skipped: tuple[Deed, ...] = ()
    already: tuple[Deed, ...] = ()
    settled: tuple[Deed, ...] = ()
    failed: tuple[Deed, ...] = ()
    stuck: tuple[Deed, ...] = ()
    held: tuple[Deed, ...] = ()  # taken, and neither given back nor settled
    asked: tuple[str, ...] = ()  # steps that asked people, in order
    guards: tuple[Deed, ...] = ()
    notes: tuple[Deed, ...] = ()  # what people added
    added_later: int = 0
    cause: str = ""
    cause_why: str = ""
    not_ruled_out: tuple[str, ...] = ()
    end: str = ""
    end_why: str = ""
    phases: tuple[PhaseSpan, ...] = ()
    waits: tuple[Wait, ...] = ()
    waited_seconds: float = 0.0
    severities: tuple[SeverityChange, ...] = ()
    harm: Harm = field(default_factory=Harm)
    unknown: tuple[UnknownCheck, ...] = ()
    looks: int = 0
    acts_lost: int = 0  # acts whose answer never came
    crashes: int = 0
    lost_seconds: float = 0.0  # in which the engine was not there
    automation_share: float | None = None  # steps that asked nobody, of all steps
    moments: Moments = field(default_factory=Moments)
    measures: tuple[Measure, ...] = ()


def facts(
    entries: Sequence[Entry],
    *,
    weight: float = 1.0,
    fresh_seconds: float = FRESH_SECONDS,
) -> Facts:
    """Return the facts of one run's timeline.

    Args:
        entries: The timeline, in order of `seq`. May be of a run that goes on.
        weight: What a minute of one affected user counts (the runbook's `impact`).
        fresh_seconds: How long an impact sample counts when no other follows.
    """
    if not entries:
        return Facts()
    phases, waits = phases_of(entries), waits_of(entries)
    harm = harm_of(entries, weight=weight, fresh_seconds=fresh_seconds)
    harmed = next((one.at for one in harm.samples if one.users), None)
    moments = moments_of(entries, phases, harmed_at=harmed)
    return replace(
        _with_engine(
            _with_end(_with_start(_deeds_only(entries), entries), entries), entries
        ),
        asked=tuple(wait.step for wait in waits),
        phases=phases,
        waits=waits,
        waited_seconds=covered_seconds(waits),
        severities=_severities(entries),
        harm=harm,
        unknown=_unknown(entries),
        moments=moments,
        measures=measures_of(moments),
    )


def _deeds_only(entries: Sequence[Entry]) -> Facts:
    return Facts(
        run=entries[0].run,
        did=_deeds(entries, "did"),
        undone=_deeds(entries, "undone"),
        skipped=_deeds(entries, "skipped"),
        already=_deeds(entries, "already"),
        settled=_deeds(entries, "settled"),
        failed=_deeds(entries, "failed"),
        stuck=_deeds(entries, "stuck"),
        held=_held(entries),
        guards=_deeds(entries, "guard"),
        notes=_deeds(entries, "note"),
    )


def _with_start(known: Facts, entries: Sequence[Entry]) -> Facts:
    started = next((e.event for e in entries if isinstance(e.event, Started)), None)
    if started is None:
        return known
    return replace(
        known,
        revision=started.revision,
        mode=started.mode,
        started_by=started.by.id,
        started_via=started.by.via,
        labels=tuple((str(name), str(one)) for name, one in started.labels.items()),
    )


def _with_end(known: Facts, entries: Sequence[Entry]) -> Facts:
    end, cause = _last_note(entries, "end"), _last_note(entries, "cause")
    return replace(
        known,
        cause=cause.subject if cause else "",
        cause_why=cause.why if cause else "",
        not_ruled_out=_names(cause),
        end=end.subject if end else "",
        end_why=end.why if end else "",
    )


def _with_engine(known: Facts, entries: Sequence[Entry]) -> Facts:
    acted = [e.event for e in entries if isinstance(e.event, Acted)]
    back = [e.event for e in entries if isinstance(e.event, Restarted)]
    return replace(
        known,
        added_later=sum(_is_later(entry) for entry in entries),
        looks=sum(len(evidence_of(entry)) for entry in entries),
        acts_lost=sum(event.outcome == "unknown" for event in acted),
        crashes=len(back),
        lost_seconds=sum(event.lost_seconds for event in back),
        automation_share=_automation(entries),
    )


def _is_later(entry: Entry) -> bool:
    event = entry.event  # a message of a chat is kept when it is said, or soon after
    return isinstance(event, Noted) and event.about_at is not None and not event.ref


def _notes(entries: Iterable[Entry], kind: str) -> list[Entry]:
    return [entry for entry in entries if entry.event is None and entry.kind == kind]


def _last_note(entries: Sequence[Entry], kind: str) -> Entry | None:
    found = _notes(entries, kind)
    return found[-1] if found else None


def _deeds(entries: Sequence[Entry], kind: str) -> tuple[Deed, ...]:
    return tuple(_deed(entry) for entry in _notes(entries, kind))


def _deed(entry: Entry) -> Deed:
    name = entry.subject or entry.step
    return Deed(name, entry.target, entry.tick, entry.at, entry.what, entry.why)


def _names(cause: Entry | None) -> tuple[str, ...]:
    names = cause.refs.get("not_ruled_out") if cause else None
    return tuple(str(n) for n in names) if isinstance(names, list | tuple) else ()


def _held(entries: Sequence[Entry]) -> tuple[Deed, ...]:
    """Return the acts with a way back that were neither undone nor handed away."""
    held: list[Deed] = []
    for entry in entries:
        if entry.event is not None:
            continue
        takes = entry.kind in ("intent", "adopted")
        if takes and entry.refs.get("undo") is not None:
            held.append(_deed(entry))
        elif entry.kind == "undone" or entry.refs.get("there") is False:
            held = _without(held, entry, once=True)
        elif entry.kind == "settled":
            held = _without(held, entry, once=False)
        elif entry.kind == "answered" and entry.refs.get("kept"):
            held = _without(held, entry, once=True)
    return tuple(held)


def _without(held: list[Deed], entry: Entry, *, once: bool) -> list[Deed]:
    """Take out the newest of this name and target, or every one of the name."""
    gone = [
        index
        for index, deed in enumerate(held)
        if deed.name == entry.subject and (not once or deed.target == entry.target)
    ]
    gone = gone[-1:] if once else gone
    return [deed for index, deed in enumerate(held) if index not in gone]


def _severities(entries: Sequence[Entry]) -> tuple[SeverityChange, ...]:
    changes = []
    for entry in _notes(entries, "severity"):
        was, to = str(entry.refs.get("was", "")), str(entry.refs.get("to", ""))
        if to:
            changes.append(SeverityChange(was, to, entry.tick, entry.at, entry.why))
    return tuple(changes)


def _unknown(entries: Sequence[Entry]) -> tuple[UnknownCheck, ...]:
    found: dict[str, UnknownCheck] = {}
    for entry in entries:
        for seen in evidence_of(entry):
            if seen.state != "unknown":
                continue
            before = found.get(seen.slot)
            found[seen.slot] = UnknownCheck(
                seen.slot, (before.times if before else 0) + 1,
                before.first_at if before else entry.at, entry.at, seen.why,
                seen.source,
            )  # fmt: skip
    return tuple(found.values())


def _automation(entries: Sequence[Entry]) -> float | None:
    steps = {e.step for e in entries if e.event is None and e.step}
    people = {e.step for e in _notes(entries, "asked")}
    return (len(steps) - len(people)) / len(steps) if steps else None
