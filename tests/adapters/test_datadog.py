"""Datadog: what is asked, where the keys go, and how answers become series."""

import time
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from engine.adapters.datadog import (
    DatadogAccount,
    DatadogKind,
    DatadogLook,
    register,
)
from engine.adapters.patience import PatientWeb
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.model.evidence import Observation
from engine.model.values import SecretRef
from engine.ports import Call
from engine.registry import Registry
from tests.adapters.loopback import (
    LOOPBACK,
    Server,
    always,
    as_json,
    in_turn,
    reply,
    serving,
)
from tests.adapters.provider_bodies import (
    dog_monitor,
    dog_points,
    dog_scalar,
    dog_timeseries,
)

SECRETS = {"API": "api-key-7f3", "APP": "app-key-8a1"}
KEYS = {"api_key": {"secret": "API"}, "app_key": {"secret": "APP"}}
NOW = 1_800_000_000.0


def secret(name: str) -> str:
    """Return one of two secrets."""
    if name not in SECRETS:
        raise SecretMissing(f"secret '{name}' has no value")
    return SECRETS[name]


CALL = Call("k1", 2.0, secret, "r1")


def asking(**given: Any) -> DatadogLook:
    """Return the parameters as they stand in a file."""
    return DatadogLook.model_validate(given)


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


async def look(web: HttpxWeb, told: Any, **given: Any) -> tuple[Observation, Server]:
    """Return what is seen in this answer, and what the server was asked."""
    async with serving(always(as_json(told))) as far:
        params = asking(url=far.url, **KEYS, **given)
        found = await DatadogKind(web, clock=lambda: NOW)(params, CALL)
    return found, far


async def test_query_asks_v1_with_both_keys(web: HttpxWeb) -> None:
    """
    A query is a GET of the last `range`, with the keys in their two headers.
    """
    told = dog_points(([], [(NOW - 20, 1.5), (NOW, 2.5)]))
    found, far = await look(web, told, query="avg:shop.latency{env:prod}", range="10m")
    asked = far.asked[0]

    assert (asked.method, asked.body) == ("GET", b"")
    assert urlsplit(asked.target).path == "/api/v1/query"
    assert parse_qs(urlsplit(asked.target).query) == {
        "from": ["1799999400"],
        "to": ["1800000000"],
        "query": ["avg:shop.latency{env:prod}"],
    }
    assert asked.headers["dd-api-key"] == SECRETS["API"]
    assert asked.headers["dd-application-key"] == SECRETS["APP"]
    assert found.seen["series"] == [{"labels": {}, "value": 2.5, "values": [1.5, 2.5]}]
    assert (found.source, found.sampled_at) == ("avg:shop.latency{env:prod}", NOW)


async def test_queries_ask_v2_timeseries(web: HttpxWeb) -> None:
    """
    Named queries and their formula are a POST to /api/v2/query/timeseries.
    """
    told = dog_timeseries([NOW - 20, NOW], (["env:prod"], [0.1, 0.2]))
    queries = {"bad": "sum:bad{*} by {env}", "all": "sum:all{*} by {env}"}
    found, far = await look(web, told, queries=queries, formula="bad / all")

    assert (far.asked[0].method, far.asked[0].target) == (
        "POST",
        "/api/v2/query/timeseries",
    )
    assert far.asked[0].json == {
        "data": {
            "type": "timeseries_request",
            "attributes": {
                "from": 1_799_999_700_000,
                "to": 1_800_000_000_000,
                "queries": [
                    {"data_source": "metrics", "name": name, "query": query}
                    for name, query in queries.items()
                ],
                "formulas": [{"formula": "bad / all"}],
            },
        }
    }
    assert found.seen["series"] == [
        {"labels": {"env": "prod"}, "value": 0.2, "values": [0.1, 0.2]}
    ]


async def test_reduce_asks_v2_scalar(web: HttpxWeb) -> None:
    """
    `reduce` asks for one number of the whole range; groups are labels.
    """
    told = dog_scalar([0.5, 1.5], {"env": [["prod"], ["dev", "old"]]})
    found, far = await look(web, told, query="avg:a{*} by {env}", reduce="max")
    asked = far.asked[0].json["data"]

    assert far.asked[0].target == "/api/v2/query/scalar"
    assert asked["type"] == "scalar_request"
    assert asked["attributes"]["queries"] == [
        {
            "data_source": "metrics",
            "name": "a",
            "query": "avg:a{*} by {env}",
            "aggregator": "max",
        }
    ]
    assert asked["attributes"]["formulas"] == [{"formula": "a"}]
    assert found.seen["series"] == [
        {"labels": {"env": "prod"}, "value": 0.5},
        {"labels": {"env": "dev,old"}, "value": 1.5},
    ]
    assert found.sampled_at is None


@pytest.mark.parametrize(
    ("state", "value"), [("OK", 0.0), ("Warn", 1.0), ("Alert", 2.0)]
)
async def test_monitor_is_a_number_and_a_word(
    web: HttpxWeb, state: str, value: float
) -> None:
    """
    A monitor's state is `value`, and stands in `json` with its name and groups.
    """
    found, far = await look(web, dog_monitor(state), monitor=83649643)

    assert (far.asked[0].method, far.asked[0].target) == (
        "GET",
        "/api/v1/monitor/83649643",
    )
    assert found.seen["value"] == value
    assert found.seen["json"] == {
        "id": 83649643,
        "name": "shop latency",
        "type": "query alert",
        "state": state,
        "groups": {},
    }
    assert found.source == "monitor 83649643"


@pytest.mark.parametrize(
    "state", ["No Data", "Ignored", "Skipped", "Unknown", "ok", None, 0]
)
async def test_f32_monitor_without_data_is_unknown(web: HttpxWeb, state: Any) -> None:
    """
    A state that is neither good nor bad is unknown.
    """
    found, _ = await look(web, dog_monitor(state), monitor=83649643)

    assert found.seen == {}
    assert found.unknown is not None
    assert ("neither good nor bad" in found.unknown) is isinstance(state, str)


async def test_groups_of_a_monitor_are_series(web: HttpxWeb) -> None:
    """
    With `groups` each group is a series, and one without data makes all unknown.
    """
    groups = {"host:h1,env:prod": "OK", "host:h2,env:prod": "Alert"}
    found, far = await look(
        web, dog_monitor("Alert", groups), monitor=83649643, groups=True
    )
    blind, _ = await look(
        web,
        dog_monitor("Alert", groups | {"host:h3": "No Data"}),
        monitor=83649643,
        groups=True,
    )
    none, _ = await look(web, dog_monitor("OK"), monitor=83649643, groups=True)

    assert far.asked[0].target == "/api/v1/monitor/83649643?group_states=all"
    assert found.seen["series"] == [
        {"labels": {"host": "h1", "env": "prod"}, "value": 0.0},
        {"labels": {"host": "h2", "env": "prod"}, "value": 2.0},
    ]
    assert found.seen["json"]["groups"] == groups
    assert blind.unknown is not None
    assert blind.unknown.endswith("{host=h3} is 'No Data', neither good nor bad")
    assert none.unknown is not None
    assert none.unknown.endswith("monitor 'shop latency' shows no groups")


async def test_f29_datadogs_own_words_are_shown(web: HttpxWeb) -> None:
    """
    An error says what Datadog says, and which parameter to correct.
    """
    cases = [
        ({"query": "x"}, 400, {"status": "error", "error": "Rule 'x' did not parse"}),
        ({"query": "x"}, 403, {"errors": ["Forbidden"]}),
        ({"monitor": 5}, 404, {"errors": ["Monitor not found"]}),
        (
            {"queries": {"a": "x"}},
            400,
            {"errors": [{"title": "t", "detail": "bad\nq"}]},
        ),
        ({"query": "x"}, 200, {"status": "error", "error": "timed out"}),
    ]
    found = []
    for given, status, told in cases:
        async with serving(always(as_json(told, status=status))) as far:
            params = asking(url=far.url, **KEYS, **given)
            seen = await DatadogKind(web)(params, CALL)
        assert seen.unknown is not None
        found.append((seen.unknown.removeprefix(f"{far.url}: "), seen.retryable))

    assert found == [
        (
            "CONFIGURATION ERROR, HTTP 400: Rule 'x' did not parse; correct `query`",
            False,
        ),
        (
            "CONFIGURATION ERROR, HTTP 403: Forbidden; correct `api_key` or `app_key`",
            False,
        ),
        ("CONFIGURATION ERROR, HTTP 404: Monitor not found; correct `monitor`", False),
        (
            "CONFIGURATION ERROR, HTTP 400: bad q; correct `queries` or `formula`",
            False,
        ),
        ("HTTP 200 with an error: timed out", True),
    ]


@pytest.mark.parametrize(
    ("given", "told", "words"),
    [
        (
            {"query": "x"},
            dog_points(([], [])),
            "{}: nil: no point has a value",
        ),
        (
            {"query": "x"},
            {"status": "ok", "series": [{"pointlist": [[1]]}]},
            "{}: a point is a time and a value",
        ),
        (
            {"query": "x"},
            {"status": "ok", "series": [{"pointlist": [["t", 1]]}]},
            "{}: the sample's time is 't'",
        ),
        ({"query": "x"}, {"series": [7]}, "a series has no points; is this Datadog?"),
        (
            {"queries": {"a": "x"}},
            {"data": {"attributes": {"times": [1], "series": [{}], "values": []}}},
            "empty result: no series, which is not the same as zero",
        ),
        (
            {"queries": {"a": "x"}},
            {
                "data": {
                    "attributes": {"times": [1], "series": [{}], "values": [[1], [2]]}
                }
            },
            "1 series and 2 rows of values do not fit",
        ),
        (
            {"queries": {"a": "x"}},
            {
                "data": {
                    "attributes": {"times": [1], "series": [{}], "values": [[1, 2]]}
                }
            },
            "{}: not one value for each time",
        ),
        (
            {"query": "x", "reduce": "avg"},
            {
                "data": {
                    "attributes": {
                        "columns": [
                            {"name": "a", "type": "number", "values": [1]},
                            {"name": "b", "type": "number", "values": [1]},
                        ]
                    }
                }
            },
            "2 columns of numbers, and one is needed",
        ),
        (
            {"query": "x", "reduce": "avg"},
            dog_scalar([1, 2], {"env": [["prod"]]}),
            "the columns are not of one length",
        ),
    ],
)
async def test_f34_odd_forms_are_unknown(
    web: HttpxWeb, given: dict[str, Any], told: Any, words: str
) -> None:
    """
    An answer that does not hold together is unknown, and says where.
    """
    found, far = await look(web, told, **given)

    assert found.unknown == f"{far.url}: {words}"


async def test_f33_points_out_of_order_have_the_newest_as_value(web: HttpxWeb) -> None:
    """
    The value is the newest point, wherever it stands in the list.
    """
    told = dog_points(([], [(NOW, 2.0), (NOW - 20, 1.0)]))
    found, _ = await look(web, told, query="x")

    assert found.seen["value"] == 2.0


async def test_configured_account_is_used_and_its_keys_go_nowhere_else(
    web: HttpxWeb,
) -> None:
    """
    A check may leave out address and keys; a configured key is sent to no other
    address than the configured one.
    """
    keys = (SecretRef(secret="API"), SecretRef(secret="APP"))
    answer = as_json(dog_points(([], [(time.time(), 1.0)])))
    async with serving(always(answer)) as own, serving(always(answer)) as other:
        kind = DatadogKind(web, DatadogAccount(own.url, None, *keys))
        seen = await kind(asking(query="x"), CALL)
        elsewhere = await kind(asking(query="x", url=other.url), CALL)
        site = await kind(asking(query="x", site="datadoghq.eu"), CALL)

    assert seen.seen["value"] == 1.0
    words = (
        "no api_key: write `api_key: {secret: NAME}`, or set datadog.api_key in the "
        "configuration for its own address"
    )
    assert elsewhere.unknown == f"{other.url}: {words}"
    assert site.unknown == f"https://api.datadoghq.eu: {words}"
    assert (elsewhere.retryable, other.asked) == (False, [])


async def test_site_names_the_address() -> None:
    """
    The site of a check or of the configuration is the API's address.
    """
    web = HttpxWeb([])
    first = await DatadogKind(web)(asking(query="x"), CALL)
    second = await DatadogKind(web, DatadogAccount(site="us5.datadoghq.com"))(
        asking(query="x"), CALL
    )
    await web.aclose()

    assert (first.unknown or "").startswith("https://api.datadoghq.com: no api_key")
    assert (second.unknown or "").startswith(
        "https://api.us5.datadoghq.com: no api_key"
    )


async def test_f29_after_a_429_the_account_is_left_alone(web: HttpxWeb) -> None:
    """
    Until the limit is reset no look of the account is sent; another account's is.
    """
    limit = {"X-RateLimit-Reset": "30"}
    good = as_json(dog_points(([], [(time.time(), 1.0)])))
    answers = in_turn(reply("{}", status=429, headers=limit), good)
    clock = [100.0]
    patient = PatientWeb(web, clock=lambda: clock[0])
    async with serving(answers) as far:
        kind = DatadogKind(patient)
        own = asking(query="x", url=far.url, **KEYS)
        other = asking(
            query="x", url=far.url, api_key="another", app_key={"secret": "APP"}
        )
        first = await kind(own, CALL)
        clock[0] += 12.5
        held = await kind(own, CALL)
        elsewhere = await kind(other, CALL)
        asked = len(far.asked)
        clock[0] += 17.6
        again = await kind(own, CALL)

    assert first.unknown == f"{far.url}: HTTP 429, asks to wait 30 s"
    assert held.unknown == (
        f"{far.url}: not asked: the server wants to be left alone for 18 s"
    )
    assert (held.retryable, held.wait_seconds) == (True, 17.5)
    assert (elsewhere.seen["value"], again.seen["value"]) == (1.0, 1.0)
    assert (asked, len(far.asked)) == (2, 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "write exactly one of query, queries, monitor, not none"),
        (
            {"query": "x", "monitor": 1},
            "write exactly one of query, queries, monitor, not query and monitor",
        ),
        ({"query": "x", "formula": "a"}, "`formula` belongs to `queries`"),
        (
            {"queries": {"a": "x", "b": "y"}},
            "several `queries` need a `formula` that makes one of them",
        ),
        ({"query": "x", "groups": True}, "`groups` belongs to `monitor`"),
        ({"monitor": 1, "reduce": "avg"}, "`reduce` belongs to `query` or `queries`"),
        ({"query": "x", "range": "5s"}, "`range` is at least 10s and at most 31d"),
        (
            {"query": "x", "site": "a.b", "url": "http://c"},
            "a look has `site` or `url`, not both",
        ),
    ],
)
def test_datadog_parameters_that_do_not_fit_are_refused(
    given: dict[str, Any], words: str
) -> None:
    """
    What makes no sense together is refused when the runbook is loaded.
    """
    with pytest.raises(ValidationError) as refused:
        asking(**given)

    told = [str(one["msg"]) for one in refused.value.errors()]
    assert told == [f"Value error, {words}"]


def test_datadog_registers_with_its_places(web: HttpxWeb) -> None:
    """
    The kind says where outside values may stand, and describes every parameter.
    """
    registry = Registry()
    register(registry, web)
    kind, _ = registry.check("datadog")

    assert kind.places["query"] == kind.places["queries"] == "datadog"
    assert kind.sees == ("value", "values", "series", "json", "latency_seconds")
    assert all(field.description for field in kind.params.model_fields.values())
