"""What people are told about alerts: reasons and notices in words, with the values.

Read by: deciding, ticking.
"""

from collections.abc import Callable, Mapping
from typing import Final

from engine.core.intake.matching import matches
from engine.core.intake.offers import group_text, proposal_id
from engine.core.intake.rules import Rules
from engine.model.alert import Alert
from engine.model.decision import Decision

NEAREST: Final = 3  # runbooks that a reason names


def no_runbook(rules: Rules, alert: Alert) -> str:
    """Return why the nearest triggers do not fit, at most three."""
    name = alert.labels.get("alertname")
    near = [
        (rule.name, matches(rule.alert, alert))
        for rule in rules.by_alertname.get(name or "", ())
        if rule.alert.match.get("alertname") == name
    ]
    if not near:
        return f"none of {plural(len(rules.rules), 'trigger')} fits"
    return "; ".join(f"{runbook}: {why}" for runbook, why in near[:NEAREST])


def plural(many: int, what: str) -> str:
    """Return a number with its noun: 1 alert, 2 alerts."""
    return f"{many} {what}" if many == 1 else f"{many} {what}s"


def notice_of(decision: Decision) -> str:
    """Return what people are told at once, or nothing: the decision is enough."""
    words = NOTICES.get(decision.outcome)
    return words(decision) if words is not None else ""


def _about(one: Decision) -> str:
    group = f" {group_text(one.group)}" if one.group else ""
    return f"'{one.runbook}'{group} for {one.alertname or one.fingerprint}"


NOTICES: Final[Mapping[str, Callable[[Decision], str]]] = {
    "proposed": lambda one: (
        f"{_about(one)} is proposed ({one.reason}). "
        f"Start it: runbook accept {proposal_id(one)}"
    ),
    "flapping": lambda one: f"{_about(one)} is flapping: {one.reason}",
    "cannot_start": lambda one: (
        f"{_about(one)} cannot start: {one.reason}. Do it by hand, or mend the "
        "runbook's inputs"
    ),
}
