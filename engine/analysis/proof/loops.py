"""Loops: those that nothing bounds, and the time that bounds a gate asking again.

Called by: times.
"""

from typing import Final

from engine.analysis.proof.states import POLLS
from engine.analysis.proof.walk import Edge, Graph
from engine.model.steps import ApproveStep, Escalation

NOT_TIMED: Final = frozenset({"crash", "dies", "hold", "lift"})


def loop_in(graph: Graph) -> int:
    """Return an edge that closes a loop which no time and no count bounds, or -1.

    Polls are bounded by their `within`; what voids an approval, by the gate's time.
    """
    done: set[int] = set()
    for start in graph.starts:
        on_way = {start}
        stack = [(start, iter(graph.out[start]))]
        while stack:
            number, edges = stack[-1]
            index = next(edges, None)
            if index is None:
                stack.pop()
                on_way.discard(number)
                done.add(number)
                continue
            edge = graph.edges[index]
            if edge.move.kind in NOT_TIMED or _bounded(graph, edge):
                continue
            if edge.target in on_way:
                return index
            if edge.target not in done:
                on_way.add(edge.target)
                stack.append((edge.target, iter(graph.out[edge.target])))
    return -1


def _bounded(graph: Graph, edge: Edge) -> bool:
    """Whether the edge is a poll, or voids an approval: its loop has a time."""
    before = graph.states[edge.source].record.threads
    after = graph.states[edge.target].record.threads
    was, now = before.get(edge.move.thread), after.get(edge.move.thread)
    if was is None or now is None:
        return False
    again = any(key.endswith("within") for key, _ in edge.timers)
    polls = was.stage in POLLS and now.stage in POLLS and was.pc == now.pc
    return (polls and not again) or (now.back >= 0 > was.back)


def circles(step: ApproveStep) -> list[float]:
    """Return when each circle of people is over, in seconds from the first asking."""
    found: list[float] = []
    circle: ApproveStep | Escalation | None = step
    while circle is not None:
        before = found[-1] if found else 0.0
        found.append(before + circle.within.total_seconds())
        circle = circle.then
    return found
