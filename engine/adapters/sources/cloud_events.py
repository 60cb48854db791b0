"""CloudEvents 1.0: structured, batched, or binary (attributes in `ce-` headers).

What the event carries is anybody's: a state that says resolved, closed, ok or
recovered, or a type that ends so, is the end of the alert; all else fires.
Source: github.com/cloudevents/spec, HTTP protocol binding.
"""

import base64
import binascii
from typing import Any, Final
from urllib.parse import unquote

from engine.adapters.sources.reading import (
    Body,
    body_inside,
    body_of,
    first,
    identity,
    links_of,
    map_of,
    members,
    moment,
    part,
    plain,
    text,
    texts,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

OVER: Final = frozenset({"resolved", "closed", "ok", "recovered", "cleared", "up"})
BEGAN: Final = frozenset(
    {"firing", "opened", "open", "triggered", "raised", "down", "failed", "active"}
)
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
        name.removeprefix("ce-"): plain(unquote(value.strip().strip('"')))
        for name, value in posted.headers.items()
        if name.startswith("ce-")
    }
    if posted.body.strip():
        json = "json" in posted.headers.get("content-type", "json").lower()
        event["data"] = (
            body_of(posted) if json else plain(posted.body.decode("utf-8", "replace"))
        )
    return event


def _data(event: Body) -> Any:
    """Return what the event carries: values, a text, or nothing."""
    carried = event.get("data")
    packed = first(event, "data_base64")
    if carried is None and packed:
        try:
            raw = base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadBody("`data_base64` is no base64") from error
        carried = plain(raw.decode("utf-8", "replace"))
    if isinstance(carried, str) and carried.lstrip().startswith("{"):
        inside = body_inside(carried)
        return carried if inside is None else inside
    return carried


def _alert(event: Body, source: str) -> Alert:
    missing = [name for name in NEEDED if not text(event.get(name))]
    if missing:
        raise BadBody(f"this is no CloudEvent: it lacks {', '.join(missing)}")
    if not text(event["specversion"]).startswith(("1.", "0.3")):
        raise BadBody(f"specversion '{text(event['specversion'])[:20]}' is not read")
    carried = _data(event)
    data = part({"data": carried}, "data")
    kind = text(event["type"])
    told = first(data, "status", "state").lower()
    over = told in OVER or kind.lower().rpartition(".")[2] in OVER
    own = {
        "alertname": first(data, "alertname", "name") or kind,
        "type": kind,
        "origin": text(event["source"]),
        "subject": first(event, "subject"),
        "severity": first(data, "severity") or first(event, "severity"),
    }
    at = moment(event.get("time"))
    return Alert(
        source,
        "resolved" if over else "firing",
        without_empty(texts(data) | texts(data.get("labels")) | without_empty(own)),
        without_empty(
            {
                "summary": first(data, "summary", "title", "message"),
                "description": first(data, "description") or text(carried),
            }
        ),
        _same(event, data),
        "" if over else at,
        links_of(link=data.get("url") or data.get("link")),
        dict(event),
        own["severity"],
        at if over else "",
    )


def _same(event: Body, data: Body) -> str:
    """Return the fingerprint: by what the event is about, at last by its own id.

    Types that end in `.opened` and `.closed` tell of one alert.
    """
    kind, origin = text(event["type"]), text(event["source"])
    head, _, last = kind.rpartition(".")
    stem = head if head and last.lower() in OVER | BEGAN else kind
    named = first(data, "fingerprint", "alert_id", "incident_id")
    if named:
        return identity(origin, named)
    about = first(event, "subject") or first(data, "id")
    if about:
        return identity(origin, stem, about)
    if first(data, "status", "state") or stem != kind:
        return identity(origin, stem, first(data, "name"))
    return identity(origin, kind, text(event["id"]))
