"""Real webhook bodies of every source: parsed, or refused with a reason.

What is compared is what a run is started by: status, name, severity and times. The
forms that vendors document are compared whole in test_sources_whole.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
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


def stored(alerts: tuple[Alert, ...]) -> list[Alert]:
    """Return the alerts as they come back from a store."""
    raw = msgspec.json.encode(alerts)
    assert b"\\u0000" not in raw
    return msgspec.json.decode(raw, type=list[Alert])


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


GOLDEN = {
    "alertmanager/resolved-1-alertmanager-bot-resolved.json": [
        ("resolved", "Fire", "critical", "2018-11-04T22:43:58.283995108+01:00",
         "2018-11-04T22:48:13.283995108+01:00"),
    ],
    "alertmanager-captured/mixed-one-resolved-firing-3-0.json": [
        ("resolved", "Mixed", "critical", "2026-11-24T04:20:36.595749Z",
         "2026-11-24T04:21:53.246642Z"),
        ("firing", "Mixed", "warning", "2026-11-24T04:20:36.595752Z", ""),
        ("firing", "Mixed", "info", "2026-11-24T04:20:36.595755Z", ""),
    ],
    "aws-sns/ALARM-EC2-CPU--plugin-aws-sns-mon-webhook-test_cloudwatch_event_api.json":
        [("firing", "EC2-CPU", "", "2021-06-23T08:41:06.622+0000", "")],
    "aws-sns/OK-ContainerInsight-pod_cpu_-plugin-aws-sns-mon-webhook-test_cloudwatc.json":
        [("resolved", "ContainerInsight-pod_cpu_utilization", "", "",
          "2021-06-27T13:53:39.351+0000")],
    "azure-monitor/AzureMonitorMetricAlert-Deactivated-alerta-contrib-test_azuremonitor.json":
        [("resolved", "CpuUtilHigh", "3", "", "2019-02-27T14:10:35.0816694Z")],
    "datadog/Recovered-keep-datadog_raw_alerts.json": [
        ("resolved", "Error monitor", "success", "", "2024-12-11T15:08:32.000Z"),
    ],
    "datadog/Warn-keep-datadog_raw_alerts.json": [
        ("firing", "Unauthorized access to API keep-api", "P2",
         "2024-12-11T15:19:38.000Z", ""),
    ],
    "gcp-monitoring/closed-alerta-test_webhooks.json": [
        ("resolved", "Webserver Health", "", "2017-07-06T19:10:14.000Z",
         "2017-07-06T19:20:36.000Z"),
    ],
    "grafana-legacy/ok-alerta-test_webhooks.json": [
        ("resolved", "Zeta CPU alert", "", "", ""),
    ],
    "grafana-unified/zulip-alert_no_alertname_v11.json": [
        ("firing", "", "", "2024-03-01T02:09:00Z", ""),
    ],
    "newrelic-workflow/zulip-incident_closed_default_payload.json": [
        ("resolved", "High CPU", "CRITICAL", "2024-04-22T06:16:30.228Z",
         "2024-04-22T06:17:37.383Z"),
    ],
    "opsgenie/zulip-close.json": [  # milliseconds and nanoseconds in one body
        ("resolved", "test alert", "", "2015-01-05T10:03:11.104Z",
         "2015-01-05T10:06:14.669Z"),
    ],
    "pagerduty-v2/incident.acknowledge-alerta-test_webhooks.json": [
        ("firing", "45645", "", "2013-07-09T20:25:44Z", ""),
        ("resolved", "45645", "", "2013-07-09T20:25:44Z", "2013-07-09T20:25:45Z"),
    ],
    "sentry/alerta-contrib-test_sentry.json": [
        ("firing", "This is an example Python exception", "error",
         "2019-12-17T10:26:44.933Z", ""),
    ],
    "uptime-kuma/keep-test_uptimekuma_bugs-2.json": [
        ("firing", "Port Monitor", "", "2022-08-26 01:02:24", ""),
    ],
    "zabbix/zulip-zabbix_ok.json": [
        ("resolved", "Zabbix agent on www.example.com is reachable", "Average", "", ""),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_real_body_gives_what_a_run_is_started_by(name: str) -> None:
    """
    Status, name, severity in the source's word, and times, for each of its alerts.
    """
    kind = KINDS[name.partition("/")[0]]

    assert GOLDEN[name] == [
        (
            one.status,
            one.labels.get("alertname", ""),
            one.severity,
            one.starts_at,
            one.ends_at,
        )
        for one in read((CORPORA / name).read_bytes(), kind).alerts
    ]


SAME_FORM = {("grafana", "alertmanager"), ("alertmanager", "grafana")}
OWN_KEYS = {("zabbix", "keep-mocks-libre-nms")}  # `status` 1 is Zabbix's own word


@pytest.mark.parametrize("kind", SOURCES)
def test_a_body_of_another_system_starts_nothing(kind: str) -> None:
    """
    Who posts to the wrong door is told so. Grafana posts Alertmanager's form.
    """
    taken = {
        (kind, KINDS.get(file.parent.name, file.parent.name))
        for file in files()
        if KINDS.get(file.parent.name) != kind and told(file.read_bytes(), kind)[0]
    }

    assert set() == taken - SAME_FORM - OWN_KEYS


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


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_body_is_read_or_refused(case: tuple[str, bytes]) -> None:
    """
    Wrong types, missing keys, odd values: alerts or words, never another exception.
    """
    kind, raw = case
    alerts, why = told(raw, kind)

    assert bool(alerts) != bool(why)
    assert list(alerts) == stored(alerts)
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
    assert list(alerts) == stored(alerts)
