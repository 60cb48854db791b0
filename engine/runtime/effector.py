"""Doing what the core asked for, each effect under its own key, and telling the result.

A time is the event loop's; a look and an act are tasks of their own; a question and a
message are posted and not waited for. What nobody waits for any more is dropped. Called
by the driver, after the intent is in the journal.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.core.code import CompiledRunbook
from engine.errors import StoreUnavailable
from engine.model.effects import Act, Ask, CheckCall, Close, Lock, Look, Timer, Unlock
from engine.model.events import Acted, Event, Locked, Looked, Noted, TimerFired
from engine.model.people import ENGINE
from engine.ports import Chat, Clock, GlobalHold, Store
from engine.runtime.perform import Actions, Checks
from engine.runtime.session import KEYED, Keyed, Session, Step

log = logging.getLogger(__name__)

HOLD_POLL_SECONDS: Final = 0.25  # the global hold takes effect within a second
LOCK_POLL_SECONDS: Final = 1.0

Compile = Callable[[str], Awaitable[CompiledRunbook]]  # revision to code
Tell = Callable[[str, Event], None]
Work = Look | Act | Lock  # what takes time
WORK: Final = frozenset({Look, Act, Lock})
EndLeft = Callable[[str, str], Awaitable[int]]


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
    end_left: EndLeft | None = None  # kind and key of an act in flight at a crash


@dataclass(slots=True)
class Live:
    """What goes on for one run right now."""

    events: list[tuple[Event, asyncio.Future[None] | None]] = field(
        default_factory=list
    )
    draining: bool = False  # somebody writes for it
    drain: asyncio.Task[Any] | None = None  # who did last
    tasks: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    base_tick: float = 0.0
    base_mono: float = 0.0
    dead: bool = False  # a dead letter: nothing more is done for it

    def tick(self, clock: Clock) -> float:
        """Return the run's own seconds now."""
        return self.base_tick + clock.monotonic() - self.base_mono

    def drop(self, key: str) -> None:
        """Let go of what goes on under a key."""
        if (timer := self.timers.pop(key, None)) is not None:
            timer.cancel()
        if (task := self.tasks.pop(key, None)) is not None:
            task.cancel()

    def drop_all(self) -> None:
        """Let go of everything."""
        for key in [*self.tasks, *self.timers]:
            self.drop(key)


Doing = Callable[[str, Live, Any], Awaitable[Event]]
GoOn = Callable[[str, Live, Work], Coroutine[Any, Any, None]]  # work, and what follows


class Effector:
    """Performs the effects of every run of one engine."""

    def __init__(self, ports: Ports, tell: Tell, go_on: GoOn) -> None:
        self.ports, self.tell, self._go_on = ports, tell, go_on
        self._posts: set[asyncio.Task[None]] = set()
        self._doing: Mapping[type, Doing] = {
            Look: self._look,
            Act: self._act,
            Lock: self._lock,
        }

    def do(self, session: Session, live: Live, step: Step) -> list[Work]:
        """Let go of what nobody waits for, do what takes no time; return the rest."""
        run = session.run
        work: list[Work] = []
        for key in step.dropped:
            live.drop(key)
        done: list[Any] = step.effects
        for effect in done:
            kind = type(effect)
            if kind in WORK:
                if effect.key in session.pending:
                    work.append(effect)
            elif kind in KEYED:
                if effect.key in session.pending:
                    self.perform(run, live, effect)
            elif kind is Close:
                self._post(self.ports.chat.close(run, effect.key, effect.outcome))
            elif kind is Unlock:
                self._post(self.ports.store.unlock(run))
        return work

    def perform(
        self, run: str, live: Live, effect: Keyed, *, elapsed: float = 0.0
    ) -> None:
        """Begin one effect. `elapsed`: seconds that a time has run already."""
        key = effect.key
        if isinstance(effect, Timer):
            live.drop(key)
            loop = asyncio.get_running_loop()
            left = max(0.0, effect.seconds - elapsed)
            live.timers[key] = loop.call_later(left, self._fire, run, live, key)
        elif isinstance(effect, Ask):
            live.drop(key)
            self._post(self.ports.chat.ask(run, effect.question))
        else:
            self.begin(run, live, (effect,))

    def begin(self, run: str, live: Live, work: Iterable[Work]) -> None:
        """Begin looks, acts and locks, each in a task of its own."""
        for one in work:
            live.drop(one.key)
            task = asyncio.create_task(self._go_on(run, live, one))
            live.tasks[one.key] = task

    async def outcome(
        self, run: str, live: Live, work: Work, mine: asyncio.Task[Any]
    ) -> Event | None:
        """Do one in the task that runs; return its event; None: it failed."""
        key = work.key
        if live.tasks.get(key) is not mine:
            live.drop(key)
            live.tasks[key] = mine
        try:
            return await self._doing[type(work)](run, live, work)
        except Exception as error:  # noqa: BLE001  # the run waits on
            log.warning("effect failed key=%s error=%r", key, error)
            return None
        finally:
            if live.tasks.get(key) is mine:
                del live.tasks[key]

    def _fire(self, run: str, live: Live, key: str) -> None:
        live.timers.pop(key, None)
        self.tell(run, TimerFired(key=key))

    async def _look(self, run: str, live: Live, effect: Any) -> Event:
        calls: tuple[CheckCall, ...] = effect.checks
        clock, look = self.ports.clock, self.ports.checks.look

        def tick() -> float:
            return round(live.tick(clock), 6)

        if len(calls) == 1:  # one alone needs no task of its own
            seen = (await look(calls[0], run=run, tick=tick),)
            return Looked(key=effect.key, evidence=seen)
        looks = [look(call, run=run, tick=tick) for call in calls]
        return Looked(key=effect.key, evidence=tuple(await asyncio.gather(*looks)))

    async def _act(self, run: str, live: Live, effect: Any) -> Event:
        while not effect.undo and self.ports.hold.reason() is not None:  # noqa: ASYNC110
            await asyncio.sleep(HOLD_POLL_SECONDS)
        began = self.ports.clock.monotonic()
        result = await self.ports.actions.act(effect, run=run)
        took = round(self.ports.clock.monotonic() - began, 3)
        return Acted(
            key=effect.key,
            outcome=result.outcome,
            detail=result.detail,
            retryable=result.retryable,
            took_seconds=took,
        )

    async def _lock(self, run: str, live: Live, effect: Any) -> Event:
        told = ""
        while True:
            with contextlib.suppress(StoreUnavailable):
                owner = await self.ports.store.lock(run, effect.paths)
                if owner is None:
                    break
                if owner != told:
                    told = owner
                    text = f"the lock is kept by run {owner}"
                    self.tell(run, Noted(by=ENGINE, text=text))
            await asyncio.sleep(LOCK_POLL_SECONDS)
        return Locked(key=effect.key)

    def forget_secrets(self, session: Session) -> None:
        """Let the secret inputs of a run that has ended go."""
        inputs = session.summary().inputs.values()
        if any(isinstance(one, Mapping) and "secret" in one for one in inputs):
            self._post(self.ports.store.forget_secrets(session.run))

    def _post(self, work: Coroutine[Any, Any, None]) -> None:
        async def post() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  # the run never waits for chat
                log.warning("not posted error=%s", error)

        task = asyncio.create_task(post())
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)
        task.add_done_callback(lambda _: work.close())  # it may never have begun

    async def settle(self) -> None:
        """Give what is being posted a moment to end."""
        if self._posts:
            await asyncio.wait(self._posts, timeout=2.0)

    def abandon(self) -> None:
        """Let go of what is being posted."""
        for task in self._posts:
            task.cancel()
