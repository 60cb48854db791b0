"""The walk: every state that a runbook can come to, and every way between them.

Depth first, through `core.advance` and nothing else. What is found is a graph: states
by number, edges with what happened, how long it takes at most, and what it started.
What must hold is judged on each edge as it is found (judging).

Called by: proving.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import product
from typing import Any, Final, NamedTuple

from engine.analysis.proof.ages import Ages
from engine.analysis.proof.domains import Domains
from engine.analysis.proof.offers import Move, Offers
from engine.analysis.proof.reading import Reading
from engine.analysis.proof.states import State, States, replace
from engine.core.advance import advance
from engine.core.code import CompiledRunbook
from engine.core.outside_events import MOST_CRASHES
from engine.core.record import Record
from engine.model.effects import Effect, Timer
from engine.model.events import Started
from engine.model.people import Actor

MOST_STATES: Final = 100_000
SAME: Final = Move("", "same", (), "", 0.0)  # to a state that holds more
MOST_STARTS: Final = 256  # combinations of inputs that conditions read


class TooLarge(Exception):
    """There are more states than may be walked."""


class Edge(NamedTuple):
    """One move between two states."""

    source: int
    target: int
    move: Move
    timers: tuple[tuple[str, float], ...]  # times that began, with their seconds
    posts: bool
    exact: bool  # the target is what came of it, not one that holds more


Judge = Callable[[int, State, Move, Record, list[Effect], int], None]


@dataclass(slots=True)
class Graph:
    """Everything that was walked."""

    states: list[State] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    out: list[list[int]] = field(default_factory=list)  # edges from each state
    events: int = 0  # calls of `advance`

    @property
    def ends(self) -> Iterator[int]:
        """Yield the states in which the run is over."""
        return (n for n, one in enumerate(self.states) if one.record.end)


class Walk:
    """One walk through one runbook."""

    def __init__(
        self,
        compiled: CompiledRunbook,
        *,
        most: int = MOST_STATES,
        exact: bool = False,
        ages: bool = True,
    ) -> None:
        compiled = without_parameters(compiled)
        self.compiled, self.most = compiled, most
        self.domains = Domains(compiled)
        self.reading = Reading(compiled, self.domains)
        self.states = States(compiled, self.reading, exact=exact, ages=ages)
        self.ages = Ages(compiled)
        self.offers = Offers(compiled, self.domains, self.reading.always)
        self.graph = Graph()
        self._alike = True  # every run begins in the same way
        self._known: dict[Any, list[tuple[frozenset[Any], int]]] = {}
        self._winding: dict[Any, int] = {}
        self._left: list[int] = []
        self._later: list[tuple[int, int]] = []  # so much is held there, and the state
        self.history: Callable[[State, Record, list[Effect], Any], frozenset[str]] = (
            lambda state, record, effects, event: state.history
        )

    def run(self, judge: Judge) -> Graph:
        """Walk until nothing is new; return the graph.

        Raises:
            TooLarge: more than `most` states. TooWide: too many answers of one look.
        """
        root, _ = self._add(State(Record(), {}))
        self.graph.starts.append(root)
        self._left.clear()
        begin = list(self._starts())
        self._alike = len(begin) == 1
        for move in begin:
            self._go(root, self.graph.states[root], move, judge)
        while self._left or self._later:
            if self._left:
                self._from(self._left.pop(), judge)
            elif not self._between(number := heappop(self._later)[1]):
                self._from(number, judge)
        return self.graph

    def _between(self, number: int) -> bool:
        """Whether states that hold more and less are known by now; then it is left."""
        state = self.graph.states[number]
        more, less = self._around(self.states.key(state), self.states.held(state))
        if more is None or less is None:
            return False
        self.graph.out[number].append(len(self.graph.edges))
        self.graph.edges.append(Edge(number, more, SAME, (), False, False))
        return True

    def _around(self, key: Any, held: frozenset[Any]) -> tuple[int | None, int | None]:
        """Return states that hold more, and less, and differ in nothing else."""
        known = self._known[key]
        more = next((number for other, number in known if held < other), None)
        return more, next((number for other, number in known if held > other), None)

    def _starts(self) -> Iterator[Move]:
        runbook = self.compiled.runbook
        names = list(runbook.inputs)
        choices = [self.domains.inputs(0, name, runbook.inputs[name]) for name in names]
        labels, notes = (self.domains.labels(one) for one in ("labels", "annotations"))
        starts = product(product(*choices), labels, notes)
        for number, (values, label, note) in enumerate(starts):
            if number >= MOST_STARTS:
                raise TooLarge(f"more than {MOST_STARTS} combinations of inputs")
            started = Started(
                run="run",
                revision=self.compiled.revision,
                inputs=dict(zip(names, values, strict=True)),
                labels=dict(label),
                annotations=dict(note),
                by=Actor("requester", kind="source"),
            )
            yield Move("", "start", (started,), "the run begins", 0.0)

    # One state

    def _from(self, number: int, judge: Judge) -> None:
        state = self.graph.states[number]
        if state.record.end:
            return
        live = self._live(state)
        for move in self.offers.own(state, live):
            record = self._go(number, state, move, judge)
            self._held_up(number, state, move, record, judge)
        for move in self.offers.outside(state):
            self._from_outside(number, state, move, judge)

    def _live(self, state: State) -> frozenset[str]:
        if state.record.winding is not None:
            return self.reading.always
        fresh, kept = self.states.read_again(state.record, state.record.threads)
        return fresh | kept

    def _go(self, number: int, state: State, move: Move, judge: Judge) -> Record:
        record, effects, history = self.applied(state, move)
        after = self.states.after(state.pending, record, effects, history)
        target, exact = self._add(after)
        self._edge(number, target, move, record, effects, exact=exact)
        judge(number, state, move, record, effects, target)
        return record

    def applied(
        self, state: State, move: Move
    ) -> tuple[Record, list[Effect], frozenset[str]]:
        """Return what a move makes of a state: the record, effects, and history."""
        record, history = state.record, state.history
        older = self.ages.older(record, move.thread, move.seconds)
        if older is not record.evidence:
            record = replace(record, evidence=older)
        if move.kind == "dies":
            record = replace(record, crashes=MOST_CRASHES - 1)
        effects: list[Effect] = []
        for event in move.events:
            if move.kind == "hold" and event is move.events[-1]:
                record = replace(record, hold=True)
            self.graph.events += 1
            record, more = advance(self.compiled, record, event)
            effects += more
            history = self.history(State(record, {}, history), record, more, event)
        record = self.ages.polls_on(state.record, record, move.thread, older)
        return record, effects, history

    def _held_up(
        self, number: int, state: State, move: Move, record: Record, judge: Judge
    ) -> None:
        """The same, while the global hold is set: an act that would begin waits."""
        if record.winding is not None or record.hold or not _begins(state, record):
            return
        told = f"{move.told}, while the global hold is set"
        self._go(number, state, move._replace(kind="hold", told=told), judge)

    def _from_outside(
        self, number: int, state: State, move: Move, judge: Judge
    ) -> None:
        if move.kind in ("crash", "resolved", "stop"):
            self._go(number, state, move, judge)
            return
        about = self._about(state, move)
        if about in self._winding:
            self.graph.edges.append(
                Edge(number, self._winding[about], move, (), True, False)
            )
            self.graph.out[number].append(len(self.graph.edges) - 1)
            return
        self._go(number, state, move, judge)
        if self.graph.out[number]:
            last = self.graph.edges[self.graph.out[number][-1]]
            if last.move is move:
                self._winding[about] = last.target

    def _about(self, state: State, move: Move) -> Any:
        """Return what of a state matters to a run that is ended from outside."""
        record = state.record
        early = record.phase in ("", "confirm", "isolate")
        flying = tuple(
            (one.id, one.stage, one.pc, one.n)
            for one in record.threads.values()
            if one.stage in ("act.acting", "undo.undoing")
        )
        main = record.frames[""]
        winding = record.winding
        return (
            move.kind,
            self.states.held(state),
            tuple((one.id, one.stuck) for one in record.held)
            if flying
            else self.states.kept(record),
            early,
            flying,
            (main.cause if self.reading.reads_end_cause else ""),
            "" if self._alike else repr((main.inputs, record.labels)),
            self.states.told_at_end(record),
            state.history,
            None if winding is None else self.states.key(state),
        )

    # The graph

    def _add(self, state: State) -> tuple[int, bool]:
        """Return the number of the state, or of one that stands for it."""
        key, held = self.states.key(state), self.states.held(state)
        known = self._known.setdefault(key, [])
        for other, number in known:
            if other == held:
                return number, not self.states.is_held_up(state.record)
        more, less = None, None
        if not _giving_back(state.record):  # else more would be given back in a circle
            more, less = self._around(key, held)
        if more is not None and less is not None:
            return more, False
        number = len(self.graph.states)
        if number >= self.most:
            raise TooLarge(f"more than {self.most:,} states")
        self.graph.states.append(state)
        self.graph.out.append([])
        self._known[key].append((held, number))
        if more is None:
            self._left.append(number)
        else:  # those that hold least come first: nobody walks what is between them
            heappush(self._later, (len(held), number))
        return number, True

    def _edge(
        self,
        source: int,
        target: int,
        move: Move,
        record: Record,
        effects: list[Effect],
        *,
        exact: bool,
    ) -> None:
        waited = {key for one in record.threads.values() for key in one.waits}
        timers = tuple(
            (one.key, one.seconds)
            for one in effects
            if isinstance(one, Timer) and one.key in waited
        )
        posts = any(type(one).__name__ in POSTS for one in effects)
        self.graph.out[source].append(len(self.graph.edges))
        self.graph.edges.append(Edge(source, target, move, timers, posts, exact))


POSTS: Final = frozenset({"Say", "Ask", "Page"})


def without_parameters(compiled: CompiledRunbook) -> CompiledRunbook:
    """Return the code with nothing to render for a look: no answer depends on it."""
    scopes = tuple(
        dataclasses.replace(
            scope,
            checks={
                name: dataclasses.replace(
                    check, model=check.model.model_copy(update={"params": {}})
                )
                if check.model.kind != "agree"
                else check
                for name, check in scope.checks.items()
            },
        )
        for scope in compiled.scopes
    )
    return dataclasses.replace(compiled, scopes=scopes)


def _giving_back(record: Record) -> bool:
    return any(one.stage.startswith("undo.") for one in record.threads.values())


def _begins(state: State, record: Record) -> bool:
    """Whether an act, or its guard, has just begun."""
    before: Mapping[str, Any] = state.record.threads
    for name, thread in record.threads.items():
        if thread.stage not in ("act.guard", "act.acting"):
            continue
        was = before.get(name)
        if was is None or was.stage not in (
            "act.guard", "act.acting", "act.retry", "act.crashed", "act.happened"
        ):  # fmt: skip
            return True
    return False
