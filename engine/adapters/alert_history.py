"""Alerts of the past: what fired, as Prometheus kept it; what fires, as Alertmanager.

Prometheus keeps each alert as a series `ALERTS`, seen in steps: an alert begins at the
first sample of a row without gaps, and is over one step after the last. Annotations and
what a route does are not kept there. Alertmanager tells only of what is active now.

Called by bootstrap (`runbook backtest`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from engine.errors import EngineError
from engine.model.alert import Alert
from engine.model.times import epoch_seconds
from engine.ports import Web, WebProblem, WebRequest

QUERY: Final = 'ALERTS{alertstate="firing"}'
MOST_SAMPLES: Final = 10_000  # of a series; Prometheus gives 11,000
SHORTEST_STEP: Final = 15.0  # seconds
MOST_BYTES: Final = 256 * 1024 * 1024
WITHIN_SECONDS: Final = 120.0
SOURCE: Final = "alertmanager"  # what these alerts come through
Timed = tuple[float, Alert]


def step_of(seconds: float) -> float:
    """Return the seconds between two samples of so long a time."""
    return max(SHORTEST_STEP, float(int(seconds / MOST_SAMPLES) + 1))


async def fired(web: Web, url: str, since: float, until: float) -> list[Timed]:
    """Return what fired between two moments (epoch seconds), begin and end of each.

    Raises:
        EngineError: Prometheus cannot be asked, or answers with no series.
    """
    step = step_of(until - since)
    asked = urlencode({"query": QUERY, "start": since, "end": until, "step": step})
    told = await _asked(web, f"{url.rstrip('/')}/api/v1/query_range?{asked}")
    try:
        found = told["data"]["result"]
        return [one for series in found for one in _alerts(series, until, step)]
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(f"{url} gives no series: is it Prometheus?") from error


def _alerts(series: Mapping[str, Any], until: float, step: float) -> Iterator[Timed]:
    labels = {
        str(name): str(value)
        for name, value in series["metric"].items()
        if name not in ("__name__", "alertstate")
    }
    print_ = hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()
    times = [float(at) for at, _ in series["values"]]
    begins = [
        at
        for before, at in zip([None, *times], times, strict=False)
        if before is None or at - before > 1.5 * step
    ]
    ends = [at for at, after in zip(times, [*times[1:], None], strict=True)
            if after is None or after - at > 1.5 * step]  # fmt: skip
    for begin, end in zip(begins, ends, strict=True):
        starts = _text(begin)
        about = {"labels": labels, "fingerprint": print_[:16], "starts_at": starts}
        yield begin, Alert(SOURCE, "firing", **about)  # type: ignore[arg-type]
        if end + step <= until:
            over = _text(end + step)
            yield end + step, Alert(SOURCE, "resolved", ends_at=over, **about)  # type: ignore[arg-type]


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


async def firing(web: Web, url: str) -> list[Timed]:
    """Return what Alertmanager has now, each at the moment it began.

    Raises:
        EngineError: it cannot be asked, or answers with no alerts.
    """
    told = await _asked(web, f"{url.rstrip('/')}/api/v2/alerts")
    try:
        return [(epoch_seconds(one["startsAt"], UTC) or 0.0, _now(one)) for one in told]
    except (KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"{url} gives no alerts: is it Alertmanager?") from error


def _now(one: Mapping[str, Any]) -> Alert:
    return Alert(
        SOURCE,
        "firing",
        {str(name): str(value) for name, value in one["labels"].items()},
        {str(name): str(value) for name, value in one["annotations"].items()},
        str(one["fingerprint"]),
        str(one["startsAt"]),
        raw=one,
    )


async def _asked(web: Web, url: str) -> Any:
    request = WebRequest(
        "GET", url, timeout_seconds=WITHIN_SECONDS, max_bytes=MOST_BYTES
    )
    where = url.partition("?")[0]
    try:
        answer = await web.request(request)
    except WebProblem as problem:
        raise EngineError(f"{where} cannot be asked: {problem.message}") from problem
    if answer.status != 200:
        raise EngineError(f"{where} answers {answer.status}")
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise EngineError(f"{where} answers with no JSON") from error
