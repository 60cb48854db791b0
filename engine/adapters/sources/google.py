"""What Google Cloud Monitoring's webhook channel posts: one incident.

The same incident may come through Pub/Sub's push: JSON in base64 under `message.data`.
Source: cloud.google.com/monitoring/support/notification-options, schema 1.2.
"""

import base64
import binascii

from engine.adapters.sources.reading import (
    Body,
    body_inside,
    body_of,
    first,
    identity,
    links_of,
    map_of,
    moment,
    part,
    text,
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted


def read(posted: Posted, source: str) -> Delivery:
    """Return what Google Cloud sent. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    if "incident" not in body and first(part(body, "message"), "data"):
        body = _pushed(body)
    told = part(body, "incident")
    state = first(told, "state").lower()
    if state not in ("open", "closed"):
        raise BadBody(
            "this is no Google Cloud Monitoring body: `incident.state` is neither open "
            "nor closed"
        )
    over = state == "closed"
    resource, metric = part(told, "resource"), part(told, "metric")
    policy = first(told, "policy_name")
    own = {
        "alertname": _short(policy) or first(told, "condition_name"),
        "condition": first(told, "condition_name"),
        "severity": first(told, "severity"),
        "project": first(told, "scoping_project_id") or first(resource, "project_id"),
        "resource": first(told, "resource_display_name", "resource_name"),
        "resource_type": first(resource, "type")
        or first(told, "resource_type_display_name"),
        "metric": first(metric, "type"),
        "instance": first(part(resource, "labels"), "instance_id", "instance_name"),
        "region": first(part(resource, "labels"), "region", "location", "zone"),
    }
    labels = (
        texts(resource.get("labels"))
        | texts(metric.get("labels"))
        | texts(part(told, "metadata", "user_labels"))
        | texts(told.get("policy_user_labels"))
        | without_empty(own)
    )
    severity = own["severity"] or text(
        part(told, "metadata", "system_labels").get("severity")
    )
    document = told.get("documentation")
    alert = Alert(
        source,
        "resolved" if over else "firing",
        without_empty(labels | without_empty({"severity": severity})),
        without_empty(
            {
                "summary": first(told, "summary"),
                "description": text(document)
                or first(part(told, "documentation"), "content"),
            }
        ),
        identity(
            first(told, "incident_id")
            or f"{policy}/{own['condition']}/{own['resource']}"
        ),
        moment(told.get("started_at")),
        links_of(incident=told.get("url")),
        dict(body),
        severity,
        moment(told.get("ended_at")) if over else "",
    )
    return Delivery(source, (alert,))


def _pushed(body: Body) -> Body:
    """Return what Pub/Sub carries. Raises BadBody."""
    try:
        raw = base64.b64decode(first(part(body, "message"), "data"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadBody("`message.data` of Pub/Sub is no base64") from error
    return map_of(body_inside(raw.decode("utf-8", "replace")), "`message.data`")


def _short(policy: str) -> str:
    """Return the last part of projects/P/alertPolicies/N; a name may hold slashes."""
    return policy.rpartition("/")[2] if policy.startswith("projects/") else policy
