"""Approvals: who may say yes to which exact plan, until when, and what voids it.

Silence is never consent: an approval expires, escalates, then fails closed. A vote
counts only from a person who is asked, for the plan that stands, once. A reject wins
until the act begins. Votes do not carry over into the next circle of people.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.core.code import END_OF_BLOCK, ActionCode, Node
from engine.core.names import frame_slot, rendered_text
from engine.core.plan import (
    all_by_hand,
    differences,
    make_plan,
    named_checks,
    planned,
    states_now,
)
from engine.core.policy import circle_at, round_now, unfilled
from engine.core.record import Thread
from engine.core.refusing import barred, note_refused, was_asked
from engine.core.turn import Resume, Turn, replace
from engine.model.effects import Ask
from engine.model.events import Event, TimerFired, Voted
from engine.model.people import BROKEN, Plan, Question
from engine.model.steps import ApproveStep

NOBODY: Final = "nobody approved it"  # how an act that was refused for it fails


def begin_gate(turn: Turn, thread: Thread) -> None:
    """Look at what the plan is made of: nothing afresh, only what is missing or old."""
    node = turn.node(thread)
    unless = node.exprs.get("unless")
    names = set(unless.checks) if unless is not None else set()
    for pc in node.covers:
        act = turn.compiled.nodes[pc]
        if act.scope != node.scope:
            continue
        action = turn.scope(thread).actions[act.step.act]
        names |= {what.check for what in action.model.remember.values()}
        for key, expression in act.exprs.items():
            names |= expression.checks if key.startswith("with.") else set()
        if act.each != END_OF_BLOCK:
            names |= turn.compiled.nodes[act.each].exprs["each"].checks
    turn.look(thread, names, "gate.plan")


def planned_now(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Open by itself where `unless` says so, else ask."""
    node = turn.node(thread)
    step: ApproveStep = node.step
    unless = node.exprs.get("unless")
    auto = step.unless == "auto" and turn.compiled.runbook.autonomy == "auto"
    if auto or (unless is not None and turn.is_true(thread, unless)):
        _remember_plan(turn, thread, None)
        turn.note(
            "approved",
            f"{node.name}: opened by itself",
            thread,
            why=f"unless: {step.unless}",
            subject=node.id,
            refs={"opened": True},
        )
        turn.passed(thread)
        return
    if all_by_hand(turn, thread, node):
        _nothing_to_approve(turn, thread, node)
        return
    frame = turn.frame(thread)
    asked = _first_asked(turn, thread)
    if asked is None:
        asked = turn.tick
        told = frame.asked_tick | {_gate_key(thread): asked}
        turn.frames[frame.id] = replace(frame, asked_tick=told)
    changed = turn.threads[thread.id].box.get("changed", "")
    round_, left = round_now(step, turn.tick - asked)
    if left <= 0:
        _expired(turn, thread, round_)
    else:
        _ask(turn, thread, round_, left, changed)


def _nothing_to_approve(turn: Turn, thread: Thread, node: Node) -> None:
    """Open for a plan of no acts: should one be done after all, it is asked for."""
    _remember_plan(turn, thread, make_plan(turn, thread, node))
    turn.note(
        "approved",
        f"{node.name}: nothing to approve",
        thread,
        why="what it covers was done by hand",
        subject=node.id,
        refs={"opened": True},
    )
    turn.passed(thread)


def _first_asked(turn: Turn, thread: Thread) -> float | None:
    """Return when the gate was first asked, by this thread or by one around it."""
    asked = turn.frame(thread).asked_tick
    one: Thread | None = thread
    while one is not None:
        if f"{one.id}@{thread.pc}" in asked:
            return asked[f"{one.id}@{thread.pc}"]
        one = turn.threads.get(one.parent)
    return None


def _ask(turn: Turn, thread: Thread, round_: int, within: float, changed: str) -> None:
    node = turn.node(thread)
    step: ApproveStep = node.step
    circle = circle_at(step, round_)
    assert circle is not None
    plan = make_plan(turn, thread, node)
    key = turn.key(thread, f"approve{round_}")
    names = replace(thread, names=thread.names | _before(plan))
    question = Question(
        key,
        "approve",
        node.id,
        rendered_text(turn, names, step.approve),
        tuple((need.group, need.need) for need in circle.from_),
        tuple(step.not_by),
        within,
        plan=plan,
        round=round_,
        changed=changed,
        retype=rendered_text(turn, names, step.retype) if step.retype else None,
        name=step.name or "",
    )
    turn.effects.append(Ask(key, question))
    who = ", ".join(f"{count} of {group}" for group, count in question.who)
    turn.note(
        "escalated" if round_ else "asked",
        f"asked {who}: {question.text}",
        thread,
        why=f"changed since approved: {changed}" if changed else f"within {within:g}s",
        subject=key,
        refs={"who": [list(one) for one in question.who], "plan": plan.hash},
    )
    over = turn.timer(thread, f"within{round_}", within)
    box = {"question": question, "votes": {}, "over": over}
    turn.wait(thread, "gate.asking", (key, over), box=box, n=round_)


def _before(plan: Plan) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for act in plan.acts:
        names |= act.before
    return names


def answered(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A vote, or the time is over."""
    if isinstance(event, TimerFired):
        _next_circle(turn, thread)
        return
    assert isinstance(event, Voted)
    question: Question = thread.box["question"]
    refusal = refused(turn, thread, question, event)
    if refusal:
        note_refused(turn, thread, question, event, why=refusal)
    elif event.vote == "reject":
        _rejected(turn, thread, event)
    else:
        _approved_by(turn, thread, event)


def refused(turn: Turn, thread: Thread, question: Question, vote: Voted) -> str:
    """Return why a vote does not count, or an empty string."""
    if left_out := barred(question, vote.by, turn.record.requester.id):
        return left_out
    assert question.plan is not None
    if vote.plan != question.plan.hash:
        return "the answer is for another plan than the one that stands"
    if vote.vote == "approve" and question.retype and vote.typed != question.retype:
        return f"'{question.retype}' has to be typed"
    return ""


def _under_grant(event: Voted) -> str:
    """Return the mark of a vote whose groups come from a broken glass (G15)."""
    return f" {BROKEN}" if event.by.via.endswith(BROKEN) else ""


def _approved_by(turn: Turn, thread: Thread, event: Voted) -> None:
    question: Question = thread.box["question"]
    votes = dict(thread.box["votes"])
    if event.by.id in votes:
        turn.note(
            "refused",
            f"{event.by.id} said yes already",
            thread,
            why="one person fills one place",
            subject=question.key,
        )
        return
    votes[event.by.id] = list(event.by.groups)
    short = unfilled(question.who, votes)
    left = ", ".join(f"{count} of {group}" for group, count in short.items())
    turn.note(
        "approved",
        f"{event.by.id} said yes{_under_grant(event)}",
        thread,
        subject=question.key,
        why=f"still needed: {left}" if short else "everybody needed has said yes",
        refs={
            "by": event.by.id,
            "plan": event.plan,
            "via": event.by.via,
            "opened": not short,
        },
    )
    if short:
        turn.put(replace(thread, box=thread.box | {"votes": votes}))
        return
    _remember_plan(turn, thread, question.plan)
    turn.close_key(question.key, f"approved by {', '.join(sorted(votes))}")
    turn.passed(turn.threads[thread.id])


def _rejected(turn: Turn, thread: Thread, event: Voted) -> None:
    question: Question = thread.box["question"]
    turn.note(
        "rejected",
        f"{event.by.id} said no",
        thread,
        why=event.reason,
        subject=question.key,
        refs={"by": event.by.id},
    )
    turn.close_key(question.key, f"rejected by {event.by.id}")
    node = turn.node(thread)
    told = f": {event.reason}" if event.reason else ""
    turn.failed(thread, f"rejected by {event.by.id}{told}", node.on_reject)


def _next_circle(turn: Turn, thread: Thread) -> None:
    question: Question = thread.box["question"]
    turn.close_key(question.key, "nobody answered in time")
    _expired(turn, thread, thread.n)


def _expired(turn: Turn, thread: Thread, round_: int) -> None:
    node = turn.node(thread)
    following = circle_at(node.step, round_ + 1)
    if following is not None:
        _ask(turn, thread, round_ + 1, following.within.total_seconds(), "")
        return
    turn.note(
        "expired",
        f"{node.name}: nobody answered",
        thread,
        why="silence is never consent",
        subject=node.id,
    )
    turn.failed(thread, "nobody answered in time", node.on_expire)


def _gate_key(thread: Thread) -> str:
    return f"{thread.id}@{thread.pc}"


def _remember_plan(turn: Turn, thread: Thread, plan: Plan | None) -> None:
    frame = turn.frame(thread)
    plans = frame.plans | {_gate_key(thread): plan}
    turn.frames[frame.id] = replace(frame, plans=plans)


def _gate_of(turn: Turn, thread: Thread) -> Node | None:
    gate = turn.node(thread).gate
    return None if gate == END_OF_BLOCK else turn.compiled.nodes[gate]


def _approval(turn: Turn, thread: Thread, gate: Node) -> tuple[bool, Plan | None]:
    """Return whether the gate was opened, and for which plan.

    By this thread, or by one around it: what was approved for another target, or in
    another round, opens nothing here.
    """
    one: Thread | None = thread
    while one is not None:
        plans = turn.frames[one.frame].plans
        if f"{one.id}@{gate.pc}" in plans:
            return True, plans[f"{one.id}@{gate.pc}"]
        one = turn.threads.get(one.parent)
    return False, None


def covered_by(turn: Turn, thread: Thread, action: ActionCode) -> str:
    """Return why an act that needs an approval has none, or an empty string."""
    if not action.needs_approval:
        return ""
    gate = _gate_of(turn, thread)
    if gate is not None and _approval(turn, thread, gate)[0]:
        return ""
    return f"{action.name} {why_approval(action)} and {NOBODY}"


def why_approval(action: ActionCode) -> str:
    """Return why people have to say yes to an action, as the end of a sentence."""
    return "has no undo" if action.model.undo == "none" else "is of high risk"


def plan_names(turn: Turn, thread: Thread) -> list[str]:
    """Return the checks whose states the approval was given on."""
    gate = _gate_of(turn, thread)
    if gate is None or gate.scope != turn.scope(thread).index:
        return []
    opened, plan = _approval(turn, thread, gate)
    if not opened or plan is None:
        return []
    names = named_checks(turn, thread, gate)
    return [name for name in names if frame_slot(thread.frame, name) in plan.states]


def recheck(turn: Turn, thread: Thread) -> str:
    """Return what differs from what was approved, or an empty string."""
    gate = _gate_of(turn, thread)
    if gate is None or gate.scope != turn.scope(thread).index:
        return ""
    opened, plan = _approval(turn, thread, gate)
    if not opened or plan is None:
        return ""
    mine = planned(turn, thread, turn.node(thread))
    states = states_now(turn, thread, gate)
    return differences(plan, Plan(turn.compiled.revision, tuple(mine), states))


def voided(turn: Turn, thread: Thread, changed: str) -> None:
    """The approval no longer fits: ask again, with the difference."""
    gate = _gate_of(turn, thread)
    assert gate is not None
    frame = turn.frame(thread)
    plans = dict(frame.plans)
    one: Thread | None = thread
    while one is not None:
        plans.pop(f"{one.id}@{gate.pc}", None)
        one = turn.threads.get(one.parent)
    turn.frames[frame.id] = replace(frame, plans=plans)
    turn.note(
        "void",
        f"the approval of {turn.node(thread).name} is void",
        thread,
        why=changed,
        subject=gate.id,
    )
    turn.enter(thread, gate.pc)
    again = turn.threads[thread.id]
    turn.put(replace(again, back=thread.pc, box={"changed": changed}))


def late_vote(turn: Turn, event: Event) -> None:
    """A vote on a gate that nobody waits at: a reject still stops an act not begun."""
    if not isinstance(event, Voted):
        return
    for thread in list(turn.threads.values()):
        gate = _gate_of(turn, thread) if thread.stage.startswith("act.") else None
        begun = bool(thread.held) or thread.n > 0
        if gate is None or begun or event.vote != "reject":
            continue
        if f"@{gate.pc}:" in event.key and was_asked(gate.step, event):
            turn.note(
                "rejected",
                f"{event.by.id} said no before the act began",
                thread,
                why=event.reason,
                subject=event.key,
            )
            turn.failed(thread, f"rejected by {event.by.id}", gate.on_reject)
            return
    turn.note(
        "refused",
        f"{event.by.id}'s answer does not count",
        why="the question is closed",
        subject=event.key,
    )


STAGES: Final[Mapping[str, Resume]] = {
    "gate.plan": planned_now,
    "gate.asking": answered,
}
