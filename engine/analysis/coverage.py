"""Which alert rules have a runbook, and which runbooks no rule can start.

A label that a rule sets is certain; any other may come from the series, from templates
or from external labels, so a trigger that wants one may fit. What is certain is judged
as the intake judges it. Pure.

Called by: the command `coverage`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.core.intake import Rule, labels_fit
from engine.model.alert_rules import AlertRule


@dataclass(frozen=True, slots=True)
class Fit:
    """One runbook that an alert rule starts, if the labels named come as wanted."""

    runbook: str
    needs: tuple[str, ...] = ()  # labels that the rule leaves open; empty: certain


@dataclass(frozen=True, slots=True)
class Covered:
    """One alert rule with what it starts: certain fits first, the taken one first."""

    rule: AlertRule
    fits: tuple[Fit, ...] = ()

    @property
    def certain(self) -> tuple[Fit, ...]:
        """Return the runbooks that it starts whatever else its labels are."""
        return tuple(fit for fit in self.fits if not fit.needs)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a set of alert rules and a set of runbooks have to do with each other."""

    covered: tuple[Covered, ...]
    idle: tuple[str, ...]  # runbooks with an alert trigger that no rule can start

    @property
    def without(self) -> tuple[Covered, ...]:
        """Return the alert rules that no runbook is for."""
        return tuple(one for one in self.covered if not one.fits)

    @property
    def perhaps(self) -> tuple[Covered, ...]:
        """Return those whose series decide whether a runbook is for them."""
        return tuple(one for one in self.covered if one.fits and not one.certain)

    @property
    def doubled(self) -> tuple[Covered, ...]:
        """Return those that more than one runbook is certainly for."""
        return tuple(one for one in self.covered if len(one.certain) > 1)


def cover(
    alert_rules: Iterable[AlertRule], triggers: Sequence[Rule], source: str
) -> Coverage:
    """Return what is covered.

    Args:
        alert_rules: Of the rule files.
        triggers: Of the runbooks, in the order in which the intake takes them.
        source: The source through which these alerts come; other triggers are left out.
    """
    mine = [one for one in triggers if source in _sources(one)]
    covered = tuple(Covered(rule, _fits(rule, mine)) for rule in alert_rules)
    used = {fit.runbook for one in covered for fit in one.fits}
    idle = dict.fromkeys(one.name for one in mine if one.name not in used)
    return Coverage(covered, tuple(idle))


def _sources(trigger: Rule) -> Sequence[str]:
    named = trigger.alert.source
    return [named] if isinstance(named, str) else named


def _fits(rule: AlertRule, triggers: Iterable[Rule]) -> tuple[Fit, ...]:
    found: dict[str, Fit] = {}
    for trigger in triggers:
        fit = _fit(rule, trigger)
        known = found.get(trigger.name)
        if fit is not None and (known is None or len(fit.needs) < len(known.needs)):
            found[trigger.name] = fit
    return tuple(sorted(found.values(), key=lambda fit: bool(fit.needs)))


def _fit(rule: AlertRule, trigger: Rule) -> Fit | None:
    needs = []
    for label, wanted in trigger.alert.match.items():
        if label in rule.absent:
            return None
        if label not in rule.labels:
            needs.append(label)
        elif not labels_fit({label: wanted}, rule.labels):
            return None
    return Fit(trigger.name, tuple(needs))
