"""The only loop: events in, entries to the journal, effects to the world, results back.

For each run one event after another: `advance`, append (one durable transaction), only
then perform. A run nobody is busy with is not in memory; it is loaded when something
happens to it. Live runs, rehearsals and replays use this class with other ports.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from engine.core.code import CompiledRunbook
from engine.core.turn import Defect
from engine.errors import DoesNotApply, NotFound, StoreConflict, StoreUnavailable
from engine.model.effects import Act, Ask, CheckCall, Close, Lock, Look, Timer, Unlock
from engine.model.events import Acted, Event, Locked, Looked, TimerFired
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import Entry
from engine.ports import Chat, Clock, GlobalHold, Store
from engine.runtime.perform import Actions, Checks
from engine.runtime.session import Keyed, Session, Step

log = logging.getLogger(__name__)

HOLD_POLL_SECONDS: Final = 0.25  # the global hold takes effect within a second
LOCK_POLL_SECONDS: Final = 1.0
STORE_RETRY_SECONDS: Final = 1.0
SESSIONS_IN_MEMORY: Final = 500
EVENTS_AT_ONCE: Final = 64  # of one run, written in one transaction
MOST_ENTRIES: Final = 10_000  # of one run

Listener = Callable[[RunSummary, list[Entry]], None]
Compile = Callable[[str], Awaitable[CompiledRunbook]]  # revision to code


@dataclass(slots=True)
class Ports:
    """Everything outside that the driver uses."""

    store: Store
    checks: Checks
    actions: Actions
    chat: Chat
    clock: Clock
    hold: GlobalHold
    compiled: Compile


@dataclass(slots=True)
class _Live:
    """What goes on for one run right now."""

    events: list[tuple[Event, asyncio.Future[None] | None]] = field(
        default_factory=list
    )
    drain: asyncio.Task[None] | None = None
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    base_tick: float = 0.0
    base_mono: float = 0.0
    dead: bool = False  # a dead letter: nothing more is done for it


class Driver:
    """Drives every run of one engine."""

    def __init__(self, ports: Ports, *, listener: Listener | None = None) -> None:
        self.ports = ports
        self._listener = listener
        self._live: dict[str, _Live] = {}
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._posts: set[asyncio.Task[None]] = set()
        self._wake_outbox = asyncio.Event()
        self._stopping = False

    # Telling a run of an event

    def tell(self, run: str, event: Event) -> None:
        """Tell a run of an event; do not wait."""
        self._queue(run, event, None)

    async def told(self, run: str, event: Event) -> None:
        """Tell a run of an event; return when it is in the journal.

        Raises:
            NotFound: no such run.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue(run, event, done)
        await done

    def _queue(self, run: str, event: Event, done: asyncio.Future[None] | None) -> None:
        live = self._live.setdefault(run, _Live())
        if live.dead:
            self._finish([(event, done)], DoesNotApply(f"run '{run}' is a dead letter"))
            return
        live.events.append((event, done))
        if live.drain is None or live.drain.done():
            live.drain = asyncio.create_task(self._drain(run, live))

    async def begin(self, session: Session, event: Event) -> None:
        """Begin a new run with its first event; return when it is in the journal."""
        self._sessions[session.run] = session
        await self.told(session.run, event)

    # One run, one event after another

    async def _drain(self, run: str, live: _Live) -> None:
        try:
            session = await self.session(run)
        except Exception as error:
            self._refuse(live, error)
            return
        while live.events:
            batch = live.events[:EVENTS_AT_ONCE]
            del live.events[: len(batch)]
            if not await self._write(session, live, batch):
                session = await self.session(run)
        if not self._live_work(live) and not session.busy:
            self._forget_idle(run, live)

    async def _write(
        self,
        session: Session,
        live: _Live,
        batch: list[tuple[Event, asyncio.Future[None] | None]],
    ) -> bool:
        before = session.snapshot()
        try:
            steps = [
                session.apply(self._stamped(session, live, event)) for event, _ in batch
            ]
        except Exception as defect:
            self._sessions[session.run] = before
            await self._dead_letter(before, live, defect)
            self._finish(batch, defect)
            live.dead = True
            self._refuse(live, defect)
            return True
        entries = [entry for step in steps for entry in step.entries]
        outbox = [one for step in steps for one in step.outbox]
        try:
            stored = await self.ports.store.append(
                entries, session.summary(), outbox=outbox
            )
        except StoreConflict as error:
            self._give_up(session.run, live, error)
            self._finish(batch, error)
            return True
        except StoreUnavailable as error:
            log.error("journal unavailable run=%s error=%s", session.run, error)
            self._sessions[session.run] = before
            live.events[:0] = batch
            await asyncio.sleep(STORE_RETRY_SECONDS)
            return False
        self._finish(batch, None)
        if outbox:
            self._wake_outbox.set()
        if self._listener is not None:
            self._listener(session.summary(), stored)
        for step in steps:
            self._do(session, live, step)
        if session.record.end:
            self._ended(session, live)
        return True

    def _finish(
        self,
        batch: list[tuple[Event, asyncio.Future[None] | None]],
        error: Exception | None,
    ) -> None:
        for _, done in batch:
            if done is None or done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def _refuse(self, live: _Live, error: Exception) -> None:
        batch, live.events = live.events, []
        self._finish(batch, error)
        if not any(done for _, done in batch):
            log.error("event dropped error=%s", error)

    def _stamped(self, session: Session, live: _Live, event: Event) -> Event:
        if not live.base_mono:
            lost = self.ports.clock.now() - session.last_at if session.last_at else 0.0
            live.base_tick = session.last_tick + max(0.0, lost)
            live.base_mono = self.ports.clock.monotonic()
        tick = round(self._tick(live), 6)
        return msgspec.structs.replace(event, at=self.ports.clock.now(), tick=tick)

    def _tick(self, live: _Live) -> float:
        return live.base_tick + self.ports.clock.monotonic() - live.base_mono

    # Doing what was asked for

    def _do(self, session: Session, live: _Live, step: Step) -> None:
        for key in step.dropped:
            self._drop(live, key)
        for effect in step.effects:
            if isinstance(effect, Keyed) and effect.key in session.pending:
                self._perform(session.run, live, effect)
            elif isinstance(effect, Close):
                self._post(
                    self.ports.chat.close(session.run, effect.key, effect.outcome)
                )
            elif isinstance(effect, Unlock):
                self._post(self.ports.store.unlock(session.run))

    def _perform(
        self, run: str, live: _Live, effect: Keyed, *, elapsed: float = 0.0
    ) -> None:
        key = effect.key
        self._drop(live, key)
        if isinstance(effect, Timer):
            loop = asyncio.get_running_loop()
            left = max(0.0, effect.seconds - elapsed)
            live.timers[key] = loop.call_later(left, self._fire, run, live, key)
        elif isinstance(effect, Ask):
            self._post(self.ports.chat.ask(run, effect.question))
        else:
            work = {Look: self._look, Act: self._act, Lock: self._lock}[type(effect)]
            task = asyncio.create_task(work(run, live, effect))
            live.tasks[key] = task
            task.add_done_callback(lambda done: self._done(live, key, done))

    def _done(self, live: _Live, key: str, task: asyncio.Task[None]) -> None:
        if live.tasks.get(key) is task:
            del live.tasks[key]
        if not task.cancelled() and task.exception() is not None:
            log.error("effect failed key=%s error=%r", key, task.exception())

    def _drop(self, live: _Live, key: str) -> None:
        if (timer := live.timers.pop(key, None)) is not None:
            timer.cancel()
        if (task := live.tasks.pop(key, None)) is not None:
            task.cancel()

    def _fire(self, run: str, live: _Live, key: str) -> None:
        live.timers.pop(key, None)
        self.tell(run, TimerFired(key=key))

    async def _look(self, run: str, live: _Live, effect: Any) -> None:
        calls: tuple[CheckCall, ...] = effect.checks
        looks = [
            self.ports.checks.look(
                call, run=run, tick=lambda: round(self._tick(live), 6)
            )
            for call in calls
        ]
        evidence = await asyncio.gather(*looks)
        self.tell(run, Looked(key=effect.key, evidence=tuple(evidence)))

    async def _act(self, run: str, live: _Live, effect: Any) -> None:
        while not effect.undo and self.ports.hold.reason() is not None:
            await asyncio.sleep(HOLD_POLL_SECONDS)
        began = self.ports.clock.monotonic()
        result = await self.ports.actions.act(effect, run=run)
        took = round(self.ports.clock.monotonic() - began, 3)
        self.tell(
            run,
            Acted(key=effect.key, outcome=result.outcome, detail=result.detail,
                  retryable=result.retryable, took_seconds=took),
        )  # fmt: skip

    async def _lock(self, run: str, live: _Live, effect: Any) -> None:
        while True:
            with contextlib.suppress(StoreUnavailable):
                if await self.ports.store.lock(run, effect.paths) is None:
                    break
            await asyncio.sleep(LOCK_POLL_SECONDS)
        self.tell(run, Locked(key=effect.key))

    def _post(self, work: Awaitable[None]) -> None:
        async def post() -> None:
            try:
                await work
            except Exception as error:  # the run never waits for chat
                log.warning("not posted error=%s", error)

        task = asyncio.create_task(post())
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    # Loading, resuming, ending

    async def session(self, run: str) -> Session:
        """Return the run in memory, loaded from its timeline if need be.

        Raises:
            NotFound: no such run.
        """
        found = self._sessions.get(run)
        if found is not None:
            self._sessions.move_to_end(run)
            return found
        summary = await self.ports.store.summary(run)
        if summary is None:
            raise NotFound(f"no run '{run}'. See `runbook runs`.")
        compiled = await self.ports.compiled(summary.revision)
        entries = await self.ports.store.entries(run)
        session = Session.from_entries(run, compiled, entries)
        self._sessions[run] = session
        return session

    async def resume(self, run: str, event: Event) -> None:
        """Go on with a run that another engine began: ask again for all it waits for.

        `event` is Restarted; acts in flight are judged by the core, looks, times and
        questions are asked for again.
        """
        session = await self.session(run)
        live = self._live.setdefault(run, _Live())
        acts = [
            key for key, one in session.pending.items() if isinstance(one.effect, Act)
        ]
        await self.told(run, event)
        for key, pending in list(session.pending.items()):
            if key in acts or key in live.tasks or key in live.timers:
                continue
            elapsed = self._tick(live) - pending.tick
            self._perform(run, live, pending.effect, elapsed=elapsed)

    async def _dead_letter(
        self, session: Session, live: _Live, defect: Exception
    ) -> None:
        """A run that cannot be advanced ends in people's hands; the others go on."""
        log.exception("dead letter run=%s", session.run, exc_info=defect)
        for key in [*live.tasks, *live.timers]:
            self._drop(live, key)
        why = (
            f"dead letter: the engine cannot go on ({type(defect).__name__}: {defect})"
        )
        summary = msgspec.structs.replace(
            session.summary(), state="handed_over", why=why, ended_at=self.ports.clock.now(),
            busy=False, wake_at=None, questions=(),
        )  # fmt: skip
        entry = Entry(
            session.run, session.seq + 1, self.ports.clock.now(), session.last_tick, "end",
            "ended: handed_over", why=why, subject="handed_over",
        )  # fmt: skip
        with contextlib.suppress(StoreUnavailable):
            await self.ports.store.append([entry], summary)
            if self._listener is not None:
                self._listener(summary, [entry])

    def _give_up(self, run: str, live: _Live, error: Exception) -> None:
        log.error("another engine writes run=%s error=%s", run, error)
        for key in [*live.tasks, *live.timers]:
            self._drop(live, key)
        self._sessions.pop(run, None)

    def _ended(self, session: Session, live: _Live) -> None:
        for key in [*live.tasks, *live.timers]:
            self._drop(live, key)

    def _live_work(self, live: _Live) -> bool:
        return bool(live.tasks or live.events)

    def _forget_idle(self, run: str, live: _Live) -> None:
        while len(self._sessions) > SESSIONS_IN_MEMORY:
            self._sessions.popitem(last=False)
        if not live.timers and not live.tasks and run in self._live:
            ended = run in self._sessions and self._sessions[run].record.end in ENDS
            if ended:
                del self._live[run]

    def abandon(self) -> None:
        """Let everything go at once, as a killed process would; nothing is written."""
        for live in self._live.values():
            live.dead = True
            if live.drain is not None:
                live.drain.cancel()
            for key in [*live.tasks, *live.timers]:
                self._drop(live, key)
        for task in self._posts:
            task.cancel()

    async def stop(self, event: Event, *, grace: float = 20.0) -> None:
        """Stop in order: what is in flight gets its grace, then all stays on disk."""
        self._stopping = True
        acts = [
            task for live in self._live.values() for key, task in live.tasks.items()
            if ":act" in key or ":undo" in key
        ]  # fmt: skip
        if acts:
            await asyncio.wait(acts, timeout=grace)
        for run, live in list(self._live.items()):
            session = self._sessions.get(run)
            if session is not None and not session.record.end and session.seq:
                with contextlib.suppress(Exception):
                    await self.told(run, event)
            for key in [*live.tasks, *live.timers]:
                self._drop(live, key)
        if self._posts:
            await asyncio.wait(self._posts, timeout=2.0)


__all__ = ["Defect", "Driver", "Ports"]
