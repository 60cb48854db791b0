"""New Relic: what is asked, waiting for a result, and how rows become series."""

import asyncio
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest

from engine.adapters.newrelic import (
    NewRelicAccount,
    NewRelicKind,
    NewRelicLook,
    register,
)
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.model.evidence import Observation
from engine.model.values import SecretRef
from engine.ports import Call
from engine.registry import Registry
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    Server,
    always,
    as_json,
    in_turn,
    reply,
    serving,
)
from tests.adapters.provider_bodies import nerdgraph, running

KEY = "NRAK-7f3"
OWN = {"account": 12, "api_key": {"secret": "KEY"}}


def secret(name: str) -> str:
    """Return the one secret there is."""
    if name != "KEY":
        raise SecretMissing(f"secret '{name}' has no value")
    return KEY


CALL = Call("k1", 2.0, secret, "r1")


def asking(**given: Any) -> NewRelicLook:
    """Return the parameters as they stand in a file."""
    return NewRelicLook.model_validate({"query": "SELECT count(*) FROM T", **given})


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


async def look(
    web: HttpxWeb, *answers: Any, call: Call = CALL, **given: Any
) -> tuple[Observation, Server]:
    """Return what is seen in these answers, and what the server was asked."""
    async with serving(in_turn(*map(as_json, answers))) as far:
        params = asking(url=f"{far.url}/graphql", **{**OWN, **given})
        found = await NewRelicKind(web)(params, call)
    return found, far


def why(found: Observation) -> str:
    """Return why nothing is known, without the address."""
    assert found.seen == {}
    assert found.unknown is not None
    return found.unknown.split(": ", 1)[1]


async def test_nrql_is_a_variable_of_the_query(web: HttpxWeb) -> None:
    """
    Account and NRQL go as variables; the text of the query is always the same.
    """
    nrql = "SELECT count(*) FROM T WHERE a = '\") { x } ' SINCE 5 minutes ago"
    found, far = await look(web, nerdgraph([{"count": 7}]), query=nrql)
    asked = far.asked[0]

    assert (asked.method, asked.target) == ("POST", "/graphql")
    assert asked.headers["api-key"] == KEY
    assert asked.headers["content-type"] == "application/json"
    assert asked.json["variables"] == {"account": 12, "nrql": nrql}
    assert "nrql(query: $nrql, async: true)" in asked.json["query"]
    assert nrql not in asked.json["query"]
    assert (found.seen["value"], found.source) == (7.0, nrql)


@pytest.mark.timed
async def test_f32_a_running_query_is_asked_for_again(web: HttpxWeb) -> None:
    """
    Without results there is progress: it is asked by its number after retryAfter.
    """
    began = time.monotonic()
    found, far = await look(
        web,
        running(0.3),
        running(0.3, "nrqlQueryProgress"),
        nerdgraph([{"count": 7}], field="nrqlQueryProgress"),
    )
    took = time.monotonic() - began

    assert found.seen["value"] == 7.0
    assert 0.6 <= took < 1.5
    assert [one.json["variables"] for one in far.asked] == [
        {"account": 12, "nrql": "SELECT count(*) FROM T"},
        {"account": 12, "id": "4711"},
        {"account": 12, "id": "4711"},
    ]
    assert "nrqlQueryProgress(queryId: $id)" in far.asked[1].json["query"]


@pytest.mark.timed
async def test_f32_a_query_that_outlives_the_limit_is_unknown(web: HttpxWeb) -> None:
    """
    Pending is not empty: at the limit it is unknown, and no wait goes beyond it.
    """
    began = time.monotonic()
    never, far = await look(
        web,
        running(0.1),
        running(0.1, "nrqlQueryProgress"),
        call=Call("k", 0.7, secret),
    )
    took = time.monotonic() - began
    too_long, once = await look(web, running(30))

    words = (
        "the query still runs after {} s; a longer `timeout` of the check waits for it"
    )
    assert (why(never), why(too_long)) == (words.format("0.7"), words.format("2"))
    assert never.retryable is True
    assert 0.4 < took < 1.2
    assert 2 <= len(far.asked) <= 4
    assert len(once.asked) == 1


async def test_f32_pending_rows_are_not_the_result(web: HttpxWeb) -> None:
    """
    Rows of a query that is not completed are not taken; nor is no number to ask with.
    """
    partly = running(0.1)
    partly["data"]["actor"]["account"]["nrql"]["results"] = [{"count": 0}]
    done = nerdgraph([{"count": 7}], field="nrqlQueryProgress")
    found, _ = await look(web, partly, done)
    lost = running(0.1)
    lost["data"]["actor"]["account"]["nrql"]["queryProgress"]["queryId"] = None
    nowhere, _ = await look(web, lost)

    assert found.seen["value"] == 7.0
    assert why(nowhere) == "pending: the answer holds no results"


@pytest.mark.parametrize(
    ("error", "words", "again"),
    [
        (
            {"message": "NRQL Syntax Error: Error at line 1", "extensions": {}},
            (
                "CONFIGURATION ERROR, HTTP 200: NRQL Syntax Error: Error at line 1; "
                "correct `query`"
            ),
            False,
        ),
        (
            {
                "message": "Access denied.",
                "extensions": {"errorClass": "ACCESS_DENIED"},
            },
            (
                "CONFIGURATION ERROR, HTTP 200: Access denied.; correct `api_key` or "
                "`account`"
            ),
            False,
        ),
        (
            {"message": "timed out", "extensions": {"errorClass": "TIMEOUT"}},
            "HTTP 200: timed out",
            True,
        ),
        ("odd", "HTTP 200: odd", True),
    ],
)
async def test_f29_errors_inside_a_200_are_unknown(
    web: HttpxWeb, error: Any, words: str, again: bool
) -> None:
    """
    GraphQL says 200 with errors; also beside data, nothing of it is taken.
    """
    found, _ = await look(web, {"errors": [error], **nerdgraph([{"count": 7}])})

    assert (why(found), found.retryable) == (words, again)


async def test_facets_are_series(web: HttpxWeb) -> None:
    """
    Each facet is a series, with one label for each attribute.
    """
    rows = [
        {"facet": ["h1", "eu"], "host": "h1", "region": "eu", "count": 1},
        {"facet": ["h2", "us"], "host": "h2", "region": "us", "count": 5},
    ]
    found, _ = await look(web, nerdgraph(rows, facets=["host", "region"]))
    bare, _ = await look(web, nerdgraph([{"facet": ["a", "b"], "count": 1}]))
    single, _ = await look(web, nerdgraph([{"facet": "a", "count": 1}]))

    assert found.seen["series"] == [
        {"labels": {"host": "h1", "region": "eu"}, "value": 1.0},
        {"labels": {"host": "h2", "region": "us"}, "value": 5.0},
    ]
    assert bare.seen["series"][0]["labels"] == {"facet1": "a", "facet2": "b"}
    assert single.seen["series"][0]["labels"] == {"facet": "a"}


async def test_timeseries_are_samples(web: HttpxWeb) -> None:
    """
    Buckets are the samples of a series, in order; the last one is its value.
    """
    now = int(time.time())
    rows = [
        {
            "facet": host,
            "host": host,
            "beginTimeSeconds": now - 60 * back,
            "endTimeSeconds": now - 60 * (back - 1),
            "count": value,
        }
        for host, back, value in (
            ("h1", 1, 2),
            ("h1", 2, 1),
            ("h2", 2, 3),
            ("h2", 1, 4),
        )
    ]
    found, _ = await look(web, nerdgraph(rows, facets=["host"]))

    assert found.seen["series"] == [
        {"labels": {"host": "h1"}, "value": 2.0, "values": [1.0, 2.0]},
        {"labels": {"host": "h2"}, "value": 4.0, "values": [3.0, 4.0]},
    ]
    assert found.sampled_at == now


async def test_f33_the_newest_event_is_the_time_of_a_row(web: HttpxWeb) -> None:
    """
    `latest(timestamp)` beside the number says how old it is.
    """
    old = (time.time() - 600) * 1000
    found, _ = await look(web, nerdgraph([{"latest.load": 1, "latest.timestamp": old}]))

    assert why(found).startswith("stale: the last sample of {} is 60")


async def test_compared_windows_are_two_series(web: HttpxWeb) -> None:
    """
    COMPARE WITH gives two series, told apart by `comparison`.
    """
    rows = [
        {"comparison": "current", "count": 1},
        {"comparison": "previous", "count": 2},
    ]
    found, _ = await look(web, nerdgraph(rows))

    assert [row["labels"] for row in found.seen["series"]] == [
        {"comparison": "current"},
        {"comparison": "previous"},
    ]


@pytest.mark.parametrize(
    ("rows", "column", "expected"),
    [
        ([{"percentile.duration": {"95": 1.5}}], None, 1.5),
        ([{"percentile.d": {"95": 1.5, "99": 2.5}}], "percentile.d.99", 2.5),
        ([{"count": 1, "average.d": 2}], "average.d", 2.0),
        ([{"count": 1, "inspectedCount": 900}], None, 1.0),
        (
            [{"count": 1, "average.d": 2}],
            None,
            "2 columns: count, average.d; write `column` to choose one",
        ),
        ([{"count": 1}], "sum", "no column 'sum'; there are: count"),
        ([{"facet": "a"}], None, "a row holds no column"),
        ([{"count": 1}, {"sum": 1}], None, "{}: a row has no 'count'"),
        (
            [{"load": 1}, {"load": 2}],
            None,
            "2 rows for {}: select an aggregate, such as average() or latest()",
        ),
        ([7], None, "a row is no map; is this NerdGraph?"),
    ],
)
async def test_f31_one_number_is_chosen(
    web: HttpxWeb, rows: list[Any], column: str | None, expected: Any
) -> None:
    """
    The only number counts, or the one that `column` names; else it is unknown.
    """
    found, _ = await look(web, nerdgraph(rows), column=column)

    if isinstance(expected, str):
        assert why(found) == expected
    else:
        assert found.seen["value"] == expected


async def test_at_most_five_queries_of_an_account_at_once(web: HttpxWeb) -> None:
    """
    The sixth look waits for a place, another account does not; a look that gets no
    place in its time is unknown.
    """
    at_once = [0, 0]

    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        at_once[0] += 1
        at_once[1] = max(at_once)
        await asyncio.sleep(0.4)
        at_once[0] -= 1
        writer.write(as_json(nerdgraph([{"count": 7}])))

    async with serving(slow) as far:
        kind = NewRelicKind(web)
        own = asking(url=far.url, **OWN)
        other = asking(url=far.url, **{**OWN, "account": 13})
        looks = [kind(own, CALL) for _ in range(12)]
        short = Call("k", 0.2, secret)
        found = await asyncio.gather(*looks, kind(own, short))
        most_of_one, at_once[:] = at_once[1], [0, 0]
        both = [kind(one, CALL) for one in (own, other) for _ in range(5)]
        await asyncio.gather(*both)

    assert [one.seen.get("value") for one in found] == [7.0] * 12 + [None]
    assert why(found[-1]) == "no place among 5 queries within 0.2 s"
    assert (most_of_one, at_once[1]) == (5, 10)


async def test_configured_new_relic_account_goes_nowhere_else(web: HttpxWeb) -> None:
    """
    Account, address and key may be configured; the key is sent to no other address.
    """
    answer = as_json(nerdgraph([{"count": 7}]))
    async with serving(always(answer)) as own, serving(always(answer)) as other:
        account = NewRelicAccount(own.url, "us", 12, SecretRef(secret="KEY"))
        kind = NewRelicKind(web, account)
        seen = await kind(asking(), CALL)
        elsewhere = await kind(asking(url=other.url), CALL)
        region = await kind(asking(region="eu"), CALL)
        nobody = await NewRelicKind(web)(asking(), CALL)

    words = (
        "no api_key: write `api_key: {secret: NAME}`, or set newrelic.api_key in the "
        "configuration for its own address"
    )
    assert seen.seen["value"] == 7.0
    assert elsewhere.unknown == f"{other.url}: {words}"
    assert region.unknown == f"https://api.eu.newrelic.com/graphql: {words}"
    assert nobody.unknown == (
        "https://api.newrelic.com/graphql: no account: write `account`, or set "
        "newrelic.account in the configuration"
    )
    assert (other.asked, nobody.retryable) == ([], False)


async def test_f29_a_limit_while_it_runs_is_unknown(web: HttpxWeb) -> None:
    """
    A 429 to the question for the result ends the look with its wait.
    """
    limit = reply("{}", status=429, headers={"retry-after": "9"})
    async with serving(in_turn(as_json(running(0.1)), limit)) as far:
        found = await NewRelicKind(web)(asking(url=far.url, **OWN), CALL)

    assert (why(found), found.wait_seconds) == ("HTTP 429, asks to wait 9 s", 9.0)


def test_newrelic_registers_with_its_places(web: HttpxWeb) -> None:
    """
    The kind says where outside values may stand, and describes every parameter.
    """
    registry = Registry()
    register(registry, web)
    kind, _ = registry.check("newrelic")

    assert dict(kind.places) == {"query": "nrql", "url": "url", "api_key": "header"}
    assert kind.sees == ("value", "values", "series", "latency_seconds")
    assert all(field.description for field in kind.params.model_fields.values())
