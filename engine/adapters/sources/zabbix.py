"""What Zabbix's webhook media type posts: keys of the customer's own making.

Macros that Zabbix did not fill in ({EVENT.RECOVERY.ID}, *UNKNOWN*) say nothing: where
one stands alone the key is left out, inside a text it is cut out.
Source: zabbix.com/documentation, webhook media type, macros.
"""

import re
from typing import Any, Final

from engine.adapters.sources.reading import (
    Body,
    Status,
    body_inside,
    body_of,
    first,
    identity,
    links_of,
    map_of,
    moment,
    pairs,
    part,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

MACRO: Final = re.compile(r"\{[$#?]?[A-Z][A-Z0-9_.$:#<>]*\}|\*UNKNOWN\*")
INSIDE: Final = re.compile(
    r"\{(?:[A-Z][A-Z0-9]*(?:\.[A-Z0-9_]+)+|[$#][A-Z0-9_.]+)\d?\}"
)
STATES: Final[dict[str, Status]] = {
    "problem": "firing", "1": "firing", "0": "resolved", "ok": "resolved",
    "resolved": "resolved", "update": "firing",
}  # fmt: skip
TRIGGER_ID: Final = re.compile(r"[?&]triggerid=(\d{1,20})")
NAMES: Final = ("trigger", "event_name", "trigger_name", "subject", "title")


def read(posted: Posted, source: str) -> Delivery:
    """Return what Zabbix sent. Raises BadBody."""
    raw = map_of(body_of(posted), "the body")
    body = map_of(_filled(raw), "the body")
    event, trigger = part(body, "event"), part(body, "trigger")
    told = (
        first(event, "status", "value")
        or first(body, "status", "event_status", "event_value", "trigger_status")
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
    if not isinstance(value, str):
        return value
    if MACRO.fullmatch(value.strip()):
        return None
    if INSIDE.search(value) is None:
        return value
    return INSIDE.sub("", value).strip() or None


def _alert(body: Body, raw: Body, status: Status, source: str) -> Alert:
    event, trigger, host = (part(body, key) for key in ("event", "trigger", "host"))
    item = part(body, "item")
    link = first(body, "link", "url", "event_url", "trigger_url")
    in_link = TRIGGER_ID.search(link)
    number = first(trigger, "id") or first(body, "trigger_id", "triggerid")
    number = number or (in_link[1] if in_link else "")
    name = first(event, "name") or first(trigger, "name") or first(body, *NAMES)
    same = number or first(event, "id") or first(body, "event_id", "eventid") or name
    if not same:
        raise BadBody("it names no problem: send {EVENT.NAME} and {TRIGGER.ID} too")
    own = {
        "alertname": name or f"problem {same}",
        "severity": first(event, "severity")
        or first(body, "severity", "event_severity", "trigger_severity")
        or first(trigger, "severity"),
        "host": first(host, "name", "visible_name")
        or first(body, "hostname", "host", "host_name"),
        "item": first(item, "key", "name") or first(body, "item", "item_name"),
        "trigger_id": number,
    }
    return Alert(
        source,
        status,
        without_empty(_tags(body, event) | without_empty(own)),
        without_empty(
            {
                "summary": first(body, "title", "subject", "alert_subject"),
                "description": first(body, "message", "alert_message"),
            }
        ),
        identity(same, own["host"]),
        _moment(body, event, ""),
        links_of(event=link),
        dict(raw),
        own["severity"],
        _moment(body, event, "recovery_") if status == "resolved" else "",
    )


def _tags(body: Body, event: Body) -> dict[str, str]:
    """Return the tags: a list, "a:b, c:d", or the JSON of {EVENT.TAGSJSON}."""
    told = body.get("tags") or body.get("event_tags") or event.get("tags")
    if isinstance(told, str) and told.lstrip().startswith("["):
        told = body_inside(told)
    return pairs(told)


def _moment(body: Body, event: Body, which: str) -> str:
    """Return a moment: seconds, or the day and the time as Zabbix writes them."""
    seconds = first(event, f"{which}clock", f"{which}timestamp") or first(
        body, f"event_{which}timestamp"
    )
    if seconds:
        return moment(seconds)
    day = first(event, f"{which}date") or first(body, f"event_{which}date")
    time = first(event, f"{which}time") or first(body, f"event_{which}time")
    return moment(f"{day} {time}") if day and time else moment(day)
