"""Loops: those that nothing bounds, and the time that bounds a gate asking again.

Called by: times.
"""

from typing import Final

from engine.analysis.proof.ages import POLLS
from engine.analysis.proof.offers import BLOCKS
from engine.analysis.proof.states import State
from engine.analysis.proof.walk import Edge, Graph, Walk
from engine.core.record import Record
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


def goes_round(walk: Walk, found: tuple[list[int], list[int]]) -> bool:
    """Whether a circle of the graph can be gone for good: gone twice, it is the same.

    What `run` ... `within` bounds from around it is none.

    Args:
        found: the edges that lead to the circle, and those of the circle.
    """
    way, circle = found
    state = State(Record(), {})
    rounds: list[object] = []
    for number in (*way, -1, *circle, -1, *circle, -1):
        if number < 0:
            bounded = any(one.stage in BLOCKS for one in state.record.threads.values())
            rounds.append(walk.states.key(state))
            rounds.append(walk.states.held(state))
            if bounded:
                return False
            continue
        record, effects, history = walk.applied(state, walk.graph.edges[number].move)
        state = walk.states.after(state.pending, record, effects, history)
    return rounds[-2:] == rounds[-4:-2] and not state.record.end


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
