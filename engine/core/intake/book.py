"""What the intake knows: alerts that fire, open runs by group, starts, ends, the queue.

The book changes by decisions alone (`note`), so that the same decisions read back from
the journal give the same book. It is copied before a batch is decided: `decide` returns
a new one and leaves the old as it was.

Read by: deciding.
"""

from dataclasses import dataclass, field

from engine.core.intake.rules import FLAP_HOLD_SECONDS, FLAP_SECONDS, FLAPS
from engine.model.decision import Decision

Key = tuple[str, str]  # source and fingerprint, or runbook and group
KEPT_SECONDS = 86_400.0  # of starts, ends and flaps; no limit looks further back
HANDLED = frozenset({"started", "attached", "queued", "proposed"})


@dataclass(slots=True)
class OpenRun:
    """A run that alerts started: which of them still fire."""

    run: str
    runbook: str
    group: str
    firing: set[Key] = field(default_factory=set)
    alerts: set[Key] = field(default_factory=set)

    def copy(self) -> "OpenRun":
        """Return a copy that can change by itself."""
        return OpenRun(
            self.run, self.runbook, self.group, set(self.firing), set(self.alerts)
        )


@dataclass(slots=True)
class Seen:
    """What was last heard of one alert."""

    status: str
    starts_at: str
    at: float = 0.0  # epoch seconds, when it was delivered
    handled: bool = False  # something came of this firing
    run: str = ""


@dataclass(slots=True)
class Book:
    """Everything that earlier decisions leave behind."""

    alerts: dict[Key, Seen] = field(default_factory=dict)
    open: dict[Key, OpenRun] = field(default_factory=dict)
    runs: dict[str, Key] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    group_starts: dict[Key, list[float]] = field(default_factory=dict)
    ended: dict[Key, float] = field(default_factory=dict)
    ends: dict[Key, list[float]] = field(default_factory=dict)  # of one alert
    braked: dict[Key, float] = field(default_factory=dict)  # until
    queue: dict[Key, Decision] = field(default_factory=dict)  # by alert

    def copy(self) -> "Book":
        """Return a book that can change without this one."""
        return Book(
            dict(self.alerts),
            dict(self.open),
            dict(self.runs),
            list(self.starts),
            dict(self.group_starts),
            dict(self.ended),
            dict(self.ends),
            dict(self.braked),
            dict(self.queue),
        )

    def note(self, decision: Decision) -> None:
        """Change by what was decided; nothing else changes the book."""
        alert = (decision.source, decision.fingerprint)
        if decision.outcome == "run_ended":
            self._run_ended(decision)
            return
        if not decision.fingerprint or decision.outcome in ("lower_priority",):
            return
        self._heard(alert, decision)
        if decision.outcome == "started":
            self._started(alert, decision)
        elif decision.outcome == "attached":
            self._joined(alert, decision)
        elif decision.outcome in ("resolved_run", "still_firing"):
            self._over(alert, decision)
        elif decision.outcome == "queued":
            self.queue[alert] = decision
        elif decision.outcome == "left_queue":
            self.queue.pop(alert, None)
        elif decision.outcome == "flapping":
            self.braked.setdefault(alert, decision.at + FLAP_HOLD_SECONDS)

    def forget(self, before: float) -> None:
        """Let go of alerts that were last heard of before that time and are over."""
        needed = {key for run in self.open.values() for key in run.alerts}
        for key, seen in list(self.alerts.items()):
            if seen.at < before and key not in needed and key not in self.queue:
                del self.alerts[key]
                self.ends.pop(key, None)
        for group, at in list(self.ended.items()):
            if at < before:
                del self.ended[group]
                self.group_starts.pop(group, None)

    def brake_of(self, alert: Key, now: float) -> float | None:
        """Return until when the alert is held for flapping, or None."""
        until = self.braked.get(alert)
        if until is not None and now < until:
            return until
        recent = [at for at in self.ends.get(alert, ()) if now - at < FLAP_SECONDS]
        return now + FLAP_HOLD_SECONDS if len(recent) >= FLAPS else None

    def _heard(self, alert: Key, decision: Decision) -> None:
        before = self.alerts.get(alert)
        handled = decision.outcome in HANDLED
        again = decision.outcome in ("repeated", "out_of_order")
        if again and before is not None:
            return
        over = decision.status == "resolved"
        if over and (before is None or before.status == "firing"):
            recent = [
                at for at in self.ends.get(alert, ()) if decision.at - at < FLAP_SECONDS
            ]
            self.ends[alert] = [*recent, decision.at]
        self.alerts[alert] = Seen(
            decision.status, decision.starts_at, decision.at, handled, decision.run
        )
        if self.braked.get(alert, decision.at) < decision.at:
            del self.braked[alert]

    def _started(self, alert: Key, decision: Decision) -> None:
        key = (decision.runbook, decision.group)
        self.queue.pop(alert, None)
        self.open[key] = OpenRun(
            decision.run, decision.runbook, decision.group, {alert}, {alert}
        )
        self.runs[decision.run] = key
        oldest = decision.at - KEPT_SECONDS
        self.starts = [at for at in self.starts if at > oldest] + [decision.at]
        earlier = [at for at in self.group_starts.get(key, ()) if at > oldest]
        self.group_starts[key] = [*earlier, decision.at]

    def _joined(self, alert: Key, decision: Decision) -> None:
        self.queue.pop(alert, None)
        key = (decision.runbook, decision.group)
        if key in self.open:
            run = self.open[key] = self.open[key].copy()
            run.firing.add(alert)
            run.alerts.add(alert)

    def _over(self, alert: Key, decision: Decision) -> None:
        key = (decision.runbook, decision.group)
        if key in self.open:
            run = self.open[key] = self.open[key].copy()
            run.firing.discard(alert)

    def _run_ended(self, decision: Decision) -> None:
        key = self.runs.pop(decision.run, None)
        if key is None:
            return
        if key in self.open and self.open[key].run == decision.run:
            del self.open[key]
        self.ended[key] = decision.at
