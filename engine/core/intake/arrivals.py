"""One alert as it came, which triggers fit it, and a decision about it as a record.

Read by: deciding, ticking, runtime.intake.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from engine.core.intake.book import Key
from engine.core.intake.matching import matches
from engine.core.intake.rules import Now, Rule, Rules
from engine.model.alert import Alert
from engine.model.decision import Decision
from engine.model.times import epoch_seconds

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # read out on the phone
RUN_LETTERS: Final = 8  # a collision would be a run that never starts


@dataclass(frozen=True, slots=True)
class Arrived:
    """One alert as it came: when (epoch seconds), and where it is kept."""

    alert: Alert
    at: float
    delivery: int = 0
    position: int = 0

    @property
    def key(self) -> Key:
        """What tells this alert from others."""
        return self.alert.source, self.alert.fingerprint


def fitting_rules(rules: Rules, alert: Alert) -> list[Rule]:
    """Return the first rule that fits of each runbook, in the order of rank."""
    index = rules.by_alertname
    some = index.get(alert.labels.get("alertname", ""), index[""])
    found = [rule for rule in some if matches(rule.alert, alert) is None]
    return list({rule.name: rule for rule in reversed(found)}.values())[::-1]


def suppressed(alert: Alert) -> bool:
    """Return whether the source itself says that a silence or inhibition covers it."""
    status = alert.raw.get("status") if isinstance(alert.raw, Mapping) else None
    return isinstance(status, Mapping) and status.get("state") == "suppressed"


def later(first: str, second: str) -> bool | None:
    """Return whether `second` is later than `first`; None: it cannot be told."""
    one, other = epoch_seconds(first, UTC), epoch_seconds(second, UTC)
    if one is None or other is None:
        return None
    return other > one


def told(
    one: Arrived,
    now: Now,
    outcome: str,
    reason: str,
    rule: Rule | None = None,
    group: str = "",
    run: str = "",
) -> Decision:
    """Return a decision about an alert."""
    alert = one.alert
    return Decision(
        at=now.at,
        outcome=outcome,
        reason=reason,
        source=alert.source,
        fingerprint=alert.fingerprint,
        alertname=alert.labels.get("alertname", ""),
        status=alert.status,
        starts_at=alert.starts_at,
        runbook=rule.name if rule is not None else "",
        severity=rule.runbook.severity if rule is not None else "",
        group=group,
        run=run,
        delivery=one.delivery,
        position=one.position,
        came=one.at,
    )


def run_id(waits: Decision, at: float) -> str:
    """Return the id of the run that what waits begins at this moment."""
    place = (waits.delivery, waits.position, waits.source, waits.fingerprint)
    return f"r-{letters(*place, waits.runbook, waits.group, at)}"


def letters(*parts: Any) -> str:
    """Return letters that are the same for the same parts, whenever they are made."""
    text = json.dumps([str(one) for one in parts]).encode()
    number, made = int.from_bytes(hashlib.sha256(text).digest()[:8], "big"), ""
    for _ in range(RUN_LETTERS):
        number, at = divmod(number, len(ALPHABET))
        made += ALPHABET[at]
    return made
