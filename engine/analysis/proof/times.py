"""The longest way: four worst-case times, over every path on which the engine stays up.

Time is no part of a state: each edge of the walk takes at most so long, and what a time
that was asked for (`within`, `lock_wait`, `verify_within`) bounds ends when it is over.
Of threads side by side one counts, each in its turn: the longest is the one that the
others wait for. Left out: crashes, and the global hold, which people lift.

`isolated`: to the end of `isolate`, or until the run is given up before. `mitigated`:
the same for `workaround`. `silent`: between two posts, with the first from the start.

Called by: proving. Everything in seconds.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from engine.analysis.bounds import longer_lists, longer_undos
from engine.analysis.proof.ages import POLLS
from engine.analysis.proof.answers import look_seconds
from engine.analysis.proof.domains import TARGETS
from engine.analysis.proof.loops import NOT_TIMED, circles, loop_in
from engine.analysis.proof.states import State
from engine.analysis.proof.walk import SAME, Edge, Graph
from engine.core.code import CompiledRunbook
from engine.core.record import MAIN, Record, Thread
from engine.core.turn import IN_FLIGHT
from engine.model.runbook import comes_after

TOLERANCE: Final = 1e-6
FOREVER: Final = 1e9  # seconds; a loop that nothing bounds comes to this

Point = tuple[int, str]  # a state, and the thread whose time counts


class Reached(NamedTuple):
    """How late a point can be reached, when its times are over, and from where."""

    seconds: float
    limits: dict[str, float]  # key of a time to when it is over
    came: tuple["Reached", int] | None  # from where, by which edge


@dataclass(slots=True)
class Times:
    """The worst cases, with the edges that lead there."""

    isolated: float = 0.0
    mitigated: float = 0.0
    total: float = 0.0
    silent: float = 0.0
    ways: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    tight: bool = True  # false: lists longer than those walked are bounded from above
    loop: int = -1  # the edge that closes a loop which nothing bounds; -1: none


class Longest:
    """One computation of the longest ways through a graph."""

    def __init__(self, compiled: CompiledRunbook, graph: Graph) -> None:
        self.compiled, self.graph = compiled, graph
        self.best: dict[Point, Reached] = {}
        self.order: dict[int, int] = {}
        self.times = Times(tight=not longer_lists(compiled, TARGETS))
        self.posts = False  # whether the clock starts again with each post
        self.lists = longer_lists(compiled, TARGETS)
        self.undos = longer_undos(compiled, TARGETS)

    def run(self) -> Times:
        """Return the worst cases."""
        self.times.loop = loop_in(self.graph)
        if self.times.loop < 0:
            self._number()
            self._spread()
            self._judge_total()
            self.posts, self.best = True, {}
            self._spread()
            self._judge_silent()
        return self.times

    # Spreading

    def _number(self) -> None:
        """Give every state a place such that most edges lead onward."""
        seen: set[int] = set()
        after: list[int] = []
        for start in self.graph.starts:
            stack: list[tuple[int, Iterator[int]]] = []
            if start not in seen:
                seen.add(start)
                stack.append((start, self._targets(start)))
            while stack:
                number, targets = stack[-1]
                target = next(targets, None)
                if target is None:
                    after.append(number)
                    stack.pop()
                elif target not in seen:
                    seen.add(target)
                    stack.append((target, self._targets(target)))
        self.order = {number: place for place, number in enumerate(reversed(after))}

    def _targets(self, number: int) -> Iterator[int]:
        for one in self.graph.out[number]:
            edge = self.graph.edges[one]
            if edge.move.kind not in NOT_TIMED:
                yield edge.target

    def _spread(self) -> None:
        rounds, most = 0, 500 * (len(self.graph.states) + 50)
        queue: list[tuple[int, Point]] = []
        waiting: set[Point] = set()
        for start in self.graph.starts:
            point = (start, MAIN)
            limits = {
                key: float(seconds)
                for key, seconds in self.graph.states[start].pending.items()
                if isinstance(seconds, float | int)
            }
            self.best[point] = Reached(0.0, limits, None)
            heapq.heappush(queue, (self.order[start], point))
            waiting.add(point)
        while queue:
            _, point = heapq.heappop(queue)
            waiting.discard(point)
            rounds += 1
            for index in self.graph.out[point[0]]:
                for target, reached in self._along(point, index):
                    known = self.best.get(target)
                    if known is not None and not _later(reached, known):
                        continue
                    latest = reached if known is None else _latest(reached, known)
                    if rounds > most:  # a loop of another kind than those known
                        self.times.loop = index
                        return
                    self.best[target] = latest
                    if target not in waiting:
                        waiting.add(target)
                        heapq.heappush(queue, (self.order[target[0]], target))

    def _along(self, point: Point, index: int) -> Iterator[tuple[Point, Reached]]:
        edge = self.graph.edges[index]
        if edge.move.kind in NOT_TIMED:
            return
        number, label = point
        here = self.best[point]
        state = self.graph.states[number]
        seconds = here.seconds + self._takes(edge, state, here, label)
        target = self.graph.states[edge.target]
        seconds += self._longer(state, target, label)
        limits = self._limits(edge, here, target, seconds)
        if self.posts and edge.posts:
            seconds, limits = 0.0, self._anew(edge, target)
        seconds = self._in_time(target, label, limits, seconds)
        for following in self._labels(state, target, edge, label):
            yield (edge.target, following), Reached(seconds, limits, (here, index))

    def _longer(self, state: State, target: State, label: str) -> float:
        """Return what a list that begins here may take beyond what is walked."""
        now = target.record.threads.get(label)
        if not self.lists or now is None or now.stage != "each.batch" or now.n != 1:
            return 0.0
        was = state.record.threads.get(label)
        began = was is None or was.pc != now.pc or was.stage != now.stage
        return self.lists.get(now.pc, 0.0) if began else 0.0

    # One edge

    def _takes(self, edge: Edge, state: State, here: Reached, label: str) -> float:
        """Return how long the edge takes at most for the thread that counts."""
        move = edge.move
        thread = state.record.threads.get(label)
        if not move.thread:
            return 0.0 if move is SAME else self._waits(state, thread, here)
        if move.thread != label and not _above(state.record, label, move.thread):
            return 0.0
        if move.timer:
            end = self._ends(state, state.record.threads[move.thread], here)
            over = min(here.limits.get(move.timer, 0.0), end)
            late = here.limits.get(f"gate late {move.thread}", 0.0)
            return max(0.0, over - here.seconds, late - here.seconds)
        mover = state.record.threads[move.thread]
        end = self._ends(state, mover, here)
        seconds = FOREVER if mover.stage in POLLS else move.seconds
        return max(0.0, min(seconds, end - here.seconds))

    def _waits(self, state: State, thread: Thread | None, here: Reached) -> float:
        """Return how long the thread that counts can have waited when it is ended."""
        if thread is None or thread.stage in IN_FLIGHT:
            return 0.0
        end = self._ends(state, thread, here) - here.seconds
        looks = [
            one for key in thread.waits
            if isinstance(one := state.pending.get(key), tuple)
        ]  # fmt: skip
        if looks and thread.stage not in POLLS:
            end = min(end, max(look_seconds(one) for one in looks))
        return max(0.0, end) if end < FOREVER / 2 else 0.0

    def _ends(self, state: State, thread: Thread, here: Reached) -> float:
        """Return when the first time is over that ends what the thread does."""
        ends = [FOREVER]
        one: Thread | None = thread
        while one is not None:
            ends += [
                here.limits[key]
                for key in one.waits
                if key in here.limits and not key.endswith((":every", ":poll"))
            ]
            if one.stage == "gate.asking":
                gate = _gate(state.record, one, here.limits)
                ends.append(here.limits.get(f"{gate}:{one.n}", FOREVER))
            one = state.record.threads.get(one.parent)
        return min(ends)

    def _limits(
        self, edge: Edge, here: Reached, target: State, seconds: float
    ) -> dict[str, float]:
        waits = {key for one in target.record.threads.values() for key in one.waits}
        limits = {
            key: at for key, at in here.limits.items()
            if key in waits or key.startswith("gate ")
        }  # fmt: skip
        for key, length in edge.timers:
            if key in waits:
                limits[key] = seconds + length
        for thread in target.record.threads.values():
            if thread.stage == "gate.asking":
                self._gate_limits(target.record, thread, limits, seconds)
        return limits

    def _gate_limits(
        self, record: Record, thread: Thread, limits: dict[str, float], seconds: float
    ) -> None:
        """A gate has its time once, however often and inside what it is asked again."""
        gate = _gate(record, thread, limits)
        if f"{gate}:0" not in limits:
            for round_, length in enumerate(
                circles(self.compiled.nodes[thread.pc].step)
            ):
                limits[f"{gate}:{round_}"] = seconds + length
        over = limits[f"{gate}:{thread.n}"]
        for key in thread.waits:
            if key in limits:
                limits[key] = min(limits[key], over)

    def _in_time(
        self, target: State, label: str, limits: dict[str, float], seconds: float
    ) -> float:
        """Nobody is asked when the gate's time is over: it goes on at once, so late."""
        thread = target.record.threads.get(label)
        if thread is None or thread.stage != "gate.asking":
            return seconds
        over = limits[f"{_gate(target.record, thread, limits)}:{thread.n}"]
        if seconds > over:
            limits[f"gate late {thread.id}"] = seconds
        return min(seconds, over)

    def _anew(self, edge: Edge, target: State) -> dict[str, float]:
        """Return the limits after a post: what is left of a time, at most all of it."""
        limits = {
            key: float(one)
            for key, one in target.pending.items()
            if isinstance(one, float | int)
        }
        for thread in target.record.threads.values():
            if thread.stage == "gate.asking":
                self._gate_limits(target.record, thread, limits, 0.0)
        return limits

    def _labels(
        self, state: State, target: State, edge: Edge, label: str
    ) -> Iterator[str]:
        """Yield the threads whose time can count from here on."""
        before, after = state.record.threads, target.record.threads
        now = label
        while now not in after:
            parent = before.get(now)
            if parent is None or not parent.parent:
                now = MAIN
                break
            now = parent.parent
        began = [
            one.id
            for one in after.values()
            if one.parent == now and one.id not in before
        ]
        if began and now not in (MAIN + ".",):
            yield from began
            return
        yield now
        if edge.move.thread == label:
            for one in after.values():
                was = before.get(one.id)
                if was is not None and was.stage == "act.guard_turn" != one.stage:
                    yield one.id

    # The worst cases

    def _judge_total(self) -> None:
        latest: dict[str, tuple[float, Any]] = dict.fromkeys(
            ("isolated", "mitigated", "total"), (0.0, None)
        )
        for point, here in self.best.items():
            state = self.graph.states[point[0]]
            for index in self.graph.out[point[0]]:
                edge = self.graph.edges[index]
                reached = self._reaches(state.record, edge)
                if not reached:
                    continue
                seconds = here.seconds + self._takes(edge, state, here, point[1])
                for name in reached:
                    if seconds > latest[name][0]:
                        latest[name] = (seconds, (here, index))
        for name, (latest_at, last) in latest.items():
            if last is not None:
                seconds = latest_at + (self.undos if name == "total" else 0.0)
                setattr(self.times, name, seconds)
                way = self.way(last[0])
                self.times.ways[name] = [*way, (last[1], seconds)]

    def _reaches(self, before: Record, edge: Edge) -> list[str]:
        """Return which of the times are over with an edge."""
        if edge.move.kind in NOT_TIMED:
            return []
        after = self.graph.states[edge.target].record
        found = ["total"] if after.end else []
        for name, phase in (("isolated", "isolate"), ("mitigated", "workaround")):
            if not _beyond(before, phase) and _beyond(after, phase):
                found.append(name)
        return found

    def _judge_silent(self) -> None:
        longest, way = 0.0, None
        for point, reached in self.best.items():
            for index in self.graph.out[point[0]]:
                edge = self.graph.edges[index]
                if edge.move.kind in NOT_TIMED or not edge.posts:
                    continue
                state = self.graph.states[point[0]]
                took = self._takes(edge, state, reached, point[1])
                if reached.seconds + took > longest:
                    longest, way = reached.seconds + took, (reached, index)
        every = self.compiled.runbook.chat.update_every  # a post comes by the clock
        clock = every.total_seconds() if every is not None else FOREVER
        self.times.silent = min(longest, clock)
        if way is not None and longest <= clock:
            self.times.ways["silent"] = [*self.way(way[0]), (way[1], longest)]

    def way(self, reached: Reached | None) -> list[tuple[int, float]]:
        """Return the edges that lead there, each with the seconds when it is over."""
        found: list[tuple[int, float]] = []
        while reached is not None and reached.came is not None:
            before, index = reached.came
            if self.posts and self.graph.edges[index].posts:
                break
            found.append((index, reached.seconds))
            reached = before
        return found[::-1]


def _above(record: Record, label: str, mover: str) -> bool:
    """Return whether the mover is a block around the thread that counts."""
    one = record.threads.get(label)
    while one is not None and one.id != mover:
        one = record.threads.get(one.parent)
    return one is not None


def _gate(record: Record, thread: Thread, limits: dict[str, float]) -> str:
    """Return the name of a gate's time: of the thread that was asked first."""
    one: Thread | None = thread
    while one is not None:
        if f"gate {one.id}@{thread.pc}:0" in limits:
            return f"gate {one.id}@{thread.pc}"
        one = record.threads.get(one.parent)
    return f"gate {thread.id}@{thread.pc}"


def _beyond(record: Record, phase: str) -> bool:
    over = bool(record.end) or record.winding is not None
    return over or comes_after(record.phase, phase)


def _later(one: Reached, known: Reached) -> bool:
    if one.seconds > known.seconds + TOLERANCE:
        return True
    return any(
        at > TOLERANCE + known.limits.get(key, -1.0) for key, at in one.limits.items()
    )


def _latest(one: Reached, known: Reached) -> Reached:
    limits = dict(known.limits)
    for key, at in one.limits.items():
        limits[key] = max(at, limits.get(key, at))
    if one.seconds > known.seconds + TOLERANCE:
        return Reached(one.seconds, limits, one.came)
    return Reached(known.seconds, limits, known.came)
