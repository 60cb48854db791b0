"""Alerts on their way to runs: kept first, then decided, then carried out.

A delivery is on disk before its sender is told; deciding happens after, in order, by
core.intake; each decision is on disk before anything comes of it. What a killed engine
left undecided or not carried out is taken up again: a start has its run's id from the
decision, so that it is the same run once.

What is not here: how a body is read (adapters.sources), who may post (entrypoints.web).
Called by the web server and by hosts.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, Protocol

from engine.core.intake import Book, Rules, decide, drain, rules_of
from engine.core.intake.deciding import Arrived
from engine.errors import DoesNotApply, EngineError, NotFound, StoreUnavailable
from engine.model.alert import Alert, Delivery, Receipt
from engine.model.decision import Decision
from engine.model.events import AlertResolved, Event, Noted
from engine.model.people import Actor
from engine.model.run import ENDS, RunSummary
from engine.ports import AlertStore, Clock, Store
from engine.runtime.service import Service

log = logging.getLogger(__name__)

AT_ONCE: Final = 200  # alerts decided before others have their turn in the loop
BOOK_SECONDS: Final = 7 * 86_400.0  # how far back decisions are read at the start
QUEUE_SECONDS: Final = 1.0  # between two looks at the queue
RETRY_SECONDS: Final = 1.0


class Silences(Protocol):
    """Where silences are asked for."""

    async def covering(self, alerts: Sequence[Alert]) -> Mapping[str, str]:
        """Return the silence that covers each alert that has one, by fingerprint."""
        ...


@dataclass(slots=True)
class Intake:
    """Takes deliveries, decides, starts and tells runs."""

    service: Service
    alerts: AlertStore
    store: Store
    clock: Clock
    rules: Rules
    silences: Silences | None = None
    claim: Callable[[str], bool] = lambda run: True  # a run is ours to drive
    loud: Callable[[str], None] = log.warning  # what people must not miss
    heard: Callable[[Delivery], None] | None = None  # who listens for heartbeats
    book: Book = field(default_factory=Book)
    counts: Counter[str] = field(default_factory=Counter)  # decisions, by outcome
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _ended: list[str] = field(default_factory=list)

    async def receive(self, delivery: Delivery, raw: bytes, *, at: float) -> Receipt:
        """Keep a delivery; return when it is on disk. Decisions follow by themselves.

        Raises:
            StoreUnavailable: it could not be stored; the sender should try again.
        """
        receipt = await self.alerts.keep(delivery, raw, at=at)
        if self.heard is not None:
            self.heard(delivery)
        self._news.set()
        return receipt

    def load(self) -> None:
        """Take the rules from the library as it is now: after runbooks were loaded."""
        runbooks = self.service.library.runbooks.values()
        self.rules = replace(self.rules, rules=rules_of(runbooks))

    def ended(self, summary: RunSummary) -> None:
        """Take note that a run ended; runs that no alert started are of no interest."""
        if summary.ended_at is not None and summary.run in self.book.runs:
            self._ended.append(summary.run)
            self._news.set()

    async def start(self) -> None:
        """Read the book back, do what a dead engine left, begin to work."""
        since = self.clock.now() - BOOK_SECONDS
        for decision in await self.alerts.decisions(since=since, limit=1_000_000):
            self.book.note(decision)
        for run in list(self.book.runs):
            summary = await self.store.summary(run)
            if summary is not None and summary.state in ENDS:
                self._ended.append(run)
        left = await self.alerts.to_carry_out()
        await self._carry_out(left)
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop; what is undecided stays on disk."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def settled(self) -> bool:
        """Return whether nothing waits for a decision."""
        waiting = await self.alerts.undecided(limit=1)
        return not (waiting or self._news.is_set())

    async def _work(self) -> None:
        self._news.set()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), QUEUE_SECONDS)
            try:
                await self._once()
            except StoreUnavailable as error:
                log.warning("alerts wait: journal unavailable error=%s", error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # an intake that ended would never be missed
                log.exception("alerts wait: a decision failed and is tried again")
                await asyncio.sleep(RETRY_SECONDS)

    async def _once(self) -> None:
        await self._note_ended()
        while waiting := await self.alerts.undecided():
            for number, at, delivery in waiting:
                await self._decide(number, at, delivery)
        await self._drain()
        if not self._ended and not await self.alerts.undecided(limit=1):
            self._news.clear()

    async def _decide(self, number: int, at: float, delivery: Delivery) -> None:
        hold = self.service.hold.reason() or ""
        silenced = await self._silenced(delivery.alerts)
        arrived = (
            Arrived(
                alert, at, number, position, silenced.get(alert.fingerprint, ""), hold
            )
            for position, alert in enumerate(delivery.alerts, 1)
        )
        book, decisions = self.book, list[Decision]()
        while some := list(islice(arrived, AT_ONCE)):
            book, told = decide(book, self.rules, some)
            decisions += told
            await asyncio.sleep(0)  # others have their turn
        decisions += _left_out(number, at, delivery)
        numbers = await self.alerts.decide([number], decisions)
        self.book = book
        self.counts.update(one.outcome for one in decisions)
        await self._carry_out(list(zip(numbers, decisions, strict=True)))

    async def _silenced(self, alerts: Sequence[Alert]) -> Mapping[str, str]:
        firing = [one for one in alerts if one.status == "firing"]
        if self.silences is None or not firing:
            return {}
        return await self.silences.covering(firing)

    async def _drain(self) -> None:
        hold = self.service.hold.reason() or ""
        book, told = drain(self.book, self.rules, self.clock.now(), hold=hold)
        await self._keep(book, told)

    async def _note_ended(self) -> None:
        ended, self._ended = self._ended, []
        if not ended:
            return
        book, told = self.book.copy(), []
        for run in ended:
            decision = Decision(
                at=self.clock.now(), outcome="run_ended", reason="it is over", run=run
            )
            book.note(decision)
            told.append(decision)
        try:
            await self._keep(book, told)
        except StoreUnavailable:
            self._ended += ended
            raise

    async def _keep(self, book: Book, told: list[Decision]) -> None:
        if not told:
            return
        numbers = await self.alerts.decide([], told)
        self.book = book
        self.counts.update(one.outcome for one in told)
        await self._carry_out(list(zip(numbers, told, strict=True)))

    async def _carry_out(self, decided: Iterable[tuple[int, Decision]]) -> None:
        done = []
        does = {
            "started": self._start,
            "attached": self._attach,
            "resolved_run": self._resolve,
            "flapping": self._flap,
        }
        for number, decision in decided:
            act = does.get(decision.outcome)
            if act is None:
                continue
            try:
                await act(decision)
            except StoreUnavailable:
                raise
            except EngineError as error:
                self.loud(f"{decision.alertname}: {decision.outcome}, but {error}")
            done.append(number)
        await self.alerts.carried_out(done)

    async def _start(self, decision: Decision) -> None:
        if await self.store.summary(decision.run) is not None:
            return  # begun before the engine died
        found = await self.alerts.alert(decision.delivery, decision.position)
        if found is None:
            raise NotFound(f"the alert of delivery {decision.delivery} is not kept")
        self.claim(decision.run)
        bundle = self.service.library.bundle(decision.runbook)
        by = Actor(decision.source, via="alert")
        try:
            await self.service.start(
                bundle, {}, by, alert=found.alerts[0], run=decision.run
            )
        except DoesNotApply:
            self._ended.append(decision.run)
            raise

    async def _attach(self, decision: Decision) -> None:
        who = Actor(decision.source, via="alert")
        name = decision.alertname or decision.fingerprint
        await self._tell(decision.run, Noted(by=who, text=f"alert {name} joined"))

    async def _resolve(self, decision: Decision) -> None:
        await self._tell(decision.run, AlertResolved(fingerprint=decision.fingerprint))

    async def _tell(self, run: str, event: Event) -> None:
        with contextlib.suppress(NotFound, DoesNotApply):
            await (self.service.tell or self.service.driver.told)(run, event)

    async def _flap(self, decision: Decision) -> None:
        key = (decision.source, decision.fingerprint)
        if self.book.braked.get(key, 0.0) - decision.at > 3_599.0:
            self.loud(f"{decision.alertname} is flapping: {decision.reason}")


def _left_out(number: int, at: float, delivery: Delivery) -> list[Decision]:
    """Return the note that a source left alerts out of a body."""
    if not delivery.truncated:
        return []
    told = f"{delivery.truncated} alerts were left out; raise `max_alerts`"
    return [
        Decision(
            at=at,
            outcome="truncated",
            reason=told,
            source=delivery.source,
            delivery=number,
        )
    ]
