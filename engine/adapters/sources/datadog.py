"""What Datadog's webhook integration posts: a template of the customer's own making.

The variables of the template stand under the keys of the default payload and those that
the documentation names. The default payload has no transition: it stands in the title.
Source: docs.datadoghq.com/integrations/webhooks.
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
    split,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

HEAD: Final = re.compile(r"^\s*(?:\[[^\]]{0,1000}\]\s*)+")  # [Triggered on {host:a}]
TOLD: Final = re.compile(
    r"\[(Re-Triggered|Triggered|Recovered|Re-Warn|Warn|Re-No Data|No Data|Renotify)"
    r"(?: on \{([^}]{0,900})\})?\]",
    re.IGNORECASE,
)
VARIABLE: Final = re.compile(r"\$[A-Z][A-Z_]+")
TRANSITION: Final = ("alert_transition", "ALERT_TRANSITION", "transition", "status")
KNOWN: Final = re.compile(
    r"(re-?)?(triggered?|warn|no data|notify)|recovered|(warn|no data) recovered|"
    r"alert|ok|error|warning|success",
    re.IGNORECASE,
)
OVER: Final = re.compile(r".*recovered|ok|success", re.IGNORECASE)
AGAIN: Final = re.compile(r"re-?(triggered?|warn|no data|notify)", re.IGNORECASE)
NO_ALERT: Final = frozenset({"info", "user_update", "snapshot", "recommendation"})
MONITOR: Final = ("monitor_id", "alert_id", "ALERT_ID", "aggreg_key", "aggregation_key")
SCOPE: Final = ("scopes", "scope", "alert_scope", "ALERT_SCOPE")
TITLE: Final = ("title", "event_title", "EVENT_TITLE", "alert_title", "ALERT_TITLE")


def read(posted: Posted, source: str) -> Delivery:
    """Return what Datadog sent. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    kind = first(body, "alert_type", "ALERT_TYPE").lower()
    title = first(body, *TITLE)
    in_title = TOLD.search(title[:2000])
    transition = first(body, *TRANSITION) or (in_title[1] if in_title else "")
    if VARIABLE.fullmatch(transition or kind.upper()):
        raise BadBody(
            f"the template's variable {transition or kind.upper()} is not filled in"
        )
    named = title or first(body, *MONITOR)
    if not named or not (KNOWN.fullmatch(transition) if transition else kind):
        raise BadBody(
            "this is no Datadog body: it has no `alert_transition` (like Triggered, "
            "Recovered) or `alert_type`, or neither `title` nor `alert_id`. Add them "
            "to the webhook's payload."
        )
    if not transition and kind in NO_ALERT:
        return Delivery(source, note=f"an event of type {kind}, no alert of a monitor")
    scope = split(next((body[key] for key in SCOPE if body.get(key)), None))
    if not scope and in_title:
        scope = in_title[2] or ""
    return Delivery(source, (_alert(body, transition, title, scope, source),))


def _alert(body: Body, transition: str, title: str, scope: str, source: str) -> Alert:
    kind = first(body, "alert_type", "ALERT_TYPE")
    over = OVER.fullmatch(transition or kind) is not None
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
    at = moment(first(body, "date", "last_updated", "date_posix"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(pairs(body.get("tags")) | pairs(scope) | without_empty(own)),
        without_empty(
            {
                "summary": title,
                "description": first(body, "body", "event_msg", "text_only_msg"),
                "query": first(body, "alert_query", "query"),
            }
        ),
        identity(monitor or name, scope),
        "" if over or AGAIN.fullmatch(transition) else at,
        links_of(event=first(body, "url", "link"), image=first(body, "snapshot")),
        dict(body),
        own["severity"] or kind,
        at if over else "",
    )
