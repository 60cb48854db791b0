"""What goes wrong between us and Datadog, New Relic, a status page: F28 to F39, F95."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from engine.adapters.datadog import DatadogKind, DatadogLook
from engine.adapters.datadog import register as register_datadog
from engine.adapters.newrelic import NewRelicKind, NewRelicLook
from engine.adapters.newrelic import register as register_newrelic
from engine.adapters.status_page import StatusPageAct, StatusPageKind
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.model.effects import CheckCall
from engine.model.evidence import Observation
from engine.ports import ActResult, Call
from engine.registry import Registry
from engine.runtime.assembly import SystemClock
from engine.runtime.perform import LiveChecks
from engine.runtime.redact import Redactor
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
    reset,
    serving,
    zipped,
)
from tests.adapters.provider_bodies import (
    CANARY,
    FORMS,
    Form,
    dog_points,
    dog_timeseries,
    nerdgraph,
)

EACH = pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
POSTED = {"page": "p1", "name": "Slow", "token": {"secret": "TOKEN"}}
PLAIN = {"name": "Slow", "token": {"secret": "TOKEN"}}
PAGES = pytest.mark.parametrize("params", [POSTED, PLAIN], ids=["statuspage", "json"])
Serve = Callable[[Asked, asyncio.StreamWriter], Any]


def secret(name: str) -> str:
    """Return the one secret there is."""
    if name != "TOKEN":
        raise SecretMissing(f"secret '{name}' has no value")
    return CANARY


CALL = Call("r1/act/1", 2.0, secret, "r1")


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


async def ask(
    web: HttpxWeb, form: Form, url: str, call: Call = CALL, **more: Any
) -> Observation:
    """Return what is seen at this address."""
    given = {**form.params, "url": url, **more}
    if form.kind == "newrelic":
        return await NewRelicKind(web)(NewRelicLook.model_validate(given), call)
    return await DatadogKind(web)(DatadogLook.model_validate(given), call)


async def look(web: HttpxWeb, form: Form, answer: bytes, **more: Any) -> Observation:
    """Return what is seen in this answer."""
    async with serving(always(answer)) as far:
        return await ask(web, form, far.url, **more)


async def act(
    web: HttpxWeb, params: dict[str, Any], url: str, call: Call = CALL
) -> ActResult:
    """Return what is known of an act at this address."""
    given = StatusPageAct.model_validate({**params, "url": url})
    return await StatusPageKind(web)(given, call)


def why(found: Observation) -> str:
    """Return why nothing is known, without the address."""
    assert found.seen == {}
    assert found.unknown is not None
    return found.unknown.split(": ", 1)[1]


@EACH
async def test_a_number_is_a_value(web: HttpxWeb, form: Form) -> None:
    """
    One number is one series and `value`.
    """
    found = await look(web, form, form.answer(2))

    assert (found.unknown, found.seen["value"]) == (None, 2.0)
    assert found.seen["values"] == [2.0]
    assert [row["value"] for row in found.seen["series"]] == [2.0]
    assert found.summary == "value 2"


@EACH
@pytest.mark.parametrize("serve", [hang, drip], ids=["hang", "drip"])
@pytest.mark.timed
async def test_f28_slow_provider_is_unknown_at_the_deadline(
    web: HttpxWeb, form: Form, serve: Serve
) -> None:
    """
    A provider that hangs or drips is unknown at the total deadline, and asked again.
    """
    async with serving(serve) as far:
        began = time.monotonic()
        found = await ask(web, form, far.url, Call("k", 0.3, secret))
        took = time.monotonic() - began

    expected = ("no complete answer within 0.3 s", True)
    assert (why(found), found.retryable) == expected
    assert took < 1.5


@EACH
@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_f29_busy_provider_is_unknown_and_asked_again(
    web: HttpxWeb, form: Form, status: int
) -> None:
    """
    5xx and 429 are unknown; another attempt may help.
    """
    found = await look(web, form, reply("busy", status=status))

    assert (why(found), found.retryable) == (f"HTTP {status}", True)


@EACH
async def test_f29_the_wait_that_is_asked_for_is_told(
    web: HttpxWeb, form: Form
) -> None:
    """
    A 429 with its limit says what is used up, and how long no attempt may begin.
    """
    limits = {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Period": "3600",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "42",
    }
    found = await look(web, form, reply("{}", status=429, headers=limits))

    assert why(found) == (
        "HTTP 429: 100 requests in 3600 s are used up, asks to wait 42 s"
    )
    assert found.wait_seconds == 42.0


@EACH
@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
async def test_f29_other_4xx_is_a_configuration_error(
    web: HttpxWeb, form: Form, status: int
) -> None:
    """
    A request that is refused is unknown, loud, and not asked again.
    """
    found = await look(web, form, reply("no", status=status))

    assert why(found).startswith(f"CONFIGURATION ERROR, HTTP {status}; correct `")
    assert found.retryable is False


@EACH
@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_f30_numbers_that_are_none_are_unknown(
    web: HttpxWeb, form: Form, raw: str
) -> None:
    """
    NaN and infinity, which JSON does not know and some write all the same: unknown.
    """
    body = json.dumps(form.holding("@")).replace('"@"', raw)
    found = await look(web, form, reply(body))

    assert "the value is " in why(found)
    assert why(found).endswith(", not a number")


@EACH
@pytest.mark.parametrize("raw", ["NaN", "", "text", "5", True, [], 10**400])
async def test_f30_other_types_are_unknown(
    web: HttpxWeb, form: Form, raw: object
) -> None:
    """
    Text, also of a number, truth and lists are no numbers.
    """
    found = await look(web, form, form.answer(raw))

    assert why(found) == f"{{}}: the value is {raw!r:.40}, not a number"


@EACH
async def test_f30_one_bad_value_among_many_is_unknown(
    web: HttpxWeb, form: Form
) -> None:
    """
    A text among good series makes the whole answer unknown.
    """
    found = await look(web, form, as_json(form.several([1.0, "NaN"])))

    assert why(found) == "{host=h1}: the value is 'NaN', not a number"


@EACH
async def test_f31_empty_is_unknown(web: HttpxWeb, form: Form) -> None:
    """
    Nothing is not zero, and not false.
    """
    found = await look(web, form, as_json(form.several([])))

    assert why(found).startswith("empty result: no ")
    assert why(found).endswith(", which is not the same as zero")
    assert found.retryable is True


@EACH
async def test_f31_two_series_have_no_value(web: HttpxWeb, form: Form) -> None:
    """
    Two series give `values` and `series`, and no `value` to take one for the other.
    """
    found = await look(web, form, as_json(form.several([1.0, 5.0])))

    assert "value" not in found.seen
    assert found.seen["values"] == [1.0, 5.0]
    assert [row["labels"] for row in found.seen["series"]] == [
        {"host": "h0"},
        {"host": "h1"},
    ]
    assert found.summary == "2 series from 1 to 5"


@EACH
async def test_f32_null_is_unknown(web: HttpxWeb, form: Form) -> None:
    """
    A provider that has no value says null, which is neither good nor bad.
    """
    found = await look(web, form, form.answer(None))

    expected = "the value is None" if form.kind == "newrelic" else "{}: nil: "
    assert expected in why(found)


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("name", ["datadog query", "datadog queries"])
async def test_f32_nil_at_the_end_is_unknown_unless_accepted(
    web: HttpxWeb, name: str, accept: bool
) -> None:
    """
    A newest point that is nil is partial data; `accept_partial` takes the one before.
    """
    now = time.time() // 1
    body = (
        dog_points(([], [(now - 20, 3.0), (now, None)]))
        if name == "datadog query"
        else dog_timeseries([now - 20, now], ([], [3.0, None]))
    )
    found = await look(web, FORMS[name], as_json(body), accept_partial=accept)

    if accept:
        assert found.seen["value"] == 3.0
    else:
        assert why(found).startswith("partial data: the newest point of {} is nil")


async def test_f32_messages_are_unknown_unless_accepted(web: HttpxWeb) -> None:
    """
    What New Relic's database has to say makes the answer unknown.
    """
    body = as_json(nerdgraph([{"count": 7}], messages=["results are approximate"]))
    refused = await look(web, FORMS["newrelic"], body)
    taken = await look(web, FORMS["newrelic"], body, accept_partial=True)

    assert why(refused) == "partial data: results are approximate"
    assert taken.summary == "value 7 (partial: results are approximate)"


@pytest.mark.parametrize("name", [it for it, form in FORMS.items() if form.aged])
async def test_f33_stale_and_future_samples_are_unknown(
    web: HttpxWeb, name: str
) -> None:
    """
    A sample older than max_age, or ahead, is unknown; a longer max_age takes it.
    """
    form, now = FORMS[name], time.time() // 1
    assert form.aged is not None
    stale = await look(web, form, as_json(form.aged(now - 300)))
    ahead = await look(web, form, as_json(form.aged(now + 60)))
    taken = await look(web, form, as_json(form.aged(now - 300)), max_age="10m")

    assert why(stale).startswith("stale: the last sample of {} is 30")
    assert why(ahead).endswith(" s in the future")
    assert taken.seen["value"] == 1.0
    assert taken.sampled_at is None  # the age that the author takes is taken


@pytest.mark.parametrize("name", [it for it, form in FORMS.items() if form.aged])
async def test_f33_age_is_counted_on_the_servers_clock(
    web: HttpxWeb, name: str
) -> None:
    """
    A provider whose clock is an hour off gives fresh samples by its own Date.
    """
    form, theirs = FORMS[name], time.time() // 1 - 3600
    assert form.aged is not None
    body = json.dumps(form.aged(theirs))
    found = await look(web, form, reply(body, headers={"date": formatdate(theirs)}))

    assert found.seen["value"] == 1.0


@EACH
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            reply("<html>Log in</html>", headers={"content-type": "text/html"}),
            "not an answer in JSON (text/html): '<html>Log in</html>'",
        ),
        (reply('{"data":{'), "not an answer in JSON (no content type): '{\"data\":{'"),
        (reply("[" * 100_000), "not an answer in JSON (no content type)"),
        (as_json({"ok": True}), "is this "),
        (as_json([]), "not an answer in JSON"),
        (zipped(b"\0" * 20_000_000), "more than 8,388,608 bytes"),
    ],
    ids=["login page", "cut", "deep", "other form", "list", "bomb"],
)
async def test_f34_foreign_answers_are_unknown(
    web: HttpxWeb, form: Form, answer: bytes, words: str
) -> None:
    """
    A login page, cut JSON, deep nesting, a bomb and other forms are unknown.
    """
    found = await look(web, form, answer)

    assert words in why(found)


async def test_f35_two_providers_that_disagree_are_unknown(web: HttpxWeb) -> None:
    """
    `agree` over Datadog and New Relic is unknown where they differ, both shown.
    """
    registry = Registry()
    register_datadog(registry, web)
    register_newrelic(registry, web)
    checks = LiveChecks(registry, SystemClock(), lambda run: secret, Redactor(list))
    async with (
        serving(always(FORMS["datadog query"].answer(0.2))) as dog,
        serving(always(FORMS["newrelic"].answer(3.5))) as relic,
    ):
        parts = tuple(
            CheckCall(
                name,
                name,
                form.kind,
                {**form.params, "url": far.url},
                "value < 0.5",
                attempts=1,
            )
            for name, form, far in (
                ("dog", FORMS["datadog query"], dog),
                ("relic", FORMS["newrelic"], relic),
            )
        )
        both = CheckCall("both", "both", "agree", parts=parts, need=2)
        found = await checks.look(both, run="r1", tick=lambda: 0.0)

    assert found.state == "unknown"
    assert "dog" in found.why
    assert "relic" in found.why
    assert "0.2" in found.why
    assert "3.5" in found.why


@EACH
async def test_f36_provider_that_recovers_is_seen_at_the_next_look(
    web: HttpxWeb, form: Form
) -> None:
    """
    An answer after an error is an answer; an error after it is unknown again.
    """
    answers = in_turn(reply(status=503), form.answer(1.0), reply(status=503))
    async with serving(answers) as far:
        found = [await ask(web, form, far.url) for _ in range(3)]

    assert [it.unknown is None for it in found] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "query", "unknown"),
    [
        ("datadog query", "sum:shop.errors{env:a-b}.as_rate()", True),
        ("datadog query", "sum:a{*}.as_count() - sum:b{*}.as_count()", False),
        ("datadog query", "avg:temperature{*}", False),
        ("newrelic", "SELECT rate(count(*), 1 minute) FROM T", True),
        ("newrelic", "select count(*) as 'n' from T", True),
        ("newrelic", "SELECT count(*) - 5 FROM T", False),
        ("newrelic", "SELECT average(t) FROM T", False),
    ],
)
async def test_f37_negative_rate_is_unknown(
    web: HttpxWeb, name: str, query: str, unknown: bool
) -> None:
    """
    A count or rate of counts below zero is a broken answer; a difference is a value.
    """
    found = await look(web, FORMS[name], FORMS[name].answer(-3.0), query=query)

    if unknown:
        assert why(found) == "a count cannot be negative, and {} is -3"
    else:
        assert found.seen["value"] == -3.0


@EACH
async def test_f39_expired_certificate_is_unknown(
    web: HttpxWeb, form: Form, tmp_path: Path
) -> None:
    """
    A TLS error is unknown, never asked in the clear.
    """
    context, _ = server_certificate(tmp_path, "localhost", days_left=-1)
    async with serving(always(form.answer(1.0)), tls=context) as far:
        found = await ask(web, form, f"https://localhost:{far.port}")

    assert why(found).startswith("the certificate is not accepted: ")
    assert (far.asked, found.retryable) == ([], False)


@EACH
async def test_f39_dns_failure_is_unknown(web: HttpxWeb, form: Form) -> None:
    """
    A name that cannot be resolved is unknown, and asked again.
    """
    found = await ask(web, form, "http://no.such.invalid")

    assert why(found).startswith("'no.such.invalid' cannot be resolved: ")
    assert found.retryable is True


@EACH
async def test_f95_secrets_are_in_no_word(web: HttpxWeb, form: Form) -> None:
    """
    A provider that repeats the keys finds them hidden in labels, errors, summaries.
    """
    told: list[str] = []

    async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
        keys = ("api-key", "dd-api-key", "dd-application-key")
        key = next(asked.headers[name] for name in keys if name in asked.headers)
        told.append(key)
        body = json.dumps(form.several([1.0, 2.0])).replace("h1", key)
        wrong = as_json({"errors": [{"message": key, "detail": key}]}, status=400)
        writer.write(wrong if len(told) % 2 else reply(body))

    async with serving(echo) as far:
        found = [await ask(web, form, far.url) for _ in range(2)]
        found.append(await ask(web, form, {"secret": "TOKEN"}))  # type: ignore[arg-type]

    assert told == [CANARY, CANARY]
    assert found[0].unknown is not None
    assert "[hidden]" in found[0].unknown
    assert found[1].seen["series"][1]["labels"] == {"host": "[hidden]"}
    assert found[2].unknown == (
        "the address in secret 'TOKEN': no complete answer (blocked)"
    )
    assert "canary" not in repr(found)


@EACH
async def test_secret_without_value_asks_nothing(web: HttpxWeb, form: Form) -> None:
    """
    A missing secret is said by its name, before anything is sent.
    """
    async with serving(always(form.answer(1.0))) as far:
        with pytest.raises(SecretMissing, match="secret 'OTHER' has no value"):
            await ask(web, form, far.url, api_key={"secret": "OTHER"})

    assert far.asked == []


@PAGES
@pytest.mark.parametrize("serve", [hang, drip], ids=["hang", "drip"])
@pytest.mark.timed
async def test_f28_slow_status_page_ends_at_the_deadline(
    web: HttpxWeb, params: dict[str, Any], serve: Serve
) -> None:
    """
    Statuspage that hangs while we look did nothing; a POST that hangs may have.
    """
    async with serving(serve) as far:
        began = time.monotonic()
        done = await act(web, params, far.url, Call("k", 0.3, secret))
        took = time.monotonic() - began

    assert done.outcome == ("failed" if "page" in params else "unknown")
    assert done.detail == f"{far.url}: no complete answer within 0.3 s"
    assert took < 1.5


@PAGES
@pytest.mark.parametrize("status", [429, 420, 408, 401, 404, 422])
async def test_f29_refused_status_page_failed(
    web: HttpxWeb, params: dict[str, Any], status: int
) -> None:
    """
    What the page refuses was not done; only a limit is worth another try.
    """
    async with serving(always(reply("no", status=status))) as far:
        done = await act(web, params, far.url)

    again = status in (429, 420, 408)
    assert (done.outcome, done.retryable) == ("failed", again)
    assert f"HTTP {status}" in done.detail


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_f29_busy_status_page_may_have_done_it(
    web: HttpxWeb, status: int
) -> None:
    """
    After a POST nobody can tell what a 5xx means.
    """
    async with serving(in_turn(as_json([]), as_json([]), reply(status=status))) as far:
        posted = await act(web, POSTED, far.url)
    async with serving(always(reply(status=status))) as far:
        plain = await act(web, PLAIN, far.url)
        looked = await act(web, POSTED, far.url)

    assert (posted.outcome, plain.outcome) == ("unknown", "unknown")
    assert (looked.outcome, looked.retryable) == ("failed", True)


async def test_f29_reset_after_sending_may_have_done_it(web: HttpxWeb) -> None:
    """
    A connection that is cut after the POST was sent leaves it unknown.
    """
    async with serving(reset) as far:
        done = await act(web, PLAIN, far.url)

    assert done.outcome == "unknown"


@PAGES
async def test_f34_bomb_and_login_page_are_no_status_page(
    web: HttpxWeb, params: dict[str, Any]
) -> None:
    """
    An answer that is none of a status page is never `ok` where one is needed.
    """
    async with serving(always(zipped(b"\0" * 20_000_000))) as far:
        bomb = await act(web, params, far.url)
    async with serving(always(reply("<html>Log in</html>", status=302))) as far:
        login = await act(web, params, far.url)

    assert bomb.outcome == ("failed" if "page" in params else "unknown")
    assert (login.outcome, login.retryable) == ("failed", False)


@PAGES
async def test_f39_certificate_and_dns_fail_before_anything_is_sent(
    web: HttpxWeb, params: dict[str, Any], tmp_path: Path
) -> None:
    """
    Nothing is sent in the clear or to another address: the act failed.
    """
    context, _ = server_certificate(tmp_path, "localhost", days_left=-1)
    async with serving(always(as_json([])), tls=context) as far:
        expired = await act(web, params, f"https://localhost:{far.port}")
    nowhere = await act(web, params, "http://no.such.invalid")

    assert (expired.outcome, expired.retryable, far.asked) == ("failed", False, [])
    assert (nowhere.outcome, nowhere.retryable) == ("failed", True)


@PAGES
async def test_f95_the_token_is_in_no_word(
    web: HttpxWeb, params: dict[str, Any]
) -> None:
    """
    A page that repeats the token finds it hidden.
    """

    async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(asked.headers["authorization"], status=403))

    async with serving(echo) as far:
        done = await act(web, params, far.url)

    assert "[hidden]" in done.detail
    assert "canary" not in done.detail
