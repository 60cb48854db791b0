"""What was seen: an observation as an adapter brings it, evidence as the core keeps it.

An observation has no opinion unless its kind has one (tcp, dns, tls, agree); `pass`
turns it into evidence with one of three states (core.judge). What could not be seen is
unknown and says why; nothing here ever turns unknown into true or false.
"""

from typing import Any, Final, Literal

import msgspec

CheckState = Literal["pass", "fail", "unknown"]
LEFT_OUT: Final = "left_out"  # {"left_out": "..."} in seen: too large; has no value


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One look at the world, before it is judged.

    `seen` holds the names that `pass` may use: value (float), series (list of
    {"labels": {...}, "value": float}), values (list of float), json, response
    ({"status": int, "body": str}), exit_code, stdout, days_left, addresses,
    latency_seconds.
    """

    seen: dict[str, Any] = {}
    verdict: Literal["pass", "fail"] | None = None  # kinds that judge by themselves
    unknown: str | None = None  # why nothing can be said; wins over everything
    retryable: bool = True  # whether another attempt may help, for unknown only
    summary: str = ""  # one line for people: "value 12000", "HTTP 503 in 0.2 s"
    source: str = ""  # what was asked: a query, a URL without its secrets
    sampled_at: float | None = None  # epoch seconds, where the provider says it
    wait_seconds: float = 0.0  # no other attempt before that: the provider asks for it


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One judged look, as it stands in the timeline and as conditions read it."""

    check: str  # the check's name
    slot: str  # the name, plus what it was bound to where that matters: "disk|host=h3"
    state: CheckState
    why: str  # the rule and the values that decided, or why it is unknown
    seen: dict[str, Any] = {}
    tick: float = 0.0  # run seconds at the end of the look
    at: float = 0.0  # epoch seconds at the end of the look
    source: str = ""
    attempts: int = 1

    @property
    def ok(self) -> bool | None:
        """True for pass, False for fail, None where it has no value."""
        return {"pass": True, "fail": False}.get(self.state)
