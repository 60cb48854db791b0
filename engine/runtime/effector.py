"""Doing what the core asked for, each effect under its own key, and telling the result.

A time is the event loop's; a look and an act are tasks of their own; a question and a
message are posted and not waited for. What nobody waits for any more is dropped. Called
by the driver, after the intent is in the journal.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.core.code import CompiledRunbook
from engine.errors import StoreUnavailable
from engine.model.effects import Act, Ask, CheckCall, Close, Lock, Look, Timer, Unlock
from engine.model.events import Acted, Event, Locked, Looked, Noted, TimerFired
from engine.model.evidence import Evidence
from engine.model.people import ENGINE
from engine.ports import Chat, Clock, GlobalHold, Store
from engine.runtime.perform import Actions, Checks
from engine.runtime.session import KEYED, Keyed, Session, Step

log = logging.getLogger(__name__)

HOLD_POLL_SECONDS: Final = 0.25  # the global hold takes effect within a second
LOCK_POLL_SECONDS: Final = 1.0

Compile = Callable[[str], Awaitable[CompiledRunbook]]  # revision to code
Tell = Callable[[str, Event], None]
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
    drain: asyncio.Task[None] | None = None
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
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


class Effector:
    """Performs the effects of every run of one engine."""

    def __init__(self, ports: Ports, tell: Tell) -> None:
        self.ports, self.tell = ports, tell
        self._posts: set[asyncio.Task[None]] = set()

    def do(self, session: Session, live: Live, step: Step) -> None:
        """Do what one step asked for; let go of what nobody waits for."""
        for key in step.dropped:
            live.drop(key)
        for effect in step.effects:
            if isinstance(effect, KEYED) and effect.key in session.pending:
                self.perform(session.run, live, effect)
            elif isinstance(effect, Close):
                self._post(
                    self.ports.chat.close(session.run, effect.key, effect.outcome)
                )
            elif isinstance(effect, Unlock):
                self._post(self.ports.store.unlock(session.run))

    def perform(
        self, run: str, live: Live, effect: Keyed, *, elapsed: float = 0.0
    ) -> None:
        """Begin one effect. `elapsed`: seconds that a time has run already."""
        key = effect.key
        live.drop(key)
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

    def _done(self, live: Live, key: str, task: asyncio.Task[None]) -> None:
        if live.tasks.get(key) is task:
            del live.tasks[key]
        if not task.cancelled() and task.exception() is not None:
            log.error("effect failed key=%s error=%r", key, task.exception())

    def _fire(self, run: str, live: Live, key: str) -> None:
        live.timers.pop(key, None)
        self.tell(run, TimerFired(key=key))

    async def _look(self, run: str, live: Live, effect: Any) -> None:
        calls: tuple[CheckCall, ...] = effect.checks
        looks = [
            self.ports.checks.look(
                call, run=run, tick=lambda: round(live.tick(self.ports.clock), 6)
            )
            for call in calls
        ]
        # One alone needs no task of its own.
        evidence = await (asyncio.gather(*looks) if len(looks) > 1 else _alone(*looks))
        self.tell(run, Looked(key=effect.key, evidence=tuple(evidence)))

    async def _act(self, run: str, live: Live, effect: Any) -> None:
        while not effect.undo and self.ports.hold.reason() is not None:  # noqa: ASYNC110
            await asyncio.sleep(HOLD_POLL_SECONDS)
        began = self.ports.clock.monotonic()
        result = await self.ports.actions.act(effect, run=run)
        took = round(self.ports.clock.monotonic() - began, 3)
        self.tell(
            run,
            Acted(
                key=effect.key,
                outcome=result.outcome,
                detail=result.detail,
                retryable=result.retryable,
                took_seconds=took,
            ),
        )

    async def _lock(self, run: str, live: Live, effect: Any) -> None:
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
        self.tell(run, Locked(key=effect.key))

    def forget_secrets(self, session: Session) -> None:
        """Let the secret inputs of a run that has ended go."""
        inputs = session.summary().inputs.values()
        if any(isinstance(one, Mapping) and "secret" in one for one in inputs):
            self._post(self.ports.store.forget_secrets(session.run))

    def _post(self, work: Awaitable[None]) -> None:
        async def post() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  # the run never waits for chat
                log.warning("not posted error=%s", error)

        task = asyncio.create_task(post())
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def settle(self) -> None:
        """Give what is being posted a moment to end."""
        if self._posts:
            await asyncio.wait(self._posts, timeout=2.0)

    def abandon(self) -> None:
        """Let go of what is being posted."""
        for task in self._posts:
            task.cancel()


async def _alone(look: Awaitable[Evidence]) -> list[Evidence]:
    return [await look]
