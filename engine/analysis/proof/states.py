"""Which records count as one: the state of a walk, without what makes no difference.

Out of it: times, texts, entry numbers, the number of crashes, evidence that nobody will
read, who of equal targets is which. In it: where each thread stands, what it waits for,
what was approved on which states, what conditions can still read.

Held acts: of states that differ in nothing else only those that hold most and those
that hold least are walked; what holds something in between can end in no other way
(`exact` walks all of them, and the tests compare).

Called by: walk.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from engine.analysis.proof.ages import POLLS, STALE
from engine.analysis.proof.reading import Reading
from engine.core.code import CompiledRunbook
from engine.core.names import TRUSTED
from engine.core.record import Frame, Record, Thread
from engine.core.turn import BESIDE
from engine.core.undoing import retry_of
from engine.model.effects import CheckCall, Effect, Look, Timer
from engine.model.evidence import Evidence
from engine.model.run import Held

replace = msgspec.structs.replace
NUMBERED: Final = re.compile(r"[#~]\d+")
UNSEEN: Final = (*BESIDE, "limits")  # threads that lead a run nowhere
Pending = Mapping[str, "tuple[CheckCall, ...] | float"]  # key to looks, or to seconds


class State(NamedTuple):
    """A record, what it waits for, and what `always` has to remember."""

    record: Record
    pending: Pending
    history: frozenset[str] = frozenset()


class States:
    """Makes states, and the keys by which they are one."""

    def __init__(
        self,
        compiled: CompiledRunbook,
        reading: Reading,
        *,
        exact: bool = False,
        ages: bool = True,
    ) -> None:
        self.compiled, self.reading, self.exact = compiled, reading, exact
        rules = [one.when_resolved for one in compiled.runbook.trigger]
        self.steered = bool(compiled.runbook.stop_when) or {"restore", "ask"} & {*rules}
        self.ages = ages  # false: after any wait, every answer may be another one
        self._fresh_for = {
            (scope.index, name): check.model.fresh_for.total_seconds()
            for scope in compiled.scopes
            for name, check in scope.checks.items()
        }

    def after(
        self,
        before: Pending,
        record: Record,
        effects: Iterable[Effect],
        history: frozenset[str],
    ) -> State:
        """Return the state that a record is in, with what it waits for."""
        threads = record.threads
        if any(name.startswith(UNSEEN) for name in threads):
            threads = {
                name: one
                for name, one in threads.items()
                if not name.startswith(UNSEEN)
            }
        waits = {key for thread in threads.values() for key in thread.waits}
        pending: dict[str, tuple[CheckCall, ...] | float] = {
            key: one for key, one in before.items() if key in waits
        }
        for effect in effects:
            if isinstance(effect, Look) and effect.key in waits:
                pending[effect.key] = effect.checks
            elif isinstance(effect, Timer) and effect.key in waits:
                pending[effect.key] = effect.seconds
        evidence = self._evidence(record, threads)
        record = replace(record, threads=threads, evidence=evidence, steps=0, crashes=0)
        return State(record, pending, history)

    def _evidence(
        self, record: Record, threads: Mapping[str, Thread]
    ) -> dict[str, Evidence]:
        if not record.evidence:
            return record.evidence
        reading = self.reading
        fresh, kept = reading.always, reading.always
        if record.winding is None:
            fresh, kept = self.read_again(record, threads)
        found = {}
        for slot, seen in record.evidence.items():
            name = seen.check
            young = name in fresh and self._young(seen)
            if young:
                found[slot] = seen
            elif name in kept:
                known = seen.tick == STALE
                found[slot] = seen if known else replace(seen, tick=STALE, seen={})
        return found

    def read_again(
        self, record: Record, threads: Mapping[str, Thread]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return the checks read without a new look, and those a plan will name."""
        reading = self.reading
        places = reading.places(threads.values())
        causes = frozenset(
            name for frame in record.frames.values() for name in frame.cause_checks
        )
        kept = reading.kept(places, causes)
        return reading.fresh(places) | reading.always, kept | reading.always

    def _young(self, seen: Evidence) -> bool:
        if not self.ages and seen.tick < 0.0:
            return False
        if seen.check in self.reading.measured:
            return False
        longest = max(
            (self._fresh_for.get((scope.index, seen.check), 0.0))
            for scope in self.compiled.scopes
        )
        return -seen.tick <= longest

    # Keys

    def key(self, state: State) -> Any:
        """Return what tells a state from others, but for what it holds."""
        record = state.record
        winding = record.winding
        if self.is_held_up(record):
            return self._held_up(state)
        pcs = self.reading.places(record.threads.values())
        frames = tuple(
            [self._frame(one, record, pcs) for one in record.frames.values()]
        )
        return (
            tuple([self._thread(one, state) for one in record.threads.values()]),
            frames,
            tuple(
                sorted(
                    [
                        (slot, one.state, one.tick, repr(one.seen) if one.seen else "")
                        for slot, one in record.evidence.items()
                    ]
                )
            ),
            record.phase,
            record.acted,
            record.hold,
            self.kept(record),
            (winding.end, winding.give_back, winding.last_look, winding.started)
            if winding is not None
            else None,
            record.end,
            state.history,
            repr((record.labels, record.annotations)) if self.reading.outside else "",
            record.alert_over and winding is None,  # it resolves once
        )

    def is_held_up(self, record: Record) -> bool:
        """Whether the record is told apart only by how it can be ended."""
        return record.hold and record.winding is None and not self.steered

    def _held_up(self, state: State) -> Any:
        """Return what tells states apart while the global hold keeps an act waiting.

        Once it is lifted the run is where it would be without it, which is walked too:
        only how such a run is ended from outside is new.
        """
        record = state.record
        threads = [(one.id, one.pc, one.stage) for one in record.threads.values()]
        inputs = record.frames[""].inputs
        cause = record.frames[""].cause if self.reading.reads_end_cause else ""
        return (
            "held up",
            tuple(threads),
            record.phase,
            record.acted,
            self.kept(record),
            self.told_at_end(record),
            state.history,
            cause,
            repr((inputs, record.labels, record.annotations)),
        )

    def _thread(self, thread: Thread, state: State) -> Any:
        stage = thread.stage
        looks = [
            tuple([call.slot for call in waited])
            for key in thread.waits
            if isinstance(waited := state.pending.get(key, 0.0), tuple)
        ]
        return (
            thread.id,
            thread.pc,
            stage,
            thread.frame,
            self._count(thread, state.record),
            thread.back,
            looks,
            _box(thread),
            _results(thread),
            _names(thread),
            class_of(thread.held),
        ).__repr__()

    def _count(self, thread: Thread, record: Record) -> int:
        """Return what of a thread's count matters: polls are not counted."""
        if thread.stage in POLLS:
            return 0
        if not thread.stage.startswith("undo.") or thread.n < 2:
            return thread.n
        held = next((one for one in record.held if one.id == thread.held), None)
        if held is None:
            return 0
        scope = self.compiled.scopes[record.frames[held.frame].scope]
        retry = retry_of(scope.actions[held.action])
        return min(thread.n, (retry.times if retry is not None else 0) + 1)

    def _frame(self, frame: Frame, record: Record, pcs: frozenset[int]) -> Any:
        reading = self.reading
        over = record.winding is not None
        gates = frozenset[int]() if over else reading.open_gates(pcs)
        choosing = not over and (
            reading.reads_cause or self._chooses(frame.scope, pcs) or bool(gates)
        )
        cause = (frame.cause, frame.workaround)
        named = reading.always_named if over else reading.named(pcs)
        return (
            frame.id,
            cause if choosing else frame.cause if reading.reads_end_cause else "",
            tuple(
                [
                    (gate, plan.hash if plan is not None else "")
                    for gate, plan in frame.plans.items()
                    if _asked(gate, gates, record)
                ]
            ),
            tuple([one for one in frame.asked_tick if _asked(one, gates, record)]),
            repr(
                [
                    (step, name, value)
                    for step, told in frame.answers.items()
                    for name, value in told.items()
                    if f"answers.{step}.{name}" in named
                ]
            ),
            repr([one for one in frame.inputs.items() if one[0] in named]),
        )

    def _chooses(self, scope: int, pcs: frozenset[int]) -> bool:
        return any(
            self.compiled.nodes[pc].verb == "choose"
            and self.compiled.nodes[pc].scope == scope
            for pc in self.reading.ahead(pcs)
        )

    def told_at_end(self, record: Record) -> str:
        """Return the answers of checks and people that `always` reads at the end."""
        named = self.reading.always_named
        told = [
            (step, name, value)
            for step, answers in record.frames[""].answers.items()
            for name, value in answers.items()
            if f"answers.{step}.{name}" in named
        ]
        seen = [
            (slot, one.state, repr(one.seen))
            for slot, one in record.evidence.items()
            if one.check in self.reading.always
        ]
        return repr((told, sorted(seen))) if told or seen else ""

    def kept(self, record: Record) -> Any:
        """Return what is told apart of the held acts: stuck, and those read by name."""
        return any(one.stuck for one in record.held), self._exactly(record.held)

    def _exactly(self, held: Iterable[Held]) -> Any:
        if self.exact:
            return tuple(sorted([(class_of(one.id), one.stuck) for one in held]))
        return tuple(
            sorted(
                [
                    (class_of(one.id), one.stuck)
                    for one in held
                    if one.action in self.reading.exact
                ]
            )
        )

    def held(self, state: State) -> frozenset[Any]:
        """Return what is held, as a set: so many of each act."""
        if self.exact:
            return frozenset()
        counts: dict[str, int] = {}
        for one in state.record.held:
            if not one.stuck and one.action not in self.reading.exact:
                name = class_of(one.id)
                counts[name] = counts.get(name, 0) + 1
        return frozenset(
            (name, number) for name, count in counts.items() for number in range(count)
        )


def _asked(asked: str, gates: frozenset[int], record: Record) -> bool:
    thread, _, gate = asked.rpartition("@")
    return int(gate) in gates and thread in record.threads


def class_of(held: str) -> str:
    """Return the id of a held act without the number of its target or round."""
    return NUMBERED.sub("", held) if "#" in held or "~" in held else held


def _box(thread: Thread) -> Any:
    box = thread.box
    if not box:
        return ()
    return (
        box.get("done"),
        bool(box.get("hold")),
        box.get("then"),
        box.get("own"),
        box.get("outcome"),
        len(box.get("votes", ())),
        len(box.get("targets", ())),
    )


def _results(thread: Thread) -> Any:
    if not thread.results:
        return ()
    return sorted([(one.ok, one.pc, one.policy, one.jump) for one in thread.results])


def _names(thread: Thread) -> Any:
    if not thread.names:
        return ()
    return [(name, one) for name, one in thread.names.items() if name != TRUSTED]
