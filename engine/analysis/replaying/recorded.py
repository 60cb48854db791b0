"""What a recorded run asked for, when, and what came of it.

The events go through the same `advance` as then, and each look, act, question, time and
lock is kept beside the events that answered it.

Called by: parting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from engine.analysis.replaying.alike import (
    Decision,
    act_of,
    decisions_in,
    question_of,
)
from engine.core.advance import advance
from engine.core.code import CompiledRunbook
from engine.core.record import Record, waited_for
from engine.model.effects import Act, Ask, CheckCall, Effect, Lock, Look, Timer
from engine.model.events import Acted, Event, Locked, Looked, TimerFired
from engine.model.evidence import Evidence

Keyed = Look | Act | Ask | Timer | Lock
KEYED: Final = (Look, Act, Ask, Timer, Lock)
ENDS_IT: Final = (Looked, Acted, TimerFired, Locked)


@dataclass(slots=True, eq=False)
class Asked:
    """One thing that was asked for."""

    effect: Keyed
    by: int  # index of the event that led to it
    tick: float
    answers: list[int] = field(default_factory=list)  # indexes of events


class Sight(NamedTuple):
    """One check of one look, and what it said."""

    call: CheckCall
    evidence: Evidence
    key: str
    by: int  # index of the event that led to the look
    asked: float  # tick
    answer: int  # index of the event that brought it


@dataclass(slots=True)
class Recorded:
    """A recorded run, in the order of its events."""

    events: Sequence[Event]
    asked: list[Asked] = field(default_factory=list)
    sights: dict[str, list[Sight]] = field(default_factory=dict)  # by what is looked at
    decisions: list[tuple[int, Decision]] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)  # events that nobody waited for


def recorded(compiled: CompiledRunbook, events: Sequence[Event]) -> Recorded:
    """Return what the events were answers to, on the runbook that they came from."""
    found, record = Recorded(events), Record()
    pending: dict[str, Asked] = {}
    for index, event in enumerate(events):
        record, effects = advance(compiled, record, event)
        asked = pending.get(getattr(event, "key", ""))
        if asked is None:
            found.outside.append(index)
        else:
            asked.answers.append(index)
            if isinstance(event, Looked) and isinstance(asked.effect, Look):
                _see(found, asked, event, index)
        told = settled(pending, record, event, effects)
        for one in told:
            pending[one.key] = Asked(one, index, event.tick)
            found.asked.append(pending[one.key])
        found.decisions += [(index, one) for one in decisions_in(effects)]
    return found


def settled(
    pending: dict[str, Any], record: Record, event: Event, effects: Sequence[Effect]
) -> list[Keyed]:
    """Take out what is answered or dropped; return what is asked for now."""
    if isinstance(event, ENDS_IT):
        pending.pop(event.key, None)
    wanted = waited_for(record)
    for key in [key for key in pending if key not in wanted]:
        del pending[key]
    return [one for one in effects if isinstance(one, KEYED) and one.key in wanted]


def _see(found: Recorded, asked: Asked, event: Looked, index: int) -> None:
    assert isinstance(asked.effect, Look)
    by_slot = {one.slot: one for one in event.evidence}
    for call in asked.effect.checks:
        seen = by_slot.get(call.slot)
        if seen is not None:
            sight = Sight(call, seen, event.key, asked.by, asked.tick, index)
            found.sights.setdefault(looked_at(call), []).append(sight)


def looked_at(call: CheckCall) -> str:
    """Return what a check looks at, whatever it makes of it."""
    parts = [looked_at(part) for part in call.parts]
    what = (call.kind, call.params, parts, call.need)
    return msgspec.json.encode(what, order="deterministic").decode()


def meant(effect: Keyed) -> str:
    """Return what an act or a question is compared by; of others an empty text."""
    if isinstance(effect, Act):
        return act_of(effect)
    return question_of(effect.question) if isinstance(effect, Ask) else ""


def named(effect: Keyed) -> str:
    """Return in words what is asked for."""
    if isinstance(effect, Look):
        return "look at " + ", ".join(call.check for call in effect.checks)
    if isinstance(effect, Act):
        word = "undo" if effect.undo else "act"
        return f"{word} {effect.action} {effect.target}".strip()
    if isinstance(effect, Ask):
        return f"ask: {effect.question.text}"
    if isinstance(effect, Lock):
        return "lock " + ", ".join(effect.paths)
    return f"wait {effect.seconds:g}s"
