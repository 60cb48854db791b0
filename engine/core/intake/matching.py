"""Which runbooks an alert starts: its labels against each trigger's `match`.

Pure. What is here: one alert, one trigger. What is not: reading a source's body (an
adapter), one open run for each group (runtime), the start itself.

Read by: deciding, the entry points.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.expressions import matches as pattern_matches
from engine.model.alert import Alert
from engine.model.runbook import AlertMatch, Runbook

LONGEST: Final = 4096  # of a label's value that a pattern is tried on


def matches(trigger: AlertMatch, alert: Alert) -> str | None:
    """Return why the alert does not start the runbook, or None: it does.

    A label must be there, also where its pattern would match nothing. `alert.status` is
    not judged: a resolved alert matches what it matched while it fired.
    """
    sources = [trigger.source] if isinstance(trigger.source, str) else trigger.source
    if alert.source not in sources:
        return f"its source is {alert.source}, not {' or '.join(sources)}"
    for label, wanted in trigger.match.items():
        seen = alert.labels.get(label)
        if seen is None:
            return f"it has no label '{label}'"
        if not _fits(wanted, seen):
            return f"label '{label}' is '{seen}', not {wanted_text(wanted)}"
    return None


def pick_alert(runbook: Runbook, alerts: Sequence[Alert]) -> tuple[Alert | None, str]:
    """Return the first firing alert that starts the runbook, or None and why not."""
    triggers = [one.alert for one in runbook.trigger if one.alert is not None]
    if not triggers:
        return None, f"'{runbook.runbook}' has no trigger `alert`"
    firing = [one for one in alerts if one.status == "firing"]
    if not firing:
        return None, "no alert of it is firing"
    reasons = []
    for alert in firing:
        told = [matches(trigger, alert) for trigger in triggers]
        if None in told:
            return alert, ""
        reasons += [reason for reason in told if reason]
    return None, "; ".join(dict.fromkeys(reasons))


def labels_fit(match: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether the labels are what a `match` wants."""
    return all(
        key in labels and _fits(wanted, labels[key]) for key, wanted in match.items()
    )


def _fits(wanted: Any, seen: str) -> bool:
    if isinstance(wanted, list):
        return any(_fits(one, seen) for one in wanted)
    if isinstance(wanted, bool):
        return seen == str(wanted).lower()
    if not isinstance(wanted, str):
        return seen == f"{wanted:g}" or seen == str(wanted)
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        return len(seen) <= LONGEST and pattern_matches(wanted[1:-1], seen)
    return seen == wanted


def wanted_text(wanted: Any) -> str:
    """Return what a trigger wants of a label, in words."""
    if isinstance(wanted, list):
        return " or ".join(wanted_text(one) for one in wanted)
    return f"'{wanted}'"
