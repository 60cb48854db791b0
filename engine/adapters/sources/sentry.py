"""What Sentry posts: integration webhooks (issue, event, metric alerts), legacy ones.

Source: docs.sentry.io, integration platform webhooks; the legacy WebHooks plugin.
"""

from typing import Final

from engine.adapters.sources.reading import (
    Body,
    body_of,
    first,
    identity,
    links_of,
    map_of,
    moment,
    pairs,
    part,
    text,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

RESOLVED: Final = frozenset({"resolved", "archived", "ignored"})
BESIDE: Final = frozenset({"assigned", "unassigned"})


def read(posted: Posted, source: str) -> Delivery:
    """Return what Sentry sent, in any of its forms. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    data, action = part(body, "data"), first(body, "action")
    if part(data, "metric_alert"):
        return Delivery(source, (_metric(body, data, action, source),))
    event = part(data, "event") or part(data, "error")
    if event:
        rule = first(data, "triggered_rule")
        return Delivery(source, (_event(body, event, rule, source),))
    if part(data, "issue") and action:
        if action in BESIDE:
            return Delivery(source, note=f"the issue was {action}")
        return Delivery(source, (_issue(body, part(data, "issue"), action, source),))
    if part(body, "event") and first(body, "project", "project_name", "project_slug"):
        return Delivery(source, (_legacy(body, source),))
    if action and {"actor", "installation"} & set(body):
        return Delivery(source, note=f"'{action[:60]}' is about no alert")
    raise BadBody("this is no Sentry body: it has neither `data` nor `event`")


def _metric(body: Body, data: Body, action: str, source: str) -> Alert:
    told = part(data, "metric_alert")
    rule = part(told, "alert_rule")
    over = action == "resolved"
    own = {
        "alertname": first(rule, "name")
        or first(told, "title")
        or first(data, "description_title").partition(": ")[2]
        or "metric alert",
        "severity": "" if over else action,
        "metric": first(rule, "aggregate"),
        "environment": first(rule, "environment"),
    }
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(own),
        without_empty(
            {
                "summary": first(data, "description_title"),
                "description": first(data, "description_text"),
            }
        ),
        identity("metric", first(told, "id") or first(rule, "id")),
        moment(told.get("date_started")),
        links_of(alert=data.get("web_url")),
        dict(body),
        own["severity"],
        moment(told.get("date_closed")) if over else "",
    )


def _event(body: Body, event: Body, rule: str, source: str) -> Alert:
    own = {
        "alertname": rule or first(event, "title") or "event",
        "title": first(event, "title"),
        "severity": first(event, "level"),
        "project": first(event, "project", "project_slug", "project_name"),
        "environment": first(event, "environment"),
        "culprit": first(event, "culprit"),
    }
    return Alert(
        source,
        "firing",
        without_empty(pairs(event.get("tags")) | without_empty(own)),
        without_empty({"summary": first(event, "title", "message")}),
        identity("issue", first(event, "issue_id", "event_id") or own["alertname"]),
        moment(event.get("datetime") or event.get("timestamp")),
        links_of(event=event.get("web_url"), issue=event.get("issue_url")),
        dict(body),
        own["severity"],
    )


def _issue(body: Body, issue: Body, action: str, source: str) -> Alert:
    over = action in RESOLVED or first(issue, "status") in RESOLVED
    own = {
        "alertname": first(issue, "title") or f"issue {first(issue, 'id')}",
        "severity": first(issue, "level"),
        "project": first(part(issue, "project"), "slug", "name"),
        "culprit": first(issue, "culprit"),
        "short_id": first(issue, "shortId"),
    }
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(own),
        without_empty({"summary": first(issue, "title")}),
        identity("issue", first(issue, "id")),
        moment(issue.get("firstSeen")),
        links_of(issue=issue.get("web_url") or issue.get("permalink")),
        dict(body),
        own["severity"],
    )


def _legacy(body: Body, source: str) -> Alert:
    event = part(body, "event")
    title = first(body, "message") or first(event, "title")
    own = {
        "alertname": first(event, "title")
        or title
        or first(body, "culprit")
        or "event",
        "severity": first(body, "level") or first(event, "level"),
        "project": first(body, "project_slug", "project", "project_name"),
        "environment": first(event, "environment"),
        "culprit": first(body, "culprit"),
        "logger": first(body, "logger"),
    }
    return Alert(
        source,
        "firing",
        without_empty(pairs(event.get("tags")) | without_empty(own)),
        without_empty({"summary": title}),
        identity("issue", own["project"], text(body.get("id")) or title),
        moment(event.get("timestamp") or event.get("received")),
        links_of(issue=body.get("url")),
        dict(body),
        own["severity"],
    )
