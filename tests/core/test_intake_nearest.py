"""What a person is told where nothing started: the trigger that was nearest."""

import pytest

from engine.core.intake import Rule, nearest_trigger
from engine.model.alert import Alert
from engine.model.runbook import AlertMatch
from tests.rehearsing import HEAD, runbook

LAG = {"alertname": "MessageDelayHigh", "severity": ["page", "critical"]}
STORM = {"alertname": "/Storm.*/", "region": "eu"}


def rule(name: str, match: dict[str, object], source: str = "alertmanager") -> Rule:
    """Return a trigger of a runbook of that name."""
    text = HEAD.replace("small", name) + "restore: [{undo: all}]\n"
    return Rule(runbook(text), AlertMatch(source=source, match=match))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (
            {"alertname": "MessageDelay", "severity": "page"},
            (
                "nearest is 'lag': label 'alertname' is 'MessageDelay', it wants "
                "'MessageDelayHigh'"
            ),
        ),
        (
            {"alertname": "StormInEu"},
            "nearest is 'storm': label 'region' is not there, it wants 'eu'",
        ),
        (
            {"alertname": "MessageDelayHigh", "severity": "info"},
            (
                "nearest is 'lag': label 'severity' is 'info', it wants 'page' or "
                "'critical'"
            ),
        ),
        ({"alertname": "Disk"}, ""),
        ({}, ""),
    ],
)
def test_the_nearest_trigger_says_what_it_wants(
    labels: dict[str, str], told: str
) -> None:
    """
    The runbook that most of its wishes fit, and each wish that does not; else nothing.
    """
    rules = [rule("lag", LAG), rule("storm", STORM), rule("any", {})]

    assert told == nearest_trigger(rules, Alert("alertmanager", "firing", labels))


def test_another_source_is_named() -> None:
    """
    An alert that fits but for its source is told so.
    """
    rules = [rule("lag", {"alertname": "Lag"}, "grafana")]

    assert "nearest is 'lag': its source is alertmanager, it wants grafana" == (
        nearest_trigger(rules, Alert("alertmanager", "firing", {"alertname": "Lag"}))
    )
