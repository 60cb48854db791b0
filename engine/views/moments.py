"""The moments of an incident and the times between them, as reliability people count.

Every moment comes from a stored time; one that nobody recorded is None, never guessed.
Means over many runs are not made here. Called by facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.model.events import (
    Answered,
    Cancelled,
    GroupPaged,
    Noted,
    RetryAsked,
    RoleTaken,
    RunHeld,
    SeveritySet,
    Started,
    Taken,
    Voted,
)
from engine.model.people import Actor
from engine.model.timeline import Entry
from engine.model.times import epoch_seconds

START_KEYS = ("startsAt", "starts_at", "startsat", "started_at")


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """One phase: from its note to the next phase's, or to the last entry."""

    phase: str
    start_tick: float
    end_tick: float
    start_at: float
    end_at: float

    @property
    def seconds(self) -> float:
        """How long it took, in run seconds."""
        return self.end_tick - self.start_tick


@dataclass(frozen=True, slots=True)
class Moments:
    """Epoch seconds, None where not known."""

    impact: float | None = None  # first harm that was measured here, not the true first
    detect: float | None = None  # the alert fired
    received: float | None = None  # the engine stored it, and took it up
    person: float | None = None  # the first answer, vote or note of a person
    diagnosed: float | None = None
    isolated: float | None = None
    mitigated: float | None = None
    restored: float | None = None  # normal configuration, nothing held
    closed: float | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One time with its formula; `seconds` is None where a moment is not known."""

    name: str
    formula: str
    seconds: float | None
    note: str = ""


def phases_of(entries: Sequence[Entry]) -> tuple[PhaseSpan, ...]:
    """Return the phases in order; the same phase twice in a row is one span."""
    marks: list[tuple[str, float, float]] = []
    for entry in entries:
        began = entry.event is None and entry.kind == "phase" and entry.phase
        if began and (not marks or marks[-1][0] != entry.phase):
            marks.append((entry.phase, entry.tick, entry.at))
    if not marks:
        return ()
    last = _closing(entries) or entries[-1]
    ends = [(tick, at) for _, tick, at in marks[1:]] + [(last.tick, last.at)]
    return tuple(
        PhaseSpan(phase, tick, end_tick, at, end_at)
        for (phase, tick, at), (end_tick, end_at) in zip(marks, ends, strict=True)
    )


def moments_of(
    entries: Sequence[Entry], phases: Sequence[PhaseSpan], *, harmed_at: float | None
) -> Moments:
    """Return the moments; `harmed_at` is the first sample with an affected user."""
    if not entries:
        return Moments()
    closing = _closing(entries)
    resolved = closing is not None and closing.subject == "resolved"
    return Moments(
        harmed_at,
        _detected(entries),
        entries[0].at,
        _first_person(entries),
        next((e.at for e in entries if e.event is None and e.kind == "cause"), None),
        _left("isolate", phases),
        _restoring(phases),
        closing.at if closing is not None and resolved else None,
        closing.at if closing is not None else None,
    )


def _closing(entries: Sequence[Entry]) -> Entry | None:
    ends = (e for e in reversed(entries) if e.event is None and e.kind == "end")
    return next(ends, None)


def _detected(entries: Sequence[Entry]) -> float | None:
    started = next((e.event for e in entries if isinstance(e.event, Started)), None)
    if started is None:
        return None
    told = {START_KEYS[0]: started.alert_starts_at}
    for place in (told, started.annotations, started.labels):
        found = _start_in(place)
        if found is not None:
            return found
    return None


def _start_in(place: Mapping[str, object]) -> float | None:
    times = (epoch_seconds(place.get(key)) for key in START_KEYS)
    return next((time for time in times if time is not None), None)


def _first_person(entries: Sequence[Entry]) -> float | None:
    for entry in entries:
        match entry.event:
            case (
                Started(by=Actor(kind="person"))
                | Voted(by=Actor(kind="person"))
                | Answered(by=Actor(kind="person"))
                | Noted(by=Actor(kind="person"))
                | Taken(by=Actor(kind="person"))
                | Cancelled(by=Actor(kind="person"))
                | RoleTaken(by=Actor(kind="person"))
                | SeveritySet(by=Actor(kind="person"))
                | GroupPaged(by=Actor(kind="person"))
                | RunHeld(by=Actor(kind="person"))
                | RetryAsked(by=Actor(kind="person"))
            ):
                return entry.at
    return None


def _left(phase: str, phases: Sequence[PhaseSpan]) -> float | None:
    """When the run went on from the phase; None where it ended inside it."""
    for span, following in pairwise(phases):
        if span.phase == phase and following.phase != phase:
            return span.end_at
    return None


def _restoring(phases: Sequence[PhaseSpan]) -> float | None:
    worked = any(span.phase == "workaround" for span in phases)
    return next(
        (span.start_at for span in phases if span.phase == "restore" and worked), None
    )


def measures_of(moments: Moments) -> tuple[Measure, ...]:
    """Return the times between the moments, each with its formula spelled out."""
    since = moments.detect if moments.detect is not None else moments.received
    base = "t_detect" if moments.detect is not None else "t_received"
    known = moments.detect is not None
    note = "" if known else "when the alert fired is not known"
    arrived = moments.received if known else None
    start = "detection" if known else "arrival"
    rows = (
        ("MTTD, detect", "t_detect - t_impact", None, "people say when it began"),
        ("MTTA, engine", "t_received - t_detect", arrived, note),
        ("MTTA, person", f"t_person - {base}", moments.person, note),
        ("Diagnosed", f"t_diagnosed - {base}", moments.diagnosed, note),
        ("MTTI, isolated", f"t_isolated - {base}", moments.isolated, note),
        ("MTTM, mitigated", f"t_mitigated - {base}", moments.mitigated, note),
        ("MTTR, recover", f"t_restored - {base}", moments.restored,
         f"counted from {start}: first harm is not known"),
        ("Closed", f"t_closed - {base}", moments.closed, note),
    )  # fmt: skip
    return tuple(
        Measure(name, formula, _between(since, at), told)
        for name, formula, at, told in rows
    )


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start
