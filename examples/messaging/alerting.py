"""Alert rules and their webhook, for machines without Prometheus and Alertmanager.

Rules come from the same rules.yml that Prometheus reads. An alert is pending until
its condition has held for `for`, then it fires, then it is resolved; groups are told
to a URL in the body of Alertmanager's webhook, version 4, and told again after a
5xx or no answer. Not here: silences, inhibition, routes, repeats.

Used by: scraper.py, once a second.
"""

import asyncio
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from .evaluate import Moment, evaluate
from .promql import UNITS, Node, QueryError, parse
from .samples import Labels

GROUP_BY = ("alertname", "region", "topic", "shard")
GROUP_WAIT_SECONDS = 1.0
GROUP_INTERVAL_SECONDS = 2.0
NOT_ENDED = "0001-01-01T00:00:00Z"
PLACEHOLDER = re.compile(r"\{\{\s*\$(?:(value)|labels\.(\w+))\s*\}\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule."""

    name: str
    text: str
    node: Node
    for_seconds: float
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(slots=True)
class Alert:
    """One alert from its first true condition to the notice that it is over."""

    labels: dict[str, str]
    rule: Rule
    active_at: float
    value: float
    fired_at: float | None = None
    ended_at: float | None = None

    def to_json(self, url: str) -> dict[str, Any]:
        """Return the alert as it stands in the webhook body."""
        ended = NOT_ENDED if self.ended_at is None else _time(self.ended_at)
        return {
            "status": "firing" if self.ended_at is None else "resolved",
            "labels": self.labels,
            "annotations": self.annotations(),
            "startsAt": _time(self.fired_at or self.active_at),
            "endsAt": ended,
            "generatorURL": f"{url}/api/v1/query?query={quote(self.rule.text)}",
            "fingerprint": fingerprint(self.labels),
        }

    def annotations(self) -> dict[str, str]:
        """Return the annotations with the value and the labels filled in."""

        def fill(found: re.Match[str]) -> str:
            if found[1]:
                return format(self.value, ".6g")
            return self.labels.get(found[2], "")

        texts = self.rule.annotations.items()
        return {name: PLACEHOLDER.sub(fill, text) for name, text in texts}


def load_rules(path: Path) -> list[Rule]:
    """Return the alert rules of a file; QueryError names a rule that we cannot read."""
    raw = yaml.safe_load(path.read_text())
    return [_rule(rule) for group in raw["groups"] for rule in group["rules"]]


def _rule(raw: dict[str, Any]) -> Rule:
    number, unit = re.findall(r"\d+|\D+", raw.get("for", "0s"))
    try:
        node = parse(raw["expr"])
    except QueryError as error:
        raise QueryError(f"rule {raw['alert']}: {error}") from None
    return Rule(
        raw["alert"],
        raw["expr"],
        node,
        float(number) * UNITS[unit],
        raw.get("labels", {}),
        raw.get("annotations", {}),
    )


def fingerprint(labels: dict[str, str]) -> str:
    """Return the hash by which Alertmanager knows a label set (FNV-1a)."""
    hashed = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in name.encode() + b"\xff" + labels[name].encode() + b"\xff":
            hashed = ((hashed ^ byte) * 0x100000001B3) % 2**64
    return format(hashed, "016x")


class Alerts:
    """The state of every alert."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = rules
        self.all: dict[tuple[str, Labels], Alert] = {}

    def look(self, moment: Moment) -> list[Alert]:
        """Evaluate all rules; return the alerts that began to fire or ended now."""
        changed: list[Alert] = []
        for rule in self._rules:
            try:
                found = evaluate(rule.node, moment)
            except QueryError:
                continue  # as Prometheus: this round of the rule says nothing
            if isinstance(found, dict):
                changed += self._update(rule, found, moment.at)
        return changed

    def _update(
        self, rule: Rule, found: dict[Labels, float], now: float
    ) -> list[Alert]:
        changed: list[Alert] = []
        for labels, value in found.items():
            alert = self.all.get((rule.name, labels))
            if alert is None:
                own = {k: v for k, v in labels if k != "__name__"}
                full = {**own, **rule.labels, "alertname": rule.name}
                alert = Alert(full, rule, now, value)
                self.all[rule.name, labels] = alert
            alert.value = value
            if alert.fired_at is None and now - alert.active_at >= rule.for_seconds:
                alert.fired_at = now
                changed.append(alert)
        for key in [key for key in self.all if key[0] == rule.name]:
            if key[1] not in found:
                alert = self.all.pop(key)
                alert.ended_at = now
                changed += [alert] if alert.fired_at is not None else []
        return changed


@dataclass(slots=True)
class Group:
    """Alerts that are told together."""

    labels: dict[str, str]
    due: float
    alerts: dict[str, Alert] = field(default_factory=dict)
    changed: bool = True
    sending: bool = False


class Notifier:
    """Tells a URL about groups of alerts, until it has answered."""

    def __init__(self, webhook: str, own_url: str) -> None:
        self._webhook = webhook
        self._own_url = own_url
        self._groups: dict[str, Group] = {}
        self.sent = 0
        self.failed = 0

    def add(self, changed: list[Alert], now: float) -> None:
        """Take changed alerts into their groups."""
        for alert in changed:
            labels = {k: alert.labels[k] for k in GROUP_BY if k in alert.labels}
            fresh = Group(labels, now + GROUP_WAIT_SECONDS)
            group = self._groups.setdefault(_group_key(labels), fresh)
            group.alerts[fingerprint(alert.labels)] = alert
            group.changed = True

    async def tell(self, now: float) -> None:
        """Send what is due; a failed try is repeated at the next interval."""
        due = [
            (key, group)
            for key, group in self._groups.items()
            if group.changed and not group.sending and now >= group.due
        ]
        await asyncio.gather(*(self._send(key, group, now) for key, group in due))

    async def _send(self, key: str, group: Group, now: float) -> None:
        group.sending, group.changed = True, False
        told = {mark: a.ended_at is not None for mark, a in group.alerts.items()}
        body = json.dumps(self.body(key, group)).encode()
        status = await asyncio.to_thread(_post, self._webhook, body)
        group.sending, group.due = False, now + GROUP_INTERVAL_SECONDS
        if status is None or status >= 500:
            self.failed += 1
            group.changed = True
            return
        self.sent += 1
        for mark, ended in told.items():
            if ended and group.alerts[mark].ended_at is not None:
                del group.alerts[mark]
        if not group.alerts:
            del self._groups[key]

    def body(self, key: str, group: Group) -> dict[str, Any]:
        """Return the webhook body of a group: Alertmanager's, version 4."""
        alerts = [alert.to_json(self._own_url) for alert in group.alerts.values()]
        firing = any(alert["status"] == "firing" for alert in alerts)
        return {
            "version": "4",
            "groupKey": key,
            "truncatedAlerts": 0,
            "status": "firing" if firing else "resolved",
            "receiver": "runbooks",
            "groupLabels": group.labels,
            "commonLabels": _common([alert["labels"] for alert in alerts]),
            "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
            "externalURL": self._own_url,
            "alerts": alerts,
        }


def _group_key(labels: dict[str, str]) -> str:
    inside = ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels))
    return f"{{}}:{{{inside}}}"


def _common(several: list[dict[str, str]]) -> dict[str, str]:
    first = several[0]
    return {k: v for k, v in first.items() if all(s.get(k) == v for s in several)}


def _post(url: str, body: bytes) -> int | None:
    headers = {"Content-Type": "application/json", "User-Agent": "messaging-scraper"}
    asked = urllib.request.Request(url, body, headers, method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=5.0) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return None


def _time(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
