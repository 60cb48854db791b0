"""The only loop: events in, entries to the journal, effects to the world, results back.

For each run one event after another: `advance`, append (one durable transaction), only
then perform. A run nobody is busy with is not in memory; it is loaded when something
happens to it. Live runs, rehearsals and replays use this class with other ports.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from engine.errors import DoesNotApply, NotFound, StoreConflict, StoreUnavailable
from engine.model.effects import Act
from engine.model.events import Event, Noted
from engine.model.people import ENGINE
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.runtime.effector import Effector, Live, Ports, Work
from engine.runtime.session import Session

log = logging.getLogger(__name__)

STORE_RETRY_SECONDS: Final = 1.0
SESSIONS_IN_MEMORY: Final = 2000
EVENTS_AT_ONCE: Final = 64  # of one run, written in one transaction
DEAD_LETTER: Final = "dead letter: "  # how the end of a run begins that we gave up

Listener = Callable[[RunSummary, list[Entry]], None]
Batch = list[tuple[Event, asyncio.Future[None] | None]]


class Driver:
    """Drives every run of one engine."""

    def __init__(self, ports: Ports, *, listener: Listener | None = None) -> None:
        self.ports = ports
        self._listener = listener
        self.on_conflict: Callable[[str, StoreConflict], None] | None = None
        self.on_end: Callable[[str], None] = lambda run: None
        self._live: dict[str, Live] = {}
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._effector = Effector(ports, self.tell, self._go_on)
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
        live = self._live.setdefault(run, Live())
        if live.dead:
            self._finish([(event, done)], DoesNotApply(f"run '{run}' is a dead letter"))
            return
        live.events.append((event, done))
        if not live.draining:
            live.draining = True
            live.drain = asyncio.create_task(self._go_on(run, live, None))

    async def begin(self, session: Session, event: Event) -> None:
        """Begin a new run with its first event; return when it is in the journal."""
        self._sessions[session.run] = session
        await self.told(session.run, event)

    # One run, one event after another

    async def _go_on(self, run: str, live: Live, work: Work | None) -> None:
        """Do the work, write what came of it, and go on with what that led to.

        One task for all of it, as long as one thing leads to one other; where somebody
        else writes for the run already, what came of the work is left to them.
        """
        mine = asyncio.current_task()
        assert mine is not None
        while True:
            if work is not None:
                event = await self._effector.outcome(run, live, work, mine)
                if event is None or live.dead:
                    return
                live.events.append((event, None))
                if live.draining:
                    return
                live.draining, live.drain = True, mine
            work = await self._drain(run, live)
            if work is None:
                return

    async def _drain(self, run: str, live: Live) -> Work | None:
        """Write all that was told; return what is left to do for whoever calls."""
        work: list[Work] = []
        try:
            session = self._sessions.get(run) or await self._loaded(run, live)
            while session is not None and live.events:
                self._effector.begin(run, live, work)
                batch = live.events[:EVENTS_AT_ONCE]
                del live.events[: len(batch)]
                found = await self._write(session, live, batch)
                work = found or []
                if found is None:
                    session = await self._loaded(run, live)
        finally:
            live.draining = False
        self._forget(run, live)
        if self._stopping:
            return None  # it stays on disk, and is judged when the engine is back
        self._effector.begin(run, live, work[1:])
        return work[0] if work else None

    async def _loaded(self, run: str, live: Live) -> Session | None:
        try:
            return await self.session(run)
        except Exception as error:  # noqa: BLE001  # whoever asked is told
            self._refuse(live, error)
            return None

    async def _write(
        self, session: Session, live: Live, batch: Batch
    ) -> list[Work] | None:
        """Return what is to be done; None: nothing was stored, it is tried again."""
        before = session.snapshot()
        try:
            steps = [
                session.apply(self._stamped(session, live, event)) for event, _ in batch
            ]
        except Exception as defect:  # noqa: BLE001  # one run's end, not the engine's
            await self._die(before, live, batch, defect)
            return []
        entries = [entry for step in steps for entry in step.entries]
        outbox = [one for step in steps for one in step.outbox]
        summary = session.summary()
        try:
            stored = await self.ports.store.append(entries, summary, outbox=outbox)
        except ValueError as defect:  # what cannot be written as JSON
            await self._die(before, live, batch, defect)
            return []
        except StoreConflict as error:
            self._give_up(session.run, live, error)
            self._finish(batch, error)
            return []
        except StoreUnavailable as error:
            log.warning("journal unavailable run=%s error=%s", session.run, error)
            self._sessions[session.run] = before
            live.events[:0] = batch
            await asyncio.sleep(STORE_RETRY_SECONDS)
            return None
        self._finish(batch, None)
        self._show(summary, stored)
        work = [one for step in steps for one in self._effector.do(session, live, step)]
        if session.record.end:
            live.drop_all()
            self._effector.forget_secrets(session)
            self.on_end(session.run)
        return work

    def _show(self, summary: RunSummary, stored: list[Entry]) -> None:
        if self._listener is None:
            return
        try:
            self._listener(summary, stored)
        except Exception as error:  # noqa: BLE001  # who watches stops no run
            log.warning("not shown run=%s error=%r", summary.run, error)

    async def _die(
        self, before: Session, live: Live, batch: Batch, defect: Exception
    ) -> None:
        self._sessions[before.run] = before
        await self._dead_letter(before, live, defect)
        self._finish(batch, defect)
        live.dead = True
        self._refuse(live, defect)

    def _finish(
        self,
        batch: Batch,
        error: Exception | None,
    ) -> None:
        for _, done in batch:
            if done is None or done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def _refuse(self, live: Live, error: Exception) -> None:
        batch, live.events = live.events, []
        self._finish(batch, error)
        if batch and not any(done for _, done in batch):
            log.error("event dropped error=%s", error)

    def _stamped(self, session: Session, live: Live, event: Event) -> Event:
        if not live.base_mono:
            lost = self.ports.clock.now() - session.last_at if session.last_at else 0.0
            live.base_tick = session.last_tick + max(0.0, lost)
            live.base_mono = self.ports.clock.monotonic()
        tick = round(live.tick(self.ports.clock), 6)
        return msgspec.structs.replace(event, at=self.ports.clock.now(), tick=tick)

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
        # Two may have asked for it at once: both go on with the same one.
        return self._sessions.setdefault(run, session)

    def in_memory(self, run: str) -> Session | None:
        """Return the run as it is in memory now, or None."""
        return self._sessions.get(run)

    async def resume(self, run: str, event: Event) -> None:
        """Go on with a run that another engine began: ask again for all it waits for.

        `event` is Restarted; acts in flight are judged by the core, looks, times and
        questions are asked for again.
        """
        session = await self.session(run)
        live = self._live.setdefault(run, Live())
        acts = {
            key: one.effect
            for key, one in session.pending.items()
            if isinstance(one.effect, Act)
        }
        for act in acts.values():
            await self._end_left(run, act)
        await self.told(run, event)
        session = self._sessions.get(run, session)
        for key, pending in list(session.pending.items()):
            if key in acts or key in live.tasks or key in live.timers:
                continue
            elapsed = live.tick(self.ports.clock) - pending.tick
            self._effector.perform(run, live, pending.effect, elapsed=elapsed)

    async def _end_left(self, run: str, act: Act) -> None:
        """Nothing may go on behind our back while we judge what was in flight."""
        if self.ports.end_left is None:
            return
        many = await self.ports.end_left(act.kind, act.idempotency_key)
        if many:
            text = f"{act.action}: what the dead engine left running was ended ({many})"
            await self.told(run, Noted(by=ENGINE, text=text))

    async def _dead_letter(
        self, session: Session, live: Live, defect: Exception
    ) -> None:
        """A run that cannot be advanced ends in people's hands; the others go on."""
        log.error("dead letter run=%s", session.run, exc_info=defect)
        live.drop_all()
        told = f"the engine cannot go on ({type(defect).__name__}: {defect})"
        why = f"{DEAD_LETTER}{told}"
        stored = await self.ports.store.summary(session.run)
        summary = msgspec.structs.replace(
            stored if stored is not None else session.summary(),
            state="handed_over",
            why=why,
            ended_at=self.ports.clock.now(),
            busy=False,
            wake_at=None,
            questions=(),
        )
        entry = Entry(
            session.run,
            session.seq + 1,
            self.ports.clock.now(),
            session.last_tick,
            "end",
            "ended: handed_over",
            why=why,
            subject="handed_over",
        )
        with contextlib.suppress(StoreUnavailable):
            await self.ports.store.append([entry], summary)
            self._show(summary, [entry])

    def _give_up(self, run: str, live: Live, error: StoreConflict) -> None:
        log.error("another engine writes run=%s error=%s", run, error)
        live.drop_all()
        self._sessions.pop(run, None)
        if self.on_conflict is not None:
            self.on_conflict(run, error)

    def _forget(self, run: str, live: Live) -> None:
        """Keep in memory only what goes on; an idle run is loaded again when needed."""
        session = self._sessions.get(run)
        if session is None or session.record.end:
            if not live.events and not live.dead:
                self._live.pop(run, None)
                self._sessions.pop(run, None)
            return
        self._sessions.move_to_end(run)
        too_many = len(self._sessions) - SESSIONS_IN_MEMORY
        for other in list(self._sessions)[:too_many] if too_many > 0 else ():
            busy = other in self._live and self._live[other].draining
            if other != run and not busy:
                del self._sessions[other]

    def let_go(self, run: str) -> None:
        """Forget a run that somebody else drives or drove; nothing is written."""
        live = self._live.pop(run, None)
        if live is not None:
            live.drop_all()
        self._sessions.pop(run, None)

    def abandon(self) -> None:
        """Let everything go at once, as a killed process would; nothing is written."""
        for live in self._live.values():
            live.dead = True
            if live.drain is not None:
                live.drain.cancel()
            live.drop_all()
        self._effector.abandon()

    async def stop(self, event: Event, *, grace: float = 20.0) -> None:
        """Stop in order: what is in flight gets its grace, then all stays on disk."""
        self._stopping = True  # what ends now leads to nothing new
        acts = [
            task
            for live in self._live.values()
            for key, task in live.tasks.items()
            if ":act" in key or ":undo" in key
        ]
        if acts:
            await asyncio.wait(acts, timeout=grace)
        for run, live in list(self._live.items()):
            session = self._sessions.get(run)
            if session is not None and not session.record.end and session.seq:
                with contextlib.suppress(Exception):
                    await self.told(run, event)
            live.drop_all()
        await self._effector.settle()
