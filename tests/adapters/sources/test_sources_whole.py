"""Bodies in the forms that vendors document, against the whole delivery."""

import base64
import json
from typing import Any, Final

import pytest

from engine.adapters.sources import SOURCES, generic_source
from engine.bootstrap import parse_alerts
from engine.model.alert import Delivery
from engine.ports import Posted
from tests.adapters.sources.documented_bodies import ALARM, CASES, INCIDENT


def read(kind: str, body: Any, **headers: str) -> Delivery:
    """Return what a source of that kind makes of a body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return SOURCES[kind](Posted(raw, shown, 0.0), kind)


@pytest.mark.parametrize("name", CASES)
def test_a_documented_body_gives_the_whole_delivery(name: str) -> None:
    """
    Labels, texts, times, links, severity and fingerprint, and the body kept as it was.
    """
    kind, body, expected = CASES[name]

    assert expected == read(kind, body)


def test_an_alarm_is_the_same_through_sns_a_bus_and_its_own_call() -> None:
    """
    Firing may come one way and the end another: the fingerprint is one.
    """
    names = ("cloudwatch alarm", "cloudwatch calls a function", "cloudwatch on a bus")
    found = {read(*CASES[name][:2]).alerts[0].fingerprint for name in names}

    assert 1 == len(found)


def test_pub_sub_carries_the_same_incident() -> None:
    """
    The push has the incident in base64.
    """
    data = base64.b64encode(json.dumps(INCIDENT).encode()).decode()

    assert read("gcp-monitoring", INCIDENT) == read(
        "gcp-monitoring", {"message": {"data": data}, "subscription": "s"}
    )


def test_json_inside_a_form_is_read() -> None:
    """
    Datadog encodes as a form, Uptime Kuma sends parts; `curl -d` says form for JSON.
    """
    _, body, _ = CASES["uptime-kuma"]
    raw = json.dumps(body)
    parts = (
        f'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n{raw}\r\n--x--\r\n'
    ).encode()
    form = "application/x-www-form-urlencoded"
    kind = "uptime-kuma"

    assert [read(kind, body)] * 3 == [
        read(kind, parts, content_type='multipart/form-data; boundary="x"'),
        read(kind, b"payload=" + raw.replace("&", "%26").encode(), content_type=form),
        read(kind, raw.encode(), content_type=form),
    ]


NOTES: Final[dict[str, tuple[str, Any, str]]] = {
    "opsgenie note": (
        "opsgenie", {"action": "AddNote", "alert": {"alertId": "1"}},
        "AddNote changes nothing about the alert",
    ),
    "newrelic test": ("newrelic", {"current_state": "test"}, "a test of the channel"),
    "pagerduty ping": (
        "pagerduty", {"event": {"event_type": "pagey.ping", "data": {"type": "ping"}}},
        "an event that is no incident: pagey.ping",
    ),
    "sentry installation": (
        "sentry", {"action": "created", "actor": {}, "data": {"installation": {}}},
        "'created' is about no alert",
    ),
    "uptime-kuma test": (
        "uptime-kuma", {"heartbeat": None, "monitor": None, "msg": "Testing"},
        "neither up nor down: Testing",
    ),
    "datadog event": (
        "datadog", {"title": "deployed", "alert_type": "info"},
        "an event of type info, no alert of a monitor",
    ),
    "lambda without records": ("cloudwatch", {"Records": []}, "no records"),
    "grafana paused": (
        "grafana", {"ruleName": "CPU", "state": "paused"},
        "the rule is paused: neither firing nor resolved",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTES)
def test_a_body_without_alerts_says_why_that_is_fine(name: str) -> None:
    """
    Tests, additions and installations start nothing and are no mistake.
    """
    kind, body, note = NOTES[name]

    assert Delivery(kind, note=note) == read(kind, body)


def test_a_note_after_the_end_does_not_fire_again() -> None:
    """
    PagerDuty tells of notes on a resolved incident: it stays resolved.
    """
    message = {"event": "incident.annotate",
               "incident": {"id": "P1", "title": "CPU", "status": "resolved"}}  # fmt: skip

    assert ["resolved"] == [
        one.status for one in read("pagerduty", {"messages": [message]}).alerts
    ]


def test_unsigned_keys_beside_a_signed_message_are_not_read() -> None:
    """
    Whoever sends a signed message again can write what he likes beside it.
    """
    envelope = {"Type": "Notification", "TopicArn": "t", "MessageId": "m",
                "Message": json.dumps(ALARM)}  # fmt: skip
    beside = {"AlarmName": "FORGED", "NewStateValue": "ALARM", "Records": [ALARM],
              "detail-type": "x", "detail": {}, "alarmData": {"a": 1}}  # fmt: skip

    assert read("cloudwatch", envelope) == read("cloudwatch", envelope | beside)


def test_credentials_are_no_names_of_a_mapping() -> None:
    """
    A label cannot show the token that came with the request.
    """
    code = generic_source(
        {"name": '"N"', "status": '"firing"', "labels": {
            "no": 'headers["authorization"]', "team": 'headers["x-team"]'}}
    )  # fmt: skip
    headers = {"authorization": "Bearer s3cret", "x-team": "ops"}

    assert [{"alertname": "N", "team": "ops"}] == [
        one.labels for one in code(Posted(b"{}", headers, 0.0), "own").alerts
    ]


def test_a_tag_without_a_name_is_no_label() -> None:
    """
    `:x` and a key that is empty name nothing that a trigger could match.
    """
    event = {"specversion": "1.0", "id": "1", "source": "/x", "type": "t",
             "data": {"": 1, "a": 2}}  # fmt: skip
    tagged = {"title": "CPU", "alert_transition": "Warn", "tags": ":x,,env:prod"}

    assert [
        {"a": "2", "alertname": "t", "type": "t", "origin": "/x"},
        {"env": "prod", "alertname": "CPU", "transition": "Warn"},
    ] == [
        one.labels
        for kind, body in (("cloudevents", event), ("datadog", tagged))
        for one in read(kind, body).alerts
    ]


@pytest.mark.parametrize("name", CASES)
def test_a_rehearsal_reads_the_body_of_any_source(name: str) -> None:
    """
    The `alert` of a rehearsal stands in the form of its source.
    """
    kind, body, expected = CASES[name]

    assert list(expected.alerts) == parse_alerts(body, kind)
