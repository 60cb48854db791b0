"""What Datadog answers, read as series; everything that is no number of now is Unseen.

What is here: the four forms (v1 points, v2 timeseries, v2 scalar, a monitor) and its
words for refusals. What is not: asking, age. Called by the package.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.adapters.datadog.parameters import DatadogLook
from engine.model.rate_limits import wait_asked, wait_words
from engine.model.samples import Sample, Series, Unseen, moment, named, number
from engine.ports import TRY_AGAIN, WebAnswer

WRONG: Final = {401: "`api_key`", 403: "`api_key` or `app_key`"}
STATES: Final = {"OK": 0.0, "Warn": 1.0, "Alert": 2.0}
SCOPE: Final = re.compile(r"\{[^{}]*\}")
COUNTED: Final = re.compile(r"\.as_(rate|count)\(\)")
CAN_BE_NEGATIVE: Final = re.compile(
    r"[-+*/]|\b(diff|monotonic_diff|derivative|dt|log2|log10|anomalies|forecast|\w*shift"
    r"|hour_before|day_before|week_before|month_before|trend_line|robust_trend)\b"
)
EMPTY: Final = "empty result: no series, which is not the same as zero"


def document(answer: WebAnswer, params: DatadogLook, *, at: float, limit: float) -> Any:
    """Return the JSON of an answer that is one.

    Args:
        answer: With every secret taken out of its body.
        params: To say which of them is wrong.
        at: Epoch seconds of the answer.
        limit: The wait after a 429 that names none, in seconds.

    Raises:
        Unseen: another status, an error inside, or not JSON.
    """
    told = _json(answer)
    reason = _reason(told)
    if answer.status != 200:
        raise _refused(answer, params, reason, at=at, limit=limit)
    if not isinstance(told, dict):
        kind = answer.headers.get("content-type", "no content type")
        start = " ".join(answer.body[:60].decode("utf-8", "replace").split())
        raise Unseen(f"not an answer in JSON ({kind}): {start!r}")
    if reason or told.get("status") == "error":
        raise Unseen(f"HTTP 200 with an error{reason}")
    return told


def _json(answer: WebAnswer) -> Any:
    try:
        return json.loads(answer.body, parse_constant=str)  # NaN stays a text
    except (ValueError, RecursionError):
        return None


def _reason(told: Any) -> str:
    """Return Datadog's own words for what is wrong, on one line."""
    if not isinstance(told, dict):
        return ""
    found = told.get("errors") or told.get("error")
    first = found[0] if isinstance(found, list) and found else found
    if isinstance(first, dict):
        first = first.get("detail") or first.get("title")
    if first is None or first in ([], ""):
        return ""
    words = "".join(sign for sign in " ".join(str(first).split()) if sign.isprintable())
    return f": {words[:200]}"


def _refused(
    answer: WebAnswer, params: DatadogLook, reason: str, *, at: float, limit: float
) -> Unseen:
    status = answer.status
    if status >= 500 or status in TRY_AGAIN:
        wait = wait_asked(status, answer.headers, at, otherwise=limit)
        asked = wait_words(status, answer.headers, at)
        return Unseen(f"HTTP {status}{reason}{asked}", wait_seconds=wait)
    where = WRONG.get(status, "`url`")
    if status == 404 and params.monitor is not None:
        where = "`monitor`"
    elif status in (400, 422):
        where = "`query`" if params.query is not None else "`queries` or `formula`"
    return Unseen(
        f"CONFIGURATION ERROR, HTTP {status}{reason}; correct {where}", retryable=False
    )


def points_of(told: Mapping[str, Any], *, accept_partial: bool) -> list[Series]:
    """Return the series of `/api/v1/query`. Raises Unseen."""
    rows = told.get("series")
    if not isinstance(rows, list):
        raise Unseen("the answer holds no series; is this Datadog?")
    if not rows:
        raise Unseen(EMPTY)
    return [_row(row, accept_partial) for row in rows]


def _row(row: object, accept_partial: bool) -> Series:
    points = row.get("pointlist") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(points, list):
        raise Unseen("a series has no points; is this Datadog?")
    tags = row.get("tag_set")
    if not isinstance(tags, list):
        scope = str(row.get("scope") or "").split(",")
        tags = [one for one in scope if one not in ("*", "")]
    labels = labels_of(tags)
    pairs: list[tuple[object, object]] = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise Unseen(f"{named(labels)}: a point is a time and a value")
        pairs.append((point[0], point[1]))
    return series_of(labels, pairs, accept_partial=accept_partial)


def timeseries_of(told: Mapping[str, Any], *, accept_partial: bool) -> list[Series]:
    """Return the series of `/api/v2/query/timeseries`. Raises Unseen."""
    inside = _attributes(told)
    times, rows, values = (
        inside.get("times"),
        inside.get("series"),
        inside.get("values"),
    )
    if not (
        isinstance(times, list) and isinstance(rows, list) and isinstance(values, list)
    ):
        raise Unseen("the answer holds no times, series and values; is this Datadog?")
    if not rows or not values:
        raise Unseen(EMPTY)
    if len(rows) != len(values):
        raise Unseen(f"{len(rows)} series and {len(values)} rows of values do not fit")
    found = []
    for row, numbers in zip(rows, values, strict=True):
        labels = labels_of(row.get("group_tags") if isinstance(row, dict) else None)
        if not isinstance(numbers, list) or len(numbers) != len(times):
            raise Unseen(f"{named(labels)}: not one value for each time")
        pairs = list(zip(times, numbers, strict=True))
        found.append(series_of(labels, pairs, accept_partial=accept_partial))
    return found


def scalar_of(told: Mapping[str, Any]) -> list[Series]:
    """Return the series of `/api/v2/query/scalar`: numbers without a time.

    Raises:
        Unseen: no number column, or more than one.
    """
    columns = _attributes(told).get("columns")
    if not isinstance(columns, list):
        raise Unseen("the answer holds no columns; is this Datadog?")
    of_type: dict[str, list[Mapping[str, Any]]] = {"group": [], "number": []}
    for column in columns:
        if not isinstance(column, dict) or not isinstance(column.get("values"), list):
            raise Unseen("a column has no values; is this Datadog?")
        of_type.setdefault(str(column.get("type")), []).append(column)
    groups, numbers = of_type["group"], of_type["number"]
    if not numbers or not numbers[0]["values"]:
        raise Unseen(EMPTY)
    if len(numbers) > 1:
        raise Unseen(f"{len(numbers)} columns of numbers, and one is needed")
    values = numbers[0]["values"]
    if any(len(column["values"]) != len(values) for column in groups):
        raise Unseen("the columns are not of one length")
    found = []
    for row, value in enumerate(values):
        labels = {str(it.get("name")): _tag(it["values"][row]) for it in groups}
        found.append(Series(labels, [Sample(None, _given(value, labels))]))
    return found


def _tag(raw: object) -> str:
    return ",".join(map(str, raw)) if isinstance(raw, list) else str(raw)


def _attributes(told: Mapping[str, Any]) -> Mapping[str, Any]:
    data = told.get("data")
    inside = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(inside, dict):
        raise Unseen("the answer holds no data; is this Datadog?")
    return inside


def labels_of(tags: object) -> dict[str, str]:
    """Return tags as labels; a key that comes twice has its values together."""
    labels: dict[str, str] = {}
    for tag in tags if isinstance(tags, list) else []:
        key, _, value = str(tag).partition(":")
        labels[key] = f"{labels[key]},{value}" if key in labels else value
    return labels


def series_of(
    labels: dict[str, str],
    points: Sequence[tuple[object, object]],
    *,
    accept_partial: bool,
) -> Series:
    """Return the points in the order of time, those that are nil left out.

    Raises:
        Unseen: all are nil; the newest is and that is not accepted; one is no number.
    """
    what = named(labels)
    timed = sorted(
        ((moment(at, what), raw) for at, raw in points), key=lambda pair: pair[0]
    )
    given = [Sample(at, number(raw, what)) for at, raw in timed if raw is not None]
    if not given:
        raise Unseen(f"{what}: nil: no point has a value")
    if timed[-1][1] is None and not accept_partial:
        raise Unseen(
            f"partial data: the newest point of {what} is nil; `accept_partial: true` "
            "takes the last that is not"
        )
    return Series(labels, given)


def refuse_negative(series: Sequence[Series], query: str) -> None:
    """Refuse a negative count or rate of counts: it is a broken answer.

    Args:
        series: What came back.
        query: Judged only where nothing is subtracted or differentiated in it.

    Raises:
        Unseen: with the series.
    """
    bare = SCOPE.sub("", query)
    if not COUNTED.search(bare) or CAN_BE_NEGATIVE.search(bare):
        return
    for one in series:
        if one.last.value < 0:
            raise Unseen(
                f"a count cannot be negative, and {named(one.labels)} is "
                f"{one.last.value:g}"
            )


def _given(raw: object, labels: Mapping[str, str]) -> float:
    if raw is None:
        raise Unseen(f"{named(labels)}: nil: there is no value")
    return number(raw, named(labels))


def monitor_of(
    told: Mapping[str, Any], *, groups: bool
) -> tuple[list[Series], dict[str, Any]]:
    """Return the state of a monitor as series, and what it says as `json`.

    Raises:
        Unseen: a state that tells neither good nor bad, such as No Data.
    """
    state, name = told.get("overall_state"), str(told.get("name"))
    if not isinstance(state, str):
        raise Unseen("the answer holds no overall_state; is this a monitor?")
    inside = told.get("state")
    rows = inside.get("groups") if isinstance(inside, dict) else None
    states = {
        str(group): row.get("status") if isinstance(row, dict) else None
        for group, row in (rows.items() if isinstance(rows, dict) else ())
    }
    seen = {
        "id": told.get("id"),
        "name": name,
        "type": told.get("type"),
        "state": state,
        "groups": states,
    }
    if not groups:
        return [_state({"monitor": name}, state)], seen
    if not states:
        raise Unseen(f"monitor {name!r:.60} shows no groups")
    return [_state(_group(group), one) for group, one in states.items()], seen


def _group(name: str) -> dict[str, str]:
    return {} if name in ("*", "") else labels_of(name.split(","))


def _state(labels: dict[str, str], state: object) -> Series:
    value = STATES.get(state) if isinstance(state, str) else None
    if value is None:
        raise Unseen(f"{named(labels)} is {str(state)[:40]!r}, neither good nor bad")
    return Series(labels, [Sample(None, value)])
