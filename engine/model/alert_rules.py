"""Alert rules as Prometheus has them: what may fire, and with which labels.

Read by: language.alert_rules (reads them), analysis.coverage.
"""

import msgspec


class AlertRule(msgspec.Struct, frozen=True):
    """One alert rule of a rule file."""

    file: str
    line: int  # from 1
    group: str
    alert: str
    labels: dict[str, str] = {}  # those whose value is certain, alertname included
    templated: tuple[str, ...] = ()  # labels that are there with some value
    absent: tuple[str, ...] = ()  # labels that the rule takes away
