"""The kind `http`: what a check sees, and what an action is said to have done."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.adapters.http import HttpAct, HttpAction, HttpCheck, HttpLook, register
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.model.evidence import Observation
from engine.ports import ActResult, Call
from engine.registry import Registry
from tests.adapters.certificates import server_certificate
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    Serve,
    always,
    as_json,
    drip,
    hang,
    reply,
    reset,
    serving,
    zipped,
)

CANARY = "canary/7f3+secret value"
TOKEN = {"secret": "TOKEN"}


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


async def look(web: HttpxWeb, call: Call = CALL, **given: Any) -> Observation:
    """Look once with these parameters."""
    return await HttpCheck(web)(HttpLook.model_validate(given), call)


async def act(web: HttpxWeb, call: Call = CALL, **given: Any) -> ActResult:
    """Act once with these parameters."""
    return await HttpAction(web)(HttpAct.model_validate(given), call)


def told(result: ActResult) -> tuple[str, bool]:
    """Return what the engine decides by."""
    return (result.outcome, result.retryable)


async def test_check_sees_status_body_json_and_latency(web: HttpxWeb) -> None:
    """
    A complete answer is seen as it is; the URL is shown without its values.
    """
    async with serving(always(as_json({"replicas": 4}))) as far:
        found = await look(web, get=far.url + "/x?region=eu", query={"a b": "c&d"})

    assert found.seen.pop("latency_seconds") > 0
    assert found.seen == {
        "response": {"status": 200, "body": '{"replicas": 4}'},
        "json": {"replicas": 4},
    }
    assert found.source == f"GET {far.url}/x?region=…"
    assert found.summary.startswith("HTTP 200 in 0.")
    assert far.asked[0].target == "/x?region=eu&a+b=c%26d"
    assert "idempotency-key" not in far.asked[0].headers


@pytest.mark.parametrize(
    "body",
    ["<html>", "", '{"a": NaN}', '{"cut": ', "[" * 100_000, "9" * 5000],
)
async def test_f34_what_is_not_json_has_no_json(web: HttpxWeb, body: str) -> None:
    """
    A body that is not JSON is seen as text only, so `json` in `pass` is unknown.
    """
    async with serving(always(reply(body))) as far:
        found = await look(web, get=far.url)

    assert "json" not in found.seen
    assert found.seen["response"] == {"status": 200, "body": body[: 64 * 1024]}


async def test_json_is_found_whatever_it_calls_itself(web: HttpxWeb) -> None:
    """
    The content type decides nothing: many servers send JSON as text.
    """
    async with serving(always(reply("[1]", headers={"content-type": "a/b"}))) as far:
        found = await look(web, get=far.url)

    assert found.seen["json"] == [1]


async def test_check_posts_a_query(web: HttpxWeb) -> None:
    """
    A post carries its body; without an act's key.
    """
    async with serving(always(reply("x"))) as far:
        await look(web, post=far.url, json={"q": [1, None]})
        await look(web, post=far.url, form={"a": 1, "b": "c d"})
        await look(web, post=far.url, body="plain")
        await look(web, head=far.url)

    assert [(it.method, it.body) for it in far.asked] == [
        ("POST", b'{"q": [1, null]}'),
        ("POST", b"a=1&b=c+d"),
        ("POST", b"plain"),
        ("HEAD", b""),
    ]
    assert [it.headers.get("content-type") for it in far.asked] == [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain; charset=utf-8",
        None,
    ]


@pytest.mark.parametrize("serve", [hang, drip])
@pytest.mark.timed
async def test_f28_slow_server_is_unknown(web: HttpxWeb, serve: Serve) -> None:
    """
    No complete answer at the total deadline is unknown.
    """
    async with serving(serve) as far:
        began = time.monotonic()
        found = await look(web, Call("k", 0.3, secret), get=far.url)
        took = time.monotonic() - began

    assert found.unknown == f"GET {far.url}: no complete answer within 0.3 s"
    assert found.retryable is True
    assert took < 1.5


@pytest.mark.parametrize(
    ("status", "again"),
    [(200, True), (401, False), (404, False), (429, True), (500, True), (503, True)],
)
async def test_f29_status_is_seen_and_4xx_is_not_asked_again(
    web: HttpxWeb, status: int, again: bool
) -> None:
    """
    A complete answer is for `pass` to judge; where it is unknown, only 5xx and 429
    are worth another look.
    """
    answer = reply("x", status=status, headers={"retry-after": "30"})
    async with serving(always(answer)) as far:
        found = await look(web, get=far.url)

    assert (found.unknown, found.seen["response"]["status"]) == (None, status)
    assert found.retryable is again
    assert found.summary.endswith(" s, asks to wait 30 s")


async def test_f34_gzip_bomb_is_unknown(web: HttpxWeb) -> None:
    """
    A bomb is unknown and not fetched again.
    """
    async with serving(always(zipped(b"\0" * 20_000_000))) as far:
        found = await look(web, get=far.url)

    assert found.unknown == f"GET {far.url}: more than 8,388,608 bytes"
    assert found.retryable is False


async def test_f39_tls_error_is_unknown_unless_the_authority_is_named(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    An unknown authority is unknown; `ca_file` names it.
    """
    context, trusted = server_certificate(tmp_path, "localhost")
    async with serving(always(reply("x")), tls=context) as far:
        url = f"https://localhost:{far.port}/"
        refused = await look(web, get=url)
        taken = await look(web, get=url, ca_file=trusted)
        missing = await look(web, get=url, ca_file="/no/such.pem")

    assert refused.unknown == (
        f"GET {url}: the certificate is not accepted: self-signed certificate"
    )
    assert taken.seen["response"]["status"] == 200
    assert missing.unknown == (
        f"GET {url}: the authorities in '/no/such.pem' cannot be read: "
        "[Errno 2] No such file or directory"
    )


async def test_f93_private_address_is_unknown_and_an_act_fails() -> None:
    """
    A blocked address is unknown for a check, and failed for an act: nothing was sent.
    """
    web = HttpxWeb()
    async with serving(always(reply("x"))) as far:
        found = await look(web, get=far.url)
        result = await act(web, post=far.url)
    await web.aclose()

    words = (
        "'127.0.0.1' is at 127.0.0.1, which is not a public address; allow its network "
        "in the configuration if it may be reached"
    )
    assert (found.unknown, found.retryable) == (f"GET {far.url}: {words}", False)
    assert result == ActResult("failed", f"POST {far.url}: {words}", retryable=False)
    assert far.asked == []


async def test_check_follows_redirects_only_when_asked(web: HttpxWeb) -> None:
    """
    Without `redirects` the redirect itself is seen.
    """

    async def moved(asked: Asked, writer: asyncio.StreamWriter) -> None:
        there = asked.target == "/there"
        answer = reply(status=302, headers={"location": "/there"})
        writer.write(reply("found") if there else answer)

    async with serving(moved) as far:
        still = await look(web, get=far.url)
        followed = await look(web, get=far.url, redirects=1)

    assert still.seen["response"]["status"] == 302
    assert followed.seen["response"] == {"status": 200, "body": "found"}


async def test_act_sends_its_key_and_its_fence(web: HttpxWeb) -> None:
    """
    Every try of an act carries the same key; the fence says which engine it is.
    """
    async with serving(always(reply(status=201))) as far:
        result = await act(
            web,
            Call("r1/open/1", 2.0, secret, "r1", fence=7),
            put=far.url,
            json={"on": True},
        )

    assert told(result) == ("ok", True)
    assert result.detail.startswith(f"PUT {far.url}: HTTP 201 in ")
    asked = far.asked[0]
    assert asked.json == {"on": True}
    assert asked.headers["idempotency-key"] == "r1/open/1"
    assert asked.headers["x-fencing-token"] == "7"


async def test_act_without_a_fence_sends_none(web: HttpxWeb) -> None:
    """
    A fence of zero is no fence.
    """
    async with serving(always(reply(status=204))) as far:
        await act(web, post=far.url)

    assert "x-fencing-token" not in far.asked[0].headers


@pytest.mark.parametrize(
    ("status", "outcome", "again"),
    [
        (200, "ok", True),
        (204, "ok", True),
        (302, "failed", False),
        (400, "failed", False),
        (404, "failed", False),
        (408, "failed", True),
        (409, "failed", False),
        (425, "failed", True),
        (429, "failed", True),
        (500, "failed", True),
        (501, "failed", True),
        (502, "unknown", True),
        (503, "unknown", True),
        (504, "unknown", True),
    ],
)
async def test_status_decides_what_is_said_of_an_act(
    web: HttpxWeb, status: int, outcome: str, again: bool
) -> None:
    """
    2xx is ok, a refusal failed, and what a proxy says for a lost server unknown.
    """
    async with serving(always(reply("why\n not", status=status))) as far:
        result = await act(web, post=far.url)

    assert told(result) == (outcome, again)


async def test_failed_act_shows_the_answers_beginning(web: HttpxWeb) -> None:
    """
    The detail is one printable line with the start of the body.
    """
    body = "no\n\x1b[31mroom\x00 " + "x" * 1000
    async with serving(always(reply(body, status=409))) as far:
        result = await act(web, post=far.url)

    start = "no [31mroom " + "x" * 188
    assert result.detail.endswith(f" s: {start}")


async def test_ok_status_replaces_the_rule(web: HttpxWeb) -> None:
    """
    With `ok_status` only those statuses are ok.
    """
    async with serving(always(reply(status=409))) as far:
        taken = await act(web, post=far.url, ok_status=[201, 409])
        refused = await act(web, post=far.url, ok_status=[201])

    assert (taken.outcome, refused.outcome) == ("ok", "failed")


@pytest.mark.parametrize(
    ("undo", "verb", "given", "outcome"),
    [
        (True, "delete", {}, "ok"),
        (False, "delete", {}, "failed"),
        (True, "post", {}, "failed"),
        (True, "delete", {"gone_is_ok": False}, "failed"),
        (False, "delete", {"gone_is_ok": True}, "ok"),
    ],
)
async def test_f73_what_is_gone_already_is_given_back(
    web: HttpxWeb, undo: bool, verb: str, given: dict[str, bool], outcome: str
) -> None:
    """
    A delete in an undo that finds nothing is done; `gone_is_ok` says otherwise.
    """
    call = Call("k", 2.0, secret, undo=undo)
    for status in (404, 410):
        async with serving(always(reply(status=status))) as far:
            result = await act(web, call, **{verb: far.url}, **given)

        assert result.outcome == outcome


@pytest.mark.parametrize("serve", [hang, drip, reset])
async def test_act_whose_answer_is_lost_is_unknown(web: HttpxWeb, serve: Serve) -> None:
    """
    After sending, a time-out or a reset leaves it open whether it happened.
    """
    async with serving(serve) as far:
        result = await act(web, Call("k", 0.3, secret), post=far.url, body="x")

    assert told(result) == ("unknown", True)


async def test_act_that_was_never_sent_is_failed(web: HttpxWeb) -> None:
    """
    Refused, or a name that cannot be resolved: it surely did not happen.
    """
    async with serving(hang) as far:
        url = far.url
    refused = await act(web, post=url)
    no_name = await act(web, post="http://no.such.invalid/")

    assert refused == ActResult(
        "failed", f"POST {url}: no connection: Connection refused"
    )
    assert told(no_name) == ("failed", True)


async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Repeat all that was said."""
    text = json.dumps([asked.target, asked.headers, asked.body.decode()])
    status = 400 if "bad" in asked.target else 200
    writer.write(reply(text, status=status))


SECRET_PLACES: list[Callable[[str], dict[str, Any]]] = [
    lambda url: {"post": url, "headers": {"X-Key": TOKEN}},
    lambda url: {"post": url, "bearer": TOKEN},
    lambda url: {"post": url, "basic": {"user": "u", "password": TOKEN}},
    lambda url: {"post": url, "query": {"key": TOKEN}},
    lambda url: {"post": url, "json": {"deep": [{"key": TOKEN}]}},
    lambda url: {"post": url, "json": TOKEN},
    lambda url: {"post": url, "form": {"key": TOKEN}},
    lambda url: {"post": url, "body": TOKEN},
]


@pytest.mark.parametrize("place", range(len(SECRET_PLACES)))
async def test_f95_secrets_arrive_and_are_in_no_word(web: HttpxWeb, place: int) -> None:
    """
    A secret reaches the server from every position, and a server that repeats it
    finds it hidden in what is seen and said.
    """
    async with serving(echo) as far:
        given = SECRET_PLACES[place](far.url + "/good")
        seen = await look(web, **given)
        done = await act(web, **given)
        refused = await act(web, **SECRET_PLACES[place](far.url + "/bad"))

    words = repr([seen, done, refused])
    assert len(far.asked) == 3
    assert "canary" in repr(far.asked[0]) or "dTpjYW5hcnk" in repr(far.asked[0])
    assert "[hidden]" in seen.seen["response"]["body"]
    assert "canary" not in words
    assert "dTpjYW5hcnk" not in words  # base64 of "u:canary"


async def test_f95_secret_url_is_not_shown(web: HttpxWeb) -> None:
    """
    An address that is a secret is named, not shown, whatever goes wrong.
    """
    async with serving(always(reply("x", status=500))) as far:
        urls = {
            "A": far.url + "/hook/canary",
            "B": "http://canary.invalid/",
            "C": "http://canary:canary@127.0.0.1/",
            "D": "canary",
            "E": "http://[canary/",
        }
        call = Call("k", 2.0, urls.__getitem__)
        results = [await act(web, call, post={"secret": name}) for name in urls]
        looks = [await look(web, call, get={"secret": name}) for name in urls]

    assert [it.detail for it in results[1:]] == [
        f"POST the address in secret '{name}': no complete answer ({kind})"
        for name, kind in (
            ("B", "dns"),
            ("C", "blocked"),
            ("D", "blocked"),
            ("E", "dns"),
        )
    ]
    assert "canary" not in repr([results, looks])


async def test_f96_missing_secret_sends_nothing(web: HttpxWeb) -> None:
    """
    A secret without a value stops the act before anything is sent.
    """
    async with serving(always(reply("x"))) as far:
        with pytest.raises(SecretMissing, match="secret 'OTHER' has no value"):
            await act(web, post=far.url, bearer={"secret": "OTHER"})

    assert far.asked == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "write exactly one of get, post, put, patch, delete, not none"),
        (
            {"get": "u", "post": "u"},
            "write exactly one of get, post, put, patch, delete, not get and post",
        ),
        ({"post": "u", "json": 1, "body": "x"}, "a request has one body: body or json"),
        ({"get": "u", "body": "x"}, "a get has no body"),
        (
            {"post": "u", "body": {"a": 1}},
            "`body` is text; write what is to be sent as JSON in `json`",
        ),
        (
            {"post": "u", "bearer": "a", "basic": {"user": "a", "password": "b"}},
            "a request has `bearer` or `basic`, not both",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    given: dict[str, Any], words: str
) -> None:
    """
    What makes no sense together is refused when the runbook is loaded.
    """
    with pytest.raises(ValidationError) as caught:
        HttpAct.model_validate(given)

    assert [it["msg"] for it in caught.value.errors()] == [f"Value error, {words}"]


@pytest.mark.parametrize("verb", ["put", "patch", "delete"])
def test_check_cannot_write(verb: str) -> None:
    """
    A check changes nothing: verbs that do are no parameters of it.
    """
    with pytest.raises(ValidationError):
        HttpLook.model_validate({verb: "http://h/"})


def test_registers_both_kinds_with_their_places(web: HttpxWeb) -> None:
    """
    The kinds say where outside values may stand; every parameter is described.
    """
    registry = Registry()
    register(registry, web)
    check, _ = registry.check("http")
    action, _ = registry.action("http")

    shared = {"headers": "header", "bearer": "header", "json": "json"}
    urls = {"get": "url", "post": "url"}
    assert dict(check.places) == shared | urls | {"head": "url", "options": "url"}
    assert dict(action.places) == shared | urls | {
        "put": "url",
        "patch": "url",
        "delete": "url",
    }
    assert check.sees == ("response", "json", "latency_seconds")
    for kind in (check, action):
        assert all(field.description for field in kind.params.model_fields.values())
