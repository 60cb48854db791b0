"""The shortest way to something, told as a story: what happened, and at which step.

The way is found on the graph of the walk, breadth first, and told from the records that
stand on it. Also here: how many ways there are.

Called by: proving.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from engine.analysis.proof.walk import Edge, Graph, Walk
from engine.core.record import MAIN

UNTOLD: Final = ("start", "same")
MOST_TOLD: Final = 60  # moves of one story


class Chapter(NamedTuple):
    """One move of a story."""

    step: str  # id of the step that it happens at
    name: str
    told: str
    seconds: float = -1.0  # from the start of the run, where times are told


Story = Sequence[Chapter]


class Teller:
    """Tells the ways through one walk."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.graph: Graph = walk.graph
        self._came: dict[int, int] | None = None

    def story(self, last: int) -> Story:
        """Return the shortest way that ends with an edge."""
        edge = self.graph.edges[last]
        way = [*self.way(edge.source), last]
        edges = [self.graph.edges[one] for one in way]
        told = [self._chapter(one) for one in edges if one.move.kind not in UNTOLD]
        return told[-MOST_TOLD:]

    def round(self, last: int) -> tuple[list[int], list[int]]:
        """Return the way to a circle, and the circle that an edge closes."""
        edge = self.graph.edges[last]
        came = {edge.target: -1}
        left = deque(came)
        while left and edge.source not in came:
            number = left.popleft()
            for index in self.graph.out[number]:
                if self.graph.edges[index].target not in came:
                    came[self.graph.edges[index].target] = index
                    left.append(self.graph.edges[index].target)
        circle, number = [last], edge.source
        while came.get(number, -1) >= 0:
            circle.append(came[number])
            number = self.graph.edges[came[number]].source
        return self.way(edge.target), circle[::-1]

    def timed(self, way: Sequence[tuple[int, float]]) -> Story:
        """Return a way with its times; polls in between are left out."""
        told: list[Chapter] = []
        for index, seconds in way:
            edge = self.graph.edges[index]
            if edge.move.kind in UNTOLD:
                continue
            chapter = self._chapter(edge)._replace(seconds=seconds)
            if told and told[-1].seconds == seconds and not _matters(edge):
                continue
            told.append(chapter)
        return told[-MOST_TOLD:]

    def way(self, number: int) -> list[int]:
        """Return the edges of the shortest way to a state."""
        if self._came is None:
            self._came = self._breadth_first()
        found: list[int] = []
        while number in self._came and self._came[number] >= 0:
            index = self._came[number]
            found.append(index)
            number = self.graph.edges[index].source
        return found[::-1]

    def _breadth_first(self) -> dict[int, int]:
        """Return the edge by which each state is reached first; exact ones count."""
        came = dict.fromkeys(self.graph.starts, -1)
        for exactly in (True, False):
            left = deque(came)
            while left:
                number = left.popleft()
                for index in self.graph.out[number]:
                    edge = self.graph.edges[index]
                    if edge.target not in came and (edge.exact or not exactly):
                        came[edge.target] = index
                        left.append(edge.target)
        return came

    def _chapter(self, edge: Edge) -> Chapter:
        record = self.graph.states[edge.source].record
        thread = record.threads.get(edge.move.thread) or record.threads.get(MAIN)
        if thread is None:
            thread = next(iter(record.threads.values()), None)
        if thread is None:
            return Chapter("", "", edge.move.told)
        node = self.walk.compiled.nodes[thread.pc]
        return Chapter(node.id, node.name, edge.move.told)

    def paths(self) -> int:
        """Return how many ways lead from the start to an end; no state twice on one."""
        counts: dict[int, int] = {}
        for number in self._backwards():
            if self.graph.states[number].record.end:
                counts[number] = 1
            else:
                counts[number] = sum(
                    counts.get(self.graph.edges[one].target, 0)
                    for one in self.graph.out[number]
                )
        return sum(counts.get(start, 0) for start in self.graph.starts)

    def _backwards(self) -> Iterator[int]:
        """Yield the states, each after those that it leads to, loops cut."""
        seen: set[int] = set()
        for start in self.graph.starts:
            stack: list[tuple[int, Iterator[int]]] = [(start, self._onward(start))]
            if start in seen:
                continue
            seen.add(start)
            while stack:
                number, onward = stack[-1]
                target = next(onward, None)
                if target is None:
                    yield number
                    stack.pop()
                elif target not in seen:
                    seen.add(target)
                    stack.append((target, self._onward(target)))

    def _onward(self, number: int) -> Iterator[int]:
        return (self.graph.edges[one].target for one in self.graph.out[number])


def _matters(edge: Edge) -> bool:
    return edge.move.kind not in ("look", "timer")
