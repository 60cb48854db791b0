"""Prometheus queries: the check kind `prometheus`.

What is here: an instant query gives `series` and `values`, and `value` where there is
exactly one; a range query the same of each series' last sample, with every sample of it
in `values` of the series. What is not: thresholds; they stand in `pass`.

All that is not a number seen now is unknown: an empty answer, NaN, Inf, partial data, a
stale sample, an answer in another form. Nothing here turns silence into zero.

The look is a GET, so that a network that lets only reads pass lets it pass. Registered
by bootstrap with the default address.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

from pydantic import Field, model_validator

from engine.model.credentials import (
    Basic,
    Secretable,
    Unsealed,
    shown_problem,
    shown_url,
    with_query,
)
from engine.model.evidence import Observation
from engine.model.values import Duration, Model, parse_duration
from engine.ports import Call, Web, WebAnswer, WebProblem, WebRequest
from engine.registry import Registry

FUTURE_SECONDS: Final = 5.0  # clocks differ, and a Date header has whole seconds
RETRYABLE: Final = frozenset({408, 425, 429})
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
QUOTED: Final = re.compile(r"\"(\\.|[^\"\\])*\"|'(\\.|[^'\\])*'|`[^`]*`|\{[^{}]*\}")
RATE: Final = re.compile(r"\b(rate|irate|increase)\s*\(")
CAN_BE_NEGATIVE: Final = re.compile(
    r"[-+*/%^]|\b(delta|idelta|deriv|predict_linear|holt_winters|ln|log2|log10|atan2)\b"
)


class PrometheusLook(Model):
    """A PromQL query."""

    query: str = Field(
        min_length=1,
        description="PromQL. Thresholds belong in `pass`: a comparison here gives an "
        "empty answer for false and for no data, and empty is unknown.",
    )
    url: Secretable | None = Field(
        None, description="The server's address; left out: the configured one."
    )
    at: str | None = Field(
        None,
        description="Evaluate at this time (RFC 3339 or epoch seconds), not now.",
    )
    range: Duration | None = Field(
        None, description="Look back so far, ending now; `value` is the last sample."
    )
    step: Duration = Field(
        parse_duration("30s"), description="Time between the samples of a `range`."
    )
    accept_partial: bool = Field(
        False, description="Take an answer that the server itself calls incomplete."
    )
    max_age: Duration = Field(
        parse_duration("120s"),
        description="An older sample is unknown; counted to the server's own time.",
    )
    bearer: Secretable | None = Field(
        None, description="A bearer token; `{secret: NAME}`."
    )
    basic: Basic | None = Field(None, description="User and password.")
    headers: dict[str, Secretable] = Field(
        default_factory=dict, description="Further headers, such as X-Scope-OrgID."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.at is not None and self.range is not None:
            raise ValueError("a query has `at` or `range`, not both")
        if self.bearer is not None and self.basic is not None:
            raise ValueError("a query has `bearer` or `basic`, not both")
        if self.step.total_seconds() < 1:
            raise ValueError("a step is at least 1s")
        if self.range and self.range / self.step > 10_000:
            raise ValueError("a range has at most 10,000 steps: make `step` longer")
        return self


class _Unknown(Exception):
    """Nothing can be said; the text is the reason."""

    def __init__(self, why: str, *, retryable: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class _Series:
    labels: dict[str, str]
    samples: list[_Sample]

    @property
    def last(self) -> _Sample:
        return self.samples[-1]


class PrometheusKind:
    """The code of the kind: asks, and turns the answer into an observation."""

    def __init__(
        self,
        web: Web,
        default_url: str | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask through `web`; `clock` gives the ends of a range, in epoch seconds."""
        self._web = web
        self._default_url = default_url
        self._clock = clock

    async def __call__(self, params: PrometheusLook, call: Call) -> Observation:
        """Return the samples, or why there is nothing to say."""
        unsealed = Unsealed(call.secret)
        base = params.url if params.url is not None else self._default_url
        place = shown_url(base) if base is not None else "no address"
        try:
            answer, now = await self._ask(params, base, unsealed, call.timeout_seconds)
            warnings, series = _parse(answer, params)
            _judge_samples(series, params, _answered_at(answer.headers, now))
        except _Unknown as unknown:
            return Observation(
                unknown=unsealed.hide(f"{place}: {unknown.why}"),
                retryable=unknown.retryable,
                source=unsealed.hide(params.query),
            )
        seen = _seen(series, ranged=params.range is not None)
        return Observation(
            seen=seen | {"latency_seconds": answer.took_seconds},
            summary=unsealed.hide(_summary(series, warnings)),
            source=unsealed.hide(params.query),
            sampled_at=min(one.last.at for one in series),
        )

    async def _ask(
        self,
        params: PrometheusLook,
        base: Secretable | None,
        unsealed: Unsealed,
        timeout_seconds: float,
    ) -> tuple[WebAnswer, float]:
        if base is None:
            words = "write `url` into the check, or set a default in the configuration"
            raise _Unknown(words, retryable=False)
        now = self._clock()
        path, query = _question(params, now)
        query["timeout"] = f"{timeout_seconds:g}s"  # the server stops then, too
        address = unsealed.text(base).rstrip("/") + path
        headers = unsealed.texts(params.headers)
        headers |= unsealed.authorization(bearer=params.bearer, basic=params.basic)
        request = WebRequest(
            "GET",
            with_query(address, query),
            {"accept": "application/json", **headers},
            timeout_seconds=timeout_seconds,
        )
        try:
            answer = await self._web.request(request)
        except WebProblem as problem:
            hopeless = problem.kind in HOPELESS
            words = shown_problem(base, problem.kind, problem.message)
            raise _Unknown(words, retryable=not hopeless) from problem
        return replace(answer, body=unsealed.hide_in(answer.body)), now


def _question(params: PrometheusLook, now: float) -> tuple[str, dict[str, str]]:
    query = {"query": params.query}
    if params.range is not None:
        query["start"] = f"{now - params.range.total_seconds():.3f}"
        query["end"] = f"{now:.3f}"
        query["step"] = f"{params.step.total_seconds():g}"
        return "/api/v1/query_range", query
    if params.at is not None:
        query["time"] = params.at
    return "/api/v1/query", query


def _parse(
    answer: WebAnswer, params: PrometheusLook
) -> tuple[list[str], list[_Series]]:
    told = _document(answer)
    if answer.status != 200 or told.get("status") != "success":
        raise _refused(answer.status, told)
    found = told.get("warnings") or []
    warnings = [str(it) for it in found] if isinstance(found, list) else [str(found)]
    if warnings and not params.accept_partial:
        raise _Unknown(f"partial data: {warnings[0]}")
    data = told.get("data")
    if not isinstance(data, dict):
        raise _Unknown("the answer holds no data; is this a Prometheus?")
    form, result = data.get("resultType"), data.get("result")
    if params.range is not None:
        return warnings, _many(form, result, wanted="matrix", key="values")
    if form == "scalar":
        return warnings, [_Series({}, [_sample(result)])]
    return warnings, _many(form, result, wanted="vector", key="value")


def _document(answer: WebAnswer) -> dict[str, Any]:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict):
        return told
    if answer.status != 200:
        return {}
    kind = answer.headers.get("content-type", "no content type")
    start = " ".join(answer.body[:60].decode("utf-8", "replace").split())
    raise _Unknown(f"not an answer in JSON ({kind}): {start!r}")


def _refused(status: int, told: Mapping[str, Any]) -> _Unknown:
    reason = f": {told['error']}" if isinstance(told.get("error"), str) else ""
    if status >= 500 or status in RETRYABLE or status == 200:
        return _Unknown(f"HTTP {status}{reason}")
    wrong = {401: "`bearer` or `basic`", 403: "`bearer` or `basic`", 404: "`url`"}
    where = wrong.get(status, "`query`" if reason else "`url`")
    return _Unknown(
        f"CONFIGURATION ERROR, HTTP {status}{reason}; correct {where}", retryable=False
    )


def _many(form: object, result: object, *, wanted: str, key: str) -> list[_Series]:
    if form != wanted or not isinstance(result, list):
        hint = " (a range vector: use `range`, or rate())" if form == "matrix" else ""
        raise _Unknown(f"a {wanted} is needed, the answer is a {form}{hint}")
    if not result:
        raise _Unknown("empty result: no series, which is not the same as zero")
    return [_one(row, key) for row in result]


def _one(row: object, key: str) -> _Series:
    labels = row.get("metric") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(labels, dict):
        raise _Unknown("a series has no labels; is this a Prometheus?")
    if key not in row:
        kind = "a histogram" if "histogram" in row or "histograms" in row else "empty"
        raise _Unknown(f"series {_named(labels)} is {kind}, not a number")
    rows = row[key] if key == "values" else [row[key]]
    if not isinstance(rows, list) or not rows:
        raise _Unknown(f"series {_named(labels)} has no samples")
    texts = {str(name): str(value) for name, value in labels.items()}
    return _Series(texts, [_sample(it, _named(labels)) for it in rows])


def _sample(row: object, named: str = "the scalar") -> _Sample:
    if not isinstance(row, list) or len(row) != 2:
        raise _Unknown(f"{named}: a sample is a time and a value, not {row!r:.60}")
    at, text = row
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise _Unknown(f"{named}: the sample's time is {at!r:.40}")
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise _Unknown(f"{named}: the value is {text!r:.40}, not a number")
    value = float(text)
    if not math.isfinite(value):
        raise _Unknown(f"{named}: the value is {text!r:.40}, not a number")
    return _Sample(float(at), value)


def _named(labels: Mapping[str, object]) -> str:
    inner = ",".join(f"{name}={value}" for name, value in labels.items())
    return f"{{{inner}}}"[:120]


def _answered_at(headers: Mapping[str, str], ours: float) -> float:
    """Return the server's own time, an age in a cache included, or ours."""
    try:
        date = parsedate_to_datetime(headers["date"]).timestamp()
        return date + float(headers.get("age", "0"))
    except (KeyError, ValueError, OverflowError, OSError):
        return ours


def _judge_samples(
    series: list[_Series], params: PrometheusLook, answered_at: float
) -> None:
    oldest = params.max_age.total_seconds()
    meant = _epoch(params.at) if params.at is not None else answered_at
    for one in series:
        age = meant - one.last.at
        if age > oldest:
            raise _Unknown(
                f"stale: the last sample of {_named(one.labels)} is {age:.0f} s old, "
                f"more than {oldest:g} s"
            )
        if age < -FUTURE_SECONDS:
            raise _Unknown(
                f"the sample of {_named(one.labels)} lies {-age:.0f} s in the future"
            )
        if one.last.value < 0 and _is_pure_rate(params.query):
            raise _Unknown(
                f"a rate cannot be negative, and {_named(one.labels)} is "
                f"{one.last.value:g}"
            )


def _is_pure_rate(query: str) -> bool:
    """Return whether the query is a rate in aggregations, without arithmetic."""
    bare = QUOTED.sub("", query)
    return bool(RATE.search(bare)) and not CAN_BE_NEGATIVE.search(bare)


def _epoch(text: str) -> float:
    try:
        return float(text) if NUMBER.fullmatch(text) else _moment(text)
    except (ValueError, OverflowError) as error:
        words = f"CONFIGURATION ERROR: `at` is {text!r:.40}, not a time"
        raise _Unknown(words, retryable=False) from error


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.timestamp()


def _seen(series: list[_Series], *, ranged: bool) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for one in series:
        row: dict[str, Any] = {"labels": one.labels, "value": one.last.value}
        if ranged:
            row["values"] = [sample.value for sample in one.samples]
        rows.append(row)
    seen: dict[str, Any] = {"series": rows, "values": [row["value"] for row in rows]}
    return seen | ({"value": seen["values"][0]} if len(rows) == 1 else {})


def _summary(series: list[_Series], warnings: list[str]) -> str:
    if len(series) == 1:
        text = f"value {series[0].last.value:g}"
    else:
        values = [one.last.value for one in series]
        text = f"{len(series)} series from {min(values):g} to {max(values):g}"
    return f"{text} (partial: {warnings[0]})" if warnings else text


def register(registry: Registry, web: Web, default_url: str | None = None) -> None:
    """Add the check kind `prometheus`; `default_url` stands for a left out `url`."""
    registry.add_check(
        "prometheus",
        PrometheusLook,
        PrometheusKind(web, default_url),
        places={"query": "promql", "url": "url", "headers": "header"},
        sees=("value", "values", "series", "latency_seconds"),
    )
