"""One loaded run: its record, what it waits for, and how time goes on in it.

A session is made from the entries of a timeline, or is new; `apply` advances it by one
event. It performs nothing and writes nothing: the driver does both. What is in flight
is a function of the events, so a session that is thrown away can be made again.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from engine.core.advance import advance
from engine.core.code import CompiledRunbook
from engine.core.machine import moved, run_life
from engine.core.record import Record, waited_for
from engine.errors import TemplateProblem
from engine.model.effects import Act, Ask, Effect, Lock, Look, Page, Say, Timer
from engine.model.events import Acted, Event, Locked, Looked, TimerFired
from engine.model.people import Question
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.runtime.journal import entries_of
from engine.templating import render

Keyed = Look | Act | Ask | Timer | Lock
KEYED: Final = frozenset({Look, Act, Ask, Timer, Lock})
ANSWERS: Final = frozenset({Looked, Acted, TimerFired, Locked})
POSTED: Final = frozenset({Say, Page})
BUSY: Final = frozenset({Look, Act, Lock})


class _Cursor(threading.local):
    """The machine of a run's life, moved for one run after another."""

    def __init__(self) -> None:
        self.life = run_life()


_cursor: Final = _Cursor()  # a rehearsal may be played in a thread of its own


class Pending(NamedTuple):
    """Something asked for and not answered yet."""

    effect: Keyed
    tick: float  # when it was asked for


@dataclass(slots=True)
class Step:
    """What one event led to."""

    entries: list[Entry]
    effects: list[Effect]
    dropped: list[str]  # keys nobody waits for any more
    outbox: list[Say | Page]


@dataclass(slots=True)
class Session:
    """A run in memory."""

    run: str
    compiled: CompiledRunbook
    record: Record = field(default_factory=Record)
    pending: dict[str, Pending] = field(default_factory=dict)
    seq: int = 0
    last_at: float = 0.0
    last_tick: float = 0.0
    started_at: float = 0.0
    ended_at: float | None = None
    titled: str = ""  # the title, once it was rendered

    @classmethod
    def from_entries(
        cls, run: str, compiled: CompiledRunbook, entries: list[Entry]
    ) -> "Session":
        """Return the session that the timeline leads to.

        Raises:
            Defect: this engine cannot go where the timeline went.
        """
        session = cls(run, compiled)
        for entry in entries:
            if entry.event is not None:
                session.apply(entry.event)
        if entries:
            session.seq = entries[-1].seq
        return session

    def apply(self, event: Event) -> Step:
        """Advance by one event; return what is to be written and done."""
        before = self.record
        self.record, effects = advance(self.compiled, before, event)
        if self.record.state != before.state:
            moved(_cursor.life, before.state, self.record.state)
        entries = entries_of(before, event, effects, seq=self.seq + 1, run=self.run)
        self.seq += len(entries)
        self.last_at, self.last_tick = event.at, event.tick
        self.started_at = self.started_at or event.at
        if self.record.end and not before.end:
            self.ended_at = event.at
        dropped = self._settle(event, effects)
        outbox: list[Any] = [one for one in effects if type(one) in POSTED]
        return Step(entries, effects, dropped, outbox)

    def _settle(self, event: Event, effects: list[Effect]) -> list[str]:
        told: Any = event
        pending = self.pending
        if type(told) in ANSWERS:
            pending.pop(told.key, None)
        wanted = waited_for(self.record)
        dropped = [key for key in pending if key not in wanted]
        for key in dropped:
            del pending[key]
        asked: list[Any] = [one for one in effects if type(one) in KEYED]
        for one in asked:
            if one.key in wanted:
                pending[one.key] = Pending(one, event.tick)
        return dropped

    @property
    def questions(self) -> tuple[Question, ...]:
        """What people are asked now."""
        asked = [one.effect for one in self.pending.values()]
        return tuple([one.question for one in asked if isinstance(one, Ask)])

    @property
    def busy(self) -> bool:
        """Whether anything but time and people is waited for."""
        return any(type(one.effect) in BUSY for one in self.pending.values())

    def next_tick(self) -> float | None:
        """Return the tick of the next time waited for."""
        times = [
            one.tick + one.effect.seconds
            for one in self.pending.values()
            if isinstance(one.effect, Timer)
        ]
        return min(times, default=None)

    def snapshot(self) -> "Session":
        """Return a copy to go back to when nothing could be stored."""
        return Session(
            self.run,
            self.compiled,
            self.record,
            dict(self.pending),
            self.seq,
            self.last_at,
            self.last_tick,
            self.started_at,
            self.ended_at,
        )

    def _title(self) -> str:
        """Return the title with the run's inputs in it; they stay from the start."""
        main = self.record.frames.get("")
        if main is None or "{{" not in self.compiled.runbook.title:
            return self.compiled.runbook.title
        if not self.titled:
            try:
                self.titled = str(render(self.compiled.runbook.title, main.inputs))
            except TemplateProblem:
                self.titled = self.compiled.runbook.title
        return self.titled

    def summary(self) -> RunSummary:
        """Return the line that lists show."""
        record, runbook = self.record, self.compiled.runbook
        main = record.frames.get("")
        busy = self.busy
        # Most of the time one look or act is all that is waited for.
        alone = busy and len(self.pending) == 1
        wake = None if alone else self.next_tick()
        return RunSummary(
            self.run,
            runbook.runbook,
            self.compiled.revision,
            self._title(),
            record.severity,
            record.state,
            record.phase,
            main.cause if main else "",
            record.mode,
            self.started_at,
            self.last_at,
            self.ended_at,
            record.why,
            record.held,
            () if alone else self.questions,
            record.requester.id,
            runbook.owner,
            record.taken_by,
            main.inputs if main else {},
            record.crashes,
            wake_at=None if wake is None else self.last_at + wake - self.last_tick,
            busy=busy,
            roles=record.roles,
            on_hold=record.hold_here,
        )


replace = msgspec.structs.replace
