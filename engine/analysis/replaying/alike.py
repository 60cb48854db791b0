"""Which decisions and questions of two versions of a runbook are the same.

What a step is numbered, what key a question has and how a reason is worded is not
compared: it changes with every line that is put in. What is decided, done, asked and
given back is.

Called by: recorded, parting.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from engine.model.effects import Act, Effect, Note
from engine.model.people import Question

DECIDED: Final = frozenset({
    "phase", "decision", "cause", "skipped", "already", "intent", "did", "failed",
    "joined", "settled", "undoing", "undone", "stuck", "guard", "asked", "approved",
    "rejected", "expired", "void", "answered", "escalated", "severity", "late", "stop",
    "hold", "end",
})  # fmt: skip
ABOUT: Final = frozenset({
    "cause", "skipped", "already", "intent", "did", "joined", "settled", "undoing",
    "undone", "stuck", "guard",
})  # fmt: skip  # their subject is a name, of others it may be a key


class Decision(NamedTuple):
    """Something that was decided, and what of it is compared."""

    meaning: tuple[str, ...]
    note: Note


def decisions_in(effects: Sequence[Effect]) -> list[Decision]:
    """Return the decisions among what came of an event, in order."""
    return [
        Decision(_meaning(one), one)
        for one in effects
        if isinstance(one, Note) and one.kind in DECIDED
    ]


def _meaning(note: Note) -> tuple[str, ...]:
    subject = note.subject if note.kind in ABOUT else ""
    what = note.what.partition(":")[0] if note.kind == "failed" else note.what
    command = note.refs.get("command") if note.kind == "intent" else None
    return note.kind, what, subject, note.target, _plain(command)


def act_of(act: Act) -> str:
    """Return what an act does, whatever its key and its number of tries."""
    return _plain((act.action, act.target, act.undo, act.kind, act.params))


def question_of(question: Question) -> str:
    """Return what people are asked, whatever its key and the revision."""
    plan = question.plan
    acts = [_act(one) for one in msgspec.to_builtins(plan.acts)] if plan else []
    what = (question.kind, question.text, question.who, question.fields, question.round)
    return _plain((what, acts, plan.states if plan else {}))


def _act(planned: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in planned.items() if name != "step"}


def _plain(value: Any) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
