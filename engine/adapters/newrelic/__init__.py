"""New Relic: the check kind `newrelic`, NRQL through NerdGraph.

What is here: one look, as an observation. Empty, null, NaN, stale, an error inside a
200, a query that still runs at the limit: unknown. At most five queries of an account
are asked at once. What is not: thresholds, which stand in `pass`; alerts coming in,
which are a source.

Registered by bootstrap, with what the configuration says.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

from engine.adapters.newrelic.answers import refuse_negative, series_of
from engine.adapters.newrelic.asking import NerdGraph
from engine.adapters.newrelic.parameters import (
    ADDRESSES,
    Account,
    NewRelicAccount,
    NewRelicLook,
    base_for,
)
from engine.model.credentials import Secretable, Unsealed, shown_url
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
from engine.ports import Call, Web
from engine.registry import Registry

AT_ONCE: Final = 5  # queries of one account; what New Relic advises
JUDGED_SECONDS: Final = 300.0  # core.judge refuses older samples, whatever is written


__all__ = ["NewRelicAccount", "NewRelicKind", "NewRelicLook", "register"]


class NewRelicKind:
    """The code of the kind."""

    def __init__(
        self,
        web: Web,
        account: Account | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask through `web`; `clock` gives epoch seconds, where a server gives none."""
        self._web = web
        self._account = account or NewRelicAccount()
        self._clock = clock
        self._places: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = (
            WeakValueDictionary()
        )

    async def __call__(self, params: NewRelicLook, call: Call) -> Observation:
        """Return the samples, or why there is nothing to say."""
        began = time.monotonic()
        unsealed = Unsealed(call.secret)
        try:
            server = self._server(params, call, unsealed)
            series, messages = await self._look(server, params)
        except Unseen as unseen:
            place = shown_url(self._base(params))
            return Observation(
                unknown=unsealed.hide(f"{place}: {unseen.why}"),
                retryable=unseen.retryable,
                source=unsealed.hide(params.query),
                wait_seconds=unseen.wait_seconds,
            )
        seen = seen_in(series, ranged=any(len(it.samples) > 1 for it in series))
        strict = params.max_age.total_seconds() <= JUDGED_SECONDS
        return Observation(
            seen=seen | {"latency_seconds": time.monotonic() - began},
            summary=unsealed.hide(in_short(series, messages)),
            source=unsealed.hide(params.query),
            sampled_at=oldest_at(series) if strict else None,
        )

    async def _look(
        self, server: NerdGraph, params: NewRelicLook
    ) -> tuple[list[Series], list[str]]:
        place = self._place(server)
        limit = f"no place among {AT_ONCE} queries within {server.limit_seconds:g} s"
        try:
            async with asyncio.timeout(server.ends_at - time.monotonic()):
                await place.acquire()
        except TimeoutError as error:
            raise Unseen(limit) from error
        try:
            found, answer = await server.results(params.query)
        finally:
            place.release()
        series, messages = series_of(
            found, column=params.column, accept_partial=params.accept_partial
        )
        refuse_negative(series, params.query)
        theirs = answered_at(answer.headers, self._clock())
        refuse_age(series, oldest=params.max_age.total_seconds(), now=theirs)
        return series, messages

    def _place(self, server: NerdGraph) -> asyncio.Semaphore:
        """Return the account's places; they live as long as somebody holds one."""
        key = (server.address, server.account)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = asyncio.Semaphore(AT_ONCE)
        return place

    def _base(self, params: NewRelicLook) -> Secretable:
        if params.url is not None:
            return params.url
        if params.region is not None:
            return ADDRESSES[params.region]
        return base_for(self._account)

    def _server(
        self, params: NewRelicLook, call: Call, unsealed: Unsealed
    ) -> NerdGraph:
        ends_at = time.monotonic() + call.timeout_seconds
        base = self._base(params)
        configured = base == base_for(self._account)
        account = params.account or self._account.account
        key = params.api_key or (self._account.api_key if configured else None)
        if account is None:
            words = "no account: write `account`, or set newrelic.account in the "
            raise Unseen(f"{words}configuration", retryable=False)
        if key is None:
            raise Unseen(
                "no api_key: write `api_key: {secret: NAME}`, or set newrelic.api_key "
                "in the configuration for its own address",
                retryable=False,
            )
        return NerdGraph(
            self._web,
            base,
            unsealed.text(base),
            {"accept": "application/json", "api-key": unsealed.text(key)},
            account,
            unsealed,
            ends_at,
            call.timeout_seconds,
            self._clock,
        )


def register(registry: Registry, web: Web, account: Account | None = None) -> None:
    """Add the check kind `newrelic`; `account` is the configured one."""
    registry.add_check(
        "newrelic",
        NewRelicLook,
        NewRelicKind(web, account),
        places={"query": "nrql", "url": "url", "api_key": "header"},
        sees=("value", "values", "series", "latency_seconds"),
    )
