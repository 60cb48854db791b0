"""One body in each form that a vendor documents, and the whole delivery it gives.

Read by: test_sources_whole, test_sources_fuzz.
"""

import base64
from typing import Any, Final

import msgspec

from engine.adapters.sources.reading import identity
from engine.model.alert import Alert, Delivery

ARN: Final = "arn:aws:cloudwatch:eu-west-1:1:alarm:CPU"
ALARM: Final = {
    "AlarmName": "CPU", "AlarmDescription": "too hot", "AWSAccountId": "1",
    "NewStateValue": "ALARM", "NewStateReason": "over 90",
    "StateChangeTime": "2026-11-24T04:20:36.000+0000", "AlarmArn": ARN,
    "Trigger": {"MetricName": "CPUUtilization", "Namespace": "AWS/EC2",
                "Dimensions": [{"name": "InstanceId", "value": "i-1"}]},
}  # fmt: skip
ALARM_LABELS: Final = {
    "InstanceId": "i-1", "instance": "i-1", "alertname": "CPU", "account": "1",
    "region": "eu-west-1", "namespace": "AWS/EC2", "metric": "CPUUtilization",
}  # fmt: skip
INCIDENT: Final = {
    "incident": {
        "incident_id": "0.a", "state": "open", "policy_name": "CPU / load",
        "condition_name": "over 90", "severity": "Critical", "started_at": 1577840461,
        "scoping_project_id": "p", "url": "https://console.example/i",
        "summary": "CPU is high", "documentation": {"content": "look"},
        "resource": {"type": "gce_instance",
                     "labels": {"instance_id": "7", "zone": "eu-a"}},
        "policy_user_labels": {"team": "ops"},
    },
}  # fmt: skip
ISSUE: Final = {"id": 9, "title": "boom", "level": "error", "shortId": "WEB-1",
                "project": {"slug": "web"}, "culprit": "a.py",
                "firstSeen": "2026-11-24T04:20:36Z",
                "permalink": "https://s.example/9"}  # fmt: skip


def alert(
    kind: str, labels: dict[str, str], same: tuple[object, ...], **parts: Any
) -> Alert:
    """Return the alert that is expected; it fires unless it says otherwise."""
    status = parts.pop("status", "firing")
    return Alert(kind, status, labels, fingerprint=identity(*same), **parts)


def case(kind: str, body: Any, expected: Alert) -> tuple[str, Any, Delivery]:
    """Return a case: kind, body and the delivery with the body itself as raw."""
    return kind, body, Delivery(kind, (msgspec.structs.replace(expected, raw=body),))


CASES: Final[dict[str, tuple[str, Any, Delivery]]] = {
    "grafana legacy": case(
        "grafana",
        {"ruleName": "CPU", "ruleId": 1, "orgId": 2, "dashboardId": 3, "panelId": 4,
         "state": "alerting", "title": "[Alerting] CPU", "message": "hot",
         "ruleUrl": "https://g.example/r", "tags": {"severity": "page"},
         "evalMatches": [{"metric": "cpu", "value": 9, "tags": {"host": "a"}}]},
        alert("grafana",
              {"host": "a", "severity": "page", "alertname": "CPU",
               "state": "alerting"},
              ("2", "3", "4", "1", "CPU"),
              annotations={"summary": "[Alerting] CPU", "description": "hot"},
              links={"rule": "https://g.example/r"}, severity="page"),
    ),
    "datadog default payload": case(
        "datadog",
        {"id": "1", "title": "[P1] [Triggered on {host:a,env:prod}] CPU", "body": "hot",
         "event_type": "query_alert_monitor", "date": "1733930133000",
         "last_updated": "1733930133000", "org": {"id": "1", "name": "o"}},
        alert("datadog",
              {"host": "a", "env": "prod", "alertname": "CPU",
               "transition": "Triggered", "event_type": "query_alert_monitor"},
              ("CPU", "host:a,env:prod"), starts_at="2024-12-11T15:15:33.000Z",
              annotations={"summary": "[P1] [Triggered on {host:a,env:prod}] CPU",
                           "description": "hot"}),
    ),
    "newrelic legacy": case(
        "newrelic",
        {"current_state": "closed", "incident_id": 5, "account_id": 1,
         "account_name": "acc", "condition_name": "CPU", "policy_name": "web",
         "severity": "CRITICAL", "details": "hot", "timestamp": 1601033007849,
         "incident_url": "https://n.example/5",
         "targets": [{"name": "host-a", "labels": {"env": "prod"}}]},
        alert("newrelic",
              {"env": "prod", "alertname": "CPU", "policy": "web", "entity": "host-a",
               "severity": "critical", "account": "acc"},
              ("1", "5"), status="resolved", severity="CRITICAL",
              annotations={"summary": "CPU", "description": "hot"},
              links={"incident": "https://n.example/5"},
              ends_at="2020-09-25T11:23:27.849Z"),
    ),
    "pagerduty events": case(
        "pagerduty",
        {"event_action": "trigger", "dedup_key": "k", "client_url": "https://c.example",
         "payload": {"summary": "CPU", "source": "host-a", "severity": "critical",
                     "component": "web", "timestamp": "2026-11-24T04:20:36Z",
                     "custom_details": {"load": 9.5}}},
        alert("pagerduty",
              {"load": "9.5", "alertname": "CPU", "severity": "critical",
               "host": "host-a", "component": "web"},
              ("k",), annotations={"summary": "CPU"}, severity="critical",
              links={"client": "https://c.example"}, starts_at="2026-11-24T04:20:36Z"),
    ),
    "opsgenie": case(
        "opsgenie",
        {"action": "Create", "integrationName": "hook",
         "alert": {"alertId": "x-1", "tinyId": "7", "message": "CPU", "alias": "cpu",
                   "entity": "host-a", "priority": "P1", "description": "hot",
                   "tags": ["env:prod", "db"], "details": {"region": "eu"},
                   "createdAt": 1420452191104}},
        alert("opsgenie",
              {"env": "prod", "db": "true", "region": "eu", "alertname": "CPU",
               "severity": "P1", "alias": "cpu", "entity": "host-a", "number": "7",
               "integration": "hook", "action": "Create"},
              ("x-1",), annotations={"summary": "CPU", "description": "hot"},
              starts_at="2015-01-05T10:03:11.104Z", severity="P1"),
    ),
    "cloudwatch alarm": case(
        "cloudwatch", ALARM,
        alert("cloudwatch", ALARM_LABELS, (ARN, "1"),
              annotations={"summary": "too hot", "description": "over 90"},
              starts_at="2026-11-24T04:20:36.000+0000"),
    ),
    "cloudwatch calls a function": case(
        "cloudwatch",
        {"source": "aws.cloudwatch", "alarmArn": ARN, "accountId": "1",
         "region": "eu-west-1",
         "alarmData": {
             "alarmName": "CPU",
             "state": {"value": "OK", "reason": "under 90",
                       "timestamp": "2026-11-24T04:25:00.000+0000"},
             "configuration": {"description": "too hot", "metrics": [
                 {"metricStat": {"metric": {
                     "namespace": "AWS/EC2", "name": "CPUUtilization",
                     "dimensions": {"InstanceId": "i-1"}}}}]}}},
        alert("cloudwatch", ALARM_LABELS, (ARN, "1"), status="resolved",
              annotations={"summary": "too hot", "description": "under 90"},
              ends_at="2026-11-24T04:25:00.000+0000"),
    ),
    "cloudwatch on a bus": case(
        "cloudwatch",
        {"detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
         "account": "1", "region": "eu-west-1", "resources": [ARN],
         "time": "2026-11-24T04:20:36Z",
         "detail": {"alarmName": "CPU", "state": {"value": "ALARM", "reason": "hot"}}},
        alert("cloudwatch",
              {"alertname": "CPU", "kind": "CloudWatch Alarm State Change",
               "service": "aws.cloudwatch", "region": "eu-west-1", "account": "1",
               "state": "ALARM"},
              (ARN, "1"), annotations={"description": "hot"},
              starts_at="2026-11-24T04:20:36Z"),
    ),
    "azure prometheus": case(
        "azure-monitor",
        {"schemaId": "azureMonitorCommonAlertSchema", "data": {
            "essentials": {
                "alertId": "/a/1", "alertRule": "CPU", "severity": "Sev1",
                "signalType": "Metric", "monitorCondition": "Fired",
                "monitoringService": "Prometheus", "alertTargetIDs": ["/s/vm"],
                "configurationItems": ["vm"],
                "firedDateTime": "2026-11-24T04:20:36Z", "description": "hot",
                "investigationLink": "https://p.example"},
            "alertContext": {"labels": {"pod": "p", "severity": "low"},
                             "annotations": {"summary": "CPU of p"}},
            "customProperties": {"team": "ops"}}},
        alert("azure-monitor",
              {"pod": "p", "team": "ops", "alertname": "CPU", "severity": "Sev1",
               "service": "Prometheus", "signal": "Metric", "resource": "vm",
               "target": "/s/vm"},
              ("/a/1",),
              annotations={"summary": "CPU of p", "description": "hot"},
              links={"investigate": "https://p.example"},
              starts_at="2026-11-24T04:20:36Z", severity="Sev1"),
    ),
    "azure activity log": case(
        "azure-monitor",
        {"schemaId": "Microsoft.Insights/activityLogs", "data": {
            "status": "Activated", "properties": {"team": "ops"},
            "context": {"activityLog": {
                "operationName": "vm/restart", "level": "Informational",
                "correlationId": "c-1", "resourceId": "/s/vm",
                "resourceGroupName": "rg", "status": "Succeeded",
                "eventTimestamp": "2026-11-24T04:20:36Z"}}}},
        alert("azure-monitor",
              {"team": "ops", "alertname": "vm/restart", "severity": "Informational",
               "resource": "/s/vm", "resource_group": "rg", "state": "Succeeded"},
              ("c-1",), starts_at="2026-11-24T04:20:36Z", severity="Informational"),
    ),
    "google": case(
        "gcp-monitoring", INCIDENT,
        alert("gcp-monitoring",
              {"instance_id": "7", "zone": "eu-a", "team": "ops",
               "alertname": "CPU / load", "condition": "over 90",
               "severity": "Critical", "project": "p", "resource_type": "gce_instance",
               "instance": "7", "region": "eu-a"},
              ("0.a",), annotations={"summary": "CPU is high", "description": "look"},
              links={"incident": "https://console.example/i"},
              starts_at="2020-01-01T01:01:01.000Z", severity="Critical"),
    ),
    "sentry issue": case(
        "sentry", {"action": "resolved", "actor": {}, "data": {"issue": ISSUE}},
        alert("sentry",
              {"alertname": "boom", "severity": "error", "project": "web",
               "culprit": "a.py", "short_id": "WEB-1"},
              ("issue", "9"), status="resolved", annotations={"summary": "boom"},
              links={"issue": "https://s.example/9"}, severity="error",
              starts_at="2026-11-24T04:20:36Z"),
    ),
    "zabbix flat": case(
        "zabbix",
        {"event_value": "0", "event_name": "CPU", "event_severity": "High",
         "event_date": "2026.11.24", "event_time": "04:20:36",
         "event_recovery_date": "2026.11.24", "event_recovery_time": "04:25:00",
         "event_tags": '[{"tag":"env","value":"prod"},{"tag":"db","value":""}]',
         "host_name": "a", "trigger_id": "5", "event_id": "77",
         "alert_message": "load {ITEM.LASTVALUE} is high", "item_name": "*UNKNOWN*"},
        alert("zabbix",
              {"env": "prod", "alertname": "CPU", "severity": "High", "host": "a",
               "trigger_id": "5"},
              ("5", "a"), status="resolved", severity="High",
              annotations={"description": "load  is high"},
              starts_at="2026.11.24 04:20:36", ends_at="2026.11.24 04:25:00"),
    ),
    "uptime-kuma": case(
        "uptime-kuma",
        {"msg": "[shop] [Down] refused",
         "heartbeat": {"status": 0, "monitorID": 3, "msg": "refused",
                       "time": "2026-11-24 04:20:36.123", "important": True},
         "monitor": {"id": 3, "name": "shop", "type": "http", "hostname": "a",
                     "url": "https://shop.example",
                     "tags": [{"name": "env", "value": "prod"}]}},
        alert("uptime-kuma",
              {"env": "prod", "alertname": "shop", "monitor": "3", "kind": "http",
               "host": "a", "url": "https://shop.example"},
              ("3",), links={"monitor": "https://shop.example"},
              annotations={"summary": "[shop] [Down] refused",
                           "description": "refused"},
              starts_at="2026-11-24 04:20:36.123"),
    ),
    "cloudevents": case(
        "cloudevents",
        {"specversion": "1.0", "id": "1", "source": "/db", "type": "acme.disk.opened",
         "subject": "a", "time": "2026-11-24T04:20:36Z",
         "data_base64": base64.b64encode(
             b'{"severity": "page", "url": "https://d.example"}').decode()},
        alert("cloudevents",
              {"severity": "page", "url": "https://d.example",
               "alertname": "acme.disk.opened", "type": "acme.disk.opened",
               "origin": "/db", "subject": "a"},
              ("/db", "acme.disk", "a"), links={"link": "https://d.example"},
              starts_at="2026-11-24T04:20:36Z", severity="page"),
    ),
}  # fmt: skip
