"""The kind `silence`: against a real Alertmanager, and against servers that misbehave."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.adapters.alertmanager import Silence, SilenceKind, register
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.ports import ActResult, Call, WebRequest
from engine.registry import Registry
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    always,
    as_json,
    hang,
    reply,
    reset,
    serving,
)
from tests.real_parts import alertmanager

CANARY = "canary/7f3+secret value"
ASKED = {"matchers": {"alertname": "LagHigh", "region": "eu"}, "duration": "10m"}


def secret(name: str) -> str:
    """Return the one secret there is."""
    if name != "TOKEN":
        raise SecretMissing(f"secret '{name}' has no value")
    return CANARY


CALL = Call("r1/quiet/1", 5.0, secret, "r1")
UNDO = replace(CALL, undo=True)


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


async def act(web: HttpxWeb, url: str, call: Call = CALL, /, **given: Any) -> ActResult:
    """Act once."""
    params = Silence.model_validate({**ASKED, **given})
    return await SilenceKind(web, url)(params, call)


async def living(web: HttpxWeb, url: str) -> list[dict[str, Any]]:
    """Return the active silences."""
    answer = await web.request(WebRequest("GET", url + "/api/v2/silences"))
    return [it for it in json.loads(answer.body) if it["status"]["state"] == "active"]


async def test_real_alertmanager_is_silenced_once_and_given_back(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    The same act makes one silence; its undo ends it; both can be repeated; a silence
    of somebody else stays.
    """
    with alertmanager(tmp_path) as url:
        other = await act(web, url, replace(CALL, key="r2/quiet/1", run="r2"))
        first = await act(web, url, comment="Lane is moved")
        again = await act(web, url, comment="Lane is moved")
        during = await living(web, url)
        undone = await act(web, url, UNDO)
        twice = await act(web, url, UNDO)
        after = await living(web, url)

    ours = next(it for it in during if "r1" in it["comment"])
    assert (other.outcome, len(during)) == ("ok", 2)
    assert first.detail == f"silence {ours['id']} until {ours['endsAt']}"
    assert again == ActResult("ok", f"silence {ours['id']} is there already")
    assert ours["comment"] == "Lane is moved [runbook run=r1 key=r1/quiet/1]"
    assert ours["createdBy"] == "runbook"
    assert ours["matchers"] == [
        {"name": "alertname", "value": "LagHigh", "isRegex": False, "isEqual": True},
        {"name": "region", "value": "eu", "isRegex": False, "isEqual": True},
    ]
    assert undone == ActResult("ok", f"expired {ours['id']}")
    assert twice == ActResult("ok", "no silence of ours is active: it is over already")
    assert [it["comment"] for it in after] == [
        "Silenced by a runbook [runbook run=r2 key=r2/quiet/1]"
    ]


async def test_real_alertmanager_undo_with_its_own_key(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    An undo under another key finds the silence by its run and its matchers.
    """
    with alertmanager(tmp_path) as url:
        await act(web, url)
        await act(web, url, replace(CALL, key="k2"), matchers={"alertname": "Other"})
        await act(web, url, replace(UNDO, key="r1/undo/quiet"))
        after = await living(web, url)

    assert [it["matchers"][0]["value"] for it in after] == ["Other"]


async def test_real_alertmanager_takes_regex_and_refuses_nonsense(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    A `/regex/` and a list of matchers arrive as such; a bad one is refused for good.
    """
    listed = [
        {"name": "alertname", "value": "A"},
        {"name": "x", "value": "y", "is_equal": False},
    ]
    with alertmanager(tmp_path) as url:
        await act(web, url, matchers={"alertname": "/Lag.*/"})
        await act(web, url, replace(CALL, key="k2"), matchers=listed)
        bad = await act(web, url, replace(CALL, key="k3"), matchers={"a": "/(/"})
        found = await living(web, url)

    wire = sorted(
        [(m["name"], m["value"], m["isRegex"], m["isEqual"]) for m in it["matchers"]]
        for it in found
    )
    assert wire == [
        [("alertname", "A", False, True), ("x", "y", False, False)],
        [("alertname", "Lag.*", True, True)],
    ]
    assert (bad.outcome, bad.retryable) == ("failed", False)
    assert bad.detail.startswith(f"{url}: HTTP 400: ")


async def test_real_alertmanager_silence_ends_by_itself(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    A silence that ended by itself is given back already.
    """
    with alertmanager(tmp_path) as url:
        await act(web, url, duration="1s")
        await asyncio.sleep(1.5)
        undone = await act(web, url, UNDO)

    assert undone == ActResult("ok", "no silence of ours is active: it is over already")


def creating(answer: bytes) -> Any:
    """Return a server that lists no silence and gives this answer to a POST."""

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(as_json([]) if asked.method == "GET" else answer)

    return serve


@pytest.mark.parametrize(
    ("answer", "outcome", "again"),
    [
        (reply("no", status=400), "failed", False),
        (reply("no", status=401), "failed", False),
        (reply("no", status=429), "failed", True),
        (reply("no", status=500), "failed", True),
        (reply("no", status=502), "unknown", True),
        (reply("no", status=504), "unknown", True),
        (reply("<html>"), "unknown", True),
        (as_json({"silenceID": 7}), "unknown", True),
    ],
)
async def test_creating_is_ok_only_with_a_silence_named(
    web: HttpxWeb, answer: bytes, outcome: str, again: bool
) -> None:
    """
    A refusal is failed; an answer that names no silence leaves it open.
    """
    async with serving(creating(answer)) as far:
        result = await act(web, far.url)

    assert (result.outcome, result.retryable) == (outcome, again)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply("busy", status=503), "HTTP 503: busy"),
        (reply("<html>"), "the answer is not a list of silences"),
        (as_json({"a": 1}), "the answer is not a list of silences"),
    ],
)
async def test_nothing_is_created_where_silences_cannot_be_listed(
    web: HttpxWeb, answer: bytes, words: str
) -> None:
    """
    Without knowing what is there nothing is done, and that is surely not done.
    """
    async with serving(always(answer)) as far:
        result = await act(web, far.url)

    assert (result.outcome, result.detail) == ("failed", f"{far.url}: {words}")
    assert [it.method for it in far.asked] == ["GET"]


async def test_lost_answer_is_unknown_and_the_next_try_finds_it(web: HttpxWeb) -> None:
    """
    A reset after the POST is unknown; the mark lets the next try see what happened.
    """
    made: list[dict[str, Any]] = []

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "GET":
            writer.write(as_json(made))
            return
        made.append({**asked.json, "id": "s1", "status": {"state": "active"}})
        writer.transport.abort()

    async with serving(serve) as far:
        lost = await act(web, far.url)
        again = await act(web, far.url)

    assert lost.outcome == "unknown"
    assert again == ActResult("ok", "silence s1 is there already")
    assert len(made) == 1


async def test_undo_whose_silence_goes_meanwhile_is_ok(web: HttpxWeb) -> None:
    """
    An error for a silence that is over by then is no error; one that lives is.
    """
    silence = {"id": "s1", "comment": "x [runbook run=r1 key=r1/quiet/1]"}
    states = ["active", "expired", "active", "active"]

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "DELETE":
            writer.write(reply("already expired", status=500))
        else:
            writer.write(as_json([{**silence, "status": {"state": states.pop(0)}}]))

    async with serving(serve) as far:
        gone = await act(web, far.url, UNDO)
        stuck = await act(web, far.url, UNDO)

    assert gone == ActResult("ok", "expired s1")
    assert stuck == ActResult("failed", f"{far.url}: HTTP 500: already expired")


@pytest.mark.parametrize("serve", [hang, reset])
@pytest.mark.timed
async def test_server_that_does_not_answer_is_failed_before_the_act(
    web: HttpxWeb, serve: Any
) -> None:
    """
    The listing changes nothing, so without its answer the act did not happen; all of
    it ends within the one limit.
    """
    async with serving(serve) as far:
        began = time.monotonic()
        result = await act(web, far.url, Call("k", 0.3, secret))
        took = time.monotonic() - began

    assert (result.outcome, result.retryable) == ("failed", True)
    assert took < 1.5


async def test_f95_secrets_are_in_no_word(web: HttpxWeb) -> None:
    """
    A token reaches the server, and a server that repeats it finds it hidden.
    """

    async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(asked.headers["authorization"], status=400))

    token = {"secret": "TOKEN"}
    async with serving(echo) as far:
        results = [
            await act(web, far.url, bearer=token),
            await act(web, far.url, basic={"user": "u", "password": token}),
            await act(web, far.url, url=token),
        ]

    assert far.asked[0].headers["authorization"] == f"Bearer {CANARY}"
    assert [it.detail for it in results] == [
        f"{far.url}: HTTP 400: Bearer [hidden]",
        f"{far.url}: HTTP 400: Basic [hidden]",
        "the address in secret 'TOKEN': no complete answer (blocked)",
    ]


async def test_no_address_says_what_to_write(web: HttpxWeb) -> None:
    """
    Without an address nothing is done, and trying again is useless.
    """
    result = await SilenceKind(web)(Silence.model_validate(ASKED), CALL)

    assert result == ActResult(
        "failed",
        "no Alertmanager: write `url`, or set a default in the configuration",
        retryable=False,
    )


@pytest.mark.parametrize(
    "matchers",
    [
        {},
        [],
        {"alertname": "/.*/"},
        {"alertname": "/.+/"},
        [{"name": "a", "value": "b", "is_equal": False}],
    ],
)
def test_g4_silence_of_everything_is_refused(matchers: Any) -> None:
    """
    Matchers that leave nobody out are refused when the runbook is loaded.
    """
    with pytest.raises(ValidationError):
        Silence.model_validate({"matchers": matchers, "duration": "5m"})


def test_registers_one_kind_with_a_built_in_undo(web: HttpxWeb) -> None:
    """
    No undo is written for a silence; every parameter is described.
    """
    registry = Registry()
    register(registry, web)
    kind, _ = registry.action("silence")

    assert (kind.built_in_undo, kind.leaves_nothing) == (True, False)
    assert dict(kind.places) == {"url": "url", "bearer": "header"}
    assert all(field.description for field in kind.params.model_fields.values())
