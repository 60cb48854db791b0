"""Alertmanager's silences over real connections: those in force, or unknown."""

import json
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from engine.adapters.silences import AskedSilences
from engine.adapters.web import HttpxWeb
from engine.model.silence import Matcher, Silence
from engine.ports import WebRequest
from tests.adapters.loopback import LOOPBACK, always, as_json, reply, reset, serving
from tests.real_parts import alertmanager


def made() -> HttpxWeb:
    """Return the way to the loopback network."""
    return HttpxWeb([ip_network(LOOPBACK)])


async def test_real_alertmanager_tells_which_silences_are_in_force(
    tmp_path: Path,
) -> None:
    """
    Matchers of every kind, by whom and why; one that ended is not told.
    """
    web, now = made(), datetime.now(UTC)
    wanted = {
        "matchers": [
            {"name": "alertname", "value": "Lag.*", "isRegex": True, "isEqual": True},
            {"name": "zone", "value": "x", "isRegex": False, "isEqual": False},
        ],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "ana",
        "comment": "known",
    }
    with alertmanager(tmp_path) as url:
        asked = AskedSilences(web, f"{url}/", time.monotonic)
        before = await asked.active()
        body = json.dumps(wanted).encode()
        sent = {"content-type": "application/json"}
        await web.request(WebRequest("POST", f"{url}/api/v2/silences", sent, body))
        [silence] = await AskedSilences(web, url, time.monotonic).active() or ()
        again = await asked.active()
        await web.request(WebRequest("DELETE", f"{url}/api/v2/silence/{silence.id}"))
        after = await AskedSilences(web, url, time.monotonic).active()
    await web.aclose()

    assert ((), (), ()) == (before, again, after)
    assert ("ana", "known") == (silence.by, silence.comment)
    assert {
        Matcher("alertname", "Lag.*", regex=True, equal=True),
        Matcher("zone", "x", regex=False, equal=False),
    } == set(silence.matchers)


@pytest.mark.parametrize(
    "answer",
    [
        as_json({"no": "list"}),
        as_json([{"id": "x"}]),
        as_json([None]),
        reply("<html>"),
        reply("", status=503),
        as_json("text"),
    ],
    ids=["map", "half", "null", "html", "503", "text"],
)
async def test_what_is_no_answer_is_unknown_and_not_silenced(answer: bytes) -> None:
    """
    None, and never an error: an alert must not be lost over it.
    """
    web = made()
    async with serving(always(answer)) as server:
        found = await AskedSilences(web, server.url, time.monotonic).active()
    async with serving(reset) as server:
        cut = await AskedSilences(web, server.url, time.monotonic).active()
    await web.aclose()

    assert (None, None) == (found, cut)


async def test_a_storm_asks_once_in_a_while() -> None:
    """
    The last answer counts for five seconds.
    """
    at = [0.0]
    one: dict[str, Any] = {
        "id": "1", "status": {"state": "active"}, "endsAt": "z",
        "matchers": [{"name": "a", "value": "b"}],
    }  # fmt: skip
    web = made()
    async with serving(always(as_json([one]))) as server:
        asked = AskedSilences(web, server.url, lambda: at[0])
        found = [await asked.active() for _ in range(100)]
        first = len(server.asked)
        at[0] = 5.0
        await asked.active()
    await web.aclose()

    assert [(Silence("1", (Matcher("a", "b"),), ends_at="z"),)] * 100 == found
    assert (1, 2) == (first, len(server.asked))
