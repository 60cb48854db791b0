"""Which lines of a timeline a person reads: the story, without its bookkeeping.

An event that the core answered with notes is told by them. Looks that only poll, times
that ran out and impact samples are quiet; a run of them becomes one line. Nothing is
lost: `timeline_json` holds every entry.

Called by timeline, terminal and report.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.model.events import Looked, Started, TimerFired, Voted
from engine.model.evidence import Evidence
from engine.model.timeline import Entry
from engine.model.times import count_text, length_text, times_text
from engine.views.escape import visible
from engine.views.jumps import jumps_of


@dataclass(frozen=True, slots=True)
class Line:
    """One line: one entry, or several quiet ones."""

    at: float
    tick: float
    kind: str
    what: str
    why: str = ""
    phase: str = ""
    actor: str = "engine"
    seq: int = 0  # of its first entry
    quiet: bool = False


def lines_of(entries: Sequence[Entry]) -> list[Line]:
    """Return the lines of the story, in order; values are visible, not yet escaped."""
    lines: list[Line] = []
    quiet: list[Entry] = []
    jumps = {one.seq: one.seconds for one in jumps_of(entries)}
    for index, entry in enumerate(entries):
        if entry.seq in jumps:
            lines += [*folded(quiet), _jump(entry, jumps[entry.seq])]
            quiet = []
        following = entries[index + 1] if index + 1 < len(entries) else None
        if is_quiet(entry, following):
            quiet.append(entry)
        elif not _told_by_notes(entry, following):
            lines += [*folded(quiet), _line(entry)]
            quiet = []
    return lines + folded(quiet)


def _jump(entry: Entry, seconds: float) -> Line:
    way = "forward" if seconds > 0 else "back"
    what = f"the machine's clock went {way} by {length_text(abs(seconds))}"
    why = "waits and limits go by the run's own seconds"
    return Line(entry.at, entry.tick, "clock", what, why, visible(entry.phase))


def is_impact(entry: Entry) -> bool:
    """Whether the entry is a measurement of the effect on users."""
    return isinstance(entry.event, Looked) and "impact" in entry.event.key


def is_quiet(entry: Entry, following: Entry | None) -> bool:
    """Whether the entry alone tells a person nothing new."""
    if is_impact(entry):
        return True
    polls = isinstance(entry.event, Looked | TimerFired)
    return polls and not (_is_note(following) and _says_it(entry, following))


def _is_note(entry: Entry | None) -> bool:
    return entry is not None and entry.event is None


def _says_it(entry: Entry, following: Entry | None) -> bool:
    """Return whether the note tells it; what a look saw, only a check note tells."""
    looked = isinstance(entry.event, Looked)
    return following is not None and (not looked or following.kind == "check")


def _told_by_notes(entry: Entry, following: Entry | None) -> bool:
    if entry.event is None or isinstance(entry.event, Started):
        return False
    if isinstance(entry.event, Voted) and entry.event.reason:
        return following is not None and following.why == entry.event.reason
    return _is_note(following)


def _line(entry: Entry) -> Line:
    what = visible(entry.what)
    if entry.target and entry.target not in entry.what:
        what += f" on {visible(entry.target)}"
    if entry.actor != "engine" and entry.actor not in entry.what:
        what += f" (by {visible(entry.actor)})"
    why = entry.why
    if isinstance(entry.event, Voted):
        why = entry.event.reason
    return Line(
        entry.at, entry.tick, entry.kind, what, visible(why), visible(entry.phase),
        visible(entry.actor), entry.seq,
    )  # fmt: skip


def folded(entries: Sequence[Entry]) -> list[Line]:
    """Return one quiet line for these entries, or none where they say nothing."""
    impact = [entry for entry in entries if is_impact(entry)]
    looks = [e for e in entries if isinstance(e.event, Looked) and not is_impact(e)]
    told = "; ".join(filter(None, (_looks_text(looks), _impact_text(impact))))
    if not told:
        return []
    first = (looks + impact)[0]
    phase = visible(first.phase)
    return [
        Line(first.at, first.tick, "looked", told, "", phase, seq=first.seq, quiet=True)
    ]


def evidence_of(entry: Entry) -> tuple[Evidence, ...]:
    """Return what a look brought; nothing for any other entry."""
    return entry.event.evidence if isinstance(entry.event, Looked) else ()


def _looks_text(entries: Sequence[Entry]) -> str:
    seen = [one for entry in entries for one in evidence_of(entry)]
    if not seen:
        return ""
    if len(entries) == 1:
        told = (
            f"{visible(e.slot)} {e.state} ({visible(e.why, most=80)})" for e in seen
        )
        return "looked: " + ", ".join(told)
    counts = Counter((one.slot, one.state) for one in seen)
    told = (
        f"{visible(slot)} {state} {times_text(n)}"
        for (slot, state), n in counts.items()
    )
    return f"looked {len(entries)} times: " + ", ".join(told)


def _impact_text(entries: Sequence[Entry]) -> str:
    values = [_value_text(evidence_of(entry)) for entry in entries]
    if not values:
        return ""
    shown = values if len(values) <= 4 else [values[0], "…", values[-1]]
    return f"impact measured {times_text(len(values))}: " + " → ".join(shown)


def _value_text(seen: Iterable[Evidence]) -> str:
    values = [number_of(one) for one in seen]
    known = [value for value in values if value is not None]
    return count_text(sum(known)) if known else "unknown"


def number_of(seen: Evidence) -> float | None:
    """Return the one finite value that was seen, or None where it is unknown."""
    value = seen.seen.get("value")
    if seen.state == "unknown" or isinstance(value, bool):
        return None
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
