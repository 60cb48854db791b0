"""Which trigger an alert nearly fits, and what keeps it from fitting.

Asked by a person who wonders why nothing started, never for a storm. Called by the
command `why`.
"""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any, Final

from engine.core.intake.matching import labels_fit, wanted_text
from engine.core.intake.rules import Rule
from engine.model.alert import Alert

ALIKE: Final = 0.6  # of 1.0: two names that a person might take for each other


def nearest_trigger(rules: Iterable[Rule], alert: Alert) -> str:
    """Return the nearest runbook and what its trigger wants instead, or "".

    Nearest: the most of its wishes are met; a name that is nearly right counts half.
    """
    judged = [(_nearness(rule, alert), rule) for rule in rules]
    best = max((near for near, _ in judged), default=0.0)
    if best <= 0:
        return ""
    rule = next(rule for near, rule in judged if near == best)
    return f"nearest is '{rule.name}': {'; '.join(_misfits(rule, alert))}"


def _nearness(rule: Rule, alert: Alert) -> float:
    wishes = list(rule.alert.match.items())
    met = sum(_met(label, wanted, alert) for label, wanted in wishes)
    return met / len(wishes) if wishes else 0.0


def _met(label: str, wanted: Any, alert: Alert) -> float:
    if labels_fit({label: wanted}, alert.labels):
        return 1.0
    seen = alert.labels.get(label, "")
    options = wanted if isinstance(wanted, list) else [wanted]
    alike = (SequenceMatcher(None, seen, str(one)).ratio() for one in options)
    return 0.5 if seen and max(alike, default=0.0) >= ALIKE else 0.0


def _misfits(rule: Rule, alert: Alert) -> Iterator[str]:
    named = rule.alert.source
    sources = [named] if isinstance(named, str) else named
    if alert.source not in sources:
        yield f"its source is {alert.source}, it wants {' or '.join(sources)}"
    for label, wanted in rule.alert.match.items():
        if labels_fit({label: wanted}, alert.labels):
            continue
        seen = alert.labels.get(label)
        is_now = "is not there" if seen is None else f"is '{seen}'"
        yield f"label '{label}' {is_now}, it wants {wanted_text(wanted)}"
