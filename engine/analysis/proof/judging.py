"""What must hold: judged on every move of a walk, and on all that was walked.

Of the runbook: what restore leaves held, acts that nobody approved, `always`, steps
and causes that no path takes. Of the engine, on this runbook: the way back is written
before the act, an end holds nothing or is in somebody's hands, a run can be cancelled
at any time, nothing waits for people alone, nothing stands still.

Called by: walk (each move), proving (at the end).
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.analysis.always import as_held, happened
from engine.analysis.proof.offers import Move
from engine.analysis.proof.plain import all_plain
from engine.analysis.proof.states import State
from engine.analysis.proof.walk import SAME, Graph, Walk
from engine.core.advance import STAGES
from engine.core.code import CompiledRunbook, Node
from engine.core.gates import NOBODY, why_approval
from engine.core.lists import types_of
from engine.core.record import MAIN, Record, Thread
from engine.core.turn import Turn
from engine.expressions import compile_expression
from engine.model.effects import Act, Effect, Note, Page
from engine.model.events import Noted
from engine.model.people import ENGINE
from engine.model.runbook import Always
from engine.model.steps import VERBS

SHOWN: Final = {*VERBS, "looks"} - {"undo"}  # an undo of nothing leaves no trace


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not hold, and the move that showed it first."""

    code: str
    about: str  # the id of a step, `always/1`, or nothing
    message: str
    edge: int = -1  # index of the last move of the story; -1: there is none


class Judging:
    """Judges one walk."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.compiled = walk, walk.compiled
        self.faults: dict[tuple[str, str], Fault] = {}
        self.taken: set[int] = set()
        self.causes: set[tuple[str, str]] = set()  # step id, cause
        self._ids = {node.id: node for node in self.compiled.nodes}
        self._runs = {0: 0}  # each scope to the step that runs it
        for node in self.compiled.nodes:
            if node.verb == "run":
                self._runs[self.compiled.nodes[node.blocks[0]].scope] = node.pc
        clauses = self.compiled.runbook.always
        self._clauses = [
            (index, _Clause(self.compiled, one))
            for index, one in enumerate(clauses)
            if one.only_after is None
        ]
        self._ordered = [
            (index, one) for index, one in enumerate(clauses) if one.only_after
        ]
        self._broken: list[tuple[int, str]] = []
        self._remembered = frozenset(
            one.only_after for one in clauses if one.only_after
        )
        walk.history = self._history

    def _history(
        self, state: State, record: Record, effects: Sequence[Effect], event: Any
    ) -> frozenset[str]:
        """Return what `always` remembers: the looks, approvals and acts it names."""
        history = state.history
        if not self._ordered:
            return history
        for one in happened(event, effects):
            for index, clause in self._ordered:
                if one == f"act {clause.act}" and not _came(clause, history):
                    told = f"'{clause.act}' is done without {clause.only_after} before"
                    self._broken.append((index, f"{told} it"))
            for name in (one, one.split()[0]):
                if name in self._remembered and name not in history:
                    history |= {name}
        return history

    def judge(
        self,
        number: int,
        state: State,
        move: Move,
        record: Record,
        effects: list[Effect],
        target: int,
    ) -> None:
        """Judge one move."""
        edge = len(self.walk.graph.edges) - 1
        self._effects(effects, record, state, edge)
        for thread in record.threads.values():
            if thread.stage not in ("when", "ready"):
                self.taken.add(thread.pc)
        self.taken.update(self._runs[one.scope] for one in record.frames.values())
        if record.end:
            self._ended(record, effects, edge)
        if move.kind in ("cancel", "keep") and not (record.winding or record.end):
            self._add("cancel", "", "a cancel does not end the run", edge)
        for index, told in self._broken:
            self._add("always", f"always/{index}", told, edge)
        self._broken.clear()
        for index, rule in self._clauses:
            if told := rule.broken(record):
                self._add("always", f"always/{index}", told, edge)

    def _effects(
        self, effects: list[Effect], record: Record, state: State, edge: int
    ) -> None:
        for effect in effects:
            if isinstance(effect, Note):
                self._noted(effect, record, state, edge)
            elif isinstance(effect, Act) and not effect.undo:
                self._acts(effect, record, edge)

    def _add(self, code: str, about: str, message: str, edge: int) -> None:
        key = (code, about)
        if key not in self.faults:
            self.faults[key] = Fault(code, about, message, edge)

    def _noted(self, note: Note, record: Record, state: State, edge: int) -> None:
        winding = record.winding
        if note.kind == "end" and winding is not None and winding.through:
            self._left_held(record, edge)
        node = self._ids.get(note.step)
        if node is None:
            return
        if note.kind != "phase" and note.mark != "skipped":
            self.taken.add(node.pc)
        if note.kind == "cause":
            self.causes.add((node.id, note.subject))
        elif note.mark == "unapproved" and not _asked(node, record):
            action = self.compiled.scopes[node.scope].actions[node.step.act]
            told = f"{action.name} {why_approval(action)} and {NOBODY}"
            self._add("approval", node.id, f"on this path {told}", edge)
        elif note.kind == "intent" and node.verb == "act":
            self._approved(node, record, state, edge)

    def _approved(self, node: Node, record: Record, state: State, edge: int) -> None:
        action = self.compiled.scopes[node.scope].actions[node.step.act]
        plans = {
            gate.rpartition("@")[2]
            for frames in (record.frames, state.record.frames)
            for frame in frames.values()
            for gate in frame.plans
        }
        if action.needs_approval and str(node.gate) not in plans:
            told = f"'{action.name}' is done though nobody approved it"
            self._add("approval", node.id, told, edge)

    def _left_held(self, record: Record, edge: int) -> None:
        for held in record.held:
            if held.stuck:
                continue
            place = next(
                (
                    node.id
                    for node in self.compiled.nodes
                    if node.verb == "act"
                    and node.step.act == held.action
                    and held.id.endswith(f"/{node.pc}")
                ),
                "",
            )
            told = f"restore is through, and nothing has given back '{held.action}'"
            self._add("held", place, told, edge)

    def _acts(self, act: Act, record: Record, edge: int) -> None:
        """The way back is in the journal before the act is asked for."""
        thread = next(
            (one for one in record.threads.values() if act.key in one.waits), None
        )
        if thread is None:
            return
        node = self.compiled.nodes[thread.pc]
        action = self.compiled.scopes[node.scope].actions[act.action]
        shares = bool(action.model.slot)
        written = any(one.id == act.idempotency_key for one in record.held)
        if action.holds and not written and not shares:
            told = f"'{act.action}' is done before its undo is written down"
            self._add("undo-order", node.id, told, edge)

    def _ended(self, record: Record, effects: Sequence[Effect], edge: int) -> None:
        paged = any(isinstance(one, Page) for one in effects)
        if record.held and (record.end in ("resolved", "cleared") or not paged):
            names = ", ".join(one.action for one in record.held)
            told = f"the run ends as {record.end}, holds {names}, and tells nobody"
            self._add("held", "", told, edge)

    # Of all that was walked

    def over(self) -> Iterator[Fault]:
        """Yield what was found, and what no path has shown."""
        yield from self.faults.values()
        yield from self._waiting()
        plain = all_plain(self.compiled, self.walk.domains)
        for fault in self._untaken():
            if plain:
                yield fault
            else:
                told = f"{fault.message}; but not every value was tried"
                yield dataclasses.replace(fault, code="not-proved", message=told)

    def _untaken(self) -> Iterator[Fault]:
        """Yield what no path takes; of a sub-runbook its own file tells."""
        for node in self.compiled.nodes:
            if node.scope:
                continue
            written = node.verb in SHOWN and node.step is not None
            inside = node.verb == "all" and self.taken & {*node.blocks}
            if written and node.pc not in self.taken and not inside:
                if self._first_untaken(node):
                    yield Fault("unreached", node.id, self._why_untaken(node))
            elif node.verb == "cause":
                yield from self._unnamed(node)

    def _waiting(self) -> Iterator[Fault]:
        graph: Graph = self.walk.graph
        for number, state in enumerate(graph.states):
            record = state.record
            if record.end or not record.run:
                continue
            own = [graph.edges[one].move for one in graph.out[number]]
            if not any(one.thread or one is SAME for one in own) and not record.hold:
                told = "the run stands still: nothing it waits for can come"
                yield Fault("waits", "", told, self._edge_to(number))
                return
            for thread in record.threads.values():
                people = any("question" in str(key) for key in thread.box)
                times = [
                    key for key in thread.waits
                    if isinstance(state.pending.get(key), float | int)
                ]  # fmt: skip
                asks = thread.stage.endswith(("asking", "happened", ".ask"))
                if people and asks and not times:
                    node = self.compiled.nodes[thread.pc]
                    told = "this waits for people alone, without a time"
                    yield Fault("waits", node.id, told, self._edge_to(number))
                    return

    def _edge_to(self, number: int) -> int:
        edges = self.walk.graph.edges
        return next((n for n, one in enumerate(edges) if one.target == number), -1)

    def _first_untaken(self, node: Node) -> bool:
        """Whether the step before it, or around it, is taken: else that one is told."""
        for other in self.compiled.nodes:
            inside = node.pc in other.blocks
            before = other.next == node.pc and other.verb in VERBS
            if (inside or before) and other.pc not in self.taken:
                return False
        return True

    def _why_untaken(self, node: Node) -> str:
        told = f"no path takes '{node.name}'"
        if node.when is not None:
            told += f": its `when` is true on none ({node.when.source})"
        return told

    def _unnamed(self, node: Node) -> Iterator[Fault]:
        for index, cause in enumerate(node.step.cause):
            if (node.id, cause.name) not in self.causes:
                told = f"no path names the cause '{cause.name}'"
                rule = node.exprs.get(f"cause.{index}")
                if rule is not None:
                    told += ": where its `when` is true, another comes before it"
                yield Fault("unreached", f"{node.id}#{index}", told)


class _Clause:
    """One `always` clause."""

    def __init__(self, compiled: CompiledRunbook, clause: Always) -> None:
        self.compiled, self.clause = compiled, clause
        source = clause.at_end or clause.never or "true"
        self.rule = compile_expression(source, types_of(compiled.runbook))

    def broken(self, record: Record) -> str:
        """Return how a record breaks the clause, or nothing."""
        clause = self.clause
        if clause.never is not None:
            true = self._true(record)
            return f"never: {clause.never} is true here" if true else ""
        if record.end and not self._true(record):
            return f"at_end: {clause.at_end} is not true at this end"
        return ""

    def _true(self, record: Record) -> bool:
        if "" not in record.frames:
            return False
        record = as_held(record)
        turn = Turn(self.compiled, record, Noted(by=ENGINE, text=""), STAGES)
        return turn.is_true(Thread(MAIN, 0), self.rule) is True


def _asked(node: Node, record: Record) -> bool:
    """Return whether people were asked at the gate of an act: then it was void."""
    return any(
        asked.endswith(f"@{node.gate}")
        for frame in record.frames.values()
        for asked in frame.asked_tick
    )


def _came(clause: Always, history: frozenset[str]) -> bool:
    return clause.only_after in history
