"""The HTTP door for Mattermost, in a real server: acknowledged, refused, worked on."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from mattermost import Mattermost

from engine.entrypoints.chat.bodies import MOST_BYTES
from engine.entrypoints.chat.mattermost_door import MattermostDoor
from engine.entrypoints.web.app import application
from engine.entrypoints.web.serving import server as http_server
from engine.errors import ChatDown
from engine.model.chat import (
    Button,
    Buttons,
    Card,
    Field,
    Filled,
    Form,
    Inbound,
    Pressed,
    Said,
)
from tests.adapters.mattermost.mattermost_world import Side, talking

CARD = Card("t", (Buttons((Button("Approve", "approve", "v"),)),))


@dataclass
class Desk:
    """Who hears; it takes as long as a test lets it."""

    heard: list[Inbound] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False

    async def hear(self, event: Inbound) -> None:
        """Take an event."""
        await self.free.wait()
        if self.fails:
            raise ChatDown("the journal is locked")
        self.heard.append(event)


@dataclass
class Open:
    """An open door and all around it."""

    side: Side
    door: MattermostDoor
    desk: Desk
    url: str

    async def posted(self, path: str, body: bytes, **headers: str) -> int:
        """Return the status of a POST."""
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{self.url}/chat/mattermost/{path}", content=body, headers=headers
            )
        return answer.status_code


@asynccontextmanager
async def opened() -> AsyncIterator[Open]:
    """Give a Mattermost, and an engine's door that it can reach."""
    sock = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with Mattermost() as server, talking(server, callback=url) as side:
        server.callback(url)
        desk = Desk()
        desk.free.set()
        door = MattermostDoor(side.ears, desk.hear)
        serving = http_server(application(door.routes()))
        task = asyncio.create_task(serving.serve(sockets=[sock]))
        yield Open(side, door, desk, url)
        desk.free.set()
        await door.finished()
        serving.end(now=True)
        await task


@pytest.fixture
async def here() -> AsyncIterator[Open]:
    async with opened() as one:
        yield one


async def test_commands_buttons_and_forms_come_in(here: Open) -> None:
    """
    Each is answered with nothing to show, and heard.
    """
    server, chat = here.side.server, here.side.chat
    await chat.post(here.side.place(), CARD, key="k")
    ana = server.world.user("ana")
    await chat.form(server.world.new_trigger(ana), Form("t", "v", (Field("a", "A"),)))
    answers = [
        await server.command("ana", "incidents", "/runbook list"),
        await server.press("bo", server.last("incidents"), "Approve"),
        await server.submit("ana", {"a": "x"}),
    ]
    await here.door.finished()

    assert [(200, {})] * 3 == [(one.status, one.body) for one in answers]
    assert [Said, Pressed, Filled] == [type(one) for one in here.desk.heard]


@pytest.mark.timed
async def test_a_press_is_acknowledged_before_anything_waits(here: Open) -> None:
    """
    Within half a second, while the journal takes its time; it is done afterwards.
    """
    server = here.side.server
    await here.side.chat.post(here.side.place(), CARD, key="k")
    here.desk.free.clear()
    began = time.monotonic()
    answers = [
        await server.press("ana", server.last("incidents"), "Approve")
        for _ in range(20)
    ]
    took = time.monotonic() - began
    waiting = len(here.desk.heard)
    here.desk.free.set()
    await here.door.finished()

    assert [200] * 20 == [one.status for one in answers]
    assert max(one.seconds for one in answers) < 0.5
    assert (0, 20, True) == (waiting, len(here.desk.heard), took < 10)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("command", b"", 401), ("command", b"token=wrong&text=list", 401),
        ("action", b"{}", 401), ("action", b"\x00\xff", 401),
        ("action", b'{"context":{"verb":"approve","value":"v","code":"00"}}', 401),
        ("dialog", b'{"user_id":"u","state":"{}"}', 401), ("dialog", b"[" * 9000, 401),
        ("command", b"x" * (MOST_BYTES + 1), 413), ("command", b"token=command-token", 400),
        ("nothing", b"{}", 404),
    ],
    ids=range(10),
)  # fmt: skip
async def test_f67_what_mattermost_did_not_send_is_refused(
    here: Open, path: str, body: bytes, status: int
) -> None:
    """
    401 for what is forged, 400 and 413 for what it never sends; nothing is heard.
    """
    assert status == await here.posted(path, body)
    assert [] == here.desk.heard


async def test_a_web_page_cannot_post(here: Open) -> None:
    """
    A browser of this machine reaches what listens here; it says where it comes from.
    """
    body = b"token=command-token&trigger_id=t&user_id=u&channel_id=c&text=list"

    assert 401 == await here.posted("command", body, origin="https://evil.example")
    assert 200 == await here.posted("command", body)


async def test_without_a_secret_the_door_is_closed(here: Open) -> None:
    """
    503, not open: it may come again once the secret has a value.
    """
    here.side.secrets.held.clear()

    assert 503 == await here.posted("command", b"token=x")


async def test_what_fails_after_the_answer_does_not_end_the_server(here: Open) -> None:
    """
    It is logged; the next one is heard.
    """
    server = here.side.server
    here.desk.fails = True
    await server.command("ana", "incidents", "/runbook list")
    await here.door.finished()
    here.desk.fails = False
    await server.command("ana", "incidents", "/runbook list")
    await here.door.finished()

    assert 1 == len(here.desk.heard)
    assert {("command", 200): 2} == here.door.counts
