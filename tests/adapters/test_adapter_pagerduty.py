"""The kind `page`: the event as it is sent, and what is said of it."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from engine.adapters.pagerduty import (
    EVENTS_URL,
    PageAct,
    PageKind,
    PagerDutyPager,
    Services,
    register,
)
from engine.adapters.web import HttpxWeb
from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.model.effects import Page
from engine.model.values import SecretRef
from engine.ports import ActResult, Call
from engine.registry import Registry
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    Serve,
    always,
    as_json,
    hang,
    reply,
    reset,
    serving,
)

CANARY = "canary0123456789canary"
TOKEN = {"secret": "TOKEN"}
TAKEN = as_json({"status": "success", "dedup_key": "k"}, status=202)


def secret(name: str) -> str:
    """Return the one secret there is."""
    if name != "TOKEN":
        raise SecretMissing(f"secret '{name}' has no value")
    return CANARY


CALL = Call("r1/page/1", 2.0, secret, "r1")


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


async def page(
    web: HttpxWeb, url: str, call: Call = CALL, /, **given: Any
) -> ActResult:
    """Page once."""
    least = {"routing_key": TOKEN, "summary": "Messages are late", "url": url}
    return await PageKind(web, Services())(
        PageAct.model_validate({**least, **given}), call
    )


async def test_smallest_event(web: HttpxWeb) -> None:
    """
    Key and summary are enough; the act's key joins repeated pages to one incident.
    """
    async with serving(always(TAKEN)) as far:
        result = await page(web, far.url + "/v2/enqueue")

    asked = far.asked[0]
    assert result == ActResult("ok", f"{far.url}/v2/enqueue: paged (HTTP 202)")
    assert (asked.method, asked.target) == ("POST", "/v2/enqueue")
    assert asked.json == {
        "routing_key": CANARY,
        "event_action": "trigger",
        "dedup_key": "r1/page/1",
        "client": "incident-runbook",
        "payload": {
            "summary": "Messages are late",
            "source": "runbook",
            "severity": "critical",
        },
    }


async def test_full_event(web: HttpxWeb) -> None:
    """
    Every parameter has its place; our severities become PagerDuty's words.
    """
    async with serving(always(TAKEN)) as far:
        await page(
            web,
            far.url,
            summary="x" * 2000,
            severity="sev3",
            source="router",
            dedup_key="lag-eu",
            component="lane",
            group="messaging",
            details={"lag": 12000, "deep": [1, None]},
            links=["https://wiki.internal/lag"],
        )

    link = "https://wiki.internal/lag"
    assert far.asked[0].json == {
        "routing_key": CANARY,
        "event_action": "trigger",
        "dedup_key": "lag-eu",
        "client": "incident-runbook",
        "links": [{"href": link, "text": link}],
        "payload": {
            "summary": "x" * 1024,
            "source": "router",
            "severity": "error",
            "component": "lane",
            "group": "messaging",
            "custom_details": {"lag": 12000, "deep": [1, None]},
        },
    }


async def test_long_key_is_hashed(web: HttpxWeb) -> None:
    """
    A key beyond 255 characters becomes its hash, the same one every time.
    """
    async with serving(always(TAKEN)) as far:
        await page(web, far.url, dedup_key="k" * 300)
        await page(web, far.url, dedup_key="k" * 300)

    keys = {asked.json["dedup_key"] for asked in far.asked}
    assert [len(key) for key in keys] == [64]


@pytest.mark.parametrize(
    ("status", "outcome", "again"),
    [
        (202, "ok", True),
        (400, "failed", False),
        (403, "failed", False),
        (429, "failed", True),
        (500, "failed", True),
        (502, "unknown", True),
        (504, "unknown", True),
    ],
)
async def test_status_decides(
    web: HttpxWeb, status: int, outcome: str, again: bool
) -> None:
    """
    202 is ok, a refusal failed, too many or a broken server worth another try.
    """
    async with serving(always(reply("no", status=status))) as far:
        result = await page(web, far.url)

    assert (result.outcome, result.retryable) == (outcome, again)


@pytest.mark.parametrize("serve", [hang, reset])
async def test_lost_answer_is_unknown(web: HttpxWeb, serve: Serve) -> None:
    """
    After sending, silence leaves it open whether anybody was paged.
    """
    async with serving(serve) as far:
        result = await page(web, far.url, Call("k", 0.3, secret))

    assert (result.outcome, result.retryable) == ("unknown", True)


async def test_nobody_there_is_failed(web: HttpxWeb) -> None:
    """
    Where nothing was sent nobody was paged.
    """
    async with serving(hang) as far:
        url = far.url
    result = await page(web, url)

    assert result == ActResult("failed", f"{url}: no connection: Connection refused")


async def test_f95_secrets_are_in_no_word(web: HttpxWeb) -> None:
    """
    The routing key and secrets in details arrive, and an echo of them is hidden.
    """

    async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(asked.body, status=400))

    async with serving(echo) as far:
        keyed = await page(web, far.url)
        detailed = await page(web, far.url, details={"a": TOKEN})
        addressed = await page(web, "", url=TOKEN)

    assert far.asked[1].json["payload"]["custom_details"] == {"a": CANARY}
    assert "[hidden]" in keyed.detail
    assert "canary" not in repr([keyed, detailed, addressed])


def test_severity_lists_its_values() -> None:
    """
    A severity that is neither ours nor PagerDuty's is refused.
    """
    with pytest.raises(ValidationError, match="'critical', 'error'"):
        PageAct.model_validate({"routing_key": "k", "summary": "s", "severity": "bad"})


def test_registers_one_kind_that_leaves_nothing(web: HttpxWeb) -> None:
    """
    A page needs no undo; its default address is the public one.
    """
    registry = Registry()
    register(registry, web)
    kind, _ = registry.action("page")

    assert (kind.leaves_nothing, kind.built_in_undo) == (True, False)
    assert Services().url == EVENTS_URL
    assert EVENTS_URL == "https://events.pagerduty.com/v2/enqueue"
    assert all(field.description for field in kind.params.model_fields.values())


KEYS = {"TOKEN": CANARY, "OPS": "ops-key", "ALL": "all-key"}
PAGE = Page("ops", "stuck: move", "sev2", "r-1/move/stuck")


class Beside:
    """Keeps what is written down beside each page."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    async def page(self, run: str, page: Page, /) -> None:
        """Keep it."""
        self.pages.append(f"{run} {page.group}")


def pager(web: HttpxWeb, url: str, **keys: Any) -> tuple[PagerDutyPager, Beside]:
    """Return a pager with these services."""
    beside = Beside()
    return PagerDutyPager(web, Services(url=url, **keys), KEYS.__getitem__, beside), (
        beside
    )


async def test_a_group_without_a_key_in_the_act_is_paged_by_its_service(
    web: HttpxWeb,
) -> None:
    """
    The act names a group and a text; the configuration has the key and the address.
    """
    params = PageAct.model_validate({"group": "ops", "text": "Messages are late"})
    call = Call("r1/page/1", 2.0, KEYS.__getitem__, "r1")
    async with serving(always(TAKEN)) as far:
        services = Services(groups={"ops": SecretRef(secret="OPS")}, url=far.url)
        result = await PageKind(web, services)(params, call)

    assert "ok" == result.outcome
    assert ("ops-key", "Messages are late", "ops") == (
        far.asked[0].json["routing_key"],
        far.asked[0].json["payload"]["summary"],
        far.asked[0].json["payload"]["group"],
    )


async def test_nobody_to_page_is_failed_and_says_what_to_do(web: HttpxWeb) -> None:
    """
    Without any routing key nothing is sent, and the words name the settings.
    """
    params = PageAct.model_validate({"group": "ops", "text": "Messages are late"})
    result = await PageKind(web, Services())(params, CALL)

    assert (
        ActResult(
            "failed",
            "nobody can be paged: give the act a `routing_key`, or the configuration "
            "`pagerduty.routing_key` or `groups.NAME.pagerduty`",
            retryable=False,
        )
        == result
    )


async def test_the_engine_pages_each_group_through_its_service(web: HttpxWeb) -> None:
    """
    The group's own service, else the one for all; each page is written down as well.
    """
    own, everybody = SecretRef(secret="OPS"), SecretRef(secret="ALL")
    async with serving(always(TAKEN)) as far:
        made, beside = pager(web, far.url, default=everybody, groups={"ops": own})
        await made.page("r-1", PAGE)
        await made.page("r-1", Page("dba", "hand over", "sev4", "r-1/end"))

    assert [
        ("ops-key", "r-1:r-1/move/stuck", "critical", "ops"),
        ("all-key", "r-1:r-1/end", "warning", "dba"),
    ] == [
        (
            one.json["routing_key"], one.json["dedup_key"],
            one.json["payload"]["severity"], one.json["payload"]["group"],
        )
        for one in far.asked
    ]  # fmt: skip
    assert ["r-1 ops", "r-1 dba"] == beside.pages


@pytest.mark.parametrize(
    ("status", "problem"), [(503, ChatDown), (429, ChatDown), (400, ChatRefused)]
)
async def test_a_page_that_is_not_taken_is_told(
    web: HttpxWeb, status: int, problem: type[Exception]
) -> None:
    """
    What may be taken later is tried again; what never will be is told.
    """
    async with serving(always(as_json({}, status=status))) as far:
        made, _ = pager(web, far.url, default=SecretRef(secret="ALL"))
        with pytest.raises(problem, match=f"HTTP {status} for group 'ops'"):
            await made.page("r-1", PAGE)


async def test_nobody_configured_writes_it_down_alone(web: HttpxWeb) -> None:
    """
    Without a service a page is written down, and nothing is sent.
    """
    made, beside = pager(web, "http://127.0.0.1:1")
    await made.page("r-1", PAGE)

    assert ["r-1 ops"] == beside.pages


async def test_a_routing_key_without_a_value_is_told_as_what_it_is(
    web: HttpxWeb,
) -> None:
    """
    It will not mend by itself, and says which secret; other groups are paged.
    """
    gone = SecretRef(secret="GONE")
    async with serving(always(TAKEN)) as far:
        services = Services(
            SecretRef(secret="TOKEN"), {"dba": gone}, far.url + "/v2/enqueue"
        )
        made = PagerDutyPager(web, services, secret, Beside())
        with pytest.raises(ChatDown, match="secret 'GONE' has no value") as told:
            await made.page("r-1", Page("dba", "look", "sev1", "k"))
        await made.page("r-1", PAGE)

    assert told.value.lasting
    assert 1 == len(far.asked)
