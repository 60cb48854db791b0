"""Another version of a runbook on a recorded run: its first other decision.

The new version is played on its own clock. What it asks for is answered as it was then:
a look by what the same look saw at that time (judged anew where `pass` changed), an act
by what came of it, a question by what people said, a time when it is over. What nobody
asked then has no answer, and parts them too.

What a watch beside the run asks and nobody asked then is left open and told, since it
decides nothing by itself but for a stop rule.

Called by runtime.replaying.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from engine.analysis.replaying.alike import Decision, act_of, decisions_in, question_of
from engine.analysis.replaying.recorded import (
    Asked,
    Keyed,
    Recorded,
    Sight,
    looked_at,
    meant,
    named,
    recorded,
    settled,
)
from engine.core.advance import advance
from engine.core.code import CompiledRunbook
from engine.core.inputs import bind_inputs
from engine.core.judge import judge
from engine.core.record import Record
from engine.core.turn import BESIDE
from engine.model.effects import Act, Ask, CheckCall, Look, Note, Timer
from engine.model.events import (
    Acted,
    Answered,
    Event,
    Locked,
    Looked,
    Started,
    TimerFired,
    Voted,
)
from engine.model.evidence import Evidence, Observation

replace = msgspec.structs.replace
WATCHES: Final = (*BESIDE, "stop")  # threads beside the run
NEAR_SECONDS: Final = 1.0  # two times that began so close are one
LATEST: Final = 2**62  # the index of what was not recorded
MOST_EVENTS: Final = 100_000
ANSWERS: Final = frozenset({Looked, Acted, TimerFired, Locked, Answered})


class Side(NamedTuple):
    """A decision of one version, and when it was taken."""

    note: Note
    tick: float
    event: int = -1  # index of the recorded event that led to it


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the new version stands as they part."""

    record: Record
    pending: Mapping[str, tuple[CheckCall, ...] | float]  # looks, or seconds left
    tick: float
    known: Mapping[str, Mapping[str, Evidence]]  # of looks: slot to what was seen then


@dataclass(slots=True)
class Parting:
    """How far two versions decide alike."""

    same: int  # decisions from the start
    decisions: int = 0  # that the recorded run took
    then: Side | None = None  # the first that differs; None: it had taken no more
    now: Side | None = None
    unseen: tuple[str, ...] = ()  # what the new version asks and nobody asked then
    problems: tuple[str, ...] = ()  # why it could not even begin
    left_open: tuple[str, ...] = ()  # watches that have no answer
    standing: Standing | None = None

    @property
    def parts(self) -> bool:
        """Whether they differ anywhere."""
        return bool(self.then or self.now or self.unseen or self.problems)


def parting(
    old: CompiledRunbook, new: CompiledRunbook, events: Sequence[Event]
) -> Parting:
    """Return where the new version decides otherwise than the old one did.

    Args:
        old: The code that the run was pinned to.
        new: The code of the other version.
        events: Everything that the run was told, in order; the first is its start.
    """
    then = recorded(old, events)
    first = events[0]
    assert isinstance(first, Started)
    started, problems = _started(new, first)
    if problems:
        return Parting(0, len(then.decisions), problems=tuple(problems))
    return _Again(new, then).play(started)


def _started(new: CompiledRunbook, first: Started) -> tuple[Started, list[str]]:
    """Return the start of the new version with the inputs of then."""
    known = new.runbook.inputs
    secret = {name: one for name, one in first.inputs.items() if isinstance(one, dict)}
    given = {
        name: one
        for name, one in first.inputs.items()
        if name in known and name not in secret and one is not None
    }
    stand_in = {name: "secret" for name in secret if name in known}
    inputs, problems = bind_inputs(
        new.runbook, given | stand_in, first.labels, first.annotations
    )
    hidden = {name: one for name, one in secret.items() if name in known}
    problems = [
        one for one in problems if not any(f"'{name}'" in one for name in hidden)
    ]
    return replace(first, revision=new.revision, inputs=inputs | hidden), problems


@dataclass(slots=True)
class _Waits:
    """Something the new version waits for."""

    effect: Keyed
    tick: float


@dataclass(slots=True)
class _Again:
    """The new version as it goes through the recorded run."""

    new: CompiledRunbook
    then: Recorded
    record: Record = field(default_factory=Record)
    pending: dict[str, _Waits] = field(default_factory=dict)
    left_open: dict[str, None] = field(default_factory=dict)
    _queue: list[tuple[float, int, int, Event, _Waits | None]] = field(
        default_factory=list
    )
    _order: int = 0
    _free: dict[type, list[Asked]] = field(default_factory=dict)  # not asked yet
    _known: dict[str, dict[str, Evidence]] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)  # of questions, then to now

    def play(self, started: Started) -> Parting:
        """Go on until a decision differs, or all of them were the same."""
        self._put(started, started.tick, 0, None)
        for asked in self.then.asked:
            self._free.setdefault(type(asked.effect), []).append(asked)
        for index in self.then.outside[1:]:
            event = self.then.events[index]
            if type(event) not in ANSWERS:
                self._put(event, event.tick, index, None)
        same = 0
        decisions = self.then.decisions
        for tick, index, event in self._next():
            made, unseen = self._told(event, tick, index)
            for one in made:
                if same == len(decisions) or decisions[same][1].meaning != one.meaning:
                    return self._parted(same, Side(one.note, tick), (), tick)
                same += 1
            if unseen:
                return self._parted(same, None, unseen, tick)
        if same < len(decisions):
            return self._parted(same, None, self._open(), self._last())
        return Parting(same, same, left_open=tuple(self.left_open))

    def _next(self) -> Iterator[tuple[float, int, Event]]:
        """Yield what happens, in its order; new things may come in between."""
        many = 0
        while self._queue and many < MOST_EVENTS:
            many += 1
            tick, index, _, event, waits = heapq.heappop(self._queue)
            if waits is not None and self.pending.get(waits.effect.key) is not waits:
                continue  # nobody waits for it any more
            if waits is None and isinstance(event, Voted):
                if event.key not in self._keys:
                    continue  # a late word on what is not asked now
                event = replace(event, key=self._keys[event.key])
            yield tick, index, event

    def _parted(
        self, same: int, now: Side | None, unseen: tuple[str, ...], tick: float
    ) -> Parting:
        then = None
        if same < len(self.then.decisions):
            index, decision = self.then.decisions[same]
            then = Side(decision.note, self.then.events[index].tick, index)
        pending: dict[str, tuple[CheckCall, ...] | float] = {}
        for key, waits in self.pending.items():
            if isinstance(waits.effect, Look):
                pending[key] = waits.effect.checks
            elif isinstance(waits.effect, Timer):
                pending[key] = max(0.0, waits.tick + waits.effect.seconds - tick)
        standing = Standing(self.record, pending, tick, self._known)
        return Parting(
            same, len(self.then.decisions), then, now, unseen,
            left_open=tuple(self.left_open), standing=standing,
        )  # fmt: skip

    def _open(self) -> tuple[str, ...]:
        return tuple(
            self._open_part(one.effect)
            for key, one in self.pending.items()
            if not key.startswith(WATCHES) and not isinstance(one.effect, Timer)
        )

    def _open_part(self, effect: Keyed) -> str:
        """Return in words what is asked for, of a look what nobody saw then."""
        known = self._known.get(effect.key, {})
        if isinstance(effect, Look):
            calls = tuple(one for one in effect.checks if one.slot not in known)
            effect = Look(effect.key, calls)
        return named(effect)

    def _last(self) -> float:
        return self.then.events[-1].tick

    # One event

    def _put(self, event: Event, tick: float, index: int, waits: _Waits | None) -> None:
        self._order += 1
        entry = (tick, index, self._order, event, waits)
        heapq.heappush(self._queue, entry)

    def _told(
        self, event: Event, tick: float, index: int
    ) -> tuple[list[Decision], tuple[str, ...]]:
        """Tell the new version; return what it decides, and what has no answer."""
        if event.tick != tick or not event.at:
            first = self.then.events[0]
            event = replace(event, tick=tick, at=first.at + tick - first.tick)
        self.record, effects = advance(self.new, self.record, event)
        unseen: list[str] = []
        for effect in settled(self.pending, self.record, event, effects):
            waits = self.pending[effect.key] = _Waits(effect, tick)
            if self._answer(waits, index):
                continue
            if effect.key.startswith(WATCHES):
                self.left_open[self._open_part(effect)] = None
            else:
                unseen.append(self._open_part(effect))
        return decisions_in(effects), tuple(unseen)

    def _answer(self, waits: _Waits, index: int) -> bool:
        """Queue what was said then; return whether anything was."""
        effect = waits.effect
        if isinstance(effect, Look):
            return self._look(waits, effect, index)
        if isinstance(effect, Timer):
            self._time(waits, effect, index)
            return True
        if isinstance(effect, Act):
            return self._twin_answers(waits, act_of(effect), index)
        if isinstance(effect, Ask):
            return self._twin_answers(waits, question_of(effect.question), index)
        if not self._twin_answers(waits, "", index):
            self._put(Locked(key=effect.key), waits.tick, index, waits)
        return True

    # Looks

    def _look(self, waits: _Waits, effect: Look, index: int) -> bool:
        if self._cut_short(effect, index):
            return True
        seen: dict[str, Evidence] = {}
        at, last = waits.tick, index
        for call in effect.checks:
            if call.problem:
                unseen = Observation(unknown=call.problem)
                seen[call.slot] = judge(call, unseen, tick=at, at=0.0, attempts=1)
                continue
            sight = self._sight(call, effect.key, waits.tick, index)
            if sight is None:
                continue
            seen[call.slot] = _judged(call, sight)
            answered = self.then.events[sight.answer].tick
            if answered >= at and sight.answer >= index:
                at, last = answered, max(last, sight.answer)
        if len(seen) < len(effect.checks):
            self._known[effect.key] = seen
            return False
        looked = Looked(key=effect.key, evidence=tuple(seen.values()))
        self._put(looked, at, last, waits)
        return True

    def _cut_short(self, effect: Look, index: int) -> bool:
        """Whether the same look was begun then and never ended."""
        what = [looked_at(call) for call in effect.checks]
        alike = [
            one
            for one in self._free.get(Look, ())
            if one.by == index
            and isinstance(one.effect, Look)
            and what == [looked_at(call) for call in one.effect.checks]
        ]
        mine = [one for one in alike if one.effect.key == effect.key] or alike
        return bool(mine) and not any(one.answers for one in mine)

    def _sight(
        self, call: CheckCall, key: str, tick: float, index: int
    ) -> Sight | None:
        """Return what the same look saw at that time: the nearest that is fresh."""
        found = self.then.sights.get(looked_at(call), [])
        found = [one for one in found if one.call.check == call.check] or found
        together = [one for one in found if one.by == index]
        if together:
            return next((one for one in together if one.key == key), together[0])
        fresh = max(
            (
                scope.checks[call.check].model.fresh_for.total_seconds()
                for scope in self.new.scopes
                if call.check in scope.checks
            ),
            default=0.0,
        )
        near = [one for one in found if abs(one.asked - tick) <= fresh]
        return min(near, key=lambda one: abs(one.asked - tick), default=None)

    # Times, acts, people, locks

    def _time(self, waits: _Waits, effect: Timer, index: int) -> None:
        what = effect.key.rpartition(":")[2]
        fired = TimerFired(key=effect.key)
        for one in self._free.get(Timer, ()):
            timer = one.effect
            assert isinstance(timer, Timer)
            alike = timer.key.rpartition(":")[2] == what
            near = one.by == index or abs(one.tick - waits.tick) <= NEAR_SECONDS
            if alike and near and timer.seconds == effect.seconds:
                self._free[Timer].remove(one)
                if one.answers and one.answers[0] > index:
                    answer = one.answers[0]
                    self._put(fired, self.then.events[answer].tick, answer, waits)
                    return
                break
        self._put(fired, waits.tick + effect.seconds, LATEST, waits)

    def _twin_answers(self, waits: _Waits, what: str, index: int) -> bool:
        """Queue the answers of what was asked alike; return whether it was asked."""
        free = self._free.get(type(waits.effect), [])
        for one in free:
            if meant(one.effect) != what:
                continue
            free.remove(one)
            self._keys[one.effect.key] = waits.effect.key
            for answer in one.answers:
                event = self._said(self.then.events[answer], one.effect, waits.effect)
                late = answer > index
                tick = self.then.events[answer].tick if late else waits.tick
                self._put(event, max(tick, waits.tick), max(answer, index), waits)
            return True
        return False

    def _said(self, event: Any, then: Any, now: Any) -> Event:
        """Return the answer under the key, and for the plan, of what is asked now."""
        said: Event = replace(event, key=now.key)
        if isinstance(said, Voted) and isinstance(now, Ask) and now.question.plan:
            plan = then.question.plan
            if plan is not None and said.plan == plan.hash:
                return replace(said, plan=now.question.plan.hash)
        return said


def _judged(call: CheckCall, sight: Sight) -> Evidence:
    """Return what was seen then as the check of now judges it."""
    seen, was = sight.evidence, sight.call
    mine = replace(seen, check=call.check, slot=call.slot)
    rules = (call.pass_, call.pass_for, call.unknown_when)
    if rules == (was.pass_, was.pass_for, was.unknown_when):
        return mine
    if seen.state == "unknown" and not seen.seen:
        return mine  # it could not be seen, and nobody can judge it
    verdict = seen.state if seen.state != "unknown" else None
    again = Observation(seen=seen.seen, verdict=verdict, source=seen.source)
    return judge(call, again, tick=seen.tick, at=seen.at, attempts=seen.attempts)
