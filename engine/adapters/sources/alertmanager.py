"""What Alertmanager's webhook posts (version 4), and what its API lists.

A body, a list of alerts, or one alert alone, as `amtool alert query -o json` prints.
Status is told for each alert; the group's own status is not asked. Also for everything
that sends the same form: VMAlert, Mimir, Thanos, Grafana's unified alerting.

Source: prometheus.io/docs/alerting/latest/configuration, webhook_config.
"""

from collections.abc import Mapping
from typing import Any

from engine.adapters.sources.reading import (
    Body,
    Status,
    body_of,
    kind_of,
    links_of,
    map_of,
    members,
    moment,
    of_labels,
    text,
    texts,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

MORE_LINKS = {"dashboard": "dashboardURL", "panel": "panelURL", "silence": "silenceURL"}


def read(posted: Posted, source: str) -> Delivery:
    """Return what Alertmanager sent. Raises BadBody."""
    return delivery_of(body_of(posted), source)


def delivery_of(body: Any, source: str) -> Delivery:
    """Return the alerts of a body that is read already. Raises BadBody."""
    if isinstance(body, list):
        body = {"alerts": body}
    elif isinstance(body, Mapping) and "alerts" not in body and "labels" in body:
        body = {"alerts": [body]}
    if not isinstance(body, Mapping) or "alerts" not in body:
        raise BadBody(
            "this is no Alertmanager body: it has neither `alerts` nor `labels`. Give "
            "the JSON that its webhook receives, or one alert of it."
        )
    found = members(body["alerts"], "`alerts`")
    common = texts(body.get("commonLabels"))
    alerts = tuple(
        _alert(one, number, source, common) for number, one in enumerate(found, 1)
    )
    left_out = body.get("truncatedAlerts")
    return Delivery(
        source,
        alerts,
        text(body.get("groupKey")),
        max(left_out, 0) if type(left_out) is int else 0,  # true is no number here
        "" if alerts else "the body has no alerts",
    )


def _alert(raw: Any, number: int, source: str, common: dict[str, str]) -> Alert:
    one = map_of(raw, f"alert {number}")
    written = one.get("labels")
    if written is None and not common:
        raise BadBody(f"alert {number} of the body has no `labels`")
    if written is not None and not isinstance(written, Mapping):
        raise BadBody(f"`labels` of alert {number} is {kind_of(written)}, no map")
    labels = _all(written) if written is not None else common
    status = _status(one)
    links = links_of(
        generator=one.get("generatorURL"),
        **{name: one.get(key) for name, key in MORE_LINKS.items()},
    )
    return Alert(
        source,
        status,
        labels,
        _all(one.get("annotations")),
        text(one.get("fingerprint")) or of_labels(labels),
        moment(one.get("startsAt")),
        links,
        dict(one),
        labels.get("severity", ""),
        moment(one.get("endsAt")) if status == "resolved" else "",
    )


def _all(value: Any) -> dict[str, str]:
    """Return every label, an empty one too: here a label may be empty on purpose."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key): text(one) for key, one in value.items()}


def _status(one: Body) -> Status:
    """The API's own objects say `active`, `suppressed` in a map; only the hook ends."""
    told = one.get("status")
    if isinstance(told, str):
        return "resolved" if told.lower() == "resolved" else "firing"
    return "firing"
