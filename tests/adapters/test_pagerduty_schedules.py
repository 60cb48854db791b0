"""Who is on call by a schedule of PagerDuty: what is asked, and what can go wrong."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest

from engine.adapters.pagerduty import PagerDutyOnCall
from engine.adapters.web import HttpxWeb
from engine.errors import ChatDown, ChatRefused, SecretMissing
from tests.adapters.loopback import LOOPBACK, always, as_json, reply, serving

CANARY = "canary0123456789canary"


def secret(name: str) -> str:
    """Return the one secret there is."""
    if name != "PD":
        raise SecretMissing(f"secret '{name}' has no value")
    return CANARY


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


def entry(user: str, level: int, schedule: str = "PI7DH85") -> dict[str, Any]:
    """Return one entry as the API has it."""
    return {
        "escalation_level": level,
        "schedule": {"id": schedule, "type": "schedule_reference"},
        "user": {"id": user, "type": "user_reference", "summary": "Somebody"},
        "start": "2026-01-01T00:00:00Z", "end": "2026-01-08T00:00:00Z",
    }  # fmt: skip


async def test_who_is_on_call_is_asked_of_one_schedule(web: HttpxWeb) -> None:
    """
    Lowest level first, each once, of this schedule alone; the token goes there alone.
    """
    found = [entry("P2", 2), entry("P1", 1), entry("P1", 3), entry("P9", 1, "OTHER")]
    body = as_json({"oncalls": [*found, entry("P8", 1) | {"schedule": None}]})
    async with serving(always(body)) as far:
        asked = PagerDutyOnCall(web, secret, "PI7DH85", "PD", far.url + "/")

        assert ["P1", "P2"] == await asked.on_call()

    request = far.asked[0]
    assert request.method == "GET"
    assert request.target == "/oncalls?schedule_ids%5B%5D=PI7DH85&limit=100"
    assert request.headers["authorization"] == f"Token token={CANARY}"
    assert request.headers["accept"] == "application/vnd.pagerduty+json;version=2"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply("gone", status=503), ChatDown),
        (reply("slow", status=429), ChatDown),
        (reply("no", status=401), ChatRefused),
        (reply("<html>"), ChatDown),
        (as_json([]), ChatDown),
        (as_json({"oncalls": 5}), ChatDown),
        (as_json({"oncalls": [{"schedule": {"id": "PI7DH85"}}]}), ChatDown),
        (as_json({"oncalls": ["x"]}), ChatDown),
        (reply("[" * 100_000), ChatDown),
    ],
    ids=["503", "429", "401", "html", "list", "number", "no-user", "text", "deep"],
)
async def test_f60_an_answer_that_is_none_is_said_without_the_token(
    web: HttpxWeb, answer: bytes, error: type[Exception]
) -> None:
    """
    It may work later, or it says no; what is told never holds the token.
    """
    async with serving(always(answer)) as far:
        asked = PagerDutyOnCall(web, secret, "PI7DH85", "PD", far.url)
        with pytest.raises(error) as failed:
            await asked.on_call()

    assert CANARY not in str(failed.value)


async def test_without_a_token_nothing_is_asked(web: HttpxWeb) -> None:
    """
    A secret without a value is told by its name.
    """
    asked = PagerDutyOnCall(web, secret, "PI7DH85", "GONE", "http://127.0.0.1:9")

    with pytest.raises(ChatDown, match="GONE") as failed:
        await asked.on_call()
    assert failed.value.lasting
