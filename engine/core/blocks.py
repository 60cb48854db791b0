"""The verbs with steps inside: all, each, repeat, run; and the choice of a workaround.

The steps inside run as child threads. Others in flight end first; of several failures
the first in the file says what happens. A list of targets that is empty, a wildcard or
too large is refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.core.binding import target_names
from engine.core.code import Node, Policy
from engine.core.looking import bind
from engine.core.names import OUTER, evidence_of, target_in
from engine.core.policy import batch_sizes
from engine.core.record import Frame, Outcome, Thread
from engine.core.turn import Resume, Turn, replace
from engine.expressions import UNKNOWN
from engine.model.events import Event

WILDCARDS: Final = frozenset({"*", "all", "any", "%", ".*", ""})
MOST_TARGETS: Final = 1000
SIZES: Final = ("value", "json", "stdout", "addresses")
BESIDE: Final = re.compile(r"[#~].*")  # the numbers of targets and rounds around it
NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


def begin_all(turn: Turn, thread: Thread) -> None:
    """Begin every step at once."""
    node = turn.node(thread)
    turn.wait(thread, "all.join", ())
    turn.fork(thread, [(f"#{i}", pc, {}) for i, pc in enumerate(node.blocks)])


def all_joined(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A child ended: when all have, so many must have succeeded."""
    if turn.children(thread):
        return
    node = turn.node(thread)
    need = node.step.need or len(node.blocks)
    good = sum(outcome.ok for outcome in thread.results)
    if good >= need:
        turn.passed(thread)
    else:
        _fail(turn, thread, f"{good} of {len(node.blocks)} succeeded, {need} needed")


def _fail(turn: Turn, thread: Thread, told: str) -> None:
    """Fail as the block says, else as its first failed step in the file says."""
    node = turn.node(thread)
    bad = sorted(
        (o for o in thread.results if not o.ok), key=lambda o: (o.pc, o.thread)
    )
    whys = "; ".join(f"{o.target + ': ' if o.target else ''}{o.why}" for o in bad)
    own = node.step is not None and "on_fail" in node.step.model_fields_set
    policy = node.on_fail
    if bad and not own:
        policy = _policy(turn, bad[0])
    turn.failed(thread, f"{told} ({whys})", policy)


def _policy(turn: Turn, outcome: Outcome) -> Policy:
    if outcome.policy == "jump":
        group = turn.compiled.nodes[outcome.jump].group
        return Policy("jump", outcome.jump, group)
    return Policy("undo" if outcome.policy == "undo" else "hand_over")


def begin_each(turn: Turn, thread: Thread) -> None:
    """Look at what the targets, and the size of their fleet, are made of."""
    names = set(turn.node(thread).exprs["each"].checks)
    targets = turn.scope(thread).runbook.limits.targets
    if targets is not None and targets.of:
        names.add(targets.of)
    turn.look(thread, names, "each.targets")


def each_targets(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Refuse what is no sane list; else begin the first batch."""
    node = turn.node(thread)
    targets = turn.judge(thread, node.exprs["each"])
    problem = targets_problem(turn, thread, targets)
    sizes = None if problem else batch_sizes(len(targets), node.step.batch)
    if problem or sizes is None:
        turn.note("guard", f"{node.name} refused", thread, why=problem or "bad batch")
        turn.failed(thread, problem or f"batch {node.step.batch!r} cannot be read")
        return
    turn.note(
        "step",
        f"{len(targets)} targets in batches of {sizes}",
        thread,
        why=node.step.each,
        refs={"targets": list(targets)},
    )
    thread = replace(thread, box={"targets": list(targets), "sizes": sizes, "done": 0})
    _batch(turn, thread)


def targets_problem(turn: Turn, thread: Thread, targets: Any) -> str:
    """Return why these may not be acted on, or an empty string (G4)."""
    node = turn.node(thread)
    if (
        targets is UNKNOWN
        or not isinstance(targets, Sequence)
        or isinstance(targets, str)
    ):
        return f"the targets are unknown: {node.step.each}"
    if not targets:
        return f"no targets: {node.step.each} is empty, and empty never means all"
    wild = [target for target in targets if str(target).strip().lower() in WILDCARDS]
    if wild or any("*" in str(target) for target in targets):
        return f"a wildcard is no target: {[str(t) for t in targets][:5]}"
    if len(set(map(str, targets))) != len(targets):
        return "a target stands twice in the list"
    return _too_many(turn, thread, len(targets))


def _too_many(turn: Turn, thread: Thread, count: int) -> str:
    limit = turn.scope(thread).runbook.limits.targets
    most = limit.max if limit is not None and limit.max is not None else MOST_TARGETS
    if count > most:
        return f"{count} targets, at most {most} allowed"
    if limit is None or limit.share is None:
        return ""
    seen = evidence_of(turn, thread, limit.of) if limit.of else None
    if seen is None or seen.state == "unknown":
        return f"the size of the fleet is unknown: {limit.of} is unknown"
    size = fleet_size(seen.seen)
    if size is None or size <= 0:
        return f"the size of the fleet is unknown: {limit.of} gives no number"
    share = limit.share
    part = float(share.rstrip("%")) / 100 if isinstance(share, str) else float(share)
    if count > part * size:
        return f"{count} of {size:g} is more than {part:.0%} of the fleet"
    return ""


def fleet_size(seen: Mapping[str, Any]) -> float | None:
    """Return the size that a check saw: its number, or the length of its list.

    Looked for in `value`, then `json`, `stdout` and `addresses`; None: there is none.
    """
    for name in SIZES:
        found = seen.get(name)
        if isinstance(found, Sequence) and not isinstance(found, str):
            return float(len(found))
        if isinstance(found, str) and NUMBER.fullmatch(found.strip()):
            return float(found)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return float(found)
    return None


def _batch(turn: Turn, thread: Thread) -> None:
    node, box = turn.node(thread), thread.box
    size = box["sizes"][thread.n]
    begin = box["done"]
    batch = box["targets"][begin : begin + size]
    thread = turn.wait(
        thread, "each.batch", (), n=thread.n + 1, box=box | {"done": begin + size}
    )
    turn.fork(
        thread,
        [
            (f"#{begin + i}", node.blocks[0], target_names(turn, thread, node, target))
            for i, target in enumerate(batch)
        ],
    )


def batch_joined(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A target ended: stop at too many errors, wait for the rest, or go on."""
    node = turn.node(thread)
    errors = sum(not outcome.ok for outcome in thread.results)
    stop = errors > node.step.max_errors
    if stop:
        for child in turn.children(thread):
            if child.stage == "act.guard_turn" or child.id in turn.ready:
                turn.drop(child)
    if turn.children(thread):
        return
    if stop:
        most = node.step.max_errors
        told = f"{errors} of {len(thread.results)} targets failed, {most} allowed"
        _note_both_lists(turn, thread)
        _fail(turn, thread, told)
    elif thread.box["done"] >= len(thread.box["targets"]):
        turn.passed(thread)
    elif node.step.pause is None:
        _batch(turn, thread)
    else:
        key = turn.timer(thread, "pause", node.step.pause.total_seconds())
        turn.wait(thread, "each.pause", (key,))


def _note_both_lists(turn: Turn, thread: Thread) -> None:
    """Say which targets are done, which failed, and which were never begun."""
    names = [str(one) for one in thread.box["targets"]]
    done = [one.target for one in thread.results if one.ok]
    failed = [one.target for one in thread.results if not one.ok]
    left = [one for one in names if one not in {*done, *failed}]
    lists = {"done": done, "failed": failed, "not begun": left}
    told = "; ".join(
        f"{key}: {', '.join(some) or 'none'}" for key, some in lists.items()
    )
    turn.note("step", f"targets {told}", thread, refs=lists)


def next_batch(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The pause between batches is over."""
    _batch(turn, thread)


def begin_repeat(turn: Turn, thread: Thread) -> None:
    """Look whether there is to be a round."""
    expression = turn.node(thread).exprs.get("while")
    turn.look(
        thread, expression.checks if expression is not None else (), "repeat.while"
    )


def round_judged(turn: Turn, thread: Thread, event: Event | None) -> None:
    """True: one more round. False or unknown: the ramp failed."""
    node = turn.node(thread)
    expression = node.exprs.get("while")
    true = True if expression is None else turn.is_true(thread, expression)
    if not true:
        told = "false" if true is False else "unknown"
        turn.failed(
            thread, f"while: {node.step.while_} is {told} before round {thread.n + 1}"
        )
        return
    n = thread.n + 1
    turn.note("step", f"round {n} of {node.step.repeat}", thread)
    thread = turn.wait(thread, "repeat.round", (), n=n, results=())
    turn.fork(thread, [(f"~{n}", node.blocks[0], {})])


def round_joined(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A round ended: the next, the pause before it, or the end."""
    node = turn.node(thread)
    if not thread.results[-1].ok:
        _fail(turn, thread, f"round {thread.n} failed")
    elif thread.n >= node.step.repeat:
        turn.passed(thread)
    elif node.step.every is None:
        _next_round(turn, thread)
    else:
        key = turn.timer(thread, "every", node.step.every.total_seconds())
        turn.wait(thread, "repeat.pause", (key,))


def next_round(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The time between rounds is over."""
    _next_round(turn, thread)


def _next_round(turn: Turn, thread: Thread) -> None:
    begin_repeat(turn, thread)


def begin_run(turn: Turn, thread: Thread) -> None:
    """Look at what the inputs of the sub-runbook are made of."""
    node = turn.node(thread)
    names = {check for expr in node.exprs.values() for check in expr.checks}
    turn.look(thread, names, "run.with")


def run_bound(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Begin the sub-runbook in a frame of its own."""
    node = turn.node(thread)
    scope = turn.compiled.scopes[turn.compiled.nodes[node.blocks[0]].scope]
    bound = bind(turn, thread)
    inputs = {
        name: bound.names.get(name, spec.default)
        for name, spec in scope.runbook.inputs.items()
    }
    missing = [
        name
        for name, value in inputs.items()
        if value is None and scope.runbook.inputs[name].required
    ]
    if missing:
        turn.failed(thread, f"{node.step.run} needs {', '.join(missing)}")
        return
    inside = BESIDE.search(thread.id)
    frame = f"{thread.frame}/{node.id}" + (inside[0] if inside is not None else "")
    turn.frames[frame] = Frame(frame, scope.index, inputs)
    over = turn.timer(thread, "within", node.step.within.total_seconds())
    thread = turn.wait(thread, "run.inside", (over,))
    target = target_in(thread.names)
    names = {OUTER: target} if target else {}
    child = Thread(
        f"{thread.id}.{thread.pc}",
        node.blocks[0],
        frame=frame,
        parent=thread.id,
        top=True,
        names=names,
        base=names,
        since=turn.tick,
    )
    turn.put(child)
    turn.ready.append(child.id)


def run_ended(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The sub-runbook ended, or its time is over."""
    if event is not None:
        for child in _family(turn, thread):
            if child.stage not in ("act.acting", "undo.undoing"):
                turn.drop(child)
        turn.failed(thread, f"not done within {turn.node(thread).step.within}")
    elif thread.results[-1].ok:
        turn.passed(thread)
    else:
        turn.failed(thread, thread.results[-1].why)


def _family(turn: Turn, thread: Thread) -> list[Thread]:
    found = turn.children(thread)
    return found + [one for child in found for one in _family(turn, child)]


def begin_choose(turn: Turn, thread: Thread) -> None:
    """Take the workaround that the cause leads to, or go on to restore."""
    scope, frame = turn.scope(thread), turn.frame(thread)
    name = frame.workaround
    if (
        not frame.cause
        and len(scope.workarounds) == 1
        and not _has_cause(turn, scope.index)
    ):
        name = next(iter(scope.workarounds))
    if name:
        turn.note(
            "decision",
            f"workaround {name}",
            thread,
            why=f"cause {frame.cause or 'none'}",
        )
        turn.enter(thread, scope.workarounds[name])
    else:
        turn.note(
            "decision", "no workaround", thread, why=f"cause {frame.cause or 'none'}"
        )
        turn.enter(thread, scope.restore)


def _has_cause(turn: Turn, scope: int) -> bool:
    nodes: Sequence[Node] = turn.compiled.nodes
    return any(node.verb == "cause" and node.scope == scope for node in nodes)


STAGES: Final[Mapping[str, Resume]] = {
    "all.join.child": all_joined,
    "each.targets": each_targets,
    "each.batch.child": batch_joined,
    "each.pause": next_batch,
    "repeat.while": round_judged,
    "repeat.round.child": round_joined,
    "repeat.pause": next_round,
    "run.with": run_bound,
    "run.inside": run_ended,
    "run.inside.child": run_ended,
}
