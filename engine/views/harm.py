"""User-minutes lost, from the impact samples of a run, with honest bounds.

A sample counts until the next one, but not longer than it is fresh. Where nothing
could be seen, the estimate carries the last known value on, the lower bound counts
nobody, and the upper bound counts the most users seen at any time in this run: unknown
is never taken as "nobody".

Called by facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.model.timeline import Entry
from engine.views.lines import evidence_of, is_impact, number_of

MINUTE_SECONDS: Final = 60.0
FRESH_SECONDS: Final = 120.0  # as long as a check's answer counts by default


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the affected users; `users` is None where it was unknown."""

    tick: float
    at: float
    check: str
    users: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Harm:
    """The effect on users. Without a known sample every number is None."""

    samples: tuple[Sample, ...] = ()
    weight: float = 1.0
    user_minutes: float | None = None
    lower: float | None = None
    upper: float | None = None
    peak_users: float | None = None
    peak_at: float | None = None
    measured_seconds: float = 0.0
    unknown_seconds: float = 0.0  # of the measured time


@dataclass(frozen=True, slots=True)
class _Sum:
    """User-seconds of one check, not weighted."""

    best: float
    lower: float
    unknown_seconds: float
    seconds: float


def samples_of(entries: Sequence[Entry]) -> tuple[Sample, ...]:
    """Return every impact sample, in order."""
    return tuple(
        Sample(entry.tick, entry.at, seen.check, number_of(seen), seen.why)
        for entry in entries
        if is_impact(entry)
        for seen in evidence_of(entry)
    )


def harm_of(
    entries: Sequence[Entry], *, weight: float, fresh_seconds: float = FRESH_SECONDS
) -> Harm:
    """Return what users lost.

    Args:
        entries: The timeline.
        weight: What one user's minute of it counts, 0 to 10.
        fresh_seconds: How long a sample counts when no other follows.
    """
    samples = samples_of(entries)
    known = [one for one in samples if one.users is not None]
    if not known:
        return Harm(samples, weight)
    end = entries[-1].tick
    checks = dict.fromkeys(one.check for one in samples)
    series = {name: [one for one in samples if one.check == name] for name in checks}
    sums = {name: _sum(line, end, fresh_seconds) for name, line in series.items()}
    per_minute = weight / MINUTE_SECONDS
    lower = sum(one.lower for one in sums.values())
    above = sum(one.unknown_seconds * _most(series[name]) for name, one in sums.items())
    top = max(known, key=lambda one: one.users or 0.0)
    return Harm(
        samples, weight,
        sum(one.best for one in sums.values()) * per_minute,
        lower * per_minute, (lower + above) * per_minute, top.users, top.at,
        max(one.seconds for one in sums.values()),
        max(one.unknown_seconds for one in sums.values()),
    )  # fmt: skip


def _most(line: Sequence[Sample]) -> float:
    return max((one.users for one in line if one.users is not None), default=0.0)


def _sum(line: Sequence[Sample], end: float, fresh_seconds: float) -> _Sum:
    best = lower = unknown = 0.0
    carried = 0.0
    ends = [one.tick for one in line[1:]] + [max(end, line[-1].tick)]
    for sample, until in zip(line, ends, strict=True):
        seconds = until - sample.tick
        seen = 0.0 if sample.users is None else min(seconds, fresh_seconds)
        carried = carried if sample.users is None else sample.users
        best += carried * seconds
        lower += carried * seen
        unknown += seconds - seen
    return _Sum(best, lower, unknown, ends[-1] - line[0].tick)
