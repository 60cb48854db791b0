"""What the engine watches by itself: checks it looks at, heartbeats that must come.

For teams without an alert manager, and for the way of the alerts itself: an alert that
must keep coming and does not is an alert (F56). Each watch raises alerts of the source
`watch`, which go the way of all others: kept, decided, and only then a run.

Called by: the host of a server.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from engine.core.intake.pulse import Pulse, State, felt
from engine.errors import EngineError, StoreUnavailable
from engine.language.load import load_runbook
from engine.model.alert import Alert, AlertStatus, Delivery
from engine.model.effects import CheckCall
from engine.model.kinds import Kinds
from engine.ports import Clock
from engine.runtime.intake import Intake
from engine.runtime.perform import Checks

log = logging.getLogger(__name__)

SOURCE: Final = "watch"


@dataclass(frozen=True, slots=True)
class Watched:
    """One watch: a check, or the labels of a heartbeat of a source."""

    labels: Mapping[str, str]  # of its alert; `alertname` among them
    every_seconds: float
    for_seconds: float
    call: CheckCall | None = None
    beat_source: str = ""
    beat_labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    unknown_fires: bool = False

    @property
    def fingerprint(self) -> str:
        """What tells its alert from others, also after a restart."""
        told = "\n".join(f"{key}={self.labels[key]}" for key in sorted(self.labels))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def call_of(check: Mapping[str, Any], kinds: Kinds, where: str) -> CheckCall:
    """Return a check of the configuration as it is looked at; it has no inputs.

    Raises:
        EngineError: it is no check; the message says what is wrong with it.
    """
    head = {"format": 1, "runbook": SOURCE, "title": SOURCE, "owner": SOURCE}
    text = json.dumps(
        head
        | {"severity": "sev5", "checks": {"watched": dict(check)}}
        | {"isolate": [{"check": "watched"}]},
        default=str,
    )
    loaded = load_runbook(text, where, kinds, stem=SOURCE)
    if loaded.runbook is None:
        told = "; ".join(f"{one.message} {one.hint}" for one in loaded.problems)
        raise EngineError(f"{where}: {told}")
    found = loaded.runbook.checks["watched"]
    return CheckCall(
        "watched",
        "watched",
        found.kind,
        found.params,
        found.pass_,
        found.pass_for,
        found.unknown_when,
        found.timeout.total_seconds(),
        found.attempts,
    )


@dataclass(slots=True)
class Watches:
    """Looks, listens for heartbeats, and raises alerts."""

    watched: Sequence[Watched]
    checks: Checks
    intake: Intake
    clock: Clock
    loud: Callable[[str], None] = log.error
    _pulses: dict[str, Pulse] = field(default_factory=dict)
    _began: dict[str, str] = field(default_factory=dict)  # when its alert began
    _beats: dict[str, float] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to watch; alerts that fired before a restart are known to fire."""
        now = self.clock.monotonic()
        for one in self.watched:
            seen = self.intake.book.alerts.get((SOURCE, one.fingerprint))
            if seen is not None and seen.status == "firing":
                self._pulses[one.fingerprint] = Pulse(firing=True)
                self._began[one.fingerprint] = seen.starts_at
            self._beats[one.fingerprint] = now
            self._tasks.append(asyncio.create_task(self._watch(one)))
        self.intake.heard = self.beat

    async def stop(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def beat(self, delivery: Delivery) -> None:
        """Hear a delivery: it may hold heartbeats."""
        for one in self.watched:
            if one.call is None and one.beat_source == delivery.source:
                wanted = one.beat_labels.items()
                if any(
                    alert.status == "firing" and wanted <= alert.labels.items()
                    for alert in delivery.alerts
                ):
                    self._beats[one.fingerprint] = self.clock.monotonic()

    async def _watch(self, one: Watched) -> None:
        while True:
            try:
                await self.look(one)
            except StoreUnavailable as error:  # it is looked at again
                log.warning("a watch was not kept error=%s", error)
            except Exception:  # one defect ends no watch
                log.exception("a watch failed alert=%s", one.labels["alertname"])
            await asyncio.sleep(one.every_seconds)

    async def look(self, one: Watched) -> None:
        """Look once, and raise or end its alert. Raises StoreUnavailable."""
        state, why = await self._state(one)
        now = self.clock.monotonic()
        before = self._pulses.get(one.fingerprint, Pulse())
        wait = one.for_seconds if one.call is not None else 0.0
        pulse, turn = felt(
            before, state, now, for_seconds=wait, unknown_fires=one.unknown_fires
        )
        if turn == "fire":
            failed = now - (now if pulse.failing_since is None else pulse.failing_since)
            self._began[one.fingerprint] = _iso(self.clock.now() - failed)
            if one.call is None:
                self.loud(f"the way of the alerts is down: {why}")
        if turn:
            await self._raise(one, "firing" if turn == "fire" else "resolved", why)
        self._pulses[one.fingerprint] = pulse  # once it is kept

    async def _state(self, one: Watched) -> tuple[State, str]:
        if one.call is not None:
            seen = await self.checks.look(one.call, run=SOURCE, tick=lambda: 0.0)
            return seen.state, seen.why
        silent = self.clock.monotonic() - self._beats[one.fingerprint]
        named = ", ".join(f"{key}={value}" for key, value in one.beat_labels.items())
        told = f"no heartbeat {named} of {one.beat_source} for {silent:.0f} s"
        return ("fail" if silent >= one.for_seconds else "pass"), told

    async def _raise(self, one: Watched, status: AlertStatus, why: str) -> None:
        now = self.clock.now()
        alert = Alert(
            SOURCE,
            status,
            dict(one.labels),
            dict(one.annotations) | {"seen": why},
            one.fingerprint,
            self._began.get(one.fingerprint, _iso(now)),
            severity=one.labels.get("severity", ""),
            ends_at=_iso(now) if status == "resolved" else "",
        )
        delivery = Delivery(SOURCE, (alert,))
        raw = f"{status} {one.fingerprint} {now}".encode()
        await self.intake.receive(delivery, raw, at=now)


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
