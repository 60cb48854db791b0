"""Status pages: incidents that are opened once, and components that are given back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from engine.adapters.status_page import (
    StatusPageAccount,
    StatusPageAct,
    StatusPageKind,
    register,
)
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.model.values import SecretRef
from engine.ports import ActResult, Call
from engine.registry import Registry
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    Server,
    always,
    as_json,
    reply,
    serving,
)

TOKEN = "2a7b9d4aac30956d"
PAGE = "qfn30z5r6s5h"


def secret(name: str) -> str:
    """Return the one secret there is."""
    if name != "TOKEN":
        raise SecretMissing(f"secret '{name}' has no value")
    return TOKEN


CALL = Call("r1/act/1", 2.0, secret, "r1", fence=3)
UNDO = replace(CALL, key="r1/act/1/undo", undo=True, built_in=True)


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


@dataclass
class Page:
    """A status page that keeps state and refuses what has another shape."""

    components: dict[str, str] = field(default_factory=dict)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    lose_next_post: bool = False
    url: str = ""
    far: Server = field(default_factory=Server)

    @property
    def writes(self) -> list[str]:
        """What changed the page: method and path."""
        return [
            f"{one.method} {one.target.removeprefix(f'/v1/pages/{PAGE}')}"
            for one in self.far.asked
            if one.method != "GET"
        ]

    async def serve(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        answer = self._answer(asked)
        if asked.method == "POST" and self.lose_next_post:
            self.lose_next_post = False
            writer.transport.abort()
            return
        writer.write(answer)

    def _answer(self, asked: Asked) -> bytes:
        if asked.headers.get("authorization") != f"OAuth {TOKEN}":
            return as_json({"error": "Could not authenticate"}, status=401)
        parts = urlsplit(asked.target)
        root = f"/v1/pages/{PAGE}/"
        if not parts.path.startswith(root):
            return as_json({"error": "Not found"}, status=404)
        what, _, name = parts.path.removeprefix(root).partition("/")
        if asked.method != "GET":
            assert asked.headers["content-type"] == "application/json"
        if what == "components":
            return self._component(asked, name)
        assert what == "incidents"
        if asked.method == "GET":
            query = parse_qs(parts.query)
            assert query in ({"page": ["1"], "per_page": ["100"]}, {"limit": ["100"]})
            rows = self.incidents
            if name == "unresolved":
                rows = [one for one in rows if one["status"] != "resolved"]
            return as_json(rows[::-1])
        return self._write(asked, name)

    def _component(self, asked: Asked, name: str) -> bytes:
        if name not in self.components:
            return as_json({"error": "Not found"}, status=404)
        if asked.method == "PATCH":
            assert set(asked.json) == {"component"}
            assert set(asked.json["component"]) == {"status"}
            self.components[name] = asked.json["component"]["status"]
        return as_json({"id": name, "status": self.components[name]})

    def _write(self, asked: Asked, name: str) -> bytes:
        assert set(asked.json) == {"incident"}
        told = asked.json["incident"]
        metadata = told.get("metadata", {})
        assert all(isinstance(it, dict) for it in metadata.values())
        if asked.method == "POST":
            assert name == ""
            incident = {"id": f"inc{len(self.incidents) + 1}"}
            self.incidents.append(incident)
        else:
            incident = next(one for one in self.incidents if one["id"] == name)
        incident.update(told)
        self.components.update(told.get("components", {}))
        return as_json(incident, status=201 if asked.method == "POST" else 200)


@asynccontextmanager
async def running(page: Page) -> AsyncIterator[Page]:
    """Run the page for the length of the block."""
    async with serving(page.serve) as far:
        page.far, page.url = far, far.url
        yield page


async def act(
    web: HttpxWeb, page: Page, call: Call = CALL, /, **given: Any
) -> ActResult:
    """Act on the page."""
    own = {"page": PAGE, "url": page.url, "token": {"secret": "TOKEN"}}
    params = StatusPageAct.model_validate({**own, **given})
    done = await StatusPageKind(web)(params, call)
    return replace(done, detail=done.detail.removeprefix(f"{page.url}: "))


SLOW = {
    "name": "Messages are late",
    "body": "We are looking into it.",
    "impact": "minor",
    "components": {"c1": "degraded_performance"},
}


async def test_incident_is_opened_with_its_key(web: HttpxWeb) -> None:
    """
    What is told is Statuspage's own form; the act's key stands in the metadata.
    """
    async with running(Page({"c1": "operational"})) as page:
        done = await act(web, page, **SLOW, notify=False)

    assert done == ActResult("ok", "incident inc1 is investigating")
    assert page.incidents == [
        {
            "id": "inc1",
            "name": "Messages are late",
            "status": "investigating",
            "body": "We are looking into it.",
            "impact_override": "minor",
            "deliver_notifications": False,
            "components": {"c1": "degraded_performance"},
            "component_ids": ["c1"],
            "metadata": {
                "incident_runbook": {
                    "key": "r1/act/1",
                    "run": "r1",
                    "opened_by": "r1/act/1",
                    "acts": ["r1/act/1"],
                    "wanted": {"c1": "degraded_performance"},
                    "before": {"c1": "operational"},
                }
            },
        }
    ]


async def test_same_act_opens_one_incident(web: HttpxWeb) -> None:
    """
    An act that is repeated after a lost answer finds what it did.
    """
    async with running(Page({"c1": "operational"}, lose_next_post=True)) as page:
        lost = await act(web, page, **SLOW)
        again = await act(web, page, **SLOW)
        other = await act(web, page, replace(CALL, key="r2/act/1", run="r2"), **SLOW)

    assert lost.outcome == "unknown"
    assert again == ActResult("ok", "incident inc1 says so already")
    assert other == ActResult("ok", "incident inc2 is investigating")
    assert page.writes == ["POST /incidents", "POST /incidents"]


async def test_incident_that_a_person_resolved_is_not_opened_again(
    web: HttpxWeb,
) -> None:
    """
    After a crash an act that was done, and is over since, is not done again.
    """
    async with running(Page({"c1": "operational"})) as page:
        await act(web, page, **SLOW)
        page.incidents[0]["status"] = "resolved"
        again = await act(web, page, **SLOW)

    assert again == ActResult(
        "ok", "the incident was opened, and somebody has resolved it"
    )
    assert page.writes == ["POST /incidents"]


async def test_undo_resolves_and_gives_components_back(web: HttpxWeb) -> None:
    """
    The built-in undo resolves the incident and restores the states it remembers; done
    again it finds nothing to do.
    """
    start = {"c1": "degraded_performance", "c2": "operational"}
    wanted = {"c1": "major_outage", "c2": "partial_outage"}
    async with running(Page(dict(start))) as page:
        given = {**SLOW, "components": wanted, "closing": "All is well."}
        await act(web, page, **given)
        during = dict(page.components)
        done = await act(web, page, UNDO, **given)
        again = await act(web, page, UNDO, **given)

    assert during == wanted
    assert page.components == start
    assert done == ActResult("ok", "incident inc1 is resolved")
    assert again == ActResult("ok", "no incident of ours is open: it is over already")
    assert (page.incidents[0]["status"], page.incidents[0]["body"]) == (
        "resolved",
        "All is well.",
    )
    assert page.writes == ["POST /incidents", "PATCH /incidents/inc1"]


async def test_undo_leaves_what_somebody_changed_since(web: HttpxWeb) -> None:
    """
    A component that somebody set to another state keeps it.
    """
    async with running(Page({"c1": "operational"})) as page:
        await act(web, page, **SLOW)
        page.components["c1"] = "major_outage"
        done = await act(web, page, UNDO, **SLOW)

    assert done == ActResult(
        "ok", "incident inc1 is resolved; left as somebody set it: c1"
    )
    assert page.components == {"c1": "major_outage"}


async def test_acts_with_one_key_are_one_incident(web: HttpxWeb) -> None:
    """
    The first act opens, the next ones write to it; only the first one's undo ends it.
    """
    second = replace(CALL, key="r1/act/2")
    key = {"key": "late"}
    async with running(Page({"c1": "operational", "c2": "operational"})) as page:
        await act(web, page, **SLOW, **key)
        told = await act(
            web,
            page,
            second,
            status="monitoring",
            body="Better.",
            components={"c2": "partial_outage"},
            **key,
        )
        again = await act(web, page, second, status="monitoring", body="Better.", **key)
        undone = replace(UNDO, key="r1/act/2/undo")
        kept = await act(web, page, undone, status="monitoring", **key)
        other_run = replace(CALL, key="r2/act/1", run="r2")
        apart = await act(web, page, other_run, status="monitoring", **key)
        done = await act(web, page, UNDO, **SLOW, **key)

    assert told == ActResult("ok", "incident inc1 is monitoring")
    assert again == ActResult("ok", "incident inc1 says so already")
    assert kept == ActResult(
        "ok",
        "incident inc1 stays open: the undo of the act that opened it resolves it",
    )
    assert apart == ActResult(
        "failed",
        "no open incident with key 'late' of this run, and no `name` to open one with",
        retryable=False,
    )
    assert done.detail == "incident inc1 is resolved"
    assert page.components == {"c1": "operational", "c2": "operational"}
    assert page.incidents[0]["name"] == "Messages are late"


async def test_written_undo_may_resolve_by_key(web: HttpxWeb) -> None:
    """
    An undo that is written as an act with the same key resolves, with its own words.
    """
    written = replace(UNDO, built_in=False)
    async with running(Page()) as page:
        await act(web, page, name="Late", key="late")
        done = await act(
            web, page, written, key="late", status="resolved", body="Over."
        )
        again = await act(web, page, written, key="late", status="resolved")

    assert done == ActResult("ok", "incident inc1 is resolved")
    assert again.outcome == "ok"
    assert page.incidents[0]["body"] == "Over."


async def test_components_alone_are_set_and_given_back(web: HttpxWeb) -> None:
    """
    Without an incident components are set one by one, and given back as `restored`.
    """
    given = {"components": {"c1": "partial_outage", "c2": "partial_outage"}}
    async with running(Page({"c1": "operational", "c2": "operational"})) as page:
        done = await act(web, page, **given)
        again = await act(web, page, **given)
        page.components["c2"] = "major_outage"
        undone = await act(web, page, UNDO, **given)
        twice = await act(web, page, UNDO, **given)

    assert done == ActResult("ok", "c1 is partial_outage, c2 is partial_outage")
    assert again == ActResult("ok", "nothing to change")
    assert undone == ActResult("ok", "c1 is operational; left as somebody set it: c2")
    assert twice.detail == "nothing to change; left as somebody set it: c2"
    assert page.components == {"c1": "operational", "c2": "major_outage"}


async def test_component_that_could_not_be_given_back_is_refused(web: HttpxWeb) -> None:
    """
    Nothing remembers another state than `restored`, so the act does not begin.
    """
    given = {"components": {"c1": "major_outage"}}
    async with running(Page({"c1": "under_maintenance"})) as page:
        refused = await act(web, page, **given)
        taken = await act(web, page, **given, restored="under_maintenance")
        await act(web, page, UNDO, **given, restored="under_maintenance")

    assert refused == ActResult(
        "failed",
        "component c1 is under_maintenance, which would be given back as operational: "
        "correct `restored`",
        retryable=False,
    )
    assert taken.outcome == "ok"
    assert page.components == {"c1": "under_maintenance"}


async def test_f29_what_is_wrong_is_named(web: HttpxWeb) -> None:
    """
    A wrong token, page or component fails before anything is written.
    """
    async with running(Page({"c1": "operational"})) as page:
        token = await act(web, page, name="x", token="wrong")
        nobody = await act(web, page, name="x", token=None)
        where = await act(web, page, name="x", page="another")
        part = await act(web, page, name="x", components={"c9": "major_outage"})

    assert [one.outcome for one in (token, nobody, where, part)] == ["failed"] * 4
    assert not any(one.retryable for one in (token, nobody, where, part))
    assert token.detail.startswith("HTTP 401 (correct `token`): ")
    assert nobody.detail == (
        "no token: write `token: {secret: NAME}`, or set status_page.token in the "
        "configuration for its own address"
    )
    assert where.detail.startswith("HTTP 404 (correct `page`, `components` or `url`)")
    assert part.detail.startswith("HTTP 404 (correct `page`, `components` or `url`)")
    assert page.writes == []


@pytest.mark.parametrize(
    "rows",
    [
        {"error": 1},
        [7, {"no": "id"}],
        [{"id": "x", "metadata": {"incident_runbook": 7}}],
    ],
    ids=["no list", "odd rows", "odd metadata"],
)
async def test_f34_odd_lists_end_without_a_guess(web: HttpxWeb, rows: Any) -> None:
    """
    What is no list fails; rows that are not ours are passed over.
    """
    async with serving(always(as_json(rows))) as far:
        page = Page(url=far.url)
        done = await act(web, page, name="x")

    expected = ("failed", 0) if isinstance(rows, dict) else ("unknown", 1)
    posts = sum(one.method == "POST" for one in far.asked)
    assert (done.outcome, posts) == expected


async def test_plain_form_posts_and_patches_json(web: HttpxWeb) -> None:
    """
    Without a page it is JSON with the incident's key and an idempotency header.
    """
    own = {"token": {"secret": "TOKEN"}, "headers": {"X-Team": "shop"}}
    second = replace(CALL, key="r1/act/2")
    async with serving(always(as_json({"id": 1}, status=201))) as far:
        page, base = Page(url=far.url), {"page": None, **own}
        opened = await act(web, page, **base, **SLOW, key="late")
        await act(web, page, second, **base, key="late", status="monitoring")
        over = await act(web, page, UNDO, **base, **SLOW, key="late")
        parts = await act(web, page, UNDO, **base, components={"c1": "major_outage"})

    keys = [one.headers["idempotency-key"] for one in far.asked]
    assert (opened, over) == (
        ActResult("ok", "POST taken (HTTP 201)"),
        ActResult("ok", "PATCH taken (HTTP 201)"),
    )
    assert parts.outcome == "ok"
    assert [one.method for one in far.asked] == ["POST", "PATCH", "PATCH", "PATCH"]
    assert keys == ["r1/act/1", "r1/act/2", "r1/act/1/undo", "r1/act/1/undo"]
    assert far.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert far.asked[0].headers["x-team"] == "shop"
    assert far.asked[0].headers["x-fencing-token"] == "3"
    assert [one.json for one in far.asked] == [
        {
            "key": "r1/late",
            "run": "r1",
            "name": "Messages are late",
            "status": "investigating",
            "body": "We are looking into it.",
            "impact": "minor",
            "components": {"c1": "degraded_performance"},
            "notify": True,
        },
        {"key": "r1/late", "run": "r1", "status": "monitoring", "notify": True},
        {
            "key": "r1/late",
            "run": "r1",
            "status": "resolved",
            "body": "This incident has been resolved.",
            "components": {"c1": "operational"},
            "notify": True,
        },
        {
            "key": "r1/act/1",
            "run": "r1",
            "components": {"c1": "operational"},
            "notify": True,
        },
    ]


@pytest.mark.parametrize("status", [404, 410])
async def test_plain_undo_takes_gone_for_given_back(web: HttpxWeb, status: int) -> None:
    """
    Where the incident is gone the undo has nothing to do; an act fails there.
    """
    async with serving(always(reply("gone", status=status))) as far:
        page = Page(url=far.url)
        undone = await act(web, page, UNDO, page=None, name="x")
        done = await act(web, page, page=None, name="x")

    assert undone == ActResult("ok", f"gone already (HTTP {status})")
    assert done.outcome == "failed"


async def test_configured_page_is_used_and_its_token_goes_nowhere_else(
    web: HttpxWeb,
) -> None:
    """
    An act may leave out page, address and token; the token goes to its own address.
    """
    async with running(Page()) as page, serving(always(as_json({}))) as other:
        account = StatusPageAccount(page.url, PAGE, SecretRef(secret="TOKEN"))
        kind = StatusPageKind(web, account)
        done = await kind(StatusPageAct(name="x"), CALL)
        elsewhere = await kind(StatusPageAct(name="x", url=other.url), CALL)
        page_there = await kind(StatusPageAct(name="x", url=other.url, page="p"), CALL)
        nowhere = await StatusPageKind(web)(StatusPageAct(name="x"), CALL)

    assert (done.outcome, len(page.incidents)) == ("ok", 1)
    assert elsewhere.outcome == "ok"
    assert "authorization" not in other.asked[0].headers
    assert (page_there.outcome, page_there.retryable) == ("failed", False)
    assert len(other.asked) == 1
    assert nowhere == ActResult(
        "failed",
        "no status page: write `page` or `url`, or set status_page in the configuration",
        retryable=False,
    )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"body": "x"},
        {"page": "p", "name": "x", "headers": {"a": "b"}},
        {"components": {"c1": "broken"}},
        {"components": {"../c1": "operational"}},
        {"page": "../p", "name": "x"},
    ],
    ids=["nothing", "no name", "headers", "state", "component id", "page id"],
)
def test_status_page_parameters_that_do_not_fit_are_refused(
    given: dict[str, Any],
) -> None:
    """
    What makes no sense, or would lead to another path, is refused at load.
    """
    with pytest.raises(ValidationError):
        StatusPageAct.model_validate(given)


def test_status_page_registers_with_its_way_back(web: HttpxWeb) -> None:
    """
    The way back is built in, and one that is written counts instead.
    """
    registry = Registry()
    register(registry, web)
    kind, _ = registry.action("status_page")

    assert (kind.built_in_undo, kind.undo_may_be_written) == (True, True)
    assert all(field.description for field in kind.params.model_fields.values())
