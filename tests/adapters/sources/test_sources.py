"""Bodies of each source against the whole alert that comes of them; odd bodies."""

import json
import re
from typing import Any

import msgspec
import pytest

from engine.adapters.sources import SOURCES, generic_source
from engine.errors import ExpressionProblem
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted


def read(kind: str, body: Any, **headers: str) -> Delivery:
    """Return what a source of that kind makes of a body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return SOURCES[kind](Posted(raw, shown, 0.0), kind)


def pair(kind: str, firing: Any, resolved: Any) -> tuple[Alert, Alert]:
    """Return the alerts of a firing body and of its end."""
    return read(kind, firing).alerts[0], read(kind, resolved).alerts[0]


def test_alertmanager_judges_each_alert_and_tells_what_was_left_out() -> None:
    """
    A group that is still firing may hold alerts that are over; truncated ones count.
    """
    labels = {"alertname": "Down", "severity": "page"}
    body = {
        "version": "4", "groupKey": '{}:{alertname="Down"}', "truncatedAlerts": 7,
        "status": "firing",
        "alerts": [
            {"status": "firing", "labels": labels | {"host": "a"}, "fingerprint": "f1",
             "startsAt": "2026-11-24T04:20:36Z", "endsAt": "0001-01-01T00:00:00Z"},
            {"status": "resolved", "labels": labels | {"host": "b"},
             "startsAt": "2026-11-24T04:20:36Z", "endsAt": "2026-11-24T04:25:00Z"},
        ],
    }  # fmt: skip
    delivery = read("alertmanager", body)

    assert ('{}:{alertname="Down"}', 7) == (delivery.group, delivery.truncated)
    assert [
        ("firing", "f1", "", "page"),
        ("resolved", delivery.alerts[1].fingerprint, "2026-11-24T04:25:00Z", "page"),
    ] == [(a.status, a.fingerprint, a.ends_at, a.severity) for a in delivery.alerts]
    assert 16 == len(delivery.alerts[1].fingerprint)


PAIRS: dict[str, tuple[str, Any, Any]] = {
    "datadog": (
        "datadog",
        {"alert_transition": "Triggered", "title": "[Triggered on {host:a}] CPU",
         "tags": "env:prod,host:a", "scopes": "host:a", "monitor_id": "7",
         "date": "1733930133000", "severity": "P2"},
        {"alert_transition": "Recovered", "title": "[Recovered on {host:a}] CPU",
         "tags": "env:prod,host:a", "scopes": "host:a", "monitor_id": "7"},
    ),
    "newrelic workflow": (
        "newrelic",
        {"id": "x", "state": "ACTIVATED", "priority": "CRITICAL", "title": "t",
         "alertConditionNames": ["CPU"], "createdAt": 1713755131352},
        {"id": "x", "state": "CLOSED", "alertConditionNames": ["CPU"]},
    ),
    "pagerduty v3": (
        "pagerduty",
        {"event": {"event_type": "incident.triggered", "data": {
            "id": "P1", "type": "incident", "title": "CPU", "status": "triggered",
            "service": {"id": "S", "summary": "web"}, "urgency": "high"}}},
        {"event": {"event_type": "incident.resolved", "data": {
            "id": "P1", "type": "incident", "title": "CPU", "status": "resolved"}}},
    ),
    "opsgenie": (
        "opsgenie",
        {"action": "Create", "alert": {"alertId": "1", "message": "CPU",
                                       "priority": "P1", "tags": ["env:prod", "db"]}},
        {"action": "Close", "alert": {"alertId": "1", "message": "CPU"}},
    ),
    "cloudwatch": (
        "cloudwatch",
        {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t",
         "Message": json.dumps({"AlarmName": "CPU", "NewStateValue": "ALARM",
                                "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:CPU"})},
        {"AlarmName": "CPU", "NewStateValue": "OK",
         "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:CPU"},
    ),
    "azure": (
        "azure-monitor",
        {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {
            "alertId": "/a/1", "alertRule": "CPU", "severity": "Sev1",
            "monitorCondition": "Fired", "firedDateTime": "2026-11-24T04:20:36Z"}}},
        {"data": {"essentials": {"alertId": "/a/1", "alertRule": "CPU",
                                 "monitorCondition": "Resolved"}}},
    ),
    "google": (
        "gcp-monitoring",
        {"version": "1.2", "incident": {"incident_id": "0.a", "state": "open",
                                        "policy_name": "CPU", "started_at": 1577840461}},
        {"version": "1.2", "incident": {"incident_id": "0.a", "state": "closed",
                                        "policy_name": "CPU"}},
    ),
    "sentry metric": (
        "sentry",
        {"action": "critical", "data": {"metric_alert": {
            "id": "4", "alert_rule": {"name": "CPU"}}}},
        {"action": "resolved", "data": {"metric_alert": {
            "id": "4", "alert_rule": {"name": "CPU"}}}},
    ),
    "sentry issue": (
        "sentry",
        {"action": "created", "data": {"issue": {"id": "9", "title": "CPU"}}},
        {"action": "resolved", "data": {"issue": {"id": "9", "title": "CPU"}}},
    ),
    "zabbix": (
        "zabbix",
        {"status": "PROBLEM", "trigger": "CPU", "hostname": "a", "trigger_id": "5"},
        {"status": "RESOLVED", "trigger": "CPU", "hostname": "a", "trigger_id": "5"},
    ),
    "uptime-kuma": (
        "uptime-kuma",
        {"heartbeat": {"status": 0, "monitorID": 3}, "monitor": {"id": 3, "name": "CPU"}},
        {"heartbeat": {"status": 1, "monitorID": 3}, "monitor": {"id": 3, "name": "CPU"}},
    ),
    "grafana legacy": (
        "grafana",
        {"ruleName": "CPU", "ruleId": 1, "state": "alerting"},
        {"ruleName": "CPU", "ruleId": 1, "state": "ok"},
    ),
    "cloudevents": (
        "cloudevents",
        {"specversion": "1.0", "id": "1", "source": "/x", "type": "t",
         "subject": "db", "data": {"state": "open", "name": "CPU"}},
        {"specversion": "1.0", "id": "2", "source": "/x", "type": "t",
         "subject": "db", "data": {"state": "closed", "name": "CPU"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_end_of_an_alert_has_the_fingerprint_of_its_beginning(name: str) -> None:
    """
    Firing and resolved of one alert are told apart by the status alone.
    """
    first, last = pair(*PAIRS[name])

    assert ("firing", "resolved") == (first.status, last.status)
    assert first.fingerprint == last.fingerprint
    assert ("CPU", "CPU") == (first.labels["alertname"], last.labels["alertname"])


def test_datadog_gives_the_whole_alert() -> None:
    """
    Tags and scope are labels, the title without its head is the name.
    """
    _, body, _ = PAIRS["datadog"]
    alert = read("datadog", body).alerts[0]

    assert Alert(
        "datadog",
        "firing",
        {
            "env": "prod", "host": "a", "alertname": "CPU", "severity": "P2",
            "monitor": "7", "transition": "Triggered",
        },
        {"summary": "[Triggered on {host:a}] CPU"},
        alert.fingerprint,
        "2024-12-11T15:15:33.000Z",
        {},
        body,
        "P2",
    ) == alert  # fmt: skip


def test_zabbix_macros_that_nobody_filled_in_are_no_labels() -> None:
    """
    `{EVENT.RECOVERY.ID}` says nothing; the rest of the body counts.
    """
    body = {"status": "PROBLEM", "trigger": "CPU", "hostname": "{HOST.NAME}"}
    labels = read("zabbix", body).alerts[0].labels

    assert {"alertname": "CPU"} == labels


def test_a_subscription_is_no_alert() -> None:
    """
    SNS asks for a confirmation: there is nothing to start.
    """
    body = {"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:eu:1:t"}

    assert Delivery(
        "cloudwatch", note="SubscriptionConfirmation of topic arn:aws:sns:eu:1:t"
    ) == read("cloudwatch", body)


def test_a_binary_cloud_event_stands_in_its_headers() -> None:
    """
    Attributes come as `ce-` headers, the body is the data.
    """
    alert = read(
        "cloudevents", {"severity": "page", "name": "CPU"},
        ce_specversion="1.0", ce_id="1", ce_source="/x", ce_type="db.down",
    ).alerts[0]  # fmt: skip

    assert {
        "severity": "page", "name": "CPU", "alertname": "CPU", "type": "db.down",
        "origin": "/x",
    } == alert.labels  # fmt: skip


MAP = {
    "alerts": "body.items",
    "name": "alert.title",
    "status": 'alert.open ? "firing" : "resolved"',
    "labels": {"service": "alert.svc", "team": 'headers["x-team"]', "no": "alert.no"},
    "fingerprint": "alert.id",
}


def test_a_mapping_reads_any_body() -> None:
    """
    CEL over `body`, `headers` and each `alert`; what is not there is left out.
    """
    body = {"items": [{"title": "A", "open": True, "svc": "db", "id": 1},
                      {"title": "B", "open": False, "svc": "web", "id": 2}]}  # fmt: skip
    raw = json.dumps(body).encode()
    alerts = generic_source(MAP)(Posted(raw, {"x-team": "ops"}, 0.0), "own").alerts

    assert [
        ("own", "firing", {"alertname": "A", "service": "db", "team": "ops"}),
        ("own", "resolved", {"alertname": "B", "service": "web", "team": "ops"}),
    ] == [(one.source, one.status, one.labels) for one in alerts]
    assert alerts[0].fingerprint != alerts[1].fingerprint


def test_a_mapping_that_is_no_cel_is_told_with_its_key() -> None:
    """
    The part of the mapping is named; the server does not start with it.
    """
    with pytest.raises(ExpressionProblem, match=r"map\.labels\.service: "):
        generic_source(MAP | {"labels": {"service": "alert."}})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "the body is empty"),
        (b"not json", "the body is no JSON"),
        (b"\xff\xfe\x00", "the body is not UTF-8: byte 1"),
        (b"[" * 100_000, "nested"),
        (b'{"alerts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"alerts": [{"labels": {"a": ' + b"9" * 5_000 + b"}}]}", "no JSON"),
        (b'{"alerts": 3}', "`alerts` is a number; it must be a list"),
        (b'{"alerts": [3]}', "alert 1 is a number; it must be a map"),
        (b'{"alerts": [{"labels": []}]}', "`labels` of alert 1 is a list, no map"),
        (b"null", "this is no Alertmanager body"),
    ],
    ids=range(10),
)
def test_f50_a_body_that_is_none_is_refused_in_words(
    body: bytes, expected: str
) -> None:
    """
    Not JSON, not UTF-8, too deep, a number without end, the wrong shape.
    """
    with pytest.raises(BadBody, match=re.escape(expected)):
        read("alertmanager", body)


def test_f50_odd_bodies_that_are_read() -> None:
    """
    A byte order mark, duplicate keys, NUL, lone surrogates, raw line breaks, Latin-1.
    """
    head, tail = b'{"alerts": [{"labels": {"a": "', b'"}}]}'
    seen = [
        read("alertmanager", raw, content_type=kind).alerts[0].labels["a"]
        for raw, kind in (
            (b"\xef\xbb\xbf" + head + b"x" + tail, "application/json"),
            (head + b'x", "a": "y' + tail, ""),
            (head + b"x\\u0000y" + tail, ""),
            (head + b"x\\ud800y" + tail, ""),
            (head + b"x\ny" + tail, "text/plain"),
            (head + b"\xe9" + tail, "application/json; charset=iso-8859-1"),
        )
    ]

    assert ["x", "y", "x\ufffdy", "x?y", "x\ny", "é"] == seen


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("9" * 400, ""),
        ("9" * 70_000, ""),
        (10**400, ""),
        (1e308, ""),
        (True, ""),
        (0, ""),
        (-5, ""),
        ("\u0663" * 12, "\u0663" * 12),
        ("1601033007", "2020-09-25T11:23:27.000Z"),
        (1601033007849, "2020-09-25T11:23:27.849Z"),
        (1601033007849000000, "2020-09-25T11:23:27.849Z"),
        ("1601033007.849", "2020-09-25T11:23:27.849Z"),
        ("2026-11-24T23:59:60Z", "2026-11-24T23:59:60Z"),
        ("x" * 65, ""),
    ],
    ids=range(14),
)
def test_f50_any_time_comes_to_an_end(written: Any, expected: str) -> None:
    """
    Seconds, milli- and nanoseconds; four hundred digits are no time and hang nothing.
    """
    body = {"heartbeat": {"status": 0, "time": written}, "monitor": {"id": 1}}

    assert [expected] == [one.starts_at for one in read("uptime-kuma", body).alerts]


def test_f50_what_is_read_can_be_stored() -> None:
    """
    A number over 64 bits beside a NaN, and a count that is none.
    """
    body = (
        b'{"truncatedAlerts": true, "alerts": [{"labels": {"a": "b"}, "x": NaN, "y": '
        + b"9" * 30
        + b', "z": -'
        + b"9" * 3_000
        + b"}]}"
    )
    delivery = read("alertmanager", body)

    assert delivery == msgspec.json.decode(msgspec.json.encode(delivery), type=Delivery)
    assert (0, None, 1e30, None) == (
        delivery.truncated,
        *(delivery.alerts[0].raw[key] for key in "xyz"),
    )


@pytest.mark.parametrize(
    ("charset", "label"),
    [("utf-16", "\u0424"), ("windows-1251", "\u0424"), ("us-ascii", "\u0424"),
     ("shift_jis", "\u6771"), ("iso-8859-15", "\u20ac"), ("gb18030", "\u78c1")],
)  # fmt: skip
def test_f50_a_declared_charset_is_honoured(charset: str, label: str) -> None:
    """
    What the header says counts; what says ASCII and is UTF-8 is read as UTF-8.
    """
    written = json.dumps({"alerts": [{"labels": {"a": label}}]}, ensure_ascii=False)
    raw = written.encode("utf-8" if charset == "us-ascii" else charset)
    kind = f"application/json; charset={charset}"

    assert {"a": label} == read("alertmanager", raw, content_type=kind).alerts[0].labels


def test_f50_a_long_label_and_turned_letters_are_kept() -> None:
    """
    64 KB and right-to-left marks are data; what shows them cuts and marks them.
    """
    labels = {"a": "x" * 65_536, "b": "\u202egpj.exe", "c\u202e": "1"}

    assert [labels] == [
        one.labels
        for one in read("alertmanager", {"alerts": [{"labels": labels}]}).alerts
    ]


def test_f43_a_start_in_the_future_or_in_year_one_is_kept_as_written() -> None:
    """
    What the source wrote stays; what it means is judged where it is used.
    """
    starts = ["0001-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2026-11-24T23:59:60Z"]
    body = {"alerts": [{"labels": {"a": "b"}, "startsAt": one} for one in starts]}

    assert starts == [one.starts_at for one in read("alertmanager", body).alerts]
