"""A runbook that uses every verb once, for whole-value tests of the page."""

from engine.model.runbook import Runbook


def full() -> Runbook:
    """Return it."""
    return Runbook.model_validate(FULL)


HTTP = "https://router.internal/{{ region }}/lane"
FULL = {
    "format": 1,
    "runbook": "late-messages",
    "title": "Messages arrive late in {{ region }}",
    "owner": "messaging",
    "severity": "sev2",
    "description": "The fan-out queue of a region falls behind.",
    "trigger": [
        {"alert": {"source": "alertmanager", "match": {"alertname": "Delay"}},
         "group_by": ["region"], "when_resolved": "ask"},
        {"chat": {"who": ["messaging-oncall"]}},
        {"schedule": "0 3 * * 1"},
    ],
    "inputs": {
        "region": {"type": "string", "from": "labels.region"},
        "token": {"type": "string", "default": "none", "secret": True},
    },
    "limits": {
        "lock": ["queue/{{ region }}"],
        "runs": {"max": 3, "per": "1h"},
        "cooldown": "10m",
        "targets": {"max": 4, "share": "40%", "of": "fleet"},
        "time": {"isolated": "8m", "mitigated": "60m", "total": "90m", "silent": "15m"},
    },
    "checks": {"lag": {"tcp": {"host": "a", "port": 1}}},
    "actions": {
        "open_lane": {
            "http": {"post": HTTP, "json": {"topic": "fanout"}},
            "undo": {"http": {"delete": HTTP}},
            "done_when": "checks.lag.ok",
            "guard": "checks.room.ok",
            "undo_if": "checks.lag.ok",
        },
        "roll_back": {
            "command": {"argv": ["deployctl", "rollback", "--region", "{{ region }}"]},
            "undo": "none",
            "why_no_undo": "a bad version is never put back",
            "verify": "checks.p99.ok",
            "risk": "high",
            "settles": ["open_lane"],
        },
        "quiet": {"silence": {"match": {"region": "{{ region }}"}}},
        "tell": {"page": {"group": "messaging"}, "leaves_nothing": True},
    },
    "impact": {"users": {"prometheus": {"query": "sum(x)"}}, "weight": 0.5},
    "raise": [{"to": "sev1", "when": "checks.users.value > 10000.0"}],
    "stop_when": [{"when": "checks.fleet.value < 3.0", "then": "undo", "page": "sre"}],
    "confirm": [{"check": "lag"}],
    "isolate": [
        {"act": "open_lane", "when": "!checks.hot.ok", "on_unknown": "do",
         "on_fail": "undo", "with": {"topic": "fanout"}},
        {"act": "quiet"},
        {"act": "tell"},
    ],
    "diagnose": [
        {"all": [{"check": "lag"}, {"check": "hot", "expect": "fail"}], "need": 1},
        {"cause": [
            {"name": "bad-rollout", "when": "!checks.p99.ok", "workaround": "back"},
            {"name": "not-found"},
        ]},
    ],
    "workaround": {
        "back": [
            {"approve": "Roll back {{ region }}?",
             "from": [{"group": "oncall", "need": 1}, {"group": "commanders", "need": 2}],
             "not_by": "requester", "then": {"group": "commanders", "within": "5m"},
             "unless": "auto", "retype": "{{ region }}", "on_reject": "by-hand"},
            {"act": "roll_back", "on_fail": "by-hand"},
            {"each": "labels.hosts", "as": "host", "batch": [1, "10%"], "pause": "30s",
             "max_errors": 1, "do": [{"act": "quiet"}, {"wait": "5s"}]},
            {"repeat": 3, "every": "1m", "while": "!checks.lag.ok",
             "do": [{"act": "quiet"}]},
        ],
        "by-hand": [
            {"ask": "What was done?", "name": "hand", "who": "oncall",
             "fields": {"fixed": "boolean"}, "on_expire": "continue"},
            {"say": "Done by hand in {{ region }}", "to": "#inc"},
            {"run": "cache-warm", "with": {"region": "eu"}, "within": "5m"},
            {"hand_over": "messaging", "why": "not fixed"},
        ],
    },
    "restore": [
        {"wait_for": "p99", "hold": "5m"},
        {"undo": "all", "pause": "10s", "check": "lag"},
    ],
}  # fmt: skip
