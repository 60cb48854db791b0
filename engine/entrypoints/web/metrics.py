"""/metrics in Prometheus' text form, for whoever watches the engine.

Open to whoever may read (a viewer's token) or to everybody on loopback; no name of a
run, a person or an alert is in it. Called by app.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.entrypoints.web.access import Access, Unknown, came_locally
from engine.entrypoints.web.app import unavailable
from engine.errors import StoreUnavailable
from engine.model.health import GRADES, STATES
from engine.model.run import RunSummary
from engine.runtime.chat.chatting import Chatting
from engine.runtime.doctor import Doctor
from engine.runtime.intake import Intake
from engine.runtime.measures import Measures

MOST_OPEN = 1_000_000


@dataclass(frozen=True, slots=True)
class Now:
    """What is asked anew each time."""

    runs: list[RunSummary]
    unsent: int
    latency_seconds: float


@dataclass(slots=True)
class Metrics:
    """Shows what is counted, and how things stand."""

    measures: Measures
    intake: Intake
    now: Callable[[], Awaitable[Now]]
    posts: Counter[tuple[str, str]]
    access: Access
    doctor: Doctor
    chat: Chatting | None = None

    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route("/metrics", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Return every metric."""
        if not (came_locally(request) or _on_loopback(request)):
            try:
                self.access.caller(request)
            except Unknown as why:
                return JSONResponse({"error": str(why)}, 401)
        try:
            now = await self.now()
        except StoreUnavailable as why:
            return unavailable({"error": str(why)})
        registry = CollectorRegistry()
        families = [*self._counted(), *self._standing(now), *self._chat()]
        registry.register(_Collected(families))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def _counted(self) -> Iterator[Any]:
        measures = self.measures
        yield _counter(
            "runbook_effects", "Effects by kind and result.", ("kind", "result"),
            measures.effects,
        )  # fmt: skip
        looks = {(state,): count for state, count in measures.looks.items()}
        yield _counter("runbook_checks", "Checks by answer.", ("state",), looks)
        ends = {(end,): count for end, count in measures.ends.items()}
        yield _counter("runbook_runs_ended", "Runs that ended.", ("end",), ends)
        yield _counter("runbook_runs_begun", "Runs begun.", (), {(): measures.begun})
        decided = {(one,): count for one, count in self.intake.counts.items()}
        yield _counter(
            "runbook_alerts_decided", "Decisions on alerts.", ("outcome",), decided
        )
        yield _counter(
            "runbook_posts", "Requests by source and status.", ("source", "status"),
            self.posts,
        )  # fmt: skip
        first = HistogramMetricFamily(
            "runbook_first_act_seconds", "From the start of a run to its first act."
        )
        buckets = measures.first_act
        first.add_metric((), buckets.cumulated, buckets.total)
        yield first

    def _standing(self, now: Now) -> Iterator[Any]:
        states = Counter((one.state,) for one in now.runs)
        yield _gauge("runbook_runs", "Open runs by state.", ("state",), states)
        asked = sum(len(one.questions) for one in now.runs)
        held = sum(len(one.held) for one in now.runs)
        yield _gauge("runbook_questions", "Questions to people.", (), {(): asked})
        yield _gauge("runbook_held", "Things that are held.", (), {(): held})
        yield _gauge("runbook_outbox", "Messages to be sent.", (), {(): now.unsent})
        queued = len(self.intake.book.queue)
        yield _gauge("runbook_alerts_queued", "Alerts that wait.", (), {(): queued})
        yield from _examined(self.doctor)
        yield _gauge(
            "runbook_journal_commit_seconds", "One commit, just now.", (),
            {(): now.latency_seconds},
        )  # fmt: skip

    def _chat(self) -> Iterator[Any]:
        """What chat shows, how far it is behind, and whether it works."""
        if self.chat is None:
            return
        yield _counter(
            "runbook_chat_posts", "Messages by provider or way out, and result.",
            ("provider", "result"), self.chat.posts(),
        )  # fmt: skip
        yield _counter(
            "runbook_chat_requests", "Requests of chats by door and what became of "
            "them; forged: a bad signature.", ("door", "result"), self.chat.requests(),
        )  # fmt: skip
        runs, seconds, failing, works = {}, {}, {}, {}
        for one in self.chat.screens:
            name = (one.health.name,)
            runs[name], seconds[name] = one.behind()
            failing[name] = one.health.down_for()
            if one.health.worked_at is not None:
                now = one.health.clock.monotonic()
                works[name] = now - one.health.worked_at
        labels = ("provider",)
        yield _gauge(
            "runbook_chat_behind", "Runs that chat does not show yet.", labels, runs
        )
        yield _gauge(
            "runbook_chat_lag_seconds", "The longest wait of a run to be shown.",
            labels, seconds,
        )  # fmt: skip
        yield _gauge(
            "runbook_chat_failing_seconds", "Since chat fails; 0: it works.", labels,
            failing,
        )  # fmt: skip
        yield _gauge(
            "runbook_chat_worked_seconds", "Since chat last answered well.", labels,
            works,
        )  # fmt: skip


def _examined(doctor: Doctor) -> Iterator[Any]:
    """Yield what the latest examination found; before the first one nothing."""
    latest, age = doctor.latest, doctor.age_seconds()
    if latest is None or age is None:
        return
    counts = Counter(dict.fromkeys(((one,) for one in STATES), 0))
    counts.update((one.state,) for one in latest.findings)
    yield _gauge(
        "runbook_doctor_findings", "Findings of the latest examination.", ("state",),
        counts,
    )  # fmt: skip
    grades = {(one.runbook,): GRADES.index(one.grade) for one in latest.readiness}
    told = "How ready a runbook is: 2 ready, 1 doubtful, 0 not ready."
    yield _gauge("runbook_readiness", told, ("runbook",), grades)
    told = "Since the latest examination ended."
    yield _gauge("runbook_doctor_age_seconds", told, (), {(): age})


def _on_loopback(request: Request) -> bool:
    client = request.client
    return client is not None and client.host in ("127.0.0.1", "::1")


class _Collected:
    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> list[Any]:
        return self._families


def _counter(name: str, told: str, labels: tuple[str, ...], counts: Any) -> Any:
    family = CounterMetricFamily(name, told, labels=labels)
    for key, count in sorted(counts.items()):
        family.add_metric(key, count)
    return family


def _gauge(name: str, told: str, labels: tuple[str, ...], values: Any) -> Any:
    family = GaugeMetricFamily(name, told, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family
