"""Alerts on their way to runs: kept first, then decided, then carried out.

A delivery is on disk before its sender is told; deciding happens after, in order, by
core.intake; each decision is on disk before anything comes of it, and what a run is
told of it is in the same transaction. What a killed engine left undecided or not
started is taken up again: a start has its run's id from the decision, so that it is the
same run once.

What is not here: how a body is read (adapters.sources), who may post (entrypoints.web),
what is decided (core.intake), how a decision becomes a run (beginning).
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

import msgspec

from engine.core.intake import Arrived, Book, Now, Rules, decide, rules_of, schedules_of
from engine.core.intake.offers import group_text
from engine.core.intake.ticking import accept, decline, ended, opened, refused, tick
from engine.errors import DoesNotApply, StoreUnavailable
from engine.model.alert import Delivery, Receipt
from engine.model.decision import Decision
from engine.model.health import Examined
from engine.model.run import ENDS, RunSummary
from engine.ports import AlertStore, Clock, Silences, Store
from engine.runtime.beginning import Begins, batches, mail_of, notices_of, unusual
from engine.runtime.plain_text import kept_text
from engine.runtime.service import Service

log = logging.getLogger(__name__)

INLINE: Final = 50  # alerts that are judged in the loop; more are judged in a thread
PAGE: Final = 10_000  # decisions that are read at once
MOST_OPEN: Final = 1_000_000  # runs
TICK_SECONDS: Final = 1.0  # between two looks at what waits
ELSEWHERE_SECONDS: Final = 5.0  # while something waits and nothing comes
RETRY_SECONDS: Final = 1.0
Decided = tuple[Book, list[Decision]]
Waiting = Sequence[tuple[int, float, Delivery]]


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
    overdue: Mapping[str, str] = field(default_factory=dict)  # not tried lately: why
    book: Book = field(default_factory=Book)
    counts: Counter[str] = field(default_factory=Counter)  # decisions, by outcome
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one hand on the book
    _task: asyncio.Task[None] | None = None
    _began_at: float = 0.0
    _looked_at: float = 0.0  # for runs that other processes drive
    _ended: dict[str, float] = field(default_factory=dict)
    _opened: dict[str, RunSummary] = field(default_factory=dict)
    _strangers: set[str] = field(default_factory=set)  # runs that others began

    # What others call

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
        library = self.service.library
        runbooks = list(library.runbooks.values())
        self.rules = replace(
            self.rules,
            rules=rules_of(runbooks),
            schedules=schedules_of(runbooks),
            problems=library.offered_only(self.overdue),
        )

    def examined(self, found: Examined) -> None:
        """Hear what was not rehearsed for too long."""
        self.overdue = {one.runbook: one.overdue for one in found.readiness}
        self.load()

    def ended(self, summary: RunSummary) -> None:
        """Hear of a run's change: it ended, or a person began one that alerts join."""
        mine = summary.run in self.book.runs or summary.run in self.book.by_hand
        if summary.ended_at is not None:
            self._opened.pop(summary.run, None)
            self._strangers.discard(summary.run)
            if mine:
                self._ended[summary.run] = summary.ended_at
                self._news.set()
        elif not mine and self._joinable(summary):
            self._opened[summary.run] = summary
            self._news.set()

    def _joinable(self, summary: RunSummary) -> bool:
        """Whether alerts may join a run that we hear of for the first time."""
        if summary.run in self._strangers:
            return False
        self._strangers.add(summary.run)
        return summary.mode == "live" and summary.runbook in self.rules.named

    def proposals(self) -> list[Decision]:
        """Return what people may start now, the worst first."""
        return offers(self.book)

    async def accept(self, runbook: str, by: str, *, group: str = "") -> str:
        """Start what waits for that runbook and group, as this person; return the run.

        Raises:
            DoesNotApply: nothing waits for it, or it cannot start; the text says why.
        """
        async with self._turn:
            now = await self._now(ask=False)
            book, told = accept(self.book, (runbook, group), now, by)
            if not told:
                self._refuse_gone(runbook, group)
            await self._keep(book, told)
        run = told[0].run
        if run not in self.book.runs:
            raise DoesNotApply(self.book.refused[told[0].source, told[0].fingerprint])
        return run

    async def decline(
        self, runbook: str, by: str, why: str, *, group: str = ""
    ) -> None:
        """Take a proposal off the list: this person says that it is not to be started.

        Raises:
            DoesNotApply: nothing is proposed for that runbook and group.
        """
        why = self.service.redactor.text(kept_text(why))
        async with self._turn:
            now = await self._now(ask=False)
            book, told = decline(self.book, (runbook, group), now, by, why)
            if not told:
                self._refuse_gone(runbook, group)
            await self._keep(book, told)

    def _refuse_gone(self, runbook: str, group: str) -> NoReturn:
        """Say what became of what does not wait any more. Raises DoesNotApply."""
        known = self.book.group((runbook, group))
        about = f"'{runbook}' {group_text(group)}".strip()
        if known.run:
            raise DoesNotApply(f"{about} runs already: run '{known.run}'")
        if known.declined:
            raise DoesNotApply(f"{about} was declined by {known.declined}")
        raise DoesNotApply(f"nothing waits for {about}. See: runbook alerts")

    async def start(self) -> None:
        """Read the book back, do what a dead engine left, begin to work."""
        self._began_at = self.clock.now()
        self.load()
        async with self._turn:
            await self._read_book()
            left = await self.alerts.to_carry_out()
            await self._compare({one.run for _, one in left})
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
        waits = self._news.is_set() or self._turn.locked()
        return not waits and await self.alerts.backlog() == 0

    # The book

    async def _read_book(self) -> None:
        """Make the book of what was decided; there is no second truth."""
        self.book = await read_book(self.alerts)

    async def _compare(self, beginning: set[str]) -> None:
        """Find runs that ended, or that people began, while nobody told us."""
        runs = await self.store.runs(open_only=True, limit=MOST_OPEN)
        there = {one.run: one for one in runs}
        for run in [*self.book.runs, *self.book.by_hand]:
            if run not in there and run not in beginning:
                summary = await self.store.summary(run)
                if summary is None or summary.state in ENDS:
                    at = summary.ended_at if summary is not None else None
                    self._ended[run] = at or self.clock.now()
        for one in runs:
            self.ended(one)
        self._looked_at = self.clock.monotonic()
        await self._runs_told()

    async def _runs_told(self) -> None:
        while self._ended:
            run, at = next(iter(self._ended.items()))
            await self._keep(*ended(self.book, run, at))
            del self._ended[run]
        while self._opened:
            run, one = next(iter(self._opened.items()))
            now = Now(self.clock.now())
            made = opened(
                self.rules, self.book, now, run=run, runbook=one.runbook,
                by=one.requester, inputs=one.inputs,
            )  # fmt: skip
            await self._keep(*made)
            self._opened.pop(run, None)

    # The work

    async def _work(self) -> None:
        self._news.set()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), TICK_SECONDS)
            try:
                self._news.clear()
                async with self._turn:
                    await self._once()
            except StoreUnavailable as error:
                log.warning("alerts wait: journal unavailable error=%s", error)
                self._news.set()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # an intake that ended would never be missed
                log.exception("alerts wait: a decision failed and is tried again")
                self._news.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _once(self) -> None:
        await self._runs_told()
        while waiting := await self.alerts.undecided():
            await self._look_elsewhere(TICK_SECONDS)
            for batch in batches(waiting, self._began_at):
                await self._decide(batch)
        if self.book.waiting:
            await self._look_elsewhere(ELSEWHERE_SECONDS)
        book = self.book
        if book.waiting or book.untold or self.rules.schedules:
            now = await self._now(ask=bool(book.waiting))
            made = await self._thought(
                lambda: tick(self.rules, self.book, now), len(book.waiting) // 20
            )
            await self._keep(*made)

    async def _look_elsewhere(self, every_seconds: float) -> None:
        """Other processes drive runs too: people's own, at a terminal."""
        if self.clock.monotonic() - self._looked_at >= every_seconds:
            await self._compare(set())

    async def _decide(self, batch: Waiting) -> None:
        """Decide some deliveries; one that the engine cannot judge stops no other."""
        try:
            await self._decide_all(batch)
        except StoreUnavailable:
            raise
        except Exception as defect:
            if len(batch) > 1:
                for one in batch:
                    await self._decide([one])
                return
            log.exception("a delivery cannot be decided number=%d", batch[0][0])
            failed = Decision(
                at=self.clock.now(), outcome="failed", source=batch[0][2].source,
                delivery=batch[0][0], reason=f"{type(defect).__name__}: {defect}",
            )  # fmt: skip
            await self._keep(self.book, [failed], deliveries=[batch[0][0]])
            self.loud(f"delivery {batch[0][0]} cannot be decided: {failed.reason}")

    async def _decide_all(self, batch: Waiting) -> None:
        fires = any(a.status == "firing" for one in batch for a in one[2].alerts)
        now = await self._now(ask=fires)

        def judged() -> Decided:
            arrived = (
                Arrived(alert, at, number, position)
                for number, at, delivery in batch
                for position, alert in enumerate(delivery.alerts, 1)
            )
            return decide(self.rules, self.book, arrived, now)

        book, told = await self._thought(judged, sum(len(d.alerts) for *_, d in batch))
        told += [one for some in batch for one in unusual(*some, now.at)]
        await self._keep(book, told, deliveries=[number for number, _, _ in batch])

    async def _thought(self, think: Callable[[], Decided], size: int) -> Decided:
        """Return what is thought out; much of it beside the loop, which goes on."""
        clean = self.service.redactor.text

        def thought() -> Decided:
            book, told = think()
            return book, [_clean(one, clean) for one in told]

        return thought() if size <= INLINE else await asyncio.to_thread(thought)

    async def _now(self, *, ask: bool) -> Now:
        hold = self.service.hold.reason() or ""
        if self.silences is None or not ask:
            return Now(self.clock.now(), hold)
        silences = await self.silences.active()
        return Now(self.clock.now(), hold, silences)

    # What comes of it

    async def _keep(
        self,
        book: Book,
        told: list[Decision],
        *,
        deliveries: Sequence[int] = (),
        carried: Sequence[int] = (),
    ) -> None:
        """Store decisions, then take the book for true, then carry them out."""
        if not (told or deliveries):
            return
        numbers = await self.alerts.decide(
            deliveries,
            told,
            carried=carried,
            mail=mail_of(told),
            notices=notices_of(told, self.service.library.runbooks),
        )
        self.book = book
        self.counts.update(one.outcome for one in told)
        for one in told:
            if one.notice:
                self.loud(one.notice)
        starts = zip(numbers, told, strict=True)
        await self._carry_out([pair for pair in starts if pair[1].outcome == "started"])

    async def _carry_out(self, starts: Sequence[tuple[int, Decision]]) -> None:
        begins = Begins(self.service, self.alerts, self.store)
        for number, decision in starts:
            problem = await begins.begin(decision)
            if problem:
                now = Now(self.clock.now())
                book, told = refused(self.book, decision, problem, now)
                await self._keep(book, told, carried=[number])
                continue
            if decision.run not in self._ended:
                self.claim(decision.run)
            await self.alerts.carried_out([number])


def _clean(decision: Decision, clean: Callable[[str], str]) -> Decision:
    reason, notice = clean(decision.reason), clean(decision.notice)
    if (reason, notice) == (decision.reason, decision.notice):
        return decision
    return msgspec.structs.replace(decision, reason=reason, notice=notice)


async def read_book(alerts: AlertStore) -> Book:
    """Return the book that the decisions of a journal make. Raises StoreUnavailable."""
    book, after = Book(), 0
    while page := await alerts.moving(after=after, limit=PAGE):
        after = page[-1][0]
        await asyncio.to_thread(book.read, [one for _, one in page])
    return book


def offers(book: Book) -> list[Decision]:
    """Return what people may start, the worst first."""
    found = [one for one in book.waiting.values() if one.outcome == "proposed"]
    return sorted(found, key=lambda one: (one.severity, one.since))
