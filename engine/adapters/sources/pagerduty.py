"""What PagerDuty posts: webhooks v3 and v2, and the Events API v2 form others post.

Source: developer.pagerduty.com, webhooks v3 and v2 overview, Events API v2.
"""

from collections.abc import Mapping
from typing import Any

from engine.adapters.sources.reading import (
    Body,
    body_of,
    first,
    identity,
    links_of,
    map_of,
    members,
    moment,
    part,
    text,
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted


def read(posted: Posted, source: str) -> Delivery:
    """Return what PagerDuty sent, in any of its forms. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    if first(part(body, "event"), "event_type"):
        return _third(part(body, "event"), source)
    if "messages" in body:
        found = [
            _second(map_of(one, f"message {number}"), source)
            for number, one in enumerate(members(body["messages"], "`messages`"), 1)
        ]
        alerts = tuple(one for one in found if one is not None)
        note = "" if alerts else "no message is about an incident"
        return Delivery(source, alerts, note=note)
    if "event_action" in body:
        return Delivery(source, (_event(body, source),))
    raise BadBody(
        "this is no PagerDuty body: it has none of `event` (v3), `messages` (v2), "
        "`event_action` (Events API)"
    )


def _third(event: Body, source: str) -> Delivery:
    kind = first(event, "event_type")
    incident = part(event, "data")
    if not kind.startswith("incident.") or not first(incident, "id"):
        what = kind or "without a type"
        return Delivery(source, note=f"an event that is no incident: {what[:60]}")
    if first(incident, "type") not in ("incident", "incident_reference", ""):
        return Delivery(source, note=f"an event beside an incident: {kind[:60]}")
    over = kind == "incident.resolved" or first(incident, "status") == "resolved"
    return Delivery(source, (_incident(incident, event, source, over=over),))


def _second(message: Body, source: str) -> Alert | None:
    incident = part(message, "incident") or part(message, "data", "incident")
    kind = first(message, "event", "type")
    if not first(incident, "id"):
        return None
    over = kind in ("incident.resolve", "incident.resolved") or (
        first(incident, "status") == "resolved"  # a note may come after the end
    )
    return _incident(incident, message, source, over=over)


def _incident(incident: Body, event: Body, source: str, *, over: bool) -> Alert:
    service = part(incident, "service")
    priority = part(incident, "priority")
    shown = first(incident, "title", "summary", "description") or first(
        part(incident, "trigger_summary_data"), "subject", "description"
    )
    own = {
        "alertname": shown or f"incident {first(incident, 'id')}",
        "service": first(service, "summary", "name"),
        "urgency": first(incident, "urgency"),
        "priority": first(priority, "summary", "name"),
        "status": first(incident, "status"),
        "incident_key": first(incident, "incident_key"),
        "number": first(incident, "number", "incident_number"),
    }
    own["severity"] = own["priority"] or own["urgency"]
    at = moment(event.get("occurred_at") or event.get("created_on"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(own),
        without_empty({"summary": shown}),
        identity(first(incident, "id")),
        moment(incident.get("created_at") or incident.get("created_on")),
        links_of(incident=incident.get("html_url")),
        dict(event),
        own["severity"],
        at if over else "",
    )


def _event(body: Body, source: str) -> Alert:
    action = text(body.get("event_action")).lower()
    payload = part(body, "payload")
    summary = first(payload, "summary")
    key = first(body, "dedup_key") or summary
    if action not in ("trigger", "acknowledge", "resolve") or not key:
        raise BadBody("an Events API body needs `event_action` and `dedup_key`")
    own = {
        "alertname": summary or key,
        "severity": first(payload, "severity"),
        "host": first(payload, "source"),
        "component": first(payload, "component"),
        "group": first(payload, "group"),
        "class": first(payload, "class"),
    }
    return Alert(
        source,
        "resolved" if action == "resolve" else "firing",
        without_empty(texts(payload.get("custom_details")) | own),
        without_empty({"summary": summary}),
        identity(key),
        moment(payload.get("timestamp")),
        links_of(client=body.get("client_url"), **_links(body.get("links"))),
        dict(body),
        own["severity"],
    )


def _links(value: Any) -> dict[str, Any]:
    found = value if isinstance(value, list) else []
    return {
        f"link{number}": one.get("href")
        for number, one in enumerate(found[:10], 1)
        if isinstance(one, Mapping)
    }
