"""Datadog: the check kind `datadog`, metrics queries and states of monitors.

What is here: one look, as an observation. Empty, nil, NaN, stale and every answer in
another form is unknown; after a 429 nothing more is asked of the account until its
limit is reset. What is not: thresholds, which stand in `pass`; alerts coming in, which
are a source.

Registered by bootstrap, with what the configuration says.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from engine.adapters.datadog.answers import (
    document,
    monitor_of,
    points_of,
    refuse_negative,
    scalar_of,
    timeseries_of,
)
from engine.adapters.datadog.asking import base_of, request_for
from engine.adapters.datadog.parameters import (
    Account,
    DatadogAccount,
    DatadogLook,
)
from engine.model.credentials import Unsealed, shown_problem, shown_url
from engine.model.evidence import Observation
from engine.model.samples import (
    Series,
    Unseen,
    answered_at,
    in_short,
    oldest_at,
    refuse_age,
    seen_in,
)
from engine.ports import Call, Web, WebAnswer, WebProblem
from engine.registry import Registry

HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
JUDGED_SECONDS: Final = 300.0  # core.judge refuses older samples, whatever is written


__all__ = ["DatadogAccount", "DatadogKind", "DatadogLook", "register"]


class DatadogKind:
    """The code of the kind."""

    def __init__(
        self,
        web: Web,
        account: Account | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask through `web`; `clock` gives the ends of a range, in epoch seconds."""
        self._web = web
        self._account = account or DatadogAccount()
        self._clock = clock

    async def __call__(self, params: DatadogLook, call: Call) -> Observation:
        """Return the samples, or why there is nothing to say."""
        unsealed = Unsealed(call.secret)
        source = _source(params)
        try:
            answer, series, more = await self._look(params, unsealed, call)
        except Unseen as unseen:
            place = shown_url(base_of(params, self._account))
            return Observation(
                unknown=unsealed.hide(f"{place}: {unseen.why}"),
                retryable=unseen.retryable,
                source=unsealed.hide(source),
                wait_seconds=unseen.wait_seconds,
            )
        seen = seen_in(series, ranged=params.monitor is None and params.reduce is None)
        strict = params.max_age.total_seconds() <= JUDGED_SECONDS
        return Observation(
            seen=seen | more | {"latency_seconds": answer.took_seconds},
            summary=unsealed.hide(in_short(series)),
            source=unsealed.hide(source),
            sampled_at=oldest_at(series) if strict else None,
        )

    async def _look(
        self, params: DatadogLook, unsealed: Unsealed, call: Call
    ) -> tuple[WebAnswer, list[Series], dict[str, Any]]:
        now = self._clock()
        limit = call.timeout_seconds
        request = request_for(
            params, self._account, unsealed, now=now, timeout_seconds=limit
        )
        try:
            answer = await self._web.request(request)
        except WebProblem as problem:
            base = base_of(params, self._account)
            raise Unseen(
                shown_problem(base, problem.kind, problem.message),
                retryable=problem.kind not in HOPELESS,
                wait_seconds=problem.wait_seconds,
            ) from problem
        answer = replace(answer, body=unsealed.hide_in(answer.body))
        told = document(answer, params, at=self._clock(), limit=limit)
        series, more = _read(told, params)
        if params.query is not None:
            refuse_negative(series, params.query)
        theirs = answered_at(answer.headers, self._clock())
        refuse_age(series, oldest=params.max_age.total_seconds(), now=theirs)
        return answer, series, more


def _read(told: Any, params: DatadogLook) -> tuple[list[Series], dict[str, Any]]:
    if params.monitor is not None:
        series, json = monitor_of(told, groups=params.groups)
        return series, {"json": json}
    if params.reduce is not None:
        return scalar_of(told), {}
    read = points_of if params.query is not None else timeseries_of
    return read(told, accept_partial=params.accept_partial), {}


def _source(params: DatadogLook) -> str:
    if params.monitor is not None:
        return f"monitor {params.monitor}"
    if params.query is not None:
        return params.query
    named = "; ".join(f"{name}: {it}" for name, it in (params.queries or {}).items())
    return f"{params.formula} of {named}" if params.formula else named


def register(registry: Registry, web: Web, account: Account | None = None) -> None:
    """Add the check kind `datadog`; `account` is the configured one."""
    registry.add_check(
        "datadog",
        DatadogLook,
        DatadogKind(web, account),
        places={
            "query": "datadog",
            "queries": "datadog",
            "formula": "datadog",
            "site": "host",
            "url": "url",
            "api_key": "header",
            "app_key": "header",
        },
        sees=("value", "values", "series", "json", "latency_seconds"),
    )
