"""What exactly an approval is for: targets, rendered commands, states of checks.

A plan is made when a gate asks, and again when an act is about to begin; what differs
voids the approval. Its hash is what people vote on. Called by core.gates only.
"""

import hashlib
from typing import Any

import msgspec

from engine.core.binding import target_names, with_names
from engine.core.by_hand import left_to_do
from engine.core.code import END_OF_BLOCK, ActionCode, Node
from engine.core.names import (
    evidence_of,
    frame_slot,
    rendered_params,
    slot_of,
    target_in,
)
from engine.core.record import Thread
from engine.core.turn import Turn, replace
from engine.errors import TemplateProblem
from engine.expressions import UNKNOWN
from engine.model.people import Plan, PlannedAct

_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


def plan_hash(
    revision: str, acts: tuple[PlannedAct, ...], states: dict[str, str]
) -> str:
    """Return the hash of what is approved: revision, targets, commands, states."""
    bound = [revision, [[a.action, a.target, a.kind, a.command] for a in acts], states]
    return hashlib.sha256(_encode(bound)).hexdigest()


def make_plan(turn: Turn, thread: Thread, gate: Node) -> Plan:
    """Return the plan of the acts that are still to come, as they would be done now."""
    acts: list[PlannedAct] = []
    for pc in _to_come(thread, gate):
        node = turn.compiled.nodes[pc]
        acts += left_to_do(turn.record, node, planned(turn, thread, node))
    states = states_now(turn, thread, gate)
    bound = tuple(acts)
    revision = turn.compiled.revision
    return Plan(revision, bound, states, plan_hash(revision, bound, states))


def all_by_hand(turn: Turn, thread: Thread, gate: Node) -> bool:
    """Return whether people did all that the gate covers before the run began."""
    nodes = [turn.compiled.nodes[pc] for pc in _to_come(thread, gate)]
    acts = [planned(turn, thread, node) for node in nodes]
    left = [
        left_to_do(turn.record, node, some)
        for node, some in zip(nodes, acts, strict=True)
    ]
    return bool(turn.record.by_hand) and any(acts) and not any(left)


def _to_come(thread: Thread, gate: Node) -> tuple[int, ...]:
    """Return the acts of the gate that are not over: all, or from the thread's on.

    What was done already is nobody's to approve, and that it was done changes the very
    checks that it names.
    """
    at = thread.pc if thread.pc in gate.covers else thread.back
    return gate.covers[gate.covers.index(at) :] if at in gate.covers else gate.covers


def named_checks(turn: Turn, thread: Thread, gate: Node) -> list[str]:
    """Return the checks named by the cause and by the acts of the gate to come."""
    scope = turn.scope(thread)
    names = set(turn.frame(thread).cause_checks)
    for pc in _to_come(thread, gate):
        node = turn.compiled.nodes[pc]
        if node.scope != scope.index:
            continue
        conditions = scope.actions[node.step.act].conditions
        for key in ("done_when", "guard"):
            names |= conditions[key].checks if key in conditions else frozenset()
        names |= node.when.checks if node.when is not None else frozenset()
    return sorted(names)


def states_now(turn: Turn, thread: Thread, gate: Node) -> dict[str, str]:
    """Return the state of each named check that was looked at, as it stands."""
    states: dict[str, str] = {}
    for name in named_checks(turn, thread, gate):
        if turn.scope(thread).checks[name].names & thread.names.keys():
            continue  # looked at for each target: judged by the act's own guard
        seen = evidence_of(turn, thread, name)
        if seen is not None:
            states[frame_slot(thread.frame, name)] = seen.state
    return states


def planned(turn: Turn, thread: Thread, node: Node) -> list[PlannedAct]:
    """Return the acts one step would do now: one, or one for each target."""
    step = node.step
    if node.scope != turn.scope(thread).index:
        inner = turn.compiled.scopes[node.scope].runbook.runbook
        return [PlannedAct(step.act, problem=f"decided inside {inner}", step=node.id)]
    block = turn.compiled.nodes[node.each] if node.each != END_OF_BLOCK else None
    if block is None or block.step.as_ in thread.names:
        return [planned_act(turn, thread, node, target=target_in(thread.names))]
    targets = turn.judge(thread, block.exprs["each"])
    if targets is UNKNOWN or not isinstance(targets, list):
        told = "the targets cannot be told yet"
        return [PlannedAct(step.act, problem=told, step=node.id)]
    acts = []
    for target in targets:
        names = thread.names | target_names(turn, thread, block, target)
        one = replace(thread, names=names)
        acts.append(planned_act(turn, one, node, target=str(target)))
    return acts


def planned_act(
    turn: Turn, thread: Thread, node: Node, *, target: str = ""
) -> PlannedAct:
    """Return one act as it would be done now."""
    action = turn.scope(thread).actions[node.step.act]
    names = with_names(turn, thread, node) | _before(turn, thread, action)
    thread = replace(thread, names=names)
    model = action.model
    try:
        command = rendered_params(turn, thread, model.kind, model.params, acts=True)
        problem = ""
    except TemplateProblem as found:
        command, problem = None, found.message
    return PlannedAct(
        action.name,
        target,
        model.kind,
        command,
        _undo(turn, thread, action),
        action.holds or action.leaves_nothing,
        model.risk,
        {name: names.get(name) for name in model.remember},
        problem,
        node.id,
    )


def _before(turn: Turn, thread: Thread, action: ActionCode) -> dict[str, Any]:
    values = {}
    for name, what in action.model.remember.items():
        seen = turn.evidence.get(slot_of(turn, thread, what.check))
        if seen is not None and seen.state != "unknown":
            value = action.values[name].evaluate(seen.seen)
            if value is not UNKNOWN:
                values[name] = value
    return values


def _undo(turn: Turn, thread: Thread, action: ActionCode) -> Any:
    body = action.model.undo_body
    if body is None:
        return "built in" if action.undo_kind else None
    try:
        return rendered_params(turn, thread, body.kind, body.params, acts=True)
    except TemplateProblem:
        return body.params


def differences(old: Plan, new: Plan) -> str:
    """Return in words what of a plan is not as it was approved; empty: nothing."""
    told = []
    if old.revision != new.revision:
        told.append("another revision of the runbook")
    for slot, state in new.states.items():
        was = old.states.get(slot)
        if was is not None and was != state:
            told.append(f"{slot} was {was}, is {state}")
    was_acts = {(act.step, act.target): act for act in old.acts}
    for act in new.acts:
        before = was_acts.get((act.step, act.target))
        where = f"{act.action} {act.target}".strip()
        if before is None:
            told.append(f"{where} is new")
        elif before.command != act.command:
            told.append(
                f"{where} was {_short(before.command)}, is {_short(act.command)}"
            )
    return "; ".join(told)


def _short(command: Any) -> str:
    text = _encode(command).decode()
    return text if len(text) <= 120 else text[:117] + "..."
