"""Real bodies of systems that have no kind: a mapping reads them, or it says why not.

Each mapping is what somebody would write under `sources.NAME.map`.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adapters.sources import SOURCES, generic_source
from engine.model.alert import Delivery
from engine.ports import BadBody, Posted

CORPORA: Final = Path(__file__).parents[4] / "shared/corpora/alerts"
needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the corpora of real bodies are not here"
)

MAPS: Final[dict[str, dict[str, Any]]] = {
    "appdynamics": {
        "name": "body.health_rule_name",
        "status": (
            'body.event_type.matches("^POLICY_(OPEN|UPGRADED|CONTINUES|DOWNGRADED)")'
            ' ? "firing" : "resolved"'
        ),
        "labels": {"service": "body.tier_name", "application": "body.app_name"},
        "severity": "body.severity",
        "fingerprint": "body.incident_id",
    },
    "pingdom": {
        "name": "body.check_name",
        "status": 'body.current_state == "UP" ? "resolved" : "firing"',
        "labels": {"host": "body.check_params.hostname"},
        "severity": "body.importance_level",
        "fingerprint": "body.check_id",
        "starts_at": "body.state_changed_timestamp",
        "link": "body.check_params.full_url",
    },
    "thousandeyes": {
        "name": "body.ruleExpression",
        "status": (  # what an agent lost has no `active`
            'has(body.active) && body.active == 0 ? "resolved" : "firing"'
        ),
        "labels": {"kind": "body.type"},
        "severity": "body.severity",
        "fingerprint": "body.ruleAid",
        "starts_at": "body.dateStart",
    },
    "keep-generic": {
        "name": "body.name",
        "status": "body.status",
        "labels": {"service": "body.service", "environment": "body.environment"},
        "severity": "body.severity",
        "fingerprint": "body.id",
    },
    "keep-mocks-axiom": {
        "name": "body.event.title",
        "status": 'body.action == "Open" ? "firing" : "resolved"',
        "fingerprint": "body.event.monitorID",
    },
    "keep-mocks-checkly": {
        "name": "body.check_name",
        "status": (
            'body.alert_type == "ALERT_RECOVERY" ? "resolved" : "firing"'
        ),
        "labels": {"location": "body.run_location"},
        "fingerprint": "body.check_id",
        "starts_at": "body.started_at",
    },
    "keep-mocks-checkmk": {
        "name": "body.check_command",
        "status": (
            'body.notification_type == "RECOVERY" ? "resolved" : "firing"'
        ),
        "labels": {"host": "body.host", "site": "body.site"},
    },
    "keep-mocks-coralogix": {
        "name": "body.name",
        "status": 'body.alert_action == "resolve" ? "resolved" : "firing"',
        "fingerprint": "body.alert_id",
    },
    "keep-mocks-dash0": {
        "name": "body.data.issue.checkrules[0].name",
        "status": (
            'body.data.issue.status == "resolved" ? "resolved" : "firing"'
        ),
        "fingerprint": "body.data.issue.issueIdentifier",
        "starts_at": "body.data.issue.start",
    },
    "keep-mocks-graylog": {
        "name": "body.event_definition_title",
        "status": '"firing"',
        "labels": {"host": "body.event.source"},
        "severity": "body.event.priority",
        "fingerprint": "body.event_definition_id",
    },
    "keep-mocks-libre-nms": {
        "name": "body.name",
        "status": 'body.state == "0" ? "resolved" : "firing"',
        "labels": {"host": "body.hostname"},
        "severity": "body.severity",
        "fingerprint": "body.alert_id",
    },
    "keep-mocks-wazuh": {
        "name": "body.message",
        "status": '"firing"',
        "severity": "body.severity",
    },
}  # fmt: skip

TOLD: Final = {
    "appdynamics": {"firing Business Transaction Health"},
    "keep-generic": {"firing Kafka Alert"},
    "keep-mocks-axiom": {"firing Triggered: New monitor"},
    "keep-mocks-checkly": {"resolved API Check #1"},
    "keep-mocks-checkmk": {"resolved check-mk-host-smart"},
    "keep-mocks-coralogix": {"firing Keep"},
    "keep-mocks-dash0": {"resolved New Check Rule"},
    "keep-mocks-graylog": {"firing Event - 1"},
    "keep-mocks-libre-nms": {"resolved Devices up/down"},
    "keep-mocks-wazuh": {"firing New dpkg (Debian Package) installed."},
    "pingdom": {"firing Alerta API on OpenShift", "resolved Alerta API on OpenShift"},
    "thousandeyes": {
        "resolved Response Code is not OK (2xx)",
        "firing Last Contact ≥ 6 minutes ago",
    },
}  # fmt: skip

TEMPLATES: Final = {  # how a body is made up, and no body: each names its own source
    "keep-mocks-cloudwatch": "cloudwatch",
    "keep-mocks-datadog": "datadog",
    "keep-mocks-grafana": "grafana",
    "keep-mocks-prometheus": "alertmanager",
}
NO_ALERTS: Final = ("keep-mocks-netbox", "keep-mocks-signalfx", "slack-interactions")


def bodies(folder: str) -> list[bytes]:
    """Return every body of a folder, in order."""
    return [one.read_bytes() for one in sorted((CORPORA / folder).glob("*.json"))]


def refusal(kind: str, raw: bytes) -> str:
    """Return the words with which a source refuses, or what it made instead."""
    try:
        return f"read: {SOURCES[kind](Posted(raw, {}, 0.0), kind)}"
    except BadBody as refused:
        return str(refused)


@needs_corpora
@pytest.mark.parametrize("folder", sorted(MAPS))
def test_a_mapping_reads_the_bodies_of_a_system_without_a_kind(folder: str) -> None:
    """
    Status and name come out, and a fingerprint; what is missing is left out.
    """
    code = generic_source(MAPS[folder])
    found = [code(Posted(raw, {}, 0.0), "own") for raw in bodies(folder)]
    alerts = [alert for one in found for alert in one.alerts]

    assert TOLD[folder] == {f"{one.status} {one.labels['alertname']}" for one in alerts}
    assert all(one.fingerprint for one in alerts)


@needs_corpora
@pytest.mark.parametrize("folder", sorted(TEMPLATES))
def test_a_template_of_a_body_is_refused_with_a_reason(folder: str) -> None:
    """
    What generates bodies is no body: it lacks the status.
    """
    kind = TEMPLATES[folder]

    assert all(
        refusal(kind, raw).startswith(("this is no ", "this is none "))
        for raw in bodies(folder)
    )


@needs_corpora
@pytest.mark.parametrize("folder", NO_ALERTS)
@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_what_is_about_no_alert_is_refused_at_every_door(
    folder: str, kind: str
) -> None:
    """
    Buttons that people press, changes of an inventory: no source takes them for alerts.
    """
    assert [] == [
        told
        for raw in bodies(folder)
        if (told := refusal(kind, raw)).startswith("read:")
    ]


@needs_corpora
def test_every_folder_of_the_corpora_is_tried_somewhere() -> None:
    """
    A folder that comes new is named here or among the kinds.
    """
    from tests.adapters.sources.test_sources_corpora import KINDS

    known = {*MAPS, *TEMPLATES, *NO_ALERTS, *KINDS}

    assert known == {one.name for one in CORPORA.iterdir() if one.is_dir()}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MAPS)), st.binary() | JSON.map(json.dumps))
def test_f50_a_mapping_meets_anything(folder: str, body: bytes | str) -> None:
    """
    Any bytes and any JSON: alerts that can be stored, or words.
    """
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    code = generic_source(MAPS[folder])
    try:
        found = code(Posted(raw, {}, 0.0), "own")
    except BadBody as refused:
        found = Delivery("own", note=str(refused))
    stored = msgspec.json.decode(msgspec.json.encode(found), type=Delivery)

    assert bool(found.alerts) != bool(found.note)
    assert [one.fingerprint for one in found.alerts] == [
        one.fingerprint for one in stored.alerts
    ]
