"""One alert, whatever system it came from."""

from typing import Any, Literal

import msgspec


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alert of one source: what runs are started by and what they see of it."""

    source: str  # alertmanager, datadog, ...
    status: Literal["firing", "resolved"]
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    fingerprint: str = ""
    starts_at: str = ""  # as the source wrote it
    links: dict[str, str] = {}
    raw: Any = None
