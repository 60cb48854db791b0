"""What Grafana posts: unified alerting (Alertmanager's form), and the legacy alerts.

Source: grafana.com/docs, webhook notifier; legacy: up to Grafana 10.
"""

from collections.abc import Mapping
from typing import Any

from engine.adapters.sources import alertmanager
from engine.adapters.sources.reading import (
    Body,
    body_of,
    first,
    identity,
    links_of,
    pairs,
    text,
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

RESOLVED = frozenset({"ok", "normal"})
NOT_SAID = frozenset({"paused", "pending", "unknown"})
FIRING = frozenset({"alerting", "alert", "no_data", "nodata", "error"})
LEGACY = ("ruleName", "evalMatches")


def read(posted: Posted, source: str) -> Delivery:
    """Return what Grafana sent, in either form. Raises BadBody."""
    body = body_of(posted)
    if isinstance(body, Mapping) and "alerts" in body:
        return alertmanager.delivery_of(body, source)
    if not isinstance(body, Mapping) or not any(key in body for key in LEGACY):
        raise BadBody("this is no Grafana body: it has neither `alerts` nor `ruleName`")
    return _legacy(body, source)


def _legacy(body: Body, source: str) -> Delivery:
    state = text(body.get("state")).lower()
    if state in NOT_SAID:
        return Delivery(
            source, note=f"the rule is {state}: neither firing nor resolved"
        )
    if state not in RESOLVED | FIRING:
        raise BadBody(f"`state` is '{state[:40]}', neither alerting nor ok")
    tags = pairs(body.get("tags"))
    matched = _matches(body.get("evalMatches"))
    name = first(body, "ruleName", "title") or "alert"
    shared = {key: value for one in matched[:1] for key, value in one.items()}
    labels = without_empty(shared | tags | {"alertname": name, "state": state})
    keys = [
        text(body.get(key)) for key in ("orgId", "dashboardId", "panelId", "ruleId")
    ]
    alert = Alert(
        source,
        "resolved" if state in RESOLVED else "firing",
        labels,
        without_empty(
            {
                "summary": text(body.get("title")),
                "description": text(body.get("message")),
            }
        ),
        identity(*keys, name),
        "",
        links_of(rule=body.get("ruleUrl"), image=body.get("imageUrl")),
        dict(body),
        tags.get("severity", ""),
    )
    return Delivery(source, (alert,))


def _matches(value: Any) -> list[dict[str, str]]:
    """Return the tags of each series that fired."""
    if not isinstance(value, list):
        return []
    return [texts(one.get("tags")) for one in value if isinstance(one, Mapping)]
