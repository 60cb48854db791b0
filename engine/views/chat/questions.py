"""A question as a message with buttons; and the same message as the record of it.

Everything that an approval is bound to stands in it: targets, commands, the way back,
what was there before, the evidence with its age, the plan's hash. Called by:
runtime.chat.
"""

from collections.abc import Iterator
from typing import Final

from engine.model.chat import Button, Buttons, Card, Code, Lines, Small
from engine.model.people import Plan, PlannedAct, Question
from engine.model.times import length_text, moment_text, time_text
from engine.views.chat.asked import Asked, Looked, Said
from engine.views.chat.values import value_of, value_text
from engine.views.chat.wording import card, code, line, listed, rows
from engine.views.escape import command_text, pairs_text
from engine.views.message import HASH_SHOWN, people_text

ACTS_MOST: Final = 12
CHOICES_MOST: Final = 4  # buttons for one choice; more are a form
ASKS: Final = {
    "approve": "Approval",
    "ask": "Question",
    "happened": "Did it happen?",
    "undo_anyway": "Undo it anyway?",
    "resolved": "Restore now?",
}
DECIDED: Final = {
    "approved": "Approved",
    "rejected": "Rejected",
    "expired": "Expired",
    "answered": "Answered",
    "void": "Void",
    "over": "Over",
}


def question(asked: Asked) -> Card:
    """Return an open question with its buttons; the groups that are asked are told."""
    it = asked.question
    if it is None:
        return decided(asked)
    title = f"{ASKS[it.kind]}: {line(it.text)}"
    return card(
        asked.mode,
        title,
        Lines(_changed(it)),
        rows(_who(asked, it)),
        *_plan(it),
        _evidence(asked),
        _buttons(asked.run, it),
        _small(asked, it),
        loud=_called(asked, it),
        colour="warning",
    )


def decided(asked: Asked) -> Card:
    """Return the record of a decision: what was asked, who decided, when, and why."""
    it, word = asked.question, DECIDED.get(asked.outcome, "Over")
    text = it.text if it is not None else asked.text
    parts = [rows(_decision(asked))]
    good = asked.outcome in ("approved", "answered")
    return card(
        asked.mode,
        f"{word}: {line(text)}",
        *parts,
        *(_plan(it) if it is not None else ()),
        _evidence(asked),
        _small(asked, it),
        colour="good" if good else "danger",
    )


def _called(asked: Asked, it: Question) -> tuple[str, ...]:
    """Return who is mentioned: each group, and who of it is on call."""
    names = [name for one in asked.on_call.values() for name in one]
    return tuple(dict.fromkeys([*(group for group, _ in it.who), *names]))


def _changed(it: Question) -> tuple[str, ...]:
    if not it.changed:
        return ()
    return (f"The plan changed since it was approved: {line(it.changed, 900)}",)


def _who(asked: Asked, it: Question) -> Iterator[tuple[str, str]]:
    again = f", escalation {it.round}" if it.round else ""
    yield "Asked", people_text(it.who) + again
    told = [
        f"{line(group, 60)}: {listed([line(one, 60) for one in names])}"
        for group, names in asked.on_call.items()
        if names
    ]
    yield "On call", listed(told, none="")
    yield "Not by", listed([line(one, 60) for one in it.not_by], none="")
    if asked.until is not None:
        yield "Until", f"{moment_text(asked.until)}; silence is no consent"
    if it.worst_case_seconds > 0:
        yield "After a yes", f"at most {length_text(it.worst_case_seconds)}"
    if it.retype is not None:
        yield "To be typed", line(it.retype)
    yield from _said(asked)


def _said(asked: Asked) -> Iterator[tuple[str, str]]:
    yield "Yes so far", listed([_one(one) for one in asked.yes], none="")
    if asked.yes:
        yield "Then", line(asked.yes[-1].why)
    told = [f"{line(one.by, 60)}: {line(one.why)}" for one in asked.refused[-3:]]
    yield "Does not count", listed(told, none="")


def _one(said: Said) -> str:
    return f"{line(said.by, 60)} at {time_text(said.at)}"


def _decision(asked: Asked) -> Iterator[tuple[str, str]]:
    by = asked.decided
    if asked.outcome == "approved":
        yield "Approved by", listed([_one(one) for one in asked.yes])
    elif asked.outcome in ("rejected", "answered") and by is not None:
        yield f"{DECIDED[asked.outcome]} by", _one(by)
        yield "Why", line(by.why)
    elif by is not None:
        yield "Ended", f"{moment_text(by.at)}: {line(by.why)}"
    if asked.outcome != "approved":
        yield "Yes before that", listed([_one(one) for one in asked.yes], none="")
    told = [f"{line(one.by, 60)}: {line(one.why)}" for one in asked.refused[-3:]]
    yield "Did not count", listed(told, none="")


# What is approved


def _plan(it: Question) -> tuple[Lines | Code, ...]:
    plan = it.plan
    if plan is None:
        return ()
    head = f"{len(plan.acts)} act{'' if len(plan.acts) == 1 else 's'}, in this order:"
    return Lines((head,)), code(_acts(plan))


def _acts(plan: Plan) -> Iterator[str]:
    for number, act in enumerate(plan.acts[:ACTS_MOST], 1):
        yield from _act(number, act)
    if len(plan.acts) > ACTS_MOST:
        yield f"… {len(plan.acts) - ACTS_MOST} more acts: runbook show has them"


def _act(number: int, act: PlannedAct) -> Iterator[str]:
    target = f" on {line(act.target, 100)}" if act.target else ""
    yield f"{number}. {line(act.action, 100)}{target}   risk: {line(act.risk, 20)}"
    if act.problem:
        yield f"   not told: {line(act.problem)}"
    if act.command is not None:
        yield f"   command:  {line(command_text(act.kind, act.command), 600)}"
    yield f"   undo:     {_undo(act)}"
    if act.before:
        yield f"   was:      {line(pairs_text(act.before))}"


def _undo(act: PlannedAct) -> str:
    if act.undo is not None:
        return line(command_text(act.kind, act.undo), 600)
    return "nothing to give back" if act.reversible else "NONE, this cannot be undone"


def _evidence(asked: Asked) -> Code:
    return code([_looked(one, asked.at) for one in asked.seen], most=1200)


def _looked(one: Looked, asked_at: float) -> str:
    why = f" ({line(one.why, 160)})" if one.why else ""
    if not one.at:
        return f"{line(one.slot, 100)}: {one.state}{why}"
    age = f", {length_text(max(0.0, asked_at - one.at))} old" if asked_at else ""
    seen = f"seen {time_text(one.at)}{age}"
    return f"{line(one.slot, 100)}: {one.state}{why}, {seen}"


def _small(asked: Asked, it: Question | None) -> Small:
    told = [f"run {line(asked.run, 60)}"]
    if it is not None:
        told.append(f"step {line(it.called, 100)}")
    if it is not None and it.plan is not None:
        told.append(f"plan {line(it.plan.hash[:HASH_SHOWN])}")
        told.append(f"revision {line(it.plan.revision[:HASH_SHOWN])}")
    return Small(" · ".join(told))


# What can be pressed


def _buttons(run: str, it: Question) -> Buttons:
    if it.kind == "approve":
        return Buttons(_votes(run, it))
    choices = _choices(it)
    if not choices:
        value = value_text(value_of("answer", run, it))
        return Buttons((Button("Answer…", "answer", value, "good"),))
    return Buttons(
        tuple(
            Button(label, "answer", value_text(value_of("answer", run, it, name=name)))
            for label, name in choices
        )
    )


def _votes(run: str, it: Question) -> tuple[Button, ...]:
    yes = value_text(value_of("approve", run, it))
    no = value_text(value_of("reject", run, it))
    return (
        Button("Approve", "approve", yes, "good", _sure(it)),
        Button("Reject…", "reject", no, "danger"),
    )


def _sure(it: Question) -> str:
    """Return what is asked once more: only where something cannot be undone."""
    acts = it.plan.acts if it.plan is not None else ()
    never = [one.action for one in acts if one.undo is None and not one.reversible]
    if not never or it.retype is not None:
        return ""
    return f"{listed([line(one, 60) for one in never])} cannot be undone. Approve?"


def _choices(it: Question) -> list[tuple[str, str]]:
    """Return label and answer of each button, where one field has few answers."""
    if len(it.fields) != 1:
        return []
    spec = next(iter(it.fields.values()))
    kind = spec.get("type") if isinstance(spec, dict) else spec
    if kind == "boolean":
        return [("Yes", "true"), ("No", "false")]
    of = spec.get("of") if isinstance(spec, dict) else None
    if kind != "choice" or not isinstance(of, list) or len(of) > CHOICES_MOST:
        return []
    return [(line(one, 60), str(one)) for one in of]
