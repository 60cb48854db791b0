"""A question with all that is known of it: who said yes so far, on what evidence.

Read from the timeline, also where the question itself is not there any more: the
message of a decision can be made again after a crash. Called by: cards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from engine.model.people import Question
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.views.lines import evidence_of

Outcome = Literal["", "approved", "rejected", "expired", "answered", "void", "over"]
ASKING: Final = ("asked", "escalated")  # kinds of the entries that ask


@dataclass(frozen=True, slots=True)
class Said:
    """One word of a person to it."""

    by: str
    at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a plan rests on, and when it was seen."""

    slot: str
    state: str
    why: str
    at: float  # epoch seconds; 0: not known


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and what came of it so far."""

    run: str
    key: str
    question: Question | None  # None: only the timeline is left of it
    mode: str = "live"
    text: str = ""
    at: float = 0.0  # when it was asked, epoch seconds
    until: float | None = None
    yes: tuple[Said, ...] = ()
    refused: tuple[Said, ...] = ()  # words that do not count, and why
    seen: tuple[Looked, ...] = ()
    on_call: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by group
    outcome: Outcome = ""  # empty: open
    decided: Said | None = None


def asked_in(entries: Sequence[Entry], key: str) -> int:
    """Return the number of the entry that asked a question last; 0: none did."""
    for entry in reversed(entries):
        if entry.subject == key and entry.kind in ASKING:
            return entry.seq
    return 0


def open_questions(
    summary: RunSummary, entries: Sequence[Entry]
) -> list[tuple[int, Question]]:
    """Return what is asked now, each with the number of its entry, oldest first."""
    found = [(asked_in(entries, one.key), one) for one in summary.questions]
    return sorted((one for one in found if one[0]), key=lambda one: one[0])


def asked_of(summary: RunSummary, entries: Sequence[Entry], key: str) -> Asked:
    """Return a question of a run, open or decided.

    Args:
        summary: The run; an open question stands in it.
        entries: Its timeline, in order.
        key: Of the question.
    """
    question = next((one for one in summary.questions if one.key == key), None)
    found = Asked(summary.run, key, question, summary.mode)
    first = 0
    for index, entry in enumerate(entries):
        if entry.event is not None or entry.subject != key:
            continue
        if entry.kind in ASKING:  # a gate may be asked again under the same key
            found = Asked(
                summary.run, key, question, summary.mode, entry.what, entry.at
            )
            first = index
        else:
            found = _told(found, entry)
    if question is None and not found.outcome:
        found = _left(found, entries[first:])
    if question is None:
        return found
    until = found.at + question.within_seconds if found.at else None
    return replace(found, until=until, seen=_seen(question, entries))


def _told(found: Asked, entry: Entry) -> Asked:
    said = Said(entry.actor, entry.at, entry.why)
    if entry.kind == "refused":
        return replace(found, refused=(*found.refused, said))
    if entry.kind == "approved":
        found = replace(found, yes=(*found.yes, said))
        still = entry.why.startswith("still needed")
        if not entry.refs.get("opened", not still):
            return found
        return replace(found, outcome="approved", decided=said)
    if entry.kind in ("rejected", "answered", "expired"):
        return replace(found, outcome=entry.kind, decided=said)  # type: ignore[arg-type]
    return found


def _left(found: Asked, entries: Sequence[Entry]) -> Asked:
    """Return it with the end that no note of its own tells: the first that fits."""
    step = entries[0].step if entries else ""
    for entry in entries[1:]:
        mine = entry.event is None and entry.step == step
        if mine and entry.kind in ("expired", "escalated", "answered"):
            kind = "answered" if entry.kind == "answered" else "expired"
            said = Said(entry.actor, entry.at, entry.what)
            return replace(found, outcome=kind, decided=said)  # type: ignore[arg-type]
        if entry.event is None and entry.kind in ("stop", "end"):
            return replace(
                found, outcome="over", decided=Said("engine", entry.at, entry.what)
            )
    return found


def _seen(question: Question, entries: Sequence[Entry]) -> tuple[Looked, ...]:
    states = question.plan.states if question.plan is not None else {}
    last: dict[str, Looked] = {}
    for entry in entries:
        for one in evidence_of(entry):
            if one.slot in states:
                at = one.at or entry.at
                last[one.slot] = Looked(one.slot, one.state, one.why, at)
    return tuple(
        last.get(slot, Looked(slot, state, "", 0.0)) for slot, state in states.items()
    )
