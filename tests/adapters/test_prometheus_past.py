"""Prometheus asked about a moment of the past: the query's `time`, and what is not."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.adapters.prometheus import PrometheusKind, PrometheusLook
from engine.adapters.web import HttpxWeb
from engine.model.evidence import Observation
from engine.ports import Call
from tests.adapters.loopback import LOOPBACK, always, as_json, serving

THEN: Final = 1_700_000_000.25
CALL: Final = Call("k1", 2.0, lambda name: name, "r1")


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


async def asked(
    web: HttpxWeb, sampled: float, form: str, **more: Any
) -> tuple[list[dict[str, str]], Observation]:
    """Return the queries that a look at THEN asks, and what it sees in one sample."""
    key = "values" if form == "matrix" else "value"
    row: list[Any] = [sampled, "7"]
    result = [{"metric": {}, key: [row] if form == "matrix" else row}]
    told = {"status": "success", "data": {"resultType": form, "result": result}}
    async with serving(always(as_json(told))) as far:
        params = PrometheusLook.model_validate({"query": "up", "url": far.url, **more})
        seen = await PrometheusKind(web, then=lambda: THEN)(params, CALL)
        queries = [parse_qs(urlsplit(one.target).query) for one in far.asked]
        return [{name: one for name, (one,) in it.items()} for it in queries], seen


async def test_an_instant_is_asked_about_that_moment(web: HttpxWeb) -> None:
    """The server is told the time, and the sample's age counts to it."""
    queries, seen = await asked(web, THEN - 60, "vector")

    assert [{"query": "up", "time": "1700000000.250", "timeout": "2s"}] == queries
    assert (7.0, THEN - 60) == (seen.seen["value"], seen.sampled_at)


async def test_a_range_ends_at_that_moment(web: HttpxWeb) -> None:
    """Start and end are moments of the past."""
    queries, seen = await asked(web, THEN, "matrix", range="5m", step="30s")

    assert [
        {
            "query": "up",
            "start": "1699999700.250",
            "end": "1700000000.250",
            "step": "30",
            "timeout": "2s",
        }
    ] == queries
    assert 7.0 == seen.seen["value"]


async def test_a_sample_that_was_old_then_is_unknown(web: HttpxWeb) -> None:
    """What was stale at that moment does not count, however long ago it is now."""
    _, seen = await asked(web, THEN - 121, "vector")

    assert (
        "stale: the last sample of {} is 121 s old, more than 120 s"
        == (seen.unknown or "").partition(": ")[2]
    )


async def test_a_fixed_time_after_that_moment_is_unknown(web: HttpxWeb) -> None:
    """Nobody could have asked for it; the server is not asked."""
    queries, seen = await asked(web, THEN, "vector", at="1700000001")

    assert ([], "`at` lies after the moment that is asked about") == (
        queries,
        (seen.unknown or "").partition(": ")[2],
    )


async def test_a_moment_to_come_is_unknown(web: HttpxWeb) -> None:
    """A run that goes on past the present sees nothing there."""
    async with serving(always(b"")) as far:
        params = PrometheusLook.model_validate({"query": "up", "url": far.url})
        kind = PrometheusKind(web, clock=lambda: THEN, then=lambda: THEN + 1)
        seen = await kind(params, CALL)

        assert (
            [],
            Observation(
                unknown=f"{far.url}: that moment is still to come",
                retryable=False,
                source="up",
            ),
        ) == (far.asked, seen)
