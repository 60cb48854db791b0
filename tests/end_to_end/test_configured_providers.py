"""Runbooks that leave address and keys to the configuration."""

import asyncio
import time
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from engine import bootstrap
from engine.bootstrap import doctoring
from engine.bootstrap.chatting import providers
from engine.config import load_config
from engine.errors import ConfigRefused
from engine.model.chat import Card, Place
from engine.ports import Call
from engine.runtime.library import Library
from tests.adapters.loopback import Asked, as_json, reply, serving
from tests.adapters.provider_bodies import dog_points, nerdgraph

FILE = """\
network: {{allow: [127.0.0.0/8]}}
datadog: {{url: '{url}', api_key: {{secret: A}}, app_key: {{secret: B}}}}
newrelic: {{url: '{url}/graphql', account: 12, api_key: {{secret: C}}}}
status_page: {{url: '{url}', page: p1, token: {{secret: D}}}}
"""


async def test_configured_accounts_are_used(tmp_path: Path) -> None:
    """
    Each kind finds its own address and keys, and a 429 holds the account back in every
    look that comes through the same engine.
    """
    limited = False

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if limited:
            writer.write(reply("{}", status=429, headers={"retry-after": "60"}))
        elif asked.target == "/graphql":
            writer.write(as_json(nerdgraph([{"count": 7}])))
        elif "incidents" in asked.target:
            writer.write(as_json([] if asked.method == "GET" else {"id": "i1"}))
        else:
            writer.write(as_json(dog_points(([], [(time.time() // 1, 2.0)]))))

    async with serving(serve) as far:
        file = tmp_path / "engine.yaml"
        file.write_text(FILE.format(url=far.url))
        config = load_config(file, environ={})
        web = bootstrap.door(config)
        made = bootstrap.registry(config, web)
        call = Call("r1/a/1", 2.0, lambda name: f"value-of-{name}", "r1")
        kinds = {name: made.check(name) for name in ("datadog", "newrelic")}
        (dog, look_dog), (relic, look_relic) = kinds["datadog"], kinds["newrelic"]
        page, tell = made.action("status_page")
        query = dog.params.model_validate({"query": "avg:a{*}"})
        nrql = relic.params.model_validate({"query": "SELECT count(*) FROM T"})
        told = page.params.model_validate({"name": "Slow"})
        seen = [await look_dog(query, call), await look_relic(nrql, call)]
        done = await tell(told, call)
        limited = True
        await look_dog(query, call)
        asked = len(far.asked)
        held = await look_dog(query, call)
        await web.aclose()

    assert [one.seen["value"] for one in seen] == [2.0, 7.0]
    assert far.asked[0].headers["dd-api-key"] == "value-of-A"
    assert far.asked[0].headers["dd-application-key"] == "value-of-B"
    assert far.asked[1].headers["api-key"] == "value-of-C"
    assert far.asked[-2].headers["authorization"] == "OAuth value-of-D"
    assert (done.outcome, len(far.asked)) == ("ok", asked)
    assert held.unknown == (
        f"{far.url}: not asked: the server wants to be left alone for 60 s"
    )


def test_configured_datadog_has_one_address(tmp_path: Path) -> None:
    """
    A site beside a url is refused with both names.
    """
    file = tmp_path / "engine.yaml"
    file.write_text("datadog: {url: 'http://127.0.0.1:1', site: datadoghq.eu}\n")

    with pytest.raises(ConfigRefused) as refused:
        load_config(file, environ={})

    assert [one.message for one in refused.value.problems] == [
        "datadog has at most one of url, site"
    ]


PEOPLE = """\
people:
  ana: {accounts: [slack:U01ANA, slack:U02ANA]}
  bo: {slack: U03BO, accounts: [slack:U04]}
  cai: {accounts: [slack:U04]}
groups: {ops: {slack: S01OPS}}
secrets: {a: {env: A}}
"""


async def test_people_are_mentioned_by_any_account_that_is_theirs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One that stands under `accounts` as well; one that stands under two people calls
    nobody, and doctor says so.
    """

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(as_json({"ok": True, "ts": "1.1", "channel": "C1"}))

    monkeypatch.setenv("A", "xoxb-1")
    async with serving(serve) as far:
        slack = f"{{token: {{secret: a}}, signing: {{secret: a}}, url: '{far.url}/'}}"
        file = tmp_path / "engine.yaml"
        file.write_text(f"{PEOPLE}chat: {{slack: {slack}}}\n")
        config = load_config(file, environ={})
        web = bootstrap.door(config)
        slack_chat = providers(config, bootstrap.secrets(config), web)["slack"]
        card = Card("Look", loud=("ops", "ana", "bo", "cai"))
        await slack_chat.post(Place("slack", "C1"), card, key="k")
        await web.aclose()
    posted = unquote_plus(far.asked[0].body.decode())
    found = [
        one.told
        for one in doctoring._people(config, Library(bootstrap.registry(config, web)))
    ]

    assert "<!subteam^S01OPS> <@U01ANA> <@U03BO>" in posted
    assert "U04" not in posted
    assert ["slack:U04 stands under bo and cai", "3 are configured"] == found
