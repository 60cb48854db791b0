"""What Google Cloud Monitoring's webhook channel posts: one incident.

Source: cloud.google.com/monitoring/support/notification-options, schema 1.2.
"""

from engine.adapters.sources.reading import (
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
        "alertname": policy.rpartition("/")[2] or first(told, "condition_name"),
        "condition": first(told, "condition_name"),
        "severity": first(told, "severity"),
        "project": first(told, "scoping_project_id") or first(resource, "project_id"),
        "resource": first(told, "resource_display_name", "resource_name"),
        "resource_type": first(resource, "type")
        or first(told, "resource_type_display_name"),
        "metric": first(metric, "type"),
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
        identity(first(told, "incident_id") or (policy, own["resource"])),
        moment(told.get("started_at")),
        links_of(incident=told.get("url")),
        dict(body),
        severity,
        moment(told.get("ended_at")) if over else "",
    )
    return Delivery(source, (alert,))
