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
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from engine.model.rate_limits import wait_asked, wait_words
from engine.model.samples import (
    Sample,
    Series,
    Unseen,
    answered_at,
    in_short,
    named,
    oldest_at,
    refuse_age,
    seen_in,
)
from engine.model.times import epoch_seconds
from engine.model.values import Duration, Model, parse_duration
from engine.ports import Call, Web, WebAnswer, WebProblem, WebRequest
from engine.registry import Registry

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


@dataclass(frozen=True, slots=True)
class PrometheusKind:
    """The code of the kind: asks, and turns the answer into an observation."""

    web: Web
    default_url: str | None = None
    clock: Callable[[], float] = field(default=time.time, kw_only=True)  # epoch seconds
    then: Callable[[], float] | None = field(
        default=None, kw_only=True
    )  # `past` of register

    async def __call__(self, params: PrometheusLook, call: Call) -> Observation:
        """Return the samples, or why there is nothing to say."""
        unsealed = Unsealed(call.secret)
        base = params.url if params.url is not None else self.default_url
        place = shown_url(base) if base is not None else "no address"
        moment = self.then() if self.then is not None else None
        try:
            _refuse_moment(params, moment, self.clock())
            answer, now = await self._ask(
                params, base, unsealed, call.timeout_seconds, moment
            )
            warnings, series = _parse(answer, params)
            meant = answered_at(answer.headers, now) if moment is None else moment
            _judge_samples(series, params, meant)
        except Unseen as unseen:
            return Observation(
                unknown=unsealed.hide(f"{place}: {unseen.why}"),
                retryable=unseen.retryable,
                source=unsealed.hide(params.query),
                wait_seconds=unseen.wait_seconds,
            )
        seen = seen_in(series, ranged=params.range is not None)
        return Observation(
            seen=seen | {"latency_seconds": answer.took_seconds},
            summary=unsealed.hide(in_short(series, warnings)),
            source=unsealed.hide(params.query),
            sampled_at=oldest_at(series),
        )

    async def _ask(
        self,
        params: PrometheusLook,
        base: Secretable | None,
        unsealed: Unsealed,
        timeout_seconds: float,
        moment: float | None,
    ) -> tuple[WebAnswer, float]:
        if base is None:
            words = "write `url` into the check, or set a default in the configuration"
            raise Unseen(words, retryable=False)
        now = self.clock()
        path, query = _question(params, now, moment)
        query["timeout"] = f"{timeout_seconds:g}s"  # the server stops then, too
        address = unsealed.text(base).rstrip("/") + path
        headers = unsealed.texts(params.headers)
        headers |= unsealed.authorization(bearer=params.bearer, basic=params.basic)
        request = WebRequest(
            "GET",
            with_query(address, query),
            {"accept": "application/json", **headers},
            timeout_seconds=timeout_seconds,
            patient=True,
        )
        try:
            answer = await self.web.request(request)
        except WebProblem as problem:
            hopeless = problem.kind in HOPELESS
            words = shown_problem(base, problem.kind, problem.message)
            raise Unseen(
                words, retryable=not hopeless, wait_seconds=problem.wait_seconds
            ) from problem
        answer = replace(answer, body=unsealed.hide_in(answer.body))
        _refuse_status(answer, self.clock(), timeout_seconds)
        return answer, now


def _refuse_moment(params: PrometheusLook, moment: float | None, now: float) -> None:
    """Refuse what nobody could have seen at a moment of the past."""
    if moment is None:
        return
    if moment > now:
        raise Unseen("that moment is still to come", retryable=False)
    if params.at is not None and _epoch(params.at) > moment:
        raise Unseen("`at` lies after the moment that is asked about", retryable=False)


def _question(
    params: PrometheusLook, now: float, moment: float | None
) -> tuple[str, dict[str, str]]:
    query = {"query": params.query}
    if params.range is not None:
        end = now if moment is None else moment
        query["start"] = f"{end - params.range.total_seconds():.3f}"
        query["end"] = f"{end:.3f}"
        query["step"] = f"{params.step.total_seconds():g}"
        return "/api/v1/query_range", query
    if params.at is not None:
        query["time"] = params.at
    elif moment is not None:
        query["time"] = f"{moment:.3f}"
    return "/api/v1/query", query


def _parse(answer: WebAnswer, params: PrometheusLook) -> tuple[list[str], list[Series]]:
    told = _document(answer)
    if told.get("status") != "success":
        raise Unseen(f"HTTP 200{_reason(told)}")
    found = told.get("warnings") or []
    warnings = [str(it) for it in found] if isinstance(found, list) else [str(found)]
    if warnings and not params.accept_partial:
        raise Unseen(f"partial data: {warnings[0]}")
    data = told.get("data")
    if not isinstance(data, dict):
        raise Unseen("the answer holds no data; is this a Prometheus?")
    form, result = data.get("resultType"), data.get("result")
    if params.range is not None:
        return warnings, _many(form, result, wanted="matrix", key="values")
    if form == "scalar":
        return warnings, [Series({}, [_sample(result)])]
    return warnings, _many(form, result, wanted="vector", key="value")


def _document(answer: WebAnswer) -> dict[str, Any]:
    told = _json(answer)
    if isinstance(told, dict):
        return told
    kind = answer.headers.get("content-type", "no content type")
    start = " ".join(answer.body[:60].decode("utf-8", "replace").split())
    raise Unseen(f"not an answer in JSON ({kind}): {start!r}")


def _json(answer: WebAnswer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _reason(told: Any) -> str:
    error = told.get("error") if isinstance(told, dict) else None
    return f": {error}" if isinstance(error, str) else ""


def _refuse_status(answer: WebAnswer, at: float, timeout_seconds: float) -> None:
    status, headers = answer.status, answer.headers
    if status == 200:
        return
    reason = _reason(_json(answer))
    if status >= 500 or status in RETRYABLE:
        wait = wait_asked(status, headers, at, otherwise=timeout_seconds)
        words = f"HTTP {status}{reason}{wait_words(status, headers, at)}"
        raise Unseen(words, wait_seconds=wait)
    wrong = {401: "`bearer` or `basic`", 403: "`bearer` or `basic`", 404: "`url`"}
    where = wrong.get(status, "`query`" if reason else "`url`")
    raise Unseen(
        f"CONFIGURATION ERROR, HTTP {status}{reason}; correct {where}", retryable=False
    )


def _many(form: object, result: object, *, wanted: str, key: str) -> list[Series]:
    if form != wanted or not isinstance(result, list):
        hint = " (a range vector: use `range`, or rate())" if form == "matrix" else ""
        raise Unseen(f"a {wanted} is needed, the answer is a {form}{hint}")
    if not result:
        raise Unseen("empty result: no series, which is not the same as zero")
    return [_one(row, key) for row in result]


def _one(row: object, key: str) -> Series:
    labels = row.get("metric") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(labels, dict):
        raise Unseen("a series has no labels; is this a Prometheus?")
    if key not in row:
        kind = "a histogram" if "histogram" in row or "histograms" in row else "empty"
        raise Unseen(f"series {named(labels)} is {kind}, not a number")
    rows = row[key] if key == "values" else [row[key]]
    if not isinstance(rows, list) or not rows:
        raise Unseen(f"series {named(labels)} has no samples")
    texts = {str(name): str(value) for name, value in labels.items()}
    return Series(texts, [_sample(it, named(labels)) for it in rows])


def _sample(row: object, named: str = "the scalar") -> Sample:
    if not isinstance(row, list) or len(row) != 2:
        raise Unseen(f"{named}: a sample is a time and a value, not {row!r:.60}")
    at, text = row
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise Unseen(f"{named}: the sample's time is {at!r:.40}")
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise Unseen(f"{named}: the value is {text!r:.40}, not a number")
    value = float(text)
    if not math.isfinite(value):
        raise Unseen(f"{named}: the value is {text!r:.40}, not a number")
    return Sample(float(at), value)


def _judge_samples(
    series: list[Series], params: PrometheusLook, answered: float
) -> None:
    meant = _epoch(params.at) if params.at is not None else answered
    refuse_age(series, oldest=params.max_age.total_seconds(), now=meant)
    for one in series:
        if one.last.value < 0 and _is_pure_rate(params.query):
            raise Unseen(
                f"a rate cannot be negative, and {named(one.labels)} is "
                f"{one.last.value:g}"
            )


def _is_pure_rate(query: str) -> bool:
    """Return whether the query is a rate in aggregations, without arithmetic."""
    bare = QUOTED.sub("", query)
    return bool(RATE.search(bare)) and not CAN_BE_NEGATIVE.search(bare)


def _epoch(text: str) -> float:
    at = float(text) if NUMBER.fullmatch(text) else epoch_seconds(text)
    if at is None or not math.isfinite(at):
        words = f"CONFIGURATION ERROR: `at` is {text!r:.40}, not a time"
        raise Unseen(words, retryable=False)
    return at


def register(
    registry: Registry,
    web: Web,
    default_url: str | None = None,
    *,
    past: Callable[[], float] | None = None,
) -> None:
    """Add the check kind `prometheus`; `default_url` stands for a left out `url`.

    Args:
        registry: Takes it.
        web: The way to the server.
        default_url: See above.
        past: The moment, in epoch seconds, as which it looks; left out: as of now.
    """
    registry.add_check(
        "prometheus",
        PrometheusLook,
        PrometheusKind(web, default_url, then=past),
        places={"query": "promql", "url": "url", "headers": "header"},
        sees=("value", "values", "series", "latency_seconds"),
    )
