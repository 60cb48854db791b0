"""The start of a run that takes over what was done by hand.

Each such act is held from the start, with the way back rendered as if the run had done
it; the step that would do it is passed by (acting). What cannot be taken over is told,
and nothing is held for it: whoever starts the run asks first (`refusals`).

Called by outside_events; `refusals` by the service.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from engine.core.acting import act_id, taken
from engine.core.binding import target_names, with_names
from engine.core.code import END_OF_BLOCK, ActionCode, CompiledRunbook, Node
from engine.core.names import TARGET, rendered_params
from engine.core.record import ByHand, Frame, Record, Thread
from engine.core.turn import Turn, replace
from engine.errors import TemplateProblem
from engine.model.events import Adopted, Started
from engine.model.people import ENGINE

TWICE: Final = "it is named twice"


def adopt(turn: Turn, event: Started) -> None:
    """Hold what people did before the run began; say who says so."""
    for index, one in enumerate(event.did, 1):
        problem = _problem(turn.compiled, one)
        if not problem and _times(event.did[:index], one) > 1:
            problem = TWICE
        if not problem:
            try:
                _adopt(turn, event.by.id, one, index)
                continue
            except TemplateProblem as found:
                problem = f"its way back cannot be told: {found.message}"
        turn.note(
            "refused", f"{_called(one)} is not taken over", why=problem,
            subject=one.action, target=one.target, refs={"by": event.by.id},
        )  # fmt: skip


def refusals(
    compiled: CompiledRunbook, did: Sequence[Adopted], inputs: Mapping[str, Any]
) -> list[str]:
    """Return why acts cannot be taken over, in order; nothing: all of them can."""
    told = []
    for one in did:
        problem = _problem(compiled, one)
        if not problem and _times(did, one) > 1:
            problem = TWICE
        if not problem:
            started = Started(run="", revision="", by=ENGINE)
            turn = Turn(compiled, Record(), started, {})
            turn.frames[""] = Frame("", 0, dict(inputs))
            try:
                _adopt(turn, "", one, 1)
            except TemplateProblem as found:
                problem = f"its way back cannot be told: {found.message}"
        if problem:
            told.append(f"{_called(one)}: {problem}")
    return list(dict.fromkeys(told))


def _times(did: Sequence[Adopted], one: Adopted) -> int:
    """Return how often an act on a target is named, whatever it was before."""
    return sum((each.action, each.target) == (one.action, one.target) for each in did)


def _called(one: Adopted) -> str:
    return f"{one.action} {one.target}".strip()


def _problem(compiled: CompiledRunbook, one: Adopted) -> str:
    """Return why an act cannot be taken over, as far as the file tells it."""
    scope = compiled.scopes[0]
    action = scope.actions.get(one.action)
    if action is None:
        known = ", ".join(sorted(scope.actions)) or "none"
        return f"no such action of '{scope.runbook.runbook}'; it has: {known}"
    if _step(compiled, one) is None:
        return _no_step(compiled, one)
    if action.holds and action.model.undo_body is None:
        return (
            f"the way back of kind {action.model.kind} gives back only what it did "
            "itself; give it back by hand, or write an `undo`"
        )
    if strange := sorted(set(one.before) - set(action.model.remember)):
        known = ", ".join(action.model.remember) or "nothing"
        return f"it does not remember {', '.join(strange)}; it remembers: {known}"
    missing = sorted(_needed(action) - set(one.before))
    return f"say what it was before: {', '.join(missing)}" if missing else ""


def _needed(action: ActionCode) -> set[str]:
    return set(action.model.remember) if action.holds else set()


def _no_step(compiled: CompiledRunbook, one: Adopted) -> str:
    wanted = next(iter(_steps(compiled, one.action)), None)
    if wanted is None:
        return "no step of the runbook does it"
    if one.target:
        return "it has no targets: leave the target out"
    name = compiled.nodes[wanted.each].step.as_
    return f"it is done to each {name}: say to which, {one.action}=TARGET"


def _steps(compiled: CompiledRunbook, action: str) -> Iterable[Node]:
    return (
        node
        for node in compiled.nodes
        if node.verb == "act" and node.scope == 0 and node.step.act == action
    )


def _step(compiled: CompiledRunbook, one: Adopted) -> Node | None:
    """Return the first step that does the action, to a target where there is one."""
    for node in _steps(compiled, one.action):
        if (node.each != END_OF_BLOCK) == bool(one.target):
            return node
    return None


def _target(turn: Turn, thread: Thread, block: Node, target: str) -> dict[str, Any]:
    """Return the names of a target. Raises TemplateProblem: there is no such target.

    Nobody vouches for a target of a list that only a run can tell.
    """
    targets = turn.judge(thread, block.exprs["each"])
    if not isinstance(targets, list):
        return {block.step.as_: target, TARGET: target}
    for one in targets:
        if str(one) == target:
            return target_names(turn, thread, block, one)
    known = ", ".join(str(one) for one in targets)
    raise TemplateProblem(f"no target '{target}'; it is done to: {known}")


def _adopt(turn: Turn, by: str, one: Adopted, index: int) -> None:
    """Hold one act. Raises TemplateProblem."""
    node = _step(turn.compiled, one)
    assert node is not None  # whoever calls has looked
    action = turn.compiled.scopes[0].actions[one.action]
    thread = Thread(f"by-hand{index}", node.pc)
    if one.target:
        names = _target(turn, thread, turn.compiled.nodes[node.each], one.target)
        thread = replace(thread, names=names)
    names = with_names(turn, thread, node) | one.before
    thread = replace(thread, names=names)
    model = action.model
    held = None
    if action.holds:
        command = None
        if model.undo_body is None:
            command = rendered_params(turn, thread, model.kind, model.params, acts=True)
        held = taken(turn, thread, action, command)
    if held is not None:
        turn.held.append(held)
    turn.change(
        acted=True,
        by_hand=(
            *turn.record.by_hand,
            ByHand(one.action, one.target, by, held.id if held is not None else ""),
        ),
    )
    turn.note(
        "adopted", f"{_called(one)} was done by hand", thread,
        why=f"{by} says so", subject=one.action, target=one.target,
        refs={
            "by": by,
            "key": act_id(turn, thread),
            "kind": held.kind if held is not None else "",
            "undo": held.params if held is not None else None,
            "before": dict(one.before),
        },
    )  # fmt: skip
