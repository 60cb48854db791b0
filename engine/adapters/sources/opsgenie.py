"""What Opsgenie's webhook integration posts, one action on one alert at a time.

Source: support.atlassian.com/opsgenie, webhook integration data.
"""

from engine.adapters.sources.reading import (
    body_of,
    first,
    identity,
    links_of,
    map_of,
    moment,
    pairs,
    part,
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

RESOLVED = frozenset({"close", "delete", "resolve"})
BESIDE = frozenset(  # these come after the end of an alert too
    {"addnote", "addtags", "removetags", "adddetails", "removedetails"}
    | {"addrecipient", "addresponder", "addteam", "assignownership", "takeownership"}
    | {"updatedescription", "updatemessage", "updatepriority"}
)


def read(posted: Posted, source: str) -> Delivery:
    """Return what Opsgenie sent. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    action, alert = first(body, "action"), part(body, "alert")
    number = first(alert, "alertId", "id")
    if not action or not number:
        raise BadBody("this is no Opsgenie body: it lacks `action` or `alert.alertId`")
    if action.lower() in BESIDE:
        return Delivery(source, note=f"{action} changes nothing about the alert")
    over = action.lower() in RESOLVED
    shown = first(alert, "message")
    own = {
        "alertname": shown or first(alert, "alias") or f"alert {number}",
        "severity": first(alert, "priority"),
        "alias": first(alert, "alias"),
        "entity": first(alert, "entity"),
        "number": first(alert, "tinyId"),
        "integration": first(body, "integrationName"),
        "action": action,
    }
    made = Alert(
        source,
        "resolved" if over else "firing",
        without_empty(
            pairs(alert.get("tags")) | texts(alert.get("details")) | without_empty(own)
        ),
        without_empty({"summary": shown, "description": first(alert, "description")}),
        identity(number),
        moment(alert.get("createdAt")),
        links_of(),
        dict(body),
        own["severity"],
        moment(alert.get("updatedAt")) if over else "",
    )
    return Delivery(source, (made,))
