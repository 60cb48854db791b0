"""A check over what was seen, judged: what the tests of judging share."""

from typing import Any

from engine.core.judge import judge
from engine.model.effects import CheckCall
from engine.model.evidence import Observation

TWO = {
    "series": [
        {"labels": {"topic": "fanout"}, "value": 3.0},
        {"labels": {"topic": "media"}, "value": 9.0},
    ],
    "values": [3.0, 9.0],
}


def call(pass_: str | None = None, **fields: Any) -> CheckCall:
    """Return a check as it was looked at."""
    return CheckCall("lag", "lag", "prometheus", pass_=pass_, **fields)


def answer(
    seen: dict[str, Any], pass_: str | None = None, **fields: Any
) -> tuple[str, str]:
    """Return state and reason of a check over what was seen."""
    found = judge(
        call(pass_, **fields), Observation(seen=seen), tick=1.0, at=2.0, attempts=1
    )
    return found.state, found.why
