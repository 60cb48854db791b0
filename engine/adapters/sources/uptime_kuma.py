"""What Uptime Kuma's webhook posts: one heartbeat of one monitor.

Source: github.com/louislam/uptime-kuma, webhook notification.
"""

from typing import Final

from engine.adapters.sources.reading import (
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

STATES: Final[dict[str, Status]] = {"0": "firing", "1": "resolved"}
NOT_SAID: Final = {"2": "pending", "3": "in maintenance"}


def read(posted: Posted, source: str) -> Delivery:
    """Return what Uptime Kuma sent. Raises BadBody."""
    body = map_of(body_of(posted), "the body")
    if not {"heartbeat", "monitor"} & set(body):
        raise BadBody("this is no Uptime Kuma body: it lacks `heartbeat` and `monitor`")
    beat, monitor = part(body, "heartbeat"), part(body, "monitor")
    told = text(beat.get("status"))
    if not beat or told in NOT_SAID:
        why = NOT_SAID.get(told) or text(body.get("msg")) or "no heartbeat"
        return Delivery(source, note=f"neither up nor down: {why[:120]}")
    status = STATES.get(told)
    if status is None:
        raise BadBody(f"`heartbeat.status` is '{told[:40]}', none of 0, 1, 2, 3")
    over = status == "resolved"
    name = first(monitor, "name") or f"monitor {first(beat, 'monitorID')}"
    at = moment(beat.get("time")) or text(beat.get("localDateTime"))
    labels = {
        "alertname": name,
        "monitor": first(monitor, "id") or first(beat, "monitorID"),
        "kind": first(monitor, "type"),
        "host": first(monitor, "hostname"),
        "url": first(monitor, "url"),
    }
    alert = Alert(
        source,
        status,
        without_empty(pairs(monitor.get("tags")) | without_empty(labels)),
        without_empty(
            {"summary": first(body, "msg"), "description": first(beat, "msg")}
        ),
        identity(labels["monitor"] or name),
        "" if over or beat.get("important") is False else at,  # false: told again
        links_of(monitor=monitor.get("url")),
        dict(body),
        "",
        at if over else "",
    )
    return Delivery(source, (alert,))
