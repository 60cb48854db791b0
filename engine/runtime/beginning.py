"""From a decision about an alert to what it brings about: a run, mail, a notice.

What is here: the start of a run under the id that was decided, and what runs and people
are told. What is not: when (intake).

Called by: intake.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.core.intake.ticking import SCHEDULE
from engine.errors import EngineError, StoreUnavailable
from engine.model.alert import Alert, Delivery
from engine.model.decision import Decision
from engine.model.effects import Say
from engine.model.events import AlertAttached, AlertResolved, Event
from engine.model.people import Actor
from engine.model.runbook import Runbook
from engine.ports import AlertStore, Store
from engine.runtime.service import Service

log = logging.getLogger(__name__)

INTAKE: Final = "intake"  # whose notice it is, where no run is meant
MOST_ALERTS: Final = 1_000  # of several deliveries that are decided at once
Waiting = Sequence[tuple[int, float, Delivery]]


@dataclass(frozen=True, slots=True)
class Begins:
    """Begins the runs that were decided."""

    service: Service
    alerts: AlertStore
    store: Store

    async def begin(self, decision: Decision) -> str:
        """Begin the run of a decision, once; return why it cannot, or nothing.

        Raises:
            StoreUnavailable: it is not known to have begun; to be tried again.
        """
        there = await self.store.summary(decision.run)
        if there is not None:  # begun before the engine died
            mine = there.runbook == decision.runbook
            return "" if mine else f"the id {decision.run} is another run's"
        try:
            await self._start(decision)
        except StoreUnavailable:
            raise
        except EngineError as error:
            return str(error)
        except Exception as defect:
            log.exception("a start failed run=%s", decision.run)
            return f"the engine failed: {type(defect).__name__}: {defect}"
        return ""

    async def _start(self, decision: Decision) -> None:
        bundle = self.service.library.bundle(decision.runbook)
        runbook = bundle.compiled.runbook
        alert = await self._alert(decision)
        via = "schedule" if decision.source == SCHEDULE else "alert"
        by = Actor(decision.source, kind="source", via=via)
        if decision.by:
            by = self.service.actor(decision.by, "alert", runbook)
        await self.service.start(bundle, {}, by, alert=alert, run=decision.run)

    async def _alert(self, decision: Decision) -> Alert | None:
        if decision.source == SCHEDULE:
            return None
        found = await self.alerts.alert(decision.delivery, decision.position)
        if found is None:
            raise EngineError(f"the alert of delivery {decision.delivery} is not kept")
        return found.alerts[0]


def mail_of(decisions: Sequence[Decision]) -> list[tuple[str, Event]]:
    """Return what runs are told of these decisions."""
    found: list[tuple[str, Event]] = []
    for one in decisions:
        if one.outcome == "attached" and one.many:
            name = one.alertname or one.fingerprint or "of its group"
            event = AlertAttached(name=name, many=one.many, fingerprint=one.fingerprint)
            found.append((one.run, event))
        elif one.outcome == "resolved_run":
            over = AlertResolved(
                fingerprint=one.fingerprint, when_resolved=one.when_resolved
            )
            found.append((one.run, over))
    return found


def notices_of(
    decisions: Sequence[Decision], runbooks: Mapping[str, Runbook]
) -> list[tuple[str, Say]]:
    """Return what people are told of these decisions, and whose run it is about."""
    return [
        (one.run or INTAKE, Say(one.notice, _channel(runbooks.get(one.runbook))))
        for one in decisions
        if one.notice
    ]


def _channel(runbook: Runbook | None) -> str:
    """Return the channel of a runbook, unless it depends on the inputs of a run."""
    channel = (runbook.chat.channel or "") if runbook is not None else ""
    return "" if "{" in channel else channel


def unusual(
    number: int, came: float, delivery: Delivery, now: float
) -> Iterator[Decision]:
    """Yield what is to be told of a delivery as a whole."""
    about = {"source": delivery.source, "delivery": number}
    if delivery.truncated:
        reason = f"{delivery.truncated} alerts were left out; raise `max_alerts`"
        yield _told("truncated", reason, now, came, about)
    if not delivery.alerts:
        reason = delivery.note or "the body has no alerts"
        yield _told("no_alerts", reason, now, came, about)


def _told(
    outcome: str, reason: str, now: float, came: float, about: Mapping[str, object]
) -> Decision:
    return Decision(at=now, outcome=outcome, reason=reason, came=came, **about)  # type: ignore[arg-type]


def batches(waiting: Waiting, began_at: float) -> Iterator[Waiting]:
    """Yield deliveries that are decided together, in order.

    A batch has no two words about one alert, so that a batch decides as its deliveries
    would one by one; what came before the engine began is judged by its last word.
    """
    batch: list[tuple[int, float, Delivery]] = []
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    size = 0
    for one in waiting:
        alerts = one[2].alerts
        words = {
            (alert.source, alert.fingerprint): (alert.status, alert.starts_at)
            for alert in alerts
        }
        other = one[1] >= began_at and any(
            seen.get(key, word) != word for key, word in words.items()
        )
        if batch and (other or size + len(alerts) > MOST_ALERTS):
            yield batch
            batch, seen, size = [], {}, 0
        batch.append(one)
        seen |= words
        size += len(alerts)
    if batch:
        yield batch
