"""What decisions are made by: triggers, limits, and what is so at the moment.

Read by: deciding, judging; made by runtime.intake, anew when runbooks are loaded anew.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from engine.core.intake.matching import labels_fit
from engine.expressions import matches as pattern_matches
from engine.model.runbook import AlertMatch, Runbook
from engine.model.silence import Matcher, Silence

STARTS_AN_HOUR: Final = 3  # of one runbook on one group, where it says nothing
FLAPS: Final = 3  # beginnings of one group within the time below: it is held
FLAP_SECONDS: Final = 900.0
SETTLE_SECONDS: Final = 60.0  # beginnings nearer than that are one trouble


@dataclass(frozen=True, slots=True)
class Rule:
    """One trigger of one runbook, with what limits its runs."""

    runbook: Runbook
    alert: AlertMatch
    group_by: tuple[str, ...] = ()
    when_resolved: str = "continue"

    @property
    def name(self) -> str:
        """The runbook's name."""
        return self.runbook.runbook

    @property
    def rank(self) -> tuple[str, str]:
        """Which of several that match comes first: the worse, then by name."""
        return self.runbook.severity, self.name

    def group(self, values: Mapping[str, Any]) -> str:
        """Return the group of a run with these inputs."""
        if not self.group_by:
            return ""
        wanted = [values.get(name) for name in self.group_by]
        return json.dumps(wanted, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class Schedule:
    """One runbook that starts by the clock."""

    runbook: Runbook
    cron: str  # in UTC


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time in which alerts with these labels start nothing; epoch seconds."""

    match: Mapping[str, Any]
    begins_at: float
    ends_at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Now:
    """What is so at the moment of a decision."""

    at: float  # epoch seconds
    hold: str = ""  # why the global hold is set
    silences: tuple[Silence, ...] | None = ()  # None: they could not be asked for


@dataclass(frozen=True)
class Rules:
    """Everything that is decided by."""

    rules: tuple[Rule, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    starts_max: int = 20
    starts_seconds: float = 60.0
    at_once: int = 10
    problems: Mapping[str, str] = field(default_factory=dict)  # runbooks not to start
    schedules: tuple[Schedule, ...] = ()
    silenced_sources: frozenset[str] = frozenset({"alertmanager"})

    @cached_property
    def named(self) -> Mapping[str, Rule | Schedule]:
        """Return one rule of each runbook, by its name."""
        first: dict[str, Rule | Schedule] = {
            one.runbook.runbook: one for one in reversed(self.schedules)
        }
        return first | {rule.name: rule for rule in reversed(self.rules)}

    @cached_property
    def by_alertname(self) -> Mapping[str, tuple[Rule, ...]]:
        """Return the rules that may fit an alertname; under "" those for every other.

        A storm is held against those alone, not against every runbook there is.
        """
        wanted = [(rule, rule.alert.match.get("alertname")) for rule in self.rules]
        names = {name for _, name in wanted if _is_plain(name)}
        found = {
            str(name): tuple(r for r, n in wanted if n == name or not _is_plain(n))
            for name in names
        }
        return found | {"": tuple(r for r, n in wanted if not _is_plain(n))}


def _is_plain(name: Any) -> bool:
    return isinstance(name, str) and not name.startswith("/")


def rules_of(runbooks: Iterable[Runbook]) -> tuple[Rule, ...]:
    """Return a rule for each trigger by an alert, in the order of rank."""
    found = [
        Rule(runbook, trigger.alert, tuple(trigger.group_by), trigger.when_resolved)
        for runbook in runbooks
        for trigger in runbook.trigger
        if trigger.alert is not None
    ]
    return tuple(sorted(found, key=lambda rule: rule.rank))


def schedules_of(runbooks: Iterable[Runbook]) -> tuple[Schedule, ...]:
    """Return the schedules of these runbooks."""
    return tuple(
        Schedule(runbook, trigger.schedule)
        for runbook in runbooks
        for trigger in runbook.trigger
        if trigger.schedule is not None
    )


def quiet_for(rules: Rules, labels: Mapping[str, str], at: float) -> Quiet | None:
    """Return the maintenance window that covers an alert, the last to end."""
    found = [
        one
        for one in rules.quiet
        if one.begins_at <= at < one.ends_at and labels_fit(one.match, labels)
    ]
    return max(found, key=lambda one: one.ends_at, default=None)


def silence_for(now: Now, labels: Mapping[str, str]) -> Silence | None:
    """Return a silence that covers an alert; what could not be asked covers nothing."""
    for one in now.silences or ():
        if one.matchers and all(_covers(matcher, labels) for matcher in one.matchers):
            return one
    return None


def _covers(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    if matcher.regex:
        return pattern_matches(matcher.value, value) == matcher.equal
    return (value == matcher.value) == matcher.equal
