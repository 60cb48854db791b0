"""What Azure Monitor's action groups post: the common schema, and the older forms.

Labels of a Prometheus rule, and the dimensions of a metric, stand in the alert's
context. Older: classic metrics, the activity log, log searches (these only fire).

Source: learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema.
"""

from collections.abc import Iterator

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
    log = part(data, "context", "activityLog")
    if log:
        return Delivery(source, (_activity(log, data, body, source),))
    if part(data, "context") and text(data.get("status")):
        return Delivery(source, (_metric(data, body, source),))
    if first(data, "AlertRuleName") and first(data, "SearchQuery"):
        return Delivery(source, (_search(data, body, source),))
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
        "resource_group": first(told, "targetResourceGroup"),
        "resource_type": first(told, "targetResourceType"),
        "target": split(targets),
    }
    context = part(data, "alertContext")
    custom = dict(_dimensions(context)) | texts(context.get("labels"))
    custom |= texts(data.get("customProperties"))
    notes = texts(context.get("annotations"))
    same = first(told, "originAlertId") or first(told, "alertId")
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(custom | without_empty(own)),
        without_empty(
            notes | without_empty({"description": first(told, "description")})
        ),
        identity(first(told, "alertId") or same or f"{own['alertname']} {targets}"),
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
    custom = dict(_dimensions(told))
    custom |= texts(data.get("properties")) | texts(body.get("properties"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(custom | without_empty(own)),
        without_empty({"description": first(told, "description")}),
        identity(
            first(told, "id") or own["alertname"],
            first(told, "resourceId") or own["resource"],
        ),
        "" if over else at,
        links_of(portal=told.get("portalLink")),
        dict(body),
        own["severity"],
        at if over else "",
    )


def _dimensions(context: Body) -> Iterator[tuple[str, str]]:
    """Give name and value of each dimension of the conditions that were met."""
    conditions = part(context, "condition").get("allOf")
    for one in conditions if isinstance(conditions, list) else []:
        found = part({"one": one}, "one").get("dimensions")
        for each in found if isinstance(found, list) else []:
            told = part({"one": each}, "one")
            if first(told, "name"):
                yield first(told, "name"), first(told, "value")


def _activity(log: Body, data: Body, body: Body, source: str) -> Alert:
    own = {
        "alertname": first(log, "operationName", "description") or "activity",
        "severity": first(log, "level"),
        "service": first(log, "resourceProviderName", "eventSource"),
        "resource": first(log, "resourceId"),
        "resource_group": first(log, "resourceGroupName"),
        "state": first(log, "status"),
    }
    over = own["state"].lower() in RESOLVED
    at = moment(log.get("eventTimestamp"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(texts(data.get("properties")) | without_empty(own)),
        without_empty({"description": first(log, "description")}),
        identity(first(log, "correlationId", "eventDataId") or own["alertname"]),
        "" if over else at,
        {},
        dict(body),
        own["severity"],
        at if over else "",
    )


def _search(data: Body, body: Body, source: str) -> Alert:
    severity = first(data, "Severity")
    return Alert(
        source,
        "firing",
        without_empty(
            {
                "alertname": first(data, "AlertRuleName"),
                "severity": severity,
                "resource": split(data.get("AffectedConfigurationItems")),
                "workspace": first(data, "WorkspaceId"),
            }
        ),
        without_empty({"description": first(data, "Description")}),
        identity(first(data, "SubscriptionId"), first(data, "AlertRuleName")),
        moment(data.get("SearchIntervalEndtimeUtc")),
        links_of(results=first(data, "LinkToSearchResults")),
        dict(body),
        severity,
    )
