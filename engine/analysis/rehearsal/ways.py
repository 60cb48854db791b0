"""The shortest way to everything that answers alone can take, by the proof's walk.

What comes from outside (cancel, a crash, a hold) is no answer, and is left out.

Called by: engine.testing.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

from engine.analysis.proof.offers import OUTSIDE, Move
from engine.analysis.proof.states import State
from engine.analysis.proof.walk import Graph, Walk
from engine.analysis.rehearsal.taken import Item, taken
from engine.core.code import CompiledRunbook
from engine.core.record import Record
from engine.model.effects import Effect

ASIDE = OUTSIDE | {"hold", "lift", "late"}


def ways(compiled: CompiledRunbook, *, most: int) -> Mapping[Item, list[Move]]:
    """Return the moves of the shortest way to each item that some way takes.

    Raises:
        TooLarge: more than `most` states. TooWide: too many answers of one look.
    """
    walk = Walk(compiled, most=most)
    items: dict[int, set[Item]] = {}

    def note(
        number: int,
        state: State,
        move: Move,
        record: Record,
        effects: list[Effect],
        target: int,
    ) -> None:
        found = taken(compiled, state.record, move.events, record, effects)
        items[len(walk.graph.edges) - 1] = set(found)

    graph = walk.run(note)
    return _shortest(graph, items)


def _shortest(graph: Graph, items: Mapping[int, set[Item]]) -> dict[Item, list[Move]]:
    came: dict[int, int] = dict.fromkeys(graph.starts, -1)
    found: dict[Item, list[Move]] = {}
    left = deque(came)
    while left:
        number = left.popleft()
        for index in graph.out[number]:
            edge = graph.edges[index]
            if edge.move.kind in ASIDE:
                continue
            for item in items.get(index, ()):
                if item not in found:
                    found[item] = [*_way(graph, came, number), edge.move]
            if edge.target not in came and edge.exact:
                came[edge.target] = index
                left.append(edge.target)
    return found


def _way(graph: Graph, came: Mapping[int, int], number: int) -> list[Any]:
    moves: list[Move] = []
    while came[number] >= 0:
        edge = graph.edges[came[number]]
        moves.append(edge.move)
        number = edge.source
    return moves[::-1]
