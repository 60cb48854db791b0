"""How long a runbook can take at worst: to isolated, to mitigated, in total.

Two bounds. From above: each step at its slowest, on the slowest way through. Time-outs,
attempts, waits, gates with every circle of people, batches and rounds count; a target
list counts with `limits.targets.max`, or the most a list may hold. A run never takes
longer while the engine stays up; that it can take as long is not shown here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from engine.core.asking import PERSON_SECONDS
from engine.core.blocks import MOST_TARGETS
from engine.core.code import (
    END_OF_BLOCK,
    ActionCode,
    CompiledRunbook,
    Node,
    Policy,
    Scope,
)
from engine.core.ends import LAST_LOOK_SECONDS
from engine.core.policy import batch_sizes, retry_delay
from engine.model.runbook import comes_after
from engine.model.steps import ApproveStep, EachStep, Escalation
from engine.model.vocabulary import Retry

ATTEMPT_PAUSE: Final = 0.5  # runtime.perform waits so long between two attempts
GRACE: Final = 2.0  # an adapter that does not end by itself is cut so much later


@dataclass(frozen=True, slots=True)
class Bounds:
    """Worst cases in seconds from the start of the run."""

    isolated: float
    mitigated: float
    total: float


def bounds(compiled: CompiledRunbook) -> Bounds:
    """Return the worst cases of a compiled runbook, bounded from above."""
    return _Bounds(compiled).all()


def surely(compiled: CompiledRunbook) -> Bounds:
    """Return times that a run can really take: the worst cases, bounded from below.

    Every wait, gate, question and act that ends well at the last moment, on the longest
    way; looks, further tries and giving back count nothing.
    """
    return _Surely(compiled).all()


def after_yes(compiled: CompiledRunbook, step: str) -> float:
    """Return how long the acts that a gate covers can take, in seconds; 0: no gate.

    Args:
        compiled: The runbook.
        step: The id of the gate's step.
    """
    made = _Bounds(compiled)
    for gate in compiled.nodes:
        if gate.id == step and gate.verb == "approve":
            acts = [compiled.nodes[pc] for pc in gate.covers]
            outer = {one.pc if one.each == END_OF_BLOCK else one.each for one in acts}
            return sum(made.cost(compiled.nodes[pc]) for pc in sorted(outer))
    return 0.0


def longer_lists(compiled: CompiledRunbook, walked: int) -> dict[int, float]:
    """Return how much longer each `each` can take than with so many targets.

    By its address; bounded from above. A list that is written out is walked as it is.
    """
    most, found = _Bounds(compiled), {}
    for node in compiled.nodes:
        if node.verb != "each" or not node.exprs["each"].names:
            continue
        scope = compiled.scopes[node.scope]
        targets = most_targets(scope, node)
        if targets > walked:
            long = most.each_seconds(node, scope, targets)
            found[node.pc] = long - most.each_seconds(node, scope, walked)
    return found


def longer_undos(compiled: CompiledRunbook, walked: int) -> float:
    """Return how much longer giving back can take than with so many targets."""
    most, seconds = _Bounds(compiled), 0.0
    for node in compiled.nodes:
        if node.verb != "act" or node.each == END_OF_BLOCK:
            continue
        scope, block = compiled.scopes[node.scope], compiled.nodes[node.each]
        action = scope.actions[node.step.act]
        targets = most_targets(scope, block)
        if action.holds and block.exprs["each"].names and targets > walked:
            seconds += (targets - walked) * most.undo_seconds(scope, action)
    return seconds


class _Bounds:
    def __init__(self, compiled: CompiledRunbook) -> None:
        self.compiled = compiled
        self.longest = cache(self._longest)
        self.chain = cache(self._chain)

    def all(self) -> Bounds:
        start = self.compiled.scopes[0].start
        last_look = LAST_LOOK_SECONDS
        total = (
            self.longest(start, "")
            + self.give_back(self.compiled.scopes[0])
            + last_look
        )
        return Bounds(
            self.longest(start, "isolate"), self.longest(start, "workaround"), total
        )

    def _longest(self, pc: int, until: str) -> float:
        """Return the longest way from a step to the end of a phase, or to the end."""
        if pc == END_OF_BLOCK:
            return 0.0
        node = self.compiled.nodes[pc]
        if until and comes_after(node.phase, until):
            return 0.0
        ways = [self.longest(onward, until) for onward in self._onward(node)]
        return self.cost(node) + max(ways, default=0.0)

    def _onward(self, node: Node) -> list[int]:
        ways = [node.next]
        if node.verb == "choose":
            scope = self.compiled.scopes[node.scope]
            ways = [*scope.workarounds.values(), scope.restore]
        return ways + [one.pc for one in self._policies(node) if one.kind == "jump"]

    def _policies(self, node: Node) -> Iterator[Policy]:
        """Yield what a step, or any step inside it, does when it fails."""
        yield from (node.on_fail, node.on_reject, node.on_expire)
        for block in node.blocks:
            pc = block
            while pc != END_OF_BLOCK:
                inside = self.compiled.nodes[pc]
                if inside.scope == node.scope:
                    yield from self._policies(inside)
                pc = inside.next

    def _chain(self, pc: int) -> float:
        """Return the time of a nested list, one step after another."""
        seconds = 0.0
        while pc != END_OF_BLOCK:
            node = self.compiled.nodes[pc]
            seconds += self.cost(node)
            pc = node.next
        return seconds

    # One step

    def cost(self, node: Node) -> float:
        """Return the longest one step can take."""
        scope = self.compiled.scopes[node.scope]
        seconds = self.look(scope, node.when.checks) if node.when is not None else 0.0
        own = getattr(self, f"_{node.verb}", None)
        return seconds + (own(node, scope) if own is not None else 0.0)

    def look(self, scope: Scope, names: Iterable[str]) -> float:
        """Return how long a look at checks side by side takes."""
        return max((self._one_look(scope, name) for name in names), default=0.0)

    def _one_look(self, scope: Scope, name: str) -> float:
        model = scope.checks[name].model
        if model.kind == "agree":
            return self.look(scope, model.params["of"])
        each = model.timeout.total_seconds() + GRACE
        return each * model.attempts + ATTEMPT_PAUSE * (model.attempts - 1)

    def _start(self, node: Node, scope: Scope) -> float:
        limits = scope.runbook.limits
        return limits.lock_wait.total_seconds() if limits.lock else 0.0

    def _confirm(self, node: Node, scope: Scope) -> float:
        return self.look(scope, [step.check for step in node.step])

    def _check(self, node: Node, scope: Scope) -> float:
        return self.look(scope, [node.step.check])

    def _looks(self, node: Node, scope: Scope) -> float:
        return self.look(scope, [step.check for step in node.step.all])

    def _cause(self, node: Node, scope: Scope) -> float:
        return self.look(
            scope, {n for expr in node.exprs.values() for n in expr.checks}
        )

    def _act(self, node: Node, scope: Scope) -> float:
        action = scope.actions[node.step.act]
        model = action.model
        looks = [
            {name for key, expr in node.exprs.items() for name in expr.checks},
            {what.check for what in model.remember.values()},
            *(
                action.conditions[key].checks
                for key in ("done_when", "guard")
                if key in action.conditions
            ),
        ]
        seconds = sum(self.look(scope, names) for names in looks)
        if node.gate != END_OF_BLOCK:
            seconds += self.look(scope, scope.checks)
        return (
            seconds
            + self._tries(scope, action, model.timeout.total_seconds(), model.retry)
            + self._verify(scope, action)
        )

    def _tries(
        self, scope: Scope, action: ActionCode, timeout: float, retry: Retry | None
    ) -> float:
        times = retry.times if retry is not None else 0
        done = action.conditions.get("done_when")
        after = self.look(scope, done.checks) if done is not None else 0.0
        waits = (
            sum(retry_delay(retry, n) for n in range(1, times + 1)) if retry else 0.0
        )
        return (timeout + GRACE + after) * (times + 1) + waits

    def _verify(self, scope: Scope, action: ActionCode) -> float:
        if not {"verify", "done_when"} & action.conditions.keys():
            return 0.0
        return (action.model.verify_within or action.model.timeout).total_seconds()

    def _approve(self, node: Node, scope: Scope) -> float:
        circle: ApproveStep | Escalation | None = node.step
        seconds = self.look(scope, scope.checks) if node.covers else 0.0
        while circle is not None:
            seconds += circle.within.total_seconds()
            circle = circle.then
        return seconds

    def _ask(self, node: Node, scope: Scope) -> float:
        return float(node.step.within.total_seconds())

    def _wait(self, node: Node, scope: Scope) -> float:
        return float(node.step.wait.total_seconds())

    def _wait_for(self, node: Node, scope: Scope) -> float:
        return float(node.step.within.total_seconds())

    def _run(self, node: Node, scope: Scope) -> float:
        return float(node.step.within.total_seconds())

    def _all(self, node: Node, scope: Scope) -> float:
        return max(self.chain(pc) for pc in node.blocks)

    def _repeat(self, node: Node, scope: Scope) -> float:
        expression = node.exprs.get("while")
        look = self.look(scope, expression.checks) if expression is not None else 0.0
        every = node.step.every.total_seconds() if node.step.every is not None else 0.0
        once = look + self.chain(node.blocks[0])
        return float(node.step.repeat * (once + every) - every)

    def _each(self, node: Node, scope: Scope) -> float:
        return self.each_seconds(node, scope, most_targets(scope, node))

    def each_seconds(self, node: Node, scope: Scope, targets: int) -> float:
        """Return how long an `each` over so many targets can take."""
        step: EachStep = node.step
        sizes = batch_sizes(targets, step.batch) or []
        pause = step.pause.total_seconds() if step.pause is not None else 0.0
        once = self.chain(node.blocks[0])
        each = sum(
            once * (size if self._guarded(node.blocks[0]) else 1) for size in sizes
        )
        names = set(node.exprs["each"].checks)
        return self.look(scope, names) + each + pause * max(0, len(sizes) - 1)

    def _guarded(self, pc: int) -> bool:
        while pc != END_OF_BLOCK:
            node = self.compiled.nodes[pc]
            if node.verb == "act":
                action = self.compiled.scopes[node.scope].actions[node.step.act]
                if "guard" in action.conditions:
                    return True
            pc = node.next
        return False

    # Giving back

    def _undo(self, node: Node, scope: Scope) -> float:
        return self.give_back(scope, node.step)

    def _restore(self, node: Node, scope: Scope) -> float:
        gone = self.look(scope, [step.check for step in scope.runbook.confirm])
        return self.give_back(scope) + gone * (
            1 + sum(self._held_at_most(scope).values())
        )

    def give_back(self, scope: Scope, step: Any = None) -> float:
        """Return how long giving back what a scope can hold takes."""
        name = getattr(step, "undo", "all")
        pause = getattr(step, "pause", None)
        check = getattr(step, "check", None)
        between = (pause.total_seconds() if pause else 0.0) + (
            self.look(scope, [check]) if check else 0.0
        )
        return sum(
            count * (self.undo_seconds(scope, scope.actions[action]) + between)
            for action, count in self._held_at_most(scope).items()
            if name in ("all", action)
        )

    def undo_seconds(self, scope: Scope, action: ActionCode) -> float:
        """Return how long giving back one act can take."""
        body = action.model.undo_body
        timeout = (body.timeout if body is not None else None) or action.model.timeout
        retry = (body.retry if body is not None else None) or action.model.retry
        times = retry.times if retry is not None else 0
        waits = (
            sum(retry_delay(retry, n) for n in range(1, times + 1)) if retry else 0.0
        )
        seconds = (timeout.total_seconds() + GRACE) * (times + 1) + waits
        for key, count in (("undone_when", times + 2), ("undo_if", 1)):
            if key in action.conditions:
                seconds += count * self.look(scope, action.conditions[key].checks)
        return seconds + (PERSON_SECONDS if "undo_if" in action.conditions else 0.0)

    def _held_at_most(self, scope: Scope) -> dict[str, int]:
        held: dict[str, int] = {}
        for node in self.compiled.nodes:
            if node.verb != "act" or node.scope != scope.index:
                continue
            if not scope.actions[node.step.act].holds:
                continue
            each = self.compiled.nodes[node.each] if node.each != END_OF_BLOCK else None
            count = most_targets(scope, each) if each is not None else 1
            held[node.step.act] = held.get(node.step.act, 0) + count
        return held


class _Surely(_Bounds):
    """Only what can follow on each other: steps that end well at their last moment."""

    def all(self) -> Bounds:
        start = self.compiled.scopes[0].start
        times = [self.longest(start, until) for until in ("isolate", "workaround", "")]
        return Bounds(*times)

    def look(self, scope: Scope, names: Iterable[str]) -> float:
        return 0.0

    def _tries(
        self, scope: Scope, action: ActionCode, timeout: float, retry: Retry | None
    ) -> float:
        return timeout

    def _run(self, node: Node, scope: Scope) -> float:
        return 0.0

    def _guarded(self, pc: int) -> bool:
        return False

    def give_back(self, scope: Scope, step: Any = None) -> float:
        return 0.0

    def _restore(self, node: Node, scope: Scope) -> float:
        return 0.0


def most_targets(scope: Scope, node: Node) -> int:
    """Return how many targets a list can have: as written, or as limited."""
    expression = node.exprs["each"]
    if not expression.names:
        found = expression.evaluate({})
        return len(found) if isinstance(found, list) else MOST_TARGETS
    limit = scope.runbook.limits.targets
    return limit.max if limit is not None and limit.max is not None else MOST_TARGETS
