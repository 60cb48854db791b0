"""What Amazon posts: CloudWatch alarms through SNS, EventBridge, Health, log data.

SNS sends text/plain with a JSON envelope; what it carries is JSON in a string. Also
bare alarms (raw delivery), events of a bus, an alarm's own call of a function, and
Lambda's list of records. Whether the envelope is really signed by Amazon is judged in
sns. Of an envelope only what Amazon signs is read: whoever sends a signed one again
could write other keys beside it.

Source: docs.aws.amazon.com, SNS message formats; CloudWatch alarm events.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

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
    text,
    without_empty,
)
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

MOST_LOG_BYTES: Final = 8 * 1024 * 1024  # after decompression
RESOLVED: Final = frozenset({"ok", "closed", "resolved"})


def read(posted: Posted, source: str) -> Delivery:
    """Return what SNS, EventBridge or CloudWatch sent. Raises BadBody."""
    return _carried(map_of(body_of(posted), "the body"), source, 0)


def _carried(body: Body, source: str, depth: int) -> Delivery:
    if depth > 3:
        raise BadBody("messages are wrapped in messages more than three deep")
    kind = text(body.get("Type"))
    if kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return Delivery(source, note=f"{kind} of topic {text(body.get('TopicArn'))}")
    if kind == "Notification":
        return _notification(body, source, depth)
    if "Records" in body:
        return _together(
            [_carried(one, source, depth + 1) for one in _records(body)], source
        )
    if "NewStateValue" in body and "AlarmName" in body:
        return _alarm(body, source)
    if part(body, "alarmData"):
        return _called(body, source)
    if "detail-type" in body:
        return _event(body, source)
    if isinstance(body.get("awslogs"), Mapping):
        return _logs(part(body, "awslogs"), source)
    if "Message" in body and "TopicArn" in body:
        return _notification(body, source, depth)
    raise BadBody(
        "this is none of Amazon's bodies: neither an SNS notification, a CloudWatch "
        "alarm, an EventBridge event nor log data"
    )


def _records(body: Body) -> Iterator[Body]:
    for number, one in enumerate(members(body["Records"], "`Records`"), 1):
        yield part(map_of(one, f"record {number}"), "Sns") or map_of(one, "a record")


def _together(found: list[Delivery], source: str) -> Delivery:
    alerts = tuple(alert for one in found for alert in one.alerts)
    notes = "; ".join(one.note for one in found[:10] if one.note)
    return Delivery(source, alerts, note="" if alerts else notes or "no records")


def _notification(body: Body, source: str, depth: int) -> Delivery:
    message = body.get("Message")
    told = text(message)
    inner = body_inside(told) if told.lstrip().startswith("{") else message
    if isinstance(inner, Mapping):
        try:
            return _carried(inner, source, depth + 1)
        except BadBody:
            pass  # a text of somebody's own, which only begins like one of Amazon's
    subject = text(body.get("Subject"))
    topic = text(body.get("TopicArn"))
    labels = {"alertname": subject or told[:120] or "notification", "topic": topic}
    alert = Alert(
        source,
        "firing",
        without_empty(labels),
        without_empty({"summary": subject, "description": told}),
        identity(topic, text(body.get("MessageId")) or told),
        moment(body.get("Timestamp")),
        {},
        dict(body),
    )
    return Delivery(source, (alert,))


def _alarm(body: Body, source: str) -> Delivery:
    name, state = text(body["AlarmName"]), text(body["NewStateValue"])
    if state not in ("ALARM", "OK"):
        return _not_known(name, state, source)
    trigger = _metric_of(part(body, "Trigger"))
    arn = text(body.get("AlarmArn"))
    dimensions = _dimensions(trigger.get("Dimensions"))
    labels = dimensions | {
        "instance": dimensions.get("InstanceId", ""),
        "alertname": name,
        "account": text(body.get("AWSAccountId")),
        "region": arn.split(":")[3] if arn.count(":") > 4 else text(body.get("Region")),
        "namespace": text(trigger.get("Namespace")),
        "metric": text(trigger.get("MetricName")),
    }
    at = moment(body.get("StateChangeTime"))
    over = state == "OK"
    summary = text(body.get("AlarmDescription"))
    alert = Alert(
        source,
        "resolved" if over else "firing",
        without_empty(labels),
        without_empty(
            {"summary": summary, "description": text(body.get("NewStateReason"))}
        ),
        identity(arn or name, text(body.get("AWSAccountId"))),
        "" if over else at,
        {},
        dict(body),
        "",
        at if over else "",
    )
    return Delivery(source, (alert,))


def _not_known(name: str, state: str, source: str) -> Delivery:
    return Delivery(source, note=f"alarm '{name[:80]}' is {state[:40]}: not known")


def _metric_of(trigger: Body) -> Body:
    """Return the one metric, or the first of an alarm over several."""
    found = trigger.get("Metrics")
    several = found if isinstance(found, list) else []
    inside = (part({"one": one}, "one", "MetricStat", "Metric") for one in several)
    return next((one for one in inside if one), trigger)


def _dimensions(value: Any) -> dict[str, str]:
    found = value if isinstance(value, list) else []
    return {
        first(one, "name", "Name"): first(one, "value", "Value")
        for one in found
        if isinstance(one, Mapping) and first(one, "name", "Name")
    }


def _event(body: Body, source: str) -> Delivery:
    detail = part(body, "detail")
    kind, state = text(body["detail-type"]), part(detail, "state")
    name = first(detail, "alarmName", "eventTypeCode") or kind
    told = first(state, "value") or first(detail, "statusCode", "status")
    if told == "INSUFFICIENT_DATA":
        return _not_known(name, told, source)
    over = told.lower() in RESOLVED
    labels = {
        "alertname": name,
        "kind": kind,
        "service": first(detail, "service") or text(body.get("source")),
        "region": text(body.get("region")),
        "account": text(body.get("account")),
        "category": first(detail, "eventTypeCategory"),
        "state": told,
        "severity": first(detail, "severity"),
    }
    at = moment(body.get("time"))
    alert = Alert(
        source,
        "resolved" if over else "firing",
        without_empty(labels),
        without_empty({"description": first(state, "reason")}),
        _same(body, detail, name),
        "" if over else at,
        {},
        dict(body),
        labels["severity"],
        at if over else "",
    )
    return Delivery(source, (alert,))


def _same(body: Body, detail: Body, name: str) -> str:
    """Return the fingerprint: an alarm's is the same through SNS and on a bus."""
    account = text(body.get("account"))
    if "alarmName" in detail:
        return identity(split_name(body.get("resources")) or name, account)
    told = first(detail, "eventArn") or first(body, "id")
    if not told:
        told = f"{name} {split_name(body.get('resources'))}"
    return identity(told, account, text(body.get("region")))


def _called(body: Body, source: str) -> Delivery:
    """Return the alarm that calls a function by itself."""
    told = part(body, "alarmData")
    state = part(told, "state")
    flat = {
        "AlarmName": told.get("alarmName"),
        "AlarmDescription": part(told, "configuration").get("description"),
        "AlarmArn": body.get("alarmArn"),
        "AWSAccountId": body.get("accountId"),
        "Region": body.get("region"),
        "NewStateValue": state.get("value"),
        "NewStateReason": state.get("reason"),
        "StateChangeTime": state.get("timestamp"),
        "Trigger": {"Metrics": _small(part(told, "configuration").get("metrics"))},
    }
    found = _alarm(flat, source)
    kept = (msgspec.structs.replace(one, raw=dict(body)) for one in found.alerts)
    return msgspec.structs.replace(found, alerts=tuple(kept))


def _small(metrics: Any) -> list[Body]:
    """Return metrics as SNS writes them: with capitals, dimensions as a list."""
    several = metrics if isinstance(metrics, list) else []
    inside = (part({"one": one}, "one", "metricStat", "metric") for one in several)
    return [
        {
            "MetricStat": {
                "Metric": {
                    "Namespace": one.get("namespace"),
                    "MetricName": one.get("name"),
                    "Dimensions": [
                        {"name": key, "value": value}
                        for key, value in part(one, "dimensions").items()
                    ],
                }
            }
        }
        for one in inside
        if one
    ]


def _logs(logs: Body, source: str) -> Delivery:
    try:
        packed = base64.b64decode(text(logs.get("data")), validate=True)
        unpacked = zlib.decompressobj(wbits=31).decompress(packed, MOST_LOG_BYTES)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise BadBody("`awslogs.data` is no gzip in base64") from error
    body = map_of(body_of(Posted(unpacked, {}, 0.0)), "the log data")
    if text(body.get("messageType")) == "CONTROL_MESSAGE":
        return Delivery(source, note="a control message of CloudWatch Logs")
    events = members(body.get("logEvents"), "`logEvents`")
    lines = [text(part({"e": one}, "e").get("message")) for one in events[:20]]
    labels = {
        "alertname": split_name(body.get("subscriptionFilters")) or "log events",
        "log_group": text(body.get("logGroup")),
        "log_stream": text(body.get("logStream")),
        "account": text(body.get("owner")),
    }
    began = moment(part({"e": events[0]}, "e").get("timestamp")) if events else ""
    alert = Alert(
        source,
        "firing",
        without_empty(labels),
        {"description": "\n".join(lines)},
        identity(*(labels[key] for key in sorted(labels))),
        began,
        links_of(),
        dict(body),
    )
    return Delivery(source, (alert,))


def split_name(value: Any) -> str:
    """Return the first of a list of names."""
    return text(value[0]) if isinstance(value, list) and value else text(value)
