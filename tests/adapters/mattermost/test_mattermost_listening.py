"""The websocket of Mattermost over real connections: kept, lost, caught up with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from mattermost import Mattermost

from engine.adapters.mattermost.listening import MattermostEvents
from engine.adapters.mattermost.server import MattermostServer
from engine.adapters.web import HttpxWeb
from engine.model.chat import Inbound, Marked, Rewritten, Said
from tests.adapters.mattermost.mattermost_world import LOOPBACK, Known, settings_for

WITHIN_SECONDS = 10.0


@dataclass
class Listener:
    """Somebody who listens; `blocked` holds each event back until it is set."""

    events: MattermostEvents
    heard: list[Inbound] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)
    breaks: bool = False
    open_room: str = ""  # where nothing is held back

    async def hear(self, event: Inbound) -> None:
        """Take an event."""
        if event.place is None or event.place.room != self.open_room:
            await self.free.wait()
        async with self.more:
            self.heard.append(event)
            self.more.notify_all()
        if self.breaks:
            raise RuntimeError("the desk is on fire")

    async def until(self, count: int) -> list[str]:
        """Return what was said, once so many events were heard."""
        async with asyncio.timeout(WITHIN_SECONDS), self.more:
            await self.more.wait_for(lambda: len(self.heard) >= count)
        return [one.text if isinstance(one, Said) else one.id for one in self.heard]


@asynccontextmanager
async def listening(server: Mattermost, *, token: str = "") -> AsyncIterator[Listener]:
    """Give somebody who is connected, or tries to be."""
    web = HttpxWeb([LOOPBACK])
    secrets = Known({"TOKEN": token or server.token})
    asks = MattermostServer(settings_for(server.url), secrets, web)
    one = Listener(MattermostEvents(asks, first_pause_seconds=0.02))
    one.free.set()
    task = asyncio.create_task(one.events.run(one.hear))
    try:
        if not token:
            async with asyncio.timeout(WITHIN_SECONDS):
                await one.events.connected.wait()
        yield one
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await web.aclose()


@pytest.fixture
async def server() -> AsyncIterator[Mattermost]:
    async with Mattermost() as one:
        yield one


async def reconnected(server: Mattermost, listener: Listener, before: int) -> None:
    """Wait until a new connection was let in."""
    await server.until(lambda one: one.sockets.opened > before)
    async with asyncio.timeout(WITHIN_SECONDS):
        await listener.events.connected.wait()


async def test_words_edits_deletions_and_marks_are_heard(server: Mattermost) -> None:
    """
    In the order they happened.
    """
    async with listening(server) as one:
        post = await server.say("ana", "incidents", "@runbook status")
        await server.say("bo", "@runbook", "list")
        await server.say("bo", "incidents", "just talk @channel")
        await server.react("bo", post, "pushpin")
        await server.edit("ana", post, "@runbook why")
        await server.unreact("bo", post, "pushpin")
        await server.delete("ana", post)
        await one.until(6)
        kinds = [type(event) for event in one.heard]

    assert [Said, Said, Marked, Rewritten, Marked, Rewritten] == kinds


async def test_what_is_said_while_nobody_listens_is_caught_up_with(
    server: Mattermost,
) -> None:
    """
    The connection breaks, the server is away for a while: nothing is lost or doubled.
    """
    async with listening(server) as one:
        await server.say("ana", "incidents", "@runbook one")
        await one.until(1)
        before = server.sockets.opened
        await server.go_away()
        await server.say("ana", "incidents", "@runbook two")
        post = await server.say("bo", "@runbook", "three")
        await server.react("ana", server.last("incidents"), "pushpin")
        await server.come_back()
        await reconnected(server, one, before)
        await server.say("ana", "incidents", "@runbook four")
        words = await one.until(5)
        mark = next(event for event in one.heard if isinstance(event, Marked))

    assert ["one", "two", "three", mark.id, "four"] == words
    assert f"post:{post.id}" in [event.id for event in one.heard]


async def test_a_connection_that_is_cut_again_and_again_loses_nothing(
    server: Mattermost,
) -> None:
    """
    Five times, with words in between.
    """
    async with listening(server) as one:
        for number in range(5):
            before = server.sockets.opened
            await server.sockets.disconnect()
            await server.say("ana", "incidents", f"@runbook {number}")
            await reconnected(server, one, before)
        words = await one.until(5)

    assert ["0", "1", "2", "3", "4"] == words


async def test_a_gap_in_the_numbers_is_caught_up_with(server: Mattermost) -> None:
    """
    Two events that were numbered and never came are asked for.
    """
    async with listening(server) as one:
        server.sockets.open[0].lost = 2
        for text in ("one", "two", "three"):
            await server.say("ana", "incidents", f"@runbook {text}")
        words = await one.until(3)

    assert ["one", "two", "three"] == words


async def test_a_desk_that_fails_or_waits_does_not_break_the_connection(
    server: Mattermost,
) -> None:
    """
    Events wait in order; what one of them raises is logged, the next is heard.
    """
    async with listening(server) as one:
        one.free.clear()
        one.breaks = True
        for number in range(50):
            await server.say("ana", "incidents", f"@runbook {number}")
        opened = server.sockets.opened
        one.free.set()
        words = await one.until(50)

    assert [str(number) for number in range(50)] == words
    assert 1 == opened == server.sockets.opened


async def test_a_room_that_waits_does_not_hold_up_another(server: Mattermost) -> None:
    """
    Words of one room come one after the other; another room's are heard meanwhile.
    """
    other = server.add_channel("other", ["ana"])
    async with listening(server) as one:
        one.free.clear()
        one.open_room = other.id
        await server.say("ana", "incidents", "@runbook one")
        await server.say("ana", "incidents", "@runbook two")
        await server.say("ana", "other", "@runbook three")
        before = await one.until(1)
        one.free.set()
        words = await one.until(3)

    assert (["three"], ["three", "one", "two"]) == (before[:1], words)


async def test_what_was_said_just_before_the_start_is_heard(server: Mattermost) -> None:
    """
    With the time it was said, so that it can be told what it was not about.
    """
    post = await server.say("ana", "incidents", "@runbook hold")
    async with listening(server) as one:
        words = await one.until(1)
        (event,) = one.heard
    assert isinstance(event, Said)

    assert ["hold"] == words
    assert abs(event.at - post.at / 1000) < 1.5  # the server tells whole seconds


async def test_an_edit_in_a_room_without_new_words_is_caught_up_with(
    server: Mattermost,
) -> None:
    """
    Edits and marks do not show in a room's times.
    """
    post = await server.say("ana", "incidents", "the database is slow")
    async with listening(server) as one:
        before = server.sockets.opened
        await server.go_away()
        await server.edit("ana", post, "the database is not slow")
        await server.come_back()
        await reconnected(server, one, before)
        await one.until(1)
        (event,) = one.heard
    assert isinstance(event, Rewritten)

    assert (post.id, "the database is not slow") == (event.ref, event.text)


async def test_f57_a_token_that_is_no_good_is_tried_again(server: Mattermost) -> None:
    """
    It does not end the listening: with a good token it goes on.
    """
    async with listening(server, token="bad") as one:
        await server.until(lambda it: len(it.calls_of("GET /users/me")) > 2)
        server.routes.tokens["bad"] = server.bot.id
        async with asyncio.timeout(WITHIN_SECONDS):
            await one.events.connected.wait()
        await server.say("ana", "incidents", "@runbook hello")
        words = await one.until(1)

    assert ["hello"] == words


async def test_what_may_not_be_asked_for_does_not_make_it_deaf(
    server: Mattermost,
) -> None:
    """
    A bot that may not list its rooms hears what is said from now on.
    """
    server.fail("GET /users/{user}/teams/{team}/channels", status=403)
    async with listening(server) as one:
        await server.say("ana", "incidents", "@runbook hello")
        words = await one.until(1)

    assert ["hello"] == words


async def test_no_address_is_reached_that_may_not_be(server: Mattermost) -> None:
    """
    The websocket asks the same door as every request.
    """
    web = HttpxWeb()  # only public addresses
    secrets = Known({"TOKEN": server.token})
    events = MattermostEvents(MattermostServer(settings_for(server.url), secrets, web))
    why = await events._once()
    await web.aclose()

    assert "is not a public address" in why
    assert 0 == server.sockets.opened
