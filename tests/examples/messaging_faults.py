"""What breaks with each fault, what repairs it, and how both are seen in PromQL.

Read by test_messaging_platform.py.
"""

from dataclasses import dataclass
from typing import Any

Change = tuple[str, str, str, dict[str, Any] | None]
P99 = (
    "histogram_quantile(0.99, sum by (le) (rate(message_delivery_seconds_bucket[5s])))"
)
ACCEPTED = "sum(rate(gateway_connections_accepted_total[5s]))"
DROPPED = (
    'sum(rate(call_ended_total{reason="media_timeout"}[10s])) '
    "/ sum(rate(call_ended_total[10s]))"
)
KEY_ERRORS = (
    'sum(rate(http_requests_total{service="prekey",code=~"5.."}[5s])) '
    '/ sum(rate(http_requests_total{service="prekey"}[5s]))'
)
ROUTER_ERRORS = (
    'sum(rate(http_requests_total{service="router",code=~"5.."}[5s])) '
    '/ sum(rate(http_requests_total{service="router"}[5s]))'
)
SESSIONS = 'sum(rate(session_setup_total{result="ok"}[5s])) / sum(rate(session_setup_total[5s]))'
DAYS_LEFT = "(min(probe_ssl_earliest_cert_expiry) - time()) / 86400"


@dataclass(frozen=True)
class Fault:
    """One fault; `broken` and `healthy` are conditions that leave a series when true."""

    name: str
    alert: str
    broken: str
    repair: tuple[Change, ...]
    healthy: str
    undo: tuple[Change, ...] = ()


def _put(process: str, path: str, body: dict[str, Any]) -> Change:
    return "PUT", process, path, body


_ALL = (
    Fault(
        "consumer-stall",
        "MessageDeliveryDelayHigh",
        f"{P99} > 1 and sum(kafka_consumergroup_lag) > 40",
        (("PATCH", "router", "/admin/consumers", {"replicas": 8}),),
        f"{P99} < 0.5 and sum(kafka_consumergroup_lag) < 20",
        (("PATCH", "router", "/admin/consumers", {"replicas": 2}),),
    ),
    Fault(
        "hot-partition",
        "MessageDeliveryDelayHigh",
        f"{P99} > 1 and max(kafka_consumergroup_lag) "
        "/ clamp_min(avg(kafka_consumergroup_lag), 5) > 5",
        (("POST", "router", "/admin/lanes/quarantine", {"topic": "fanout"}),),
        f"{P99} < 0.5 and max(kafka_consumergroup_lag) "
        "/ clamp_min(avg(kafka_consumergroup_lag), 5) < 5",
        (("DELETE", "router", "/admin/lanes/quarantine", None),),
    ),
    Fault(
        "bad-rollout",
        "ErrorBudgetBurnFast",
        f"{ROUTER_ERRORS} > 0.05 and {P99} > 1",
        (("POST", "deploys", "/admin/rollback", {}),),
        f"{ROUTER_ERRORS} < 0.01 and {P99} < 0.5",
    ),
    Fault(
        "connection-storm",
        "GatewayConnectionStorm",
        f"{ACCEPTED} > 30 and sum(gateway_connected_clients) < 96",
        (
            _put("gateway", "/admin/limit", {"limit": 25}),
            _put("gateway", "/admin/backoff", {"seconds": 3}),
        ),
        f"{ACCEPTED} < 30 and sum(gateway_connected_clients) > 115",
        (
            _put("gateway", "/admin/limit", {"limit": 1000}),
            _put("gateway", "/admin/backoff", {"seconds": 0}),
        ),
    ),
    Fault(
        "media-saturation",
        "CallDropRateHigh",
        f"{DROPPED} > 0.05",
        (
            _put("media", "/admin/nodes/n3", {"weight": 0}),
            _put("media", "/admin/video-cap", {"height": 360}),
        ),
        f"{DROPPED} < 0.005",
        (
            _put("media", "/admin/video-cap", {"height": 720}),
            _put("media", "/admin/nodes/n3", {"weight": 100}),
        ),
    ),
    Fault(
        "expired-certificate",
        "TLSCertExpired",
        f"{SESSIONS} < 0.5 and {DAYS_LEFT} < 0",
        (("POST", "keys", "/admin/certificate", {"which": "standby"}),),
        f"{SESSIONS} > 0.99 and {DAYS_LEFT} > 30",
        (("POST", "keys", "/admin/certificate", {"which": "primary"}),),
    ),
    Fault(
        "key-server-errors",
        "KeyServerErrors",
        f"{KEY_ERRORS} > 0.02 and {SESSIONS} < 0.95",
        (_put("keys", "/admin/shards/s2", {"weight": 0}),),
        f"{KEY_ERRORS} < 0.01 and {SESSIONS} > 0.99",
        (_put("keys", "/admin/shards/s2", {"weight": 100}),),
    ),
)
FAULTS = {fault.name: fault for fault in _ALL}
