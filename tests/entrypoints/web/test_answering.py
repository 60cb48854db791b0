"""One-time links over HTTP: what they show, what they take, and when they are void."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from engine.bootstrap.opening import Engine, engine
from engine.config import load_config
from engine.entrypoints.cli.choosing import known_library
from engine.entrypoints.web import serving
from engine.entrypoints.web.answering import Answering
from engine.entrypoints.web.app import application
from engine.errors import StoreUnavailable
from engine.model.events import Event
from engine.model.people import Question
from engine.runtime.chat.links import Links
from engine.views.chat.asked import open_questions

CONFIG = """\
data: ./state
runbooks: [./runbooks]
people:
  ana: {groups: [ops]}
  bo: {groups: [ops]}
  vic: {groups: [ops], role: viewer}
  eve: {groups: [others]}
"""
BOOK = """\
format: 1
runbook: small
title: small
owner: ops
severity: sev3
isolate:
STEPS
  - wait: 1h
"""
GATE = """\
  - approve: 'Take <b>it</b>?'
    from: {group: ops}
    not_by: [bo]
    retype: yes-take-it
    within: 10m
"""
ASK = """\
  - ask: 'How many?'
    who: ops
    fields: {many: integer}
    within: 10m
"""
NEEDS_ACT = GATE + "  - act: take\n"


@dataclass
class Door:
    """An engine with one run that asks, and its links over HTTP."""

    opened: Engine
    links: Links
    client: httpx.AsyncClient
    run: str
    question: Question
    asked: int  # number of the entry that asked it

    def token(self, person: str) -> str:
        """Return a fresh link's path for a person."""
        until = self.links.now() + 600
        link = self.links.link(self.run, self.question, person, until, asked=self.asked)
        return link.removeprefix("http://e")

    async def kinds(self) -> list[str]:
        """Return the kinds of what was said of the question."""
        told = ("approved", "rejected", "refused", "answered")
        entries = await self.opened.store.entries(self.run)
        return [one.kind for one in entries if one.kind in told and not one.event]


@asynccontextmanager
async def door(folder: Path, steps: str) -> AsyncIterator[Door]:
    """Start a run and wait until it asks."""
    (folder / "runbooks").mkdir()
    book = BOOK.replace("STEPS\n", steps)
    if "act: take" in steps:
        book += "actions: {take: {command: {argv: ['true']}, leaves_nothing: true}}\n"
    (folder / "runbooks/small.yaml").write_text(book)
    (folder / "engine.yaml").write_text(CONFIG)
    config = load_config(folder / "engine.yaml")
    library = known_library(config)
    assert {} == library.refused
    async with engine(config, library, write=lambda line: None) as opened:
        await opened.host.start()
        opened.host.begins("r-1")
        by = opened.service.actor("ana", "cli")
        await opened.service.start(library.bundle("small"), {}, by, run="r-1")
        while not (summary := await opened.service.summary("r-1")).questions:
            await asyncio.sleep(0.01)
        now = opened.service.driver.ports.clock.now
        links = Links("http://e", lambda: b"k" * 32, now)
        app = application(Answering(opened, links).routes())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://e") as web:
            ((asked, question),) = open_questions(
                summary, await opened.store.entries("r-1")
            )
            yield Door(opened, links, web, "r-1", question, asked)


async def test_looking_shows_the_exact_question_and_answers_nothing(
    tmp_path: Path,
) -> None:
    """
    Escaped, with the plan, without a script, kept by nobody; again and again.
    """
    async with door(tmp_path, NEEDS_ACT) as made:
        link = made.token("ana")
        for method in ("GET", "HEAD", "GET"):
            answer = await made.client.request(method, link)
            assert 200 == answer.status_code
        page, headers = answer.text, answer.headers

        assert [] == await made.kinds()
        assert "Take &lt;b&gt;it&lt;/b&gt;?" in page
        assert "1. take" in page
        assert "You answer as ana" in page
        assert "<script" not in page
        assert ("no-store", "no-referrer") == (
            headers["cache-control"], headers["referrer-policy"],
        )  # fmt: skip
        assert "form-action 'self'" in headers["content-security-policy"]
        assert re.search(r'http-equiv="Content-Security-Policy"[^>]*\'self\'', page)


async def test_a_mistake_uses_nothing_up_and_an_answer_counts_once(
    tmp_path: Path,
) -> None:
    """
    The wrong word to retype is told; then the vote; then the link is used.
    """
    async with door(tmp_path, NEEDS_ACT) as made:
        link = made.token("ana")
        wrong = await made.client.post(link, data={"verb": "approve", "typed": "no"})
        nothing = await made.client.post(link, content=b"\xff\xfe")
        good = {"verb": "approve", "typed": "yes-take-it"}
        both = await asyncio.gather(
            *(made.client.post(link, data=good) for _ in range(2))
        )

        assert (400, 400) == (wrong.status_code, nothing.status_code)
        assert "type yes-take-it to approve" in wrong.text
        assert 200 == min(one.status_code for one in both)
        assert 400 < max(one.status_code for one in both)
        assert ["approved"] == await made.kinds()


@pytest.mark.parametrize("person", ["bo", "vic", "eve"])
async def test_a_link_is_no_way_around_who_may_answer(
    person: str, tmp_path: Path
) -> None:
    """
    Bo is left out by not_by, vic only looks, eve is not asked: nothing counts.
    """
    async with door(tmp_path, NEEDS_ACT) as made:
        good = {"verb": "approve", "typed": "yes-take-it"}
        answer = await made.client.post(made.token(person), data=good)

        assert 409 == answer.status_code
        assert "approved" not in await made.kinds()
        assert 1 == len((await made.opened.service.summary("r-1")).questions)


async def test_an_answer_that_could_not_be_kept_uses_nothing_up(
    tmp_path: Path,
) -> None:
    """
    The journal is not there, then it is: the same link answers, once, and another
    process that opens the door afterwards knows that it was used.
    """
    async with door(
        tmp_path, NEEDS_ACT.replace("group: ops", "group: ops, need: 2")
    ) as (made):
        link, service = made.token("ana"), made.opened.service
        good, kept = {"verb": "approve", "typed": "yes-take-it"}, service.tell

        async def full(run: str, event: Event) -> None:
            raise StoreUnavailable("the disk is full")

        service.tell = full
        lost = await made.client.post(link, data=good)
        service.tell = kept
        taken = await made.client.post(link, data=good)
        app = application(Answering(made.opened, made.links).routes())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://e"
        ) as web:
            again = [await web.get(link), await web.post(link, data=good)]

        assert 503 == lost.status_code
        assert "this link is as good as it was" in lost.text
        assert (200, [410, 410]) == (
            taken.status_code, [one.status_code for one in again],
        )  # fmt: skip
        assert "used already" in again[1].text
        assert ["approved"] == await made.kinds()
        assert 1 == len((await service.summary("r-1")).questions)


async def test_fields_are_answered_by_link_as_their_types(tmp_path: Path) -> None:
    """
    Text that is no number is told; a number is kept as one.
    """
    async with door(tmp_path, ASK) as made:
        link = made.token("ana")
        wrong = await made.client.post(link, data={"many": "some"})
        good = await made.client.post(link, data={"many": "3"})
        entries = await made.opened.store.entries("r-1")
        told = next(one for one in entries if one.kind == "answered" and not one.event)

        assert (400, 200) == (wrong.status_code, good.status_code)
        assert {"many": 3} == told.refs["answers"]


async def test_a_forged_or_closed_link_is_gone(tmp_path: Path) -> None:
    """
    Made up, changed, of a closed question: 410, and nothing more is told.
    """
    async with door(tmp_path, ASK) as made:
        first, second = made.token("ana"), made.token("ana")
        await made.client.post(first, data={"many": "3"})
        gone = [
            await made.client.get(path)
            for path in ("/answer/x", "/answer/a.b", second[:-4] + "AAAA", second)
        ]

        assert [410] * 4 == [one.status_code for one in gone]
        assert "this question is closed" in gone[-1].text
        assert "How many" not in gone[-1].text


async def test_a_link_is_looked_at_and_answered_over_a_real_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A browser's form on a socket: shown, answered once, used then; no token in the log.
    """
    caplog.set_level("DEBUG")
    async with door(tmp_path, ASK) as made:
        link, sock = made.token("ana"), serving.listen("127.0.0.1:0")
        app = application(Answering(made.opened, made.links).routes())
        server = serving.server(app)
        task = asyncio.create_task(server.serve(sockets=[sock]))
        base = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as web:
            looked = await web.get(link)
            told = [await web.post(link, data={"many": one}) for one in ("x", "3", "4")]
        server.end(now=True)
        await task
        sock.close()

        assert 200 == looked.status_code
        assert "How many?" in looked.text
        assert [400, 200, 410] == [one.status_code for one in told]
        assert "used already" in told[2].text
        assert ["answered"] == await made.kinds()
        ours = [one for one in caplog.records if not one.name.startswith("httpx")]
        assert [] == [one for one in ours if link[8:] in one.getMessage()]
