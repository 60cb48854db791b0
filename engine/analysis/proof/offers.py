"""What can happen next to a run that waits: every answer of checks, acts and people.

Own moves are those of one thread: of threads side by side the first goes on until it
waits for the others, since none of them changes what another one sees. What comes from
outside (cancel, the alert over, a lock lost, a crash, a stop rule) can come anywhere.

Called by: walk.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final, NamedTuple

from engine.analysis.bounds import GRACE
from engine.analysis.proof.answers import combined, look_seconds, looking, says, seen_of
from engine.analysis.proof.domains import Domains
from engine.analysis.proof.states import State
from engine.core.code import END_OF_BLOCK, CompiledRunbook
from engine.core.record import Record, Thread
from engine.core.turn import IN_FLIGHT, replace
from engine.expressions import Expression
from engine.model.effects import CheckCall
from engine.model.events import (
    Acted,
    AlertResolved,
    Answered,
    Cancelled,
    Event,
    HoldChanged,
    Locked,
    LockLost,
    Looked,
    Restarted,
    TimerFired,
    Voted,
)
from engine.model.people import Actor, Question

BLOCKS: Final = ("run.inside",)  # wait for a time, while others go on inside
BEFORE_ACT: Final = (
    "act.with", "act.recheck", "act.done_when", "act.remember", "act.guard"
)  # fmt: skip
ANYBODY: Final = Actor("ana")
OUTSIDE: Final = frozenset(
    {"cancel", "keep", "resolved", "lost", "dies", "crash", "stop"}
)


class Move(NamedTuple):
    """One thing that can happen."""

    thread: str  # who moves; empty: it comes from outside
    kind: str
    events: tuple[Event, ...]
    told: str
    seconds: float  # how long it takes at most
    timer: str = ""  # the key of the time that is over


class Offers:
    """The moves of a compiled runbook."""

    def __init__(
        self, compiled: CompiledRunbook, domains: Domains, always: frozenset[str]
    ) -> None:
        self.compiled, self.domains = compiled, domains
        self.always = always  # the checks that `always` reads
        self._stops: dict[Any, tuple[Move, ...]] = {}
        triggers = [one for one in compiled.runbook.trigger if one.alert is not None]
        self._resolving = list(dict.fromkeys(one.when_resolved for one in triggers))

    # Own moves

    def own(self, state: State, live: frozenset[str]) -> Iterator[Move]:
        """Yield what the thread whose turn it is can meet.

        Args:
            live: the checks whose answers are read again after the step.
        """
        record = state.record
        if record.hold:
            yield Move(
                "",
                "lift",
                (HoldChanged(on=False, by=ANYBODY),),
                "the global hold is lifted",
                0.0,
            )
            return
        thread = self.mover(record)
        if thread is None:
            return
        yield from self._moves(state, thread, live)
        if record.winding is None:
            yield from self._above(state, thread)

    def mover(self, record: Record) -> Thread | None:
        """Return the thread that goes on next, or None."""
        for thread in record.threads.values():
            if thread.waits and thread.stage not in BLOCKS and not is_watch(thread):
                return thread
        return None

    def _above(self, state: State, thread: Thread) -> Iterator[Move]:
        parent = state.record.threads.get(thread.parent)
        while parent is not None:
            if parent.stage in BLOCKS:
                yield from self._timers(state, parent)
            parent = state.record.threads.get(parent.parent)

    def _moves(
        self, state: State, thread: Thread, live: frozenset[str]
    ) -> Iterator[Move]:
        stage = thread.stage
        if stage in IN_FLIGHT:
            yield from self._acted(state.record, thread)
            return
        for key in thread.waits:
            waited = state.pending.get(key)
            if isinstance(waited, tuple):
                yield from self._looked(state.record, thread, key, waited, live)
        question = thread.box.get("question")
        if stage == "gate.asking":
            assert isinstance(question, Question)
            yield from self._voted(state, thread, question)
        elif isinstance(question, Question) and question.key in thread.waits:
            yield from self._answered(state, thread, question)
        elif stage == "start.lock":
            within = self._longest(state, thread)
            key = thread.waits[0]
            yield Move(thread.id, "lock", (Locked(key=key),), "the locks come", within)
        yield from self._timers(state, thread)
        if stage in BEFORE_ACT:
            yield from self._late_no(state.record, thread)

    def _timers(self, state: State, thread: Thread) -> Iterator[Move]:
        for key in thread.waits:
            seconds = state.pending.get(key)
            if isinstance(seconds, float | int):
                what = key.rpartition(":")[2]
                yield Move(
                    thread.id,
                    "timer",
                    (TimerFired(key=key),),
                    f"{seconds:g}s are over ({what})",
                    float(seconds),
                    key,
                )

    def _longest(self, state: State, thread: Thread) -> float:
        times = [
            float(one)
            for key in thread.waits
            if isinstance(one := state.pending.get(key), float | int)
        ]
        return min(times, default=0.0)

    def _acted(self, record: Record, thread: Thread) -> Iterator[Move]:
        (key,) = thread.waits
        name, seconds = self._flying(record, thread)
        outcomes: tuple[tuple[Any, str], ...] = (
            ("ok", "is done"),
            ("failed", "fails"),
            ("unknown", "times out, or its answer is lost"),
        )
        if thread.stage == "undo.undoing":
            outcomes = outcomes[:2]  # what cannot be told is tried again like these
        for outcome, told in outcomes:
            event = Acted(key=key, outcome=outcome)
            yield Move(thread.id, "act", (event,), f"{name} {told}", seconds)

    def _flying(self, record: Record, thread: Thread) -> tuple[str, float]:
        """Return what is in flight, and how long it takes at most."""
        if thread.stage == "undo.undoing":
            held = next(one for one in record.held if one.id == thread.held)
            return f"undo {held.action}", held.timeout_seconds + GRACE
        name = self.compiled.nodes[thread.pc].step.act
        scope = record.frames[thread.frame].scope
        model = self.compiled.scopes[scope].actions[name].model
        return f"act {name}", model.timeout.total_seconds() + GRACE

    # Looks

    def _looked(
        self,
        record: Record,
        thread: Thread,
        key: str,
        calls: tuple[CheckCall, ...],
        live: frozenset[str],
    ) -> Iterator[Move]:
        seconds = look_seconds(calls)
        for sights in combined(
            self.compiled, self.domains, record, thread, calls, live
        ):
            event = Looked(key=key, evidence=seen_of(calls, sights))
            told = ", ".join(
                f"{call.check} {says(sight)}"
                for call, sight in zip(calls, sights, strict=True)
            )
            yield Move(thread.id, "look", (event,), told, seconds)

    # People

    def _voted(
        self, state: State, thread: Thread, question: Question
    ) -> Iterator[Move]:
        seconds = self._longest(state, thread)
        votes = list(_yes(question))
        if votes:
            yield Move(thread.id, "vote", tuple(votes), "people say yes", seconds)
        group = next((one for one, _ in question.who if one not in question.not_by), "")
        if not group:
            return
        no = Voted(
            key=question.key,
            by=Actor("person-no", groups=(group,)),
            vote="reject",
            plan=question.plan.hash if question.plan else "",
        )
        yield Move(thread.id, "vote", (no,), f"{group} says no", seconds)

    def _answered(
        self, state: State, thread: Thread, question: Question
    ) -> Iterator[Move]:
        seconds = self._longest(state, thread)
        scope = state.record.frames[thread.frame].scope
        names = list(question.fields)
        choices = [
            self.domains.answers(scope, question.name, name, question.fields[name])
            for name in names
        ]
        by = Actor("person-1", groups=tuple(group for group, _ in question.who))
        for values in product(*choices):
            answers = dict(zip(names, values, strict=True))
            event = Answered(key=question.key, by=by, answers=answers)
            told = ", ".join(f"{name}: {value}" for name, value in answers.items())
            yield Move(thread.id, "answer", (event,), f"answer {told}", seconds)

    def _late_no(self, record: Record, thread: Thread) -> Iterator[Move]:
        gate = self.compiled.nodes[thread.pc].gate
        if gate == END_OF_BLOCK or thread.held or thread.n or record.winding:
            return
        step = self.compiled.nodes[gate].step
        groups = tuple({need.group for need in step.from_} - set(step.not_by))
        by = Actor("person-no", groups=groups)
        event = Voted(key=f"@{gate}:", by=by, vote="reject", plan="")
        yield Move(thread.id, "late", (event,), "somebody says no after all", 0.0)

    # From outside

    def outside(self, state: State) -> Iterator[Move]:
        """Yield what can come at any time."""
        record = state.record
        winding = record.winding
        flying = any(one.stage in IN_FLIGHT for one in record.threads.values())
        if flying:
            yield Move("", "crash", (Restarted(),), "the engine dies, and is back", 0.0)
        if winding is None or winding.end != "cancelled":
            give, keep = Cancelled(by=ANYBODY), Cancelled(by=ANYBODY, keep=True)
            yield Move("", "cancel", (give,), "somebody cancels", 0.0)
            yield Move("", "keep", (keep,), "somebody cancels and keeps", 0.0)
        if winding is not None:
            return
        if self.compiled.runbook.limits.lock:
            yield Move("", "lost", (LockLost(),), "the locks are lost", 0.0)
        yield Move(
            "", "dies", (Restarted(),), "the engine dies for the third time", 0.0
        )
        yield from self._resolved(record)
        yield from self._stopped(state)

    def _resolved(self, record: Record) -> Iterator[Move]:
        if record.alert_over:
            return
        resolved = "the alert is resolved"
        if not record.acted and self._resolving:
            yield Move("", "resolved", (AlertResolved(),), resolved, 0.0)
            return
        for does in self._resolving:
            event = AlertResolved(when_resolved=does)
            if does == "restore":
                yield Move("", "resolved", (event,), resolved, 0.0)
            elif does == "ask":
                key = f"resolved@{self.compiled.resolved_question}:resolved"
                owner = self.compiled.runbook.owner
                yes = Answered(
                    key=key,
                    by=Actor("person-1", groups=(owner,)),
                    answers={"restore": True},
                )
                told = f"{resolved}, and {owner} says restore"
                yield Move("", "resolved", (event, yes), told, 0.0)

    def _stopped(self, state: State) -> Iterator[Move]:
        record = state.record
        for thread in record.threads.values():
            if not thread.id.startswith("stop"):
                continue
            rule = self.compiled.nodes[thread.pc].exprs["watch"]
            turn = looking(self.compiled, record)
            beside = [one for one in rule.names if not one.startswith("checks.")]
            named = turn.bindings(thread, beside)
            about = (thread.id, thread.stage, repr(sorted(named.items())))
            if about not in self._stops:
                self._stops[about] = tuple(self._stop(state, thread, rule))
            yield from self._stops[about]

    def _stop(self, state: State, thread: Thread, rule: Expression) -> Iterator[Move]:
        """Yield how a rule comes true: by a look, or, where it names no check, by time.

        Answers that make it true are one, but for those that `always` reads at the end.
        """
        (key,) = thread.waits
        told = f"stop_when {rule.source} is true"
        calls = state.pending[key]
        if not isinstance(calls, tuple):
            if looking(self.compiled, state.record).is_true(thread, rule):
                yield Move("", "stop", (TimerFired(key=key),), told, 0.0)
            return
        found: dict[Any, Move] = {}
        choices = [self.domains.sights(0, call.check) for call in calls]
        for sights in product(*choices):
            evidence = seen_of(calls, sights)
            seen = {one.slot: one for one in evidence}
            record = replace(state.record, evidence=seen)
            if looking(self.compiled, record).is_true(thread, rule):
                read = [
                    (one.check, one.state, repr(one.seen))
                    for one in evidence
                    if one.check in self.always
                ]
                event = Looked(key=key, evidence=evidence)
                found.setdefault(repr(read), Move("", "stop", (event,), told, 0.0))
        yield from found.values()


def is_watch(thread: Thread) -> bool:
    """Whether the thread looks on from beside, and leads nowhere by itself."""
    return thread.id.startswith(("stop", "impact", "raise", "limits"))


def _yes(question: Question) -> Iterator[Voted]:
    count = 0
    for group, need in question.who:
        if group in question.not_by:
            return
        for _ in range(need):
            count += 1
            yield Voted(
                key=question.key,
                by=Actor(f"person-{count}", groups=(group,)),
                vote="approve",
                plan=question.plan.hash if question.plan else "",
                typed=question.retype or "",
            )
