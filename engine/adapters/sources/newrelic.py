"""What New Relic posts: workflows (the default template), and the legacy channels.

Source: docs.newrelic.com, webhook destination; legacy: alert webhook channel.
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
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

RESOLVED = frozenset({"closed", "resolved", "recovered", "deactivated"})
FIRING = frozenset({"created", "activated", "acknowledged", "open", "active"})


def read(posted: Posted, source: str) -> Delivery:
    """Return what New Relic sent, in either form. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    legacy = first(body, "current_state").lower()
    if legacy == "test":
        return Delivery(source, note="a test of the channel")
    if legacy in RESOLVED | FIRING and first(body, "incident_id"):
        return Delivery(source, (_legacy(body, source),))
    state = first(body, "state", "issueState").lower()
    if state in RESOLVED | FIRING and first(body, "id", "issueId", "issue_id"):
        return Delivery(source, (_issue(body, source),))
    raise BadBody(
        "this is no New Relic body: it has neither `state` (like ACTIVATED, CLOSED) "
        "with `id` (a workflow) nor `current_state` with `incident_id` (a legacy "
        "channel). Keep these keys in the template."
    )


def _issue(body: Body, source: str) -> Alert:
    over = first(body, "state", "issueState").lower() in RESOLVED
    number = first(body, "issueId", "issue_id", "id")
    conditions = body.get("alertConditionNames")
    priority = first(body, "priority")
    title = body.get("title")
    own = {
        "alertname": split(conditions) or split(title) or f"issue {number}",
        "policy": split(body.get("alertPolicyNames")),
        "entity": split(body.get("impactedEntities")),
        "severity": priority.lower(),
        "workflow": first(body, "workflowName"),
        "source": split(body.get("sources")),
    }
    custom = texts(part(body, "labels")) | texts(part(body, "customAttributes"))
    link = first(body, "issueUrl", "issuePageUrl", "issue_url")
    ended = moment(body.get("closedAt") or body.get("updatedAt")) if over else ""
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(custom | own),
        without_empty({"summary": split(title)}),
        identity(number),
        moment(body.get("activatedAt") or body.get("createdAt")),
        links_of(issue=link),
        dict(body),
        priority,
        ended,
    )


def _legacy(body: Body, source: str) -> Alert:
    state = first(body, "current_state").lower()
    over = state in RESOLVED
    targets = body.get("targets")
    target = _first_map(targets)
    condition = first(body, "condition_name")
    own = {
        "alertname": condition or f"incident {first(body, 'incident_id')}",
        "policy": first(body, "policy_name"),
        "entity": first(target, "name"),
        "severity": first(body, "severity").lower(),
        "account": first(body, "account_name"),
    }
    at = moment(body.get("timestamp"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(texts(target.get("labels")) | own),
        without_empty({"summary": condition, "description": first(body, "details")}),
        identity(first(body, "account_id"), first(body, "incident_id")),
        at if state == "open" else "",  # of an acknowledgement it is another time
        links_of(
            incident=body.get("incident_url"),
            runbook=body.get("runbook_url"),
            chart=body.get("violation_chart_url"),
        ),
        dict(body),
        first(body, "severity"),
        at if over else "",
    )


def _first_map(value: object) -> Body:
    found = value[0] if isinstance(value, list) and value else None
    return found if isinstance(found, dict) else {}
