"""Real webhook bodies of every source: parsed, or refused with a reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.adapters.sources import SOURCES
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

CORPORA = Path(__file__).parents[4] / "shared/corpora/alerts"
KINDS = {
    "alertmanager": "alertmanager",
    "alertmanager-captured": "alertmanager",
    "aws-cloudwatch-alarm": "cloudwatch",
    "aws-cloudwatch-logs": "cloudwatch",
    "aws-eventbridge": "cloudwatch",
    "aws-sns": "cloudwatch",
    "azure-monitor": "azure-monitor",
    "cloudevents": "cloudevents",
    "datadog": "datadog",
    "gcp-monitoring": "gcp-monitoring",
    "grafana-legacy": "grafana",
    "grafana-unified": "grafana",
    "newrelic-legacy": "newrelic",
    "newrelic-workflow": "newrelic",
    "opsgenie": "opsgenie",
    "pagerduty-events-v2": "pagerduty",
    "pagerduty-v2": "pagerduty",
    "sentry": "sentry",
    "uptime-kuma": "uptime-kuma",
    "zabbix": "zabbix",
}
REFUSED = {  # templates whose variables nobody filled in; a request, not its body
    "ALERT_TRANSITION-keep-datadog_provider.json",
    "EVENT_TYPE-ocean-webhook_client.json",
    "alertmanager_firing_real.json",
    "alertmanager_resolved_real.json",
}


def files() -> list[Path]:
    """Return every body, in order; none where the corpora are absent."""
    return sorted(CORPORA.glob("*/*.json"))


def read(raw: bytes, kind: str) -> Delivery:
    """Return what a source of that kind makes of the bytes."""
    return SOURCES[kind](Posted(raw, {}, 0.0), kind)


def told(raw: bytes, kind: str) -> tuple[tuple[Alert, ...], str]:
    """Return the alerts, and a note or the reason of the refusal."""
    try:
        delivery = read(raw, kind)
    except BadBody as refused:
        return (), str(refused)
    return delivery.alerts, delivery.note


pytestmark = pytest.mark.skipif(not files(), reason="the corpora are not here")


@pytest.mark.parametrize("folder", KINDS)
def test_every_real_body_is_read_as_its_own_source(folder: str) -> None:
    """
    Each body gives alerts that can be matched and told apart, or says why it has none.
    """
    told = {}
    for file in sorted((CORPORA / folder).iterdir()):
        try:
            delivery = read(file.read_bytes(), KINDS[folder])
        except BadBody as refused:
            told[file.name] = str(refused)
            continue
        assert bool(delivery.alerts) != bool(delivery.note)
        for alert in delivery.alerts:
            assert KINDS[folder] == alert.source
            assert alert.fingerprint
            assert alert.status in ("firing", "resolved")
            assert all(isinstance(one, str) for one in alert.labels.values())

    assert {name for name in REFUSED if (CORPORA / folder / name).exists()} == set(told)
    assert all(told.values())


@pytest.mark.parametrize("kind", SOURCES)
def test_a_body_of_another_source_is_refused_or_read_never_more(kind: str) -> None:
    """
    Whatever is posted to the wrong door: alerts, a note, or words; no other exception.
    """
    for file in files():
        alerts, why = told(file.read_bytes(), kind)
        assert bool(alerts) != bool(why)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a real body with some of its values replaced by anything."""
    file = draw(st.sampled_from([one for one in files() if one.parent.name in KINDS]))
    body = json.loads(file.read_bytes())
    for _ in range(draw(st.integers(1, 4))):
        body = _replaced(draw, body)
    return KINDS[file.parent.name], json.dumps(body).encode()


def _replaced(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        return value | {key: _replaced(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _replaced(draw, value[at]), *value[at + 1 :]]
    return draw(JSON)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_body_is_read_or_refused(case: tuple[str, bytes]) -> None:
    """
    Wrong types, missing keys, odd values: alerts or words, never another exception.
    """
    kind, raw = case
    alerts, why = told(raw, kind)

    assert bool(alerts) != bool(why)
    assert all(alert.fingerprint for alert in alerts)
    labels = [one for alert in alerts for one in alert.labels.values()]
    assert all(isinstance(one, str) for one in labels)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(SOURCES)), st.binary() | JSON.map(json.dumps))
def test_anything_is_read_or_refused(kind: str, raw: bytes | str) -> None:
    """
    Any bytes and any JSON.
    """
    alerts, why = told(raw if isinstance(raw, bytes) else raw.encode(), kind)

    assert bool(alerts) != bool(why)
