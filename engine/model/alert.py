"""Alerts, whatever system they came from: one alert, and one body that brought some.

Read by: the sources (write them), core.intake (judges them), runtime (keeps them).
"""

from typing import Any, Literal

import msgspec

AlertStatus = Literal["firing", "resolved"]


class Alert(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One alert of one source: what runs are started by and what they see of it."""

    source: str  # as triggers name it: alertmanager, datadog, a name of `sources`
    status: AlertStatus
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    fingerprint: str = ""  # the same for every delivery of the same alert; never empty
    starts_at: str = ""  # as the source wrote it
    links: dict[str, str] = {}
    raw: Any = None
    severity: str = ""  # in the source's own word
    ends_at: str = ""  # as the source wrote it; empty while it fires


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one request of a source brought."""

    source: str
    alerts: tuple[Alert, ...] = ()
    group: str = ""  # the source's own key of the group, where it groups
    truncated: int = 0  # alerts that the source left out of the body
    note: str = ""  # why a body without alerts is fine: a test, a confirmation


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was kept of a delivery, told to whoever sent it once it is on disk."""

    delivery: int  # its number in the journal, from 1
    alerts: int
    repeated: bool = False  # the very same bytes were kept before
