"""What Alertmanager posts, version 4, as alerts.

Also a bare alert object, and a list of them, as `amtool alert query -o json` prints.
Fields that are left out are empty; a body that is something else is refused, not
guessed at. What a body is for (which runbook, which run) is not decided here.

Called by bootstrap, for `runbook run --alert` and for the alerts of rehearsals.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from engine.errors import EngineError
from engine.model.alert import Alert

SOURCE: Final = "alertmanager"
MOST_ALERTS: Final = 10_000  # of one body


def parse_alerts(body: Any) -> list[Alert]:
    """Return the alerts of a body, in its order.

    Raises:
        EngineError: it is no such body; the message says what is missing.
    """
    if isinstance(body, Sequence) and not isinstance(body, str | bytes):
        found: Any = body
    elif isinstance(body, Mapping):
        found = body.get("alerts", [body] if "labels" in body else None)
    else:
        found = None
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise EngineError(
            "this is no Alertmanager body: it has neither `alerts` nor `labels`. Give "
            "the JSON that its webhook receives, or one alert of it."
        )
    if len(found) > MOST_ALERTS:
        raise EngineError(f"the body has {len(found)} alerts; at most {MOST_ALERTS:,}")
    return [_alert(one, number) for number, one in enumerate(found, 1)]


def _alert(raw: Any, number: int) -> Alert:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("labels"), Mapping):
        raise EngineError(f"alert {number} of the body has no `labels`")
    url = raw.get("generatorURL")
    return Alert(
        SOURCE,
        _state(raw),
        _texts(raw["labels"]),
        _texts(raw.get("annotations")),
        str(raw.get("fingerprint") or ""),
        str(raw.get("startsAt") or ""),
        {"generator": str(url)} if url else {},
        dict(raw),
    )


def _state(raw: Mapping[str, Any]) -> Literal["firing", "resolved"]:
    """The API's own objects say `active`, `suppressed` in a map; only the hook ends."""
    told = raw.get("status")
    if isinstance(told, str):
        return "resolved" if told.lower() == "resolved" else "firing"
    return "firing"


def _texts(raw: Any) -> dict[str, str]:
    if not isinstance(raw, Mapping):
        return {}
    return {str(key): _text(value) for key, value in raw.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
