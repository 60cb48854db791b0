"""Prometheus answers, good and bad, and what is seen in them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.adapters.prometheus import PrometheusKind, PrometheusLook, register
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.model.evidence import Observation
from engine.ports import Call
from engine.registry import Registry
from tests.adapters.certificates import server_certificate
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    always,
    as_json,
    drip,
    hang,
    in_turn,
    reply,
    serving,
    zipped,
)
from tests.real_parts import prometheus

CANARY = "canary/7f3+secret value"


def secret(name: str) -> str:
    """Return the one secret there is."""
    if name != "TOKEN":
        raise SecretMissing(f"secret '{name}' has no value")
    return CANARY


def asking(**given: Any) -> PrometheusLook:
    """Return the parameters as they stand in a file."""
    return PrometheusLook.model_validate(given)


CALL = Call("k1", 2.0, secret, "r1")


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


def vector(*rows: tuple[dict[str, str], Any], at: float | None = None) -> bytes:
    """Return the answer to an instant query."""
    when = time.time() if at is None else at
    result = [{"metric": labels, "value": [when, text]} for labels, text in rows]
    return success({"resultType": "vector", "result": result})


def success(data: Any, **more: Any) -> bytes:
    """Return an answer with status success."""
    return as_json({"status": "success", "data": data, **more})


async def look(
    web: HttpxWeb, answer: bytes, query: str = "up", **more: Any
) -> Observation:
    """Return what is seen in this answer."""
    async with serving(always(answer)) as far:
        params = asking(query=query, url=far.url, **more)
        return await PrometheusKind(web)(params, CALL)


def why(found: Observation) -> str:
    """Return why nothing is known, without the address."""
    assert found.seen == {}
    assert found.unknown is not None
    return found.unknown.split(": ", 1)[1]


async def test_one_series_is_a_value(web: HttpxWeb) -> None:
    """
    One series gives series, values and value, the query as source, and its time.
    """
    found = await look(web, vector(({"job": "a"}, "12000"), at=time.time() // 1))
    seen = {name: it for name, it in found.seen.items() if name != "latency_seconds"}

    assert seen == {
        "series": [{"labels": {"job": "a"}, "value": 12000.0}],
        "values": [12000.0],
        "value": 12000.0,
    }
    assert (found.unknown, found.summary, found.source) == (None, "value 12000", "up")
    assert found.sampled_at is not None


async def test_scalar_is_a_value(web: HttpxWeb) -> None:
    """
    A scalar is one sample without labels.
    """
    data = {"resultType": "scalar", "result": [time.time(), "2"]}
    found = await look(web, success(data))

    assert found.seen["value"] == 2.0
    assert found.seen["series"] == [{"labels": {}, "value": 2.0}]


async def test_range_gives_each_sample_and_the_last_as_value(web: HttpxWeb) -> None:
    """
    A range asks query_range; `value` is the last sample of the one series.
    """
    rows = [[940, "1"], [970.5, "2"], [1000, "3"]]
    data = {"resultType": "matrix", "result": [{"metric": {}, "values": rows}]}
    async with serving(always(success(data))) as far:
        params = asking(query="up", range="1m", url=far.url)
        found = await PrometheusKind(web, clock=lambda: 1000.0)(params, CALL)

    series = [{"labels": {}, "value": 3.0, "values": [1.0, 2.0, 3.0]}]
    assert (found.seen["series"], found.seen["value"]) == (series, 3.0)
    assert far.asked[0].target == (
        "/api/v1/query_range?query=up&start=940.000&end=1000.000&step=30&timeout=2s"
    )


async def test_default_address_and_headers(web: HttpxWeb) -> None:
    """
    The configured address is used, with the tenant's header and the token.
    """
    async with serving(always(vector(({}, "1")))) as far:
        params = asking(
            query='up{a="b c"}',
            headers={"X-Scope-OrgID": "t1"},
            bearer={"secret": "TOKEN"},
            at="2026-01-02T03:04:05Z",
        )
        await PrometheusKind(web, far.url + "/prefix/")(params, CALL)

    asked = far.asked[0]
    assert asked.method == "GET"
    assert asked.target == (
        "/prefix/api/v1/query?query=up%7Ba%3D%22b+c%22%7D"
        "&time=2026-01-02T03%3A04%3A05Z&timeout=2s"
    )
    assert asked.headers["x-scope-orgid"] == "t1"
    assert asked.headers["authorization"] == f"Bearer {CANARY}"


async def test_no_address_says_what_to_write(web: HttpxWeb) -> None:
    """
    Without an address nothing is asked, and trying again is useless.
    """
    found = await PrometheusKind(web)(asking(query="up"), CALL)

    assert found.unknown == (
        "no address: write `url` into the check, or set a default in the configuration"
    )
    assert found.retryable is False


@pytest.mark.parametrize("serve", [hang, drip])
@pytest.mark.timed
async def test_f28_slow_server_is_unknown_at_the_deadline(
    web: HttpxWeb, serve: Callable[[Asked, asyncio.StreamWriter], Any]
) -> None:
    """
    A server that hangs or drips is unknown at the total deadline, and asked again.
    """
    async with serving(serve) as far:
        began = time.monotonic()
        params = asking(query="up", url=far.url)
        found = await PrometheusKind(web)(params, Call("k", 0.3, secret))
        took = time.monotonic() - began

    expected = ("no complete answer within 0.3 s", True)
    assert (why(found), found.retryable) == expected
    assert took < 1.5


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_f29_busy_server_is_unknown_and_asked_again(
    web: HttpxWeb, status: int
) -> None:
    """
    5xx and 429 are unknown; another attempt may help.
    """
    found = await look(web, reply("busy", status=status))

    assert why(found) == f"HTTP {status}"
    assert found.retryable is True


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, "parse error", "HTTP 400: parse error; correct `query`"),
        (422, "many-to-many", "HTTP 422: many-to-many; correct `query`"),
        (401, None, "HTTP 401; correct `bearer` or `basic`"),
        (403, None, "HTTP 403; correct `bearer` or `basic`"),
        (404, None, "HTTP 404; correct `url`"),
        (302, None, "HTTP 302; correct `url`"),
    ],
)
async def test_f29_other_4xx_is_a_configuration_error(
    web: HttpxWeb, status: int, error: str | None, words: str
) -> None:
    """
    A request that the server refuses is unknown, loud, and not asked again.
    """
    body = json.dumps({"status": "error", "error": error}) if error else "no"
    found = await look(web, reply(body, status=status))

    assert why(found) == f"CONFIGURATION ERROR, {words}"
    assert found.retryable is False


@pytest.mark.parametrize(
    "text",
    ["NaN", "+Inf", "-Inf", "", None, "text", 5, True, "1_000", "1e999", " 1", [], {}],
)
async def test_f30_what_is_no_number_is_unknown(web: HttpxWeb, text: Any) -> None:
    """
    NaN, infinity, null and text are unknown, never compared.
    """
    found = await look(web, vector(({"job": "a"}, text)))

    assert why(found) == f"{{job=a}}: the value is {text!r:.40}, not a number"


async def test_f30_one_bad_sample_among_many_is_unknown(web: HttpxWeb) -> None:
    """
    A NaN among good series makes the whole answer unknown.
    """
    found = await look(web, vector(({"a": "1"}, "1"), ({"a": "2"}, "NaN")))

    assert why(found) == "{a=2}: the value is 'NaN', not a number"


async def test_f31_empty_vector_is_unknown(web: HttpxWeb) -> None:
    """
    No series is not zero, and not false.
    """
    found = await look(web, vector())

    assert why(found) == "empty result: no series, which is not the same as zero"


@pytest.mark.parametrize(
    ("form", "more", "words"),
    [
        (
            "matrix",
            {},
            (
                "a vector is needed, the answer is a matrix "
                "(a range vector: use `range`, or rate())"
            ),
        ),
        ("string", {}, "a vector is needed, the answer is a string"),
        ("vector", {"range": "5m"}, "a matrix is needed, the answer is a vector"),
    ],
)
async def test_f31_wrong_type_is_unknown(
    web: HttpxWeb, form: str, more: dict[str, str], words: str
) -> None:
    """
    An answer of another type is unknown, and says which.
    """
    data = {"resultType": form, "result": [{"metric": {}, "values": [[1, "1"]]}]}
    found = await look(web, success(data), **more)

    assert why(found) == words


async def test_f31_two_series_have_no_value(web: HttpxWeb) -> None:
    """
    Two series give `values` and `series`, and no `value` to take one for the other.
    """
    found = await look(web, vector(({"a": "1"}, "1"), ({"a": "2"}, "5")))

    assert "value" not in found.seen
    assert found.seen["values"] == [1.0, 5.0]
    assert found.summary == "2 series from 1 to 5"


async def test_f31_histogram_is_unknown(web: HttpxWeb) -> None:
    """
    A native histogram is not a number.
    """
    row = {"metric": {"a": "1"}, "histogram": [1, {}]}
    found = await look(web, success({"resultType": "vector", "result": [row]}))

    assert why(found) == "series {a=1} is a histogram, not a number"


async def test_f32_partial_data_is_unknown_unless_accepted(web: HttpxWeb) -> None:
    """
    `warnings` make the answer unknown; `accept_partial` takes it and says so.
    """
    data = {"resultType": "scalar", "result": [time.time(), "2"]}
    answer = success(data, warnings=["store a is down"])
    refused = await look(web, answer)
    taken = await look(web, answer, accept_partial=True)

    assert why(refused) == "partial data: store a is down"
    assert taken.seen["value"] == 2.0
    assert taken.summary == "value 2 (partial: store a is down)"


async def test_f33_stale_sample_is_unknown(web: HttpxWeb) -> None:
    """
    A sample older than max_age is unknown; a longer max_age takes it.
    """
    answer = vector(({"a": "1"}, "1"), at=time.time() - 300)
    stale = await look(web, answer)
    taken = await look(web, answer, max_age="10m")

    assert stale.unknown is not None
    assert ": stale: the last sample of {a=1} is 30" in stale.unknown
    assert taken.seen["value"] == 1.0


async def test_f33_sample_from_the_future_is_unknown(web: HttpxWeb) -> None:
    """
    A sample that lies ahead is unknown.
    """
    found = await look(web, vector(({"a": "1"}, "1"), at=time.time() + 60))

    assert found.unknown is not None
    assert found.unknown.endswith(" s in the future")


async def test_f33_age_is_counted_on_the_servers_clock(web: HttpxWeb) -> None:
    """
    A server whose clock is an hour off gives fresh samples by its own Date.
    """
    theirs = time.time() - 3600
    body = vector(({}, "1"), at=theirs).split(b"\r\n\r\n", 1)[1]
    found = await look(web, reply(body, headers={"date": formatdate(theirs)}))

    assert found.seen["value"] == 1.0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            reply("<html>Log in</html>", headers={"content-type": "text/html"}),
            "not an answer in JSON (text/html): '<html>Log in</html>'",
        ),
        (
            reply('{"status":"succ'),
            'not an answer in JSON (no content type): \'{"status":"succ\'',
        ),
        (
            reply("[" * 100_000),
            f"not an answer in JSON (no content type): '{'[' * 60}'",
        ),
        (
            as_json({"status": "success"}),
            "the answer holds no data; is this a Prometheus?",
        ),
        (as_json({"ok": True}), "HTTP 200"),
        (
            success({"resultType": "vector", "result": [7]}),
            "a series has no labels; is this a Prometheus?",
        ),
        (
            success({"resultType": "scalar", "result": "7"}),
            "the scalar: a sample is a time and a value, not '7'",
        ),
        (
            success({"resultType": "scalar", "result": ["x", "7"]}),
            "the scalar: the sample's time is 'x'",
        ),
        (zipped(b"\0" * 20_000_000), "more than 8,388,608 bytes"),
    ],
)
async def test_f34_foreign_answers_are_unknown(
    web: HttpxWeb, answer: bytes, words: str
) -> None:
    """
    A login page, cut JSON, deep nesting, a bomb and other forms are unknown.
    """
    found = await look(web, answer)

    assert why(found) == words


async def test_f37_negative_rate_is_unknown(web: HttpxWeb) -> None:
    """
    A pure rate below zero is a broken answer; a difference below zero is a value.
    """
    answer = vector(({}, "-3"))
    rate = await look(web, answer, 'sum by (a) (rate(x_total{z="a-b"}[5m]))')
    difference = await look(web, answer, "rate(x_total[5m]) - rate(y_total[5m])")
    gauge = await look(web, answer, "temperature")

    assert why(rate) == "a rate cannot be negative, and {} is -3"
    assert (difference.seen["value"], gauge.seen["value"]) == (-3.0, -3.0)


async def test_f39_expired_certificate_is_unknown(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    A TLS error is unknown, never asked in the clear.
    """
    context, _ = server_certificate(tmp_path, "localhost", days_left=-1)
    async with serving(always(vector()), tls=context) as far:
        params = asking(query="up", url=f"https://localhost:{far.port}")
        found = await PrometheusKind(web)(params, CALL)

    assert found.unknown is not None
    assert ": the certificate is not accepted: " in found.unknown
    assert far.asked == []


async def test_f39_dns_failure_is_unknown(web: HttpxWeb) -> None:
    """
    A name that cannot be resolved is unknown, and asked again.
    """
    params = asking(query="up", url="http://no.such.invalid")
    found = await PrometheusKind(web)(params, CALL)

    assert found.unknown is not None
    assert ": 'no.such.invalid' cannot be resolved: " in found.unknown
    assert found.retryable is True


async def test_f95_secrets_are_in_no_word(web: HttpxWeb) -> None:
    """
    A server that repeats the token finds it hidden in labels, errors and summaries.
    """

    async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
        told = asked.headers.get("authorization", "") + asked.headers.get("x-key", "")
        if "bad" in asked.target:
            writer.write(as_json({"status": "error", "error": told}, status=400))
        else:
            writer.write(vector(({"echo": told}, "1")))

    token = {"secret": "TOKEN"}
    found = []
    async with serving(echo) as far:
        for auth in (
            {"bearer": token},
            {"basic": {"user": "u", "password": token}},
            {"headers": {"X-Key": token}},
        ):
            for query in ("up", "bad"):
                params = asking(query=query, url=far.url, **auth)
                found.append(await PrometheusKind(web)(params, CALL))
        params = asking(query="up", url={"secret": "TOKEN"})
        found.append(await PrometheusKind(web)(params, CALL))

    text = repr(found)
    assert text.count("[hidden]") == 6
    assert found[-1].unknown == (
        "the address in secret 'TOKEN': no complete answer (blocked)"
    )
    assert "canary" not in text
    assert "dTpjYW5hcnk" not in text  # base64 of "u:canary"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"at": "5", "range": "5m"}, "a query has `at` or `range`, not both"),
        (
            {"bearer": "a", "basic": {"user": "a", "password": "b"}},
            "a query has `bearer` or `basic`, not both",
        ),
        ({"step": "10ms"}, "'10ms' is not a duration"),
        ({"step": "0.5s"}, "a step is at least 1s"),
        (
            {"range": "7d", "step": "30s"},
            "a range has at most 10,000 steps: make `step` longer",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    given: dict[str, Any], words: str
) -> None:
    """
    What makes no sense together is refused when the runbook is loaded.
    """
    with pytest.raises(ValidationError, match=words.replace("(", ".")):
        asking(query="up", **given)


def test_registers_one_kind_with_its_places(web: HttpxWeb) -> None:
    """
    The kind says where outside values may stand, and what `pass` may use.
    """
    registry = Registry()
    register(registry, web, "http://prometheus.internal")
    kind, _ = registry.check("prometheus")

    assert dict(kind.places) == {"query": "promql", "url": "url", "headers": "header"}
    assert kind.sees == ("value", "values", "series", "latency_seconds")
    assert all(field.description for field in kind.params.model_fields.values())


async def test_provider_that_recovers_is_seen_at_the_next_look(web: HttpxWeb) -> None:
    """
    An answer after an error is an answer.
    """
    async with serving(in_turn(reply(status=503), vector(({}, "1")))) as far:
        kind = PrometheusKind(web, far.url)
        first = await kind(asking(query="up"), CALL)
        second = await kind(asking(query="up"), CALL)

    assert (first.unknown, second.unknown) == (f"{far.url}: HTTP 503", None)


async def test_real_prometheus(web: HttpxWeb, tmp_path: Path) -> None:
    """
    A real Prometheus: instant, scalar, range, empty, matrix, and a query it refuses.
    """
    with prometheus(tmp_path) as url:
        kind = PrometheusKind(web, url)

        async def ask(query: str, **more: Any) -> Observation:
            return await kind(asking(query=query, **more), CALL)

        for _ in range(100):
            up = await ask('up{job="prometheus"}')
            if up.unknown is None:
                break
            await asyncio.sleep(0.1)
        ranged = await ask("count(up)", range="1m", step="1s")
        scalar = await ask("scalar(count(up)) * 2")
        empty = await ask("nothing_at_all")
        matrix = await ask("up[1m]")
        text = await ask('"text"')
        nan = await ask("vector(0) / vector(0)")
        refused = await ask("sum(")

    assert up.seen["value"] == 1.0
    assert up.seen["series"][0]["labels"]["job"] == "prometheus"
    assert ranged.seen["value"] == 1.0
    assert set(ranged.seen["series"][0]["values"]) == {1.0}
    assert scalar.seen["value"] == 2.0
    assert empty.unknown == (
        f"{url}: empty result: no series, which is not the same as zero"
    )
    assert matrix.unknown == (
        f"{url}: a vector is needed, the answer is a matrix "
        "(a range vector: use `range`, or rate())"
    )
    assert text.unknown == f"{url}: a vector is needed, the answer is a string"
    assert nan.unknown == f"{url}: {{}}: the value is 'NaN', not a number"
    assert refused.unknown is not None
    assert refused.unknown.startswith(f"{url}: CONFIGURATION ERROR, HTTP 400: ")
    assert refused.retryable is False
