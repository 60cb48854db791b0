"""Alerts on their way to a runbook: bodies as Alertmanager sends them, and `match`."""

from typing import Any

import pytest

from engine.bootstrap import parse_alerts
from engine.core.intake import matches
from engine.errors import EngineError
from engine.model.alert import Alert
from engine.model.runbook import AlertMatch

ALERT = {
    "status": "firing",
    "labels": {"alertname": "HighErrorRate", "severity": "page", "shard": 3},
    "annotations": {"summary": "23%"},
    "startsAt": "2026-03-14T02:10:00Z",
    "fingerprint": "a6e7",
    "generatorURL": "http://127.0.0.1/graph",
}
PARSED = Alert(
    "alertmanager",
    "firing",
    {"alertname": "HighErrorRate", "severity": "page", "shard": "3"},
    {"summary": "23%"},
    "a6e7",
    "2026-03-14T02:10:00Z",
    {"generator": "http://127.0.0.1/graph"},
    ALERT,
    "page",
)


@pytest.mark.parametrize("body", [{"version": "4", "alerts": [ALERT]}, [ALERT], ALERT])
def test_a_body_a_list_and_a_bare_alert_read_alike(body: Any) -> None:
    """
    Each of the three forms gives the same alert; labels are text.
    """
    assert [PARSED] == parse_alerts(body, "alertmanager")


@pytest.mark.parametrize(
    "body", [None, 3, "x", {}, {"alerts": {}}, [3], [{"labels": 3}]]
)
def test_what_is_no_body_is_refused(body: Any) -> None:
    """
    Anything else is refused with words, never guessed at.
    """
    with pytest.raises(EngineError):
        parse_alerts(body, "alertmanager")


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, None),
        ({"severity": ["warn", "page"]}, None),
        ({"alertname": "/High.*/", "shard": 3}, None),
        ({"alertname": "/High/"}, "label 'alertname' is 'HighErrorRate', not '/High/'"),
        ({"severity": "warn"}, "label 'severity' is 'page', not 'warn'"),
        ({"region": "/.*/"}, "it has no label 'region'"),
        ({"alertname": "/(/"}, "label 'alertname' is 'HighErrorRate', not '/(/'"),
    ],
)
def test_match_says_why_not(match: dict[str, Any], expected: str | None) -> None:
    """
    A value, a list or an anchored pattern; a label that is not there fits nothing.
    """
    trigger = AlertMatch(source=["alertmanager", "other"], match=match)

    assert expected == matches(trigger, PARSED)


def test_another_source_does_not_match() -> None:
    """
    The source is part of the match.
    """
    trigger = AlertMatch(source="datadog")

    assert "its source is alertmanager, not datadog" == matches(trigger, PARSED)
