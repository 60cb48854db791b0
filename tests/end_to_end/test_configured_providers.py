"""Runbooks that leave address and keys to the configuration."""

import asyncio
import time
from pathlib import Path

import pytest

from engine import bootstrap
from engine.config import load_config
from engine.errors import ConfigRefused
from engine.ports import Call
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
