"""What Zabbix's webhook media type posts: keys of the customer's own making.

Macros that Zabbix did not fill in ({EVENT.RECOVERY.ID}) say nothing and are left out.
Source: zabbix.com/documentation, webhook media type, macros.
"""

import re
from typing import Any, Final

from engine.adapters.sources.reading import (
    Body,
    Status,
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

MACRO: Final = re.compile(r"\{[A-Z][A-Z0-9_.$:#<>]*\}")
STATES: Final[dict[str, Status]] = {
    "problem": "firing", "1": "firing", "0": "resolved", "ok": "resolved",
    "resolved": "resolved", "update": "firing",
}  # fmt: skip
TRIGGER_ID: Final = re.compile(r"[?&]triggerid=(\d+)")


def read(posted: Posted, source: str) -> Delivery:
    """Return what Zabbix sent. Raises BadBody."""
    raw = map_of(body_of(posted), "the body")
    body = map_of(_filled(raw), "the body")
    event, trigger = part(body, "event"), part(body, "trigger")
    told = (
        first(event, "status", "value")
        or first(body, "status", "event_status", "event_value")
        or first(trigger, "status")
    )
    status = STATES.get(told.lower())
    if status is None:
        said = f"is '{told[:40]}'" if told else "is missing"
        raise BadBody(
            f"`status` {said}: send {{EVENT.STATUS}} (PROBLEM or RESOLVED) or "
            "{EVENT.VALUE} (1 or 0) under `status`"
        )
    return Delivery(source, (_alert(body, raw, status, source),))


def _filled(value: Any) -> Any:
    """Return the body without the macros that were not filled in."""
    if isinstance(value, dict):
        kept = {key: _filled(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one is not None}
    if isinstance(value, list):
        return [one for one in map(_filled, value) if one is not None]
    return None if isinstance(value, str) and MACRO.fullmatch(value) else value


def _alert(body: Body, raw: Body, status: Status, source: str) -> Alert:
    event, trigger, host = (part(body, key) for key in ("event", "trigger", "host"))
    name = (
        first(event, "name")
        or first(trigger, "name")
        or first(body, "trigger", "event_name", "trigger_name", "subject", "title")
    )
    link = first(body, "link", "url", "event_url")
    in_link = TRIGGER_ID.search(link)
    number = first(trigger, "id") or first(body, "trigger_id", "triggerid")
    number = number or (in_link[1] if in_link else "")
    item = part(body, "item")
    own = {
        "alertname": name or "problem",
        "severity": first(event, "severity")
        or first(body, "severity", "event_severity", "trigger_severity")
        or first(trigger, "severity"),
        "host": first(host, "name", "visible_name")
        or first(body, "hostname", "host", "host_name"),
        "item": first(item, "key", "name") or first(body, "item"),
        "trigger_id": number,
    }
    same = number or first(event, "id") or first(body, "event_id", "eventid") or name
    return Alert(
        source,
        status,
        without_empty(
            pairs(body.get("tags") or event.get("tags")) | without_empty(own)
        ),
        without_empty(
            {
                "summary": first(body, "title", "subject"),
                "description": first(body, "message", "alert_message"),
            }
        ),
        identity(same, own["host"]),
        moment(first(event, "time", "clock") or text(body.get("event_time"))),
        links_of(event=link),
        dict(raw),
        own["severity"],
    )
