"""What Datadog's webhook integration posts: a template of the customer's own making.

The variables of the template stand under the keys of the default payload and those that
the documentation names. Source: docs.datadoghq.com/integrations/webhooks.
"""

import re
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
    text,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

HEAD: Final = re.compile(r"^\s*(?:\[[^\]]*\]\s*)+")  # [Triggered on {host:a}]
VARIABLE: Final = re.compile(r"\$[A-Z][A-Z_]+")
TRANSITION: Final = ("alert_transition", "ALERT_TRANSITION", "transition", "status")
MONITOR: Final = ("monitor_id", "alert_id", "ALERT_ID", "aggreg_key", "aggregation_key")
SCOPE: Final = ("scopes", "scope", "alert_scope", "ALERT_SCOPE")


def read(posted: Posted, source: str) -> Delivery:
    """Return what Datadog sent. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    transition = first(body, *TRANSITION)
    kind = first(body, "alert_type", "ALERT_TYPE")
    title = first(body, "title", "event_title", "EVENT_TITLE", "alert_title")
    if not (transition or kind) or not (title or first(body, *MONITOR)):
        raise BadBody(
            "this is no Datadog body: it has no `alert_transition` or `alert_type`, or "
            "neither `title` nor `alert_id`. Add them to the webhook's payload."
        )
    if VARIABLE.fullmatch(transition or kind):
        raise BadBody(f"the template's variable {transition or kind} is not filled in")
    return Delivery(source, (_alert(body, transition, kind, title, source),))


def _alert(body: Body, transition: str, kind: str, title: str, source: str) -> Alert:
    over = "recover" in transition.lower() or (not transition and kind == "success")
    scope = first(body, *SCOPE)
    monitor = first(body, *MONITOR)
    name = HEAD.sub("", title) or title or f"monitor {monitor}"
    own = {
        "alertname": name,
        "severity": first(body, "severity", "priority", "alert_priority"),
        "monitor": monitor,
        "alert_type": kind,
        "transition": transition,
        "event_type": first(body, "event_type"),
        "host": first(body, "hostname", "host"),
    }
    labels = without_empty(pairs(body.get("tags")) | _scope(scope) | without_empty(own))
    at = moment(body.get("date") or body.get("last_updated"))
    return Alert(
        source,
        "resolved" if over else "firing",
        labels,
        without_empty(
            {
                "summary": title,
                "description": first(body, "body", "event_msg", "text_only_msg"),
                "query": first(body, "alert_query", "query"),
            }
        ),
        identity(monitor or name, scope),
        "" if over else at,
        links_of(event=body.get("url") or body.get("link"), image=body.get("snapshot")),
        dict(body),
        own["severity"] or kind,
        at if over else "",
    )


def _scope(scope: str) -> dict[str, str]:
    return {key: said for key, said in pairs(scope).items() if key and text(said)}
