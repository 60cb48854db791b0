"""What a run can still read from where it stands: steps ahead, checks, causes, plans.

What nobody will read again makes no difference between two records (states). Reading
ahead is over-estimated: every way that the code knows counts, whatever its conditions.

Called by: states.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from engine.analysis.proof.domains import Domains
from engine.core.code import END_OF_BLOCK, CompiledRunbook, Node
from engine.core.lists import types_of
from engine.core.record import Thread
from engine.expressions import Expression, compile_expression

PAST: Final = (
    "act.acting", "act.lost", "act.retry", "act.verify", "act.verify_wait",
    "act.happened", "act.crashed", "all.join", "run.inside",
)  # fmt: skip


class Reading:
    """What is read from each step on, looked up by its address."""

    def __init__(self, compiled: CompiledRunbook, domains: Domains) -> None:
        self.compiled = compiled
        self.clauses = list(_clauses(compiled))
        rules = [rule for one in compiled.scopes for rule in domains.rules(one.index)]
        rules += self.clauses
        names = {name for rule in rules for name in rule.names}
        self.reads_cause = "cause" in names
        self.reads_end_cause = any("cause" in rule.names for rule in self.clauses)
        self.outside = bool(names & {"labels", "annotations"})
        kept = [rule.names for rule in self.clauses]
        for scope in compiled.scopes:
            for action in scope.actions.values():
                kept += [rule.names for rule in action.conditions.values()]
        self.always_named = frozenset(name for some in kept for name in some)
        self.watched = frozenset(
            name
            for node in compiled.nodes
            if node.verb == "watch" and node.end == "stop"
            for name in node.exprs["watch"].names
        )
        self.always = frozenset(one for rule in self.clauses for one in rule.checks)
        impact = compiled.runbook.impact
        self.measured = frozenset(impact.checks if impact is not None else ())
        self.exact = frozenset(_named_held(compiled, rules))
        self._parents = {
            pc: node.pc
            for node in compiled.nodes
            for block in node.blocks
            for pc in self._chain(block)
        }
        self.ahead = cache(self._ahead)
        self.fresh = cache(self._fresh)
        self._plans = cache(self._written)
        self.open_gates = cache(self._open_gates)
        self.named = cache(self._names)

    def _chain(self, pc: int) -> Iterator[int]:
        while pc != END_OF_BLOCK:
            yield pc
            pc = self.compiled.nodes[pc].next

    def _onward(self, node: Node) -> Iterator[int]:
        """Yield the places that come after a step; `~pc` of a block: what is after it.

        The block around it is no way in again: its own thread tells whether it is.
        """
        yield from self._after(node)
        for policy in (node.on_fail, node.on_reject, node.on_expire):
            if policy.kind == "jump":
                yield policy.pc
        scope = self.compiled.scopes[node.scope]
        if node.verb == "choose":
            yield from scope.workarounds.values()
        if node.verb == "choose" or not node.scope:
            yield scope.restore
        if node.scope:
            yield scope.undo_out
        if node.verb in ("leave", "finish") and node.scope:
            yield from (
                one.pc
                for one in self.compiled.nodes
                if one.verb == "run" and scope.start in one.blocks
            )

    def _after(self, node: Node) -> Iterator[int]:
        if node.next != END_OF_BLOCK:
            yield node.next
        elif node.pc in self._parents:
            yield ~self._parents[node.pc]

    def places(self, threads: Iterable[Thread]) -> frozenset[int]:
        """Return where threads stand; `~pc` for a step that has read all it reads."""
        return frozenset([~one.pc if self._past(one) else one.pc for one in threads])

    def _past(self, thread: Thread) -> bool:
        """Whether the step reads nothing any more, and begins nothing inside it."""
        stage, box = thread.stage, thread.box
        if stage in ("each.batch", "each.pause"):
            return bool(box["done"] >= len(box["targets"]))
        if stage in ("repeat.round", "repeat.pause"):
            return bool(thread.n >= self.compiled.nodes[thread.pc].step.repeat)
        return stage in PAST

    def _ahead(self, places: frozenset[int]) -> frozenset[int]:
        """Return every address that can come from these on, these among them."""
        found: set[int] = set()
        left = list(places)
        while left:
            place = left.pop()
            if place in found:
                continue
            found.add(place)
            node = self.compiled.nodes[~place if place < 0 else place]
            left += self._onward(node)
            if place >= 0:
                left += node.blocks
        return frozenset([one for one in found if one >= 0])

    def _nodes(self, pcs: frozenset[int]) -> Iterator[Node]:
        for pc in self.ahead(pcs):
            yield self.compiled.nodes[pc]

    def _fresh(self, pcs: frozenset[int]) -> frozenset[str]:
        """Return the checks that may be read without being looked at anew.

        An approval that is void is asked for again: its `unless` is read then.
        """
        nodes = list(self._nodes(pcs))
        gates = [self.compiled.nodes[one.gate] for one in nodes if one.gate >= 0]
        return frozenset(
            name for node in [*nodes, *gates] for name in self._reads(node)
        )

    def kept(self, pcs: frozenset[int], causes: frozenset[str]) -> frozenset[str]:
        """Return the checks whose last state a gate will write into its plan.

        Args:
            causes: the checks that the cause found so far was named by.
        """
        own, naming = self._plans(pcs)
        return own | (naming or causes) if own or naming is not None else own

    def _written(
        self, pcs: frozenset[int]
    ) -> tuple[frozenset[str], frozenset[str] | None]:
        nodes = list(self._nodes(pcs))
        gates = [node for node in nodes if node.verb == "approve"]
        if not gates:
            return frozenset(), None
        own = frozenset(name for gate in gates for name in self._named(gate))
        naming = frozenset(
            name
            for node in nodes
            if node.verb == "cause"
            for rule in node.exprs.values()
            for name in rule.checks
        )
        return own, naming

    def _names(self, pcs: frozenset[int]) -> frozenset[str]:
        """Return the names that a condition of a step ahead, or beside it, may read."""
        found = self.always_named | self.watched
        for node in self._nodes(pcs):
            found = found.union(*[rule.names for rule in node.exprs.values()])
            if node.when is not None:
                found |= node.when.names
        return frozenset(found)

    def _open_gates(self, pcs: frozenset[int]) -> frozenset[int]:
        """Return the gates whose approval can still count."""
        ahead = self.ahead(pcs)
        return frozenset(
            node.pc
            for node in self.compiled.nodes
            if node.verb == "approve" and (node.pc in ahead or ahead & {*node.covers})
        )

    def _reads(self, node: Node) -> Iterator[str]:
        """Yield the checks whose answers choose a way.

        What only hands values on is taken as looked at anew, which allows every answer
        that it could have had, and more.
        """
        if node.when is not None:
            yield from node.when.checks
        for key, rule in node.exprs.items():
            if key in ("unless", "while") or key.startswith("cause."):
                yield from rule.checks

    def _named(self, gate: Node) -> Iterator[str]:
        scope = self.compiled.scopes[gate.scope]
        for pc in gate.covers:
            act = self.compiled.nodes[pc]
            if act.scope != gate.scope:
                continue
            conditions = scope.actions[act.step.act].conditions
            for key in ("done_when", "guard"):
                if key in conditions:
                    yield from conditions[key].checks
            if act.when is not None:
                yield from act.when.checks


def _clauses(compiled: CompiledRunbook) -> Iterator[Expression]:
    types = types_of(compiled.runbook)
    for clause in compiled.runbook.always:
        source = clause.at_end or clause.never
        if source is not None:
            yield compile_expression(source, types)


def _named_held(
    compiled: CompiledRunbook, rules: Iterable[Expression]
) -> Iterator[str]:
    """Yield the actions that a condition on `held` may tell apart.

    `size(held) == 0` asks only whether anything is held, which is always told.
    """
    actions = {name for scope in compiled.scopes for name in scope.actions}
    for rule in rules:
        if "held" not in rule.names:
            continue
        text = rule.source.replace(" ", "")
        rest = text.replace("size(held)==0", "").replace("size(held)>0", "")
        if "held" not in rest:
            continue
        named = [one for one in actions if f'"{one}"' in text or f"'{one}'" in text]
        yield from named if named else actions
