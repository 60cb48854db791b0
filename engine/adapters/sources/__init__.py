"""What monitoring systems post, as alerts: one file for each system.

What is here: from the bytes of a body to a Delivery, and what is wrong with them. What
is not: who may post (entrypoints.web), what an alert starts (core.intake).

`SOURCES` has the code of each kind; `generic_source` makes one from a mapping. Called
by bootstrap, which gives them to the web server, the command line and rehearsals.
"""

from collections.abc import Mapping
from typing import Final

from engine.adapters.sources import (
    alertmanager,
    amazon,
    azure,
    cloud_events,
    datadog,
    google,
    grafana,
    newrelic,
    opsgenie,
    pagerduty,
    sentry,
    uptime_kuma,
    zabbix,
)
from engine.adapters.sources.generic import reader as generic_source
from engine.ports import SourceCode

SOURCES: Final[Mapping[str, SourceCode]] = {
    "alertmanager": alertmanager.read,
    "azure-monitor": azure.read,
    "cloudevents": cloud_events.read,
    "cloudwatch": amazon.read,
    "datadog": datadog.read,
    "gcp-monitoring": google.read,
    "grafana": grafana.read,
    "newrelic": newrelic.read,
    "opsgenie": opsgenie.read,
    "pagerduty": pagerduty.read,
    "sentry": sentry.read,
    "uptime-kuma": uptime_kuma.read,
    "zabbix": zabbix.read,
}

__all__ = ["SOURCES", "generic_source"]
