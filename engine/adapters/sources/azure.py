"""What Azure Monitor's action groups post: the common schema, and the older form.

Source: learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema.
"""

from engine.adapters.sources.reading import (
    Body,
    body_of,
    first,
    identity,
    links_of,
    map_of,
    moment,
    part,
    split,
    text,
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

RESOLVED = frozenset({"resolved", "deactivated"})
KNOWN = RESOLVED | {"fired", "activated"}


def read(posted: Posted, source: str) -> Delivery:
    """Return what Azure Monitor sent, in either form. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    data = part(body, "data") or body
    if part(data, "essentials"):
        return Delivery(source, (_common(data, body, source),))
    if part(data, "context") and text(data.get("status")):
        return Delivery(source, (_metric(data, body, source),))
    raise BadBody(
        "this is no Azure Monitor body: it lacks `data.essentials`. Switch on the "
        "common alert schema in the action group."
    )


def _status(told: str) -> bool:
    """Return whether it is over. Raises BadBody: neither said."""
    if told.lower() not in KNOWN:
        raise BadBody(f"the condition is '{told[:40]}', neither Fired nor Resolved")
    return told.lower() in RESOLVED


def _common(data: Body, body: Body, source: str) -> Alert:
    told = part(data, "essentials")
    over = _status(first(told, "monitorCondition"))
    targets = told.get("alertTargetIDs")
    own = {
        "alertname": first(told, "alertRule") or "alert",
        "severity": first(told, "severity"),
        "service": first(told, "monitoringService"),
        "signal": first(told, "signalType"),
        "resource": split(told.get("configurationItems")),
        "target": split(targets),
    }
    custom = texts(data.get("customProperties"))
    same = first(told, "originAlertId") or first(told, "alertId")
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(custom | own),
        without_empty({"description": first(told, "description")}),
        identity(first(told, "alertId") or same),
        moment(told.get("firedDateTime")),
        links_of(investigate=told.get("investigationLink")),
        dict(body),
        own["severity"],
        moment(told.get("resolvedDateTime")) if over else "",
    )


def _metric(data: Body, body: Body, source: str) -> Alert:
    told = part(data, "context")
    over = _status(text(data.get("status")))
    own = {
        "alertname": first(told, "name") or "alert",
        "severity": first(told, "severity"),
        "resource": first(told, "resourceName"),
        "resource_group": first(told, "resourceGroupName"),
        "resource_type": first(told, "resourceType"),
        "region": first(told, "resourceRegion"),
    }
    at = moment(told.get("timestamp"))
    custom = texts(data.get("properties")) | texts(body.get("properties"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(custom | own),
        without_empty({"description": first(told, "description")}),
        identity(first(told, "id"), first(told, "resourceId")),
        "" if over else at,
        links_of(portal=told.get("portalLink")),
        dict(body),
        own["severity"],
        at if over else "",
    )
