"""What decisions are made by: the runbooks' triggers and limits, and the engine's own.

Read by: deciding; made by runtime.intake, anew when runbooks are loaded anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.model.runbook import AlertMatch, Runbook

STARTS_AN_HOUR: Final = 3  # of one runbook on one group, where it says nothing
FLAPS: Final = 3  # ends of one alert within the time below: it is held
FLAP_SECONDS: Final = 900.0
FLAP_HOLD_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One trigger of one runbook, with what limits its runs."""

    runbook: Runbook
    alert: AlertMatch
    group_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The runbook's name."""
        return self.runbook.runbook

    @property
    def rank(self) -> tuple[str, str]:
        """Which of several that match comes first: the worse, then by name."""
        return self.runbook.severity, self.name

    @property
    def cooldown_seconds(self) -> float:
        """How long after a run the next may begin; 0: at once."""
        cooldown = self.runbook.limits.cooldown
        return cooldown.total_seconds() if cooldown is not None else 0.0

    @property
    def starts(self) -> tuple[int, float]:
        """How many runs one group may start, in how many seconds."""
        rate = self.runbook.limits.runs
        if rate is None:
            return STARTS_AN_HOUR, 3600.0
        return rate.max, rate.per.total_seconds()


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time in which alerts with these labels start nothing; epoch seconds."""

    match: Mapping[str, Any]
    begins_at: float
    ends_at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that is decided by."""

    rules: tuple[Rule, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    starts_max: int = 20
    starts_seconds: float = 60.0
    at_once: int = 10
    problems: Mapping[str, str] = field(default_factory=dict)  # runbooks not to start


def rules_of(runbooks: Iterable[Runbook]) -> tuple[Rule, ...]:
    """Return a rule for each trigger by an alert, in the order of rank."""
    found = [
        Rule(runbook, trigger.alert, tuple(trigger.group_by))
        for runbook in runbooks
        for trigger in runbook.trigger
        if trigger.alert is not None
    ]
    return tuple(sorted(found, key=lambda rule: rule.rank))
