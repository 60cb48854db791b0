"""Who is on call at a moment, by a schedule of our own: turns, and exceptions to them.

Pure: the moment is given. Schedules that somebody else keeps are asked for by adapters.

Called by: runtime.on_call.
"""

import msgspec


class Shift(msgspec.Struct, frozen=True):
    """People who take turns, each as long as the others."""

    people: tuple[str, ...]
    start: float  # epoch seconds at which the first one begins
    seconds: float  # of one turn


class Override(msgspec.Struct, frozen=True):
    """Somebody else, from `start` up to `end`, epoch seconds."""

    person: str
    start: float
    end: float


class Schedule(msgspec.Struct, frozen=True):
    """A schedule; of several exceptions that fit, the first one counts."""

    shift: Shift
    overrides: tuple[Override, ...] = ()


def on_call(schedule: Schedule, at: float) -> str:
    """Return who is on call at a moment, or an empty string before the first turn."""
    for one in schedule.overrides:
        if one.start <= at < one.end:
            return one.person
    shift = schedule.shift
    if at < shift.start or not shift.people or shift.seconds <= 0:
        return ""
    turn = int((at - shift.start) // shift.seconds)
    return shift.people[turn % len(shift.people)]
