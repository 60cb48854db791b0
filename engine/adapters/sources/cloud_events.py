"""CloudEvents 1.0: structured, batched, or binary (attributes in `ce-` headers).

What the event carries is anybody's: a state that says resolved, closed, ok or
recovered, or a type that ends so, is the end of the alert; all else fires.
Source: github.com/cloudevents/spec, HTTP protocol binding.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from engine.adapters.sources.reading import (
    Body,
    body_of,
    first,
    identity,
    map_of,
    members,
    moment,
    part,
    text,
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

OVER: Final = frozenset({"resolved", "closed", "ok", "recovered", "cleared", "up"})
NEEDED: Final = ("specversion", "id", "source", "type")


def read(posted: Posted, source: str) -> Delivery:
    """Return what came as CloudEvents. Raises BadBody."""
    if "ce-specversion" in posted.headers:
        return Delivery(source, (_alert(_binary(posted), source),))
    body = body_of(posted)
    events = members(body, "the batch") if isinstance(body, list) else [body]
    alerts = tuple(_alert(map_of(one, "an event"), source) for one in events)
    return Delivery(source, alerts, note="" if alerts else "an empty batch")


def _binary(posted: Posted) -> dict[str, Any]:
    event: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in posted.headers.items()
        if name.startswith("ce-")
    }
    if posted.body.strip():
        event["data"] = body_of(posted)
    return event


def _alert(event: Body, source: str) -> Alert:
    missing = [name for name in NEEDED if not text(event.get(name))]
    if missing:
        raise BadBody(f"this is no CloudEvent: it lacks {', '.join(missing)}")
    if not text(event["specversion"]).startswith(("1.", "0.3")):
        raise BadBody(f"specversion '{text(event['specversion'])[:20]}' is not read")
    data = part(event, "data")
    kind, subject = text(event["type"]), first(event, "subject")
    told = first(data, "status", "state").lower()
    over = told in OVER or kind.lower().rpartition(".")[2] in OVER
    own = {
        "alertname": first(data, "alertname", "name") or kind,
        "type": kind,
        "origin": text(event["source"]),
        "subject": subject,
        "severity": first(data, "severity") or first(event, "severity"),
    }
    named = first(data, "fingerprint", "alert_id", "incident_id")
    stem = kind.rpartition(".")[0] if over and told not in OVER else kind
    same = named or subject or first(data, "id") or ("" if told else text(event["id"]))
    at = moment(event.get("time"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(texts(data) | texts(data.get("labels")) | without_empty(own)),
        without_empty(
            {
                "summary": first(data, "summary", "title", "message"),
                "description": first(data, "description") or text(event.get("data")),
            }
        ),
        identity(text(event["source"]), named or stem, same),
        "" if over else at,
        {},
        dict(event) if isinstance(event, Mapping) else event,
        own["severity"],
        at if over else "",
    )
