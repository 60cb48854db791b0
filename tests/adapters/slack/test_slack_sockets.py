"""Socket Mode over the stand-in: acknowledged at once, connected again, ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from chat import Slack

from engine.adapters.slack import SlackApi
from engine.adapters.slack.sockets import SlackSockets
from engine.model.chat import Inbound, Pressed, Said
from tests.adapters.slack.cards import post_question


@dataclass
class Listening:
    """A connection that is kept open, and what came over it."""

    sockets: SlackSockets
    slept: list[float]
    taken: list[Inbound] = field(default_factory=list)
    takes: bool = True

    def take(self, event: Inbound) -> bool:
        """Take note of an event."""
        if self.takes:
            self.taken.append(event)
        return self.takes


@asynccontextmanager
async def listening(slack: Slack, *, beat: float = 10.0) -> AsyncIterator[Listening]:
    """Keep Socket Mode open for the block; pauses take no time."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0.01)

    api = SlackApi(slack.base_url, lambda: slack.app_token, sleep=sleep)
    sockets = SlackSockets(api, lambda one: made.take(one), beat_seconds=beat)
    made = Listening(sockets, slept)
    task = asyncio.create_task(sockets.run())
    try:
        await slack.until(lambda s: s.sockets.connections)
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(socket_mode=True) as one:
        yield one


async def test_what_people_do_comes_in_and_is_acknowledged(slack: Slack) -> None:
    """
    A command, a mention and a button, each acknowledged within 500 ms.
    """
    async with listening(slack) as made:
        typed = await slack.command("ana", "incidents", "/runbook list")
        await slack.say("bo", "incidents", "@runbook status")
        button = await post_question(slack)
        pressed = await slack.press("ana", button, "approve")
    seconds = [typed.seconds, pressed.seconds, slack.events("app_mention")[0].seconds]

    assert [Said, Said, Pressed] == [type(one) for one in made.taken]
    assert max(seconds) < 0.5


async def test_f61_an_envelope_that_comes_again_has_the_same_id(slack: Slack) -> None:
    """
    Whoever takes each id once acts once.
    """
    async with listening(slack) as made:
        typed = await slack.command("ana", "incidents", "/runbook list")
        for _ in range(2):
            await slack.courier.again(typed)

    assert 3 == len(made.taken)
    assert 1 == len({one.id for one in made.taken})


async def test_what_is_not_taken_is_not_acknowledged(slack: Slack) -> None:
    """
    Slack sends it again.
    """
    slack.sockets.answer_seconds = 0.2
    async with listening(slack) as made:
        made.takes = False
        typed = await slack.command("ana", "incidents", "/runbook list")

    assert "timeout" == typed.last.failed


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_slack_moves_the_connection(slack: Slack, reason: str) -> None:
    """
    The next one is opened at once, without a pause.
    """
    async with listening(slack) as made:
        await slack.sockets.disconnect(reason)  # type: ignore[arg-type]
        await slack.until(lambda s: s.sockets.opened == 2)
        await slack.command("ana", "incidents", "/runbook list")

    assert ([], 1) == (made.slept, len(made.taken))


@pytest.mark.parametrize("how", ["link_disabled", "too_many_websockets", "drop"])
async def test_a_lost_connection_is_opened_again(slack: Slack, how: str) -> None:
    """
    After a pause; what was sent meanwhile comes.
    """
    async with listening(slack) as made:
        if how == "drop":
            slack.sockets.drop()
        else:
            await slack.sockets.disconnect(how)  # type: ignore[arg-type]
        typed = await slack.command("ana", "incidents", "/runbook list")

    assert 1 <= made.slept[0] <= 1.5
    assert (200, 1) == (typed.status, len(made.taken))


async def test_pauses_grow_while_slack_is_gone(slack: Slack) -> None:
    """
    1 s, 2 s, 4 s …, each up to half as much longer; from the start after a success.
    """
    async with listening(slack) as made:
        await slack.go_away()
        async with asyncio.timeout(5):
            while len(made.slept) < 8:
                await asyncio.sleep(0.01)
        told = made.sockets.why
        await slack.come_back()
        await slack.until(lambda s: s.sockets.connections)
        async with asyncio.timeout(5):
            while not made.sockets.connected:
                await asyncio.sleep(0.01)
        slack.sockets.drop()
        count = len(made.slept)
        await slack.until(lambda s: s.sockets.opened == 3)
    expected = [1, 2, 4, 8, 16, 30, 30, 30]

    assert [True] * 8 == [
        least <= one <= least * 1.5
        for least, one in zip(expected, made.slept, strict=False)
    ]
    assert "cannot be reached" in told
    assert made.slept[count] <= 1.5


async def test_a_connection_that_went_silent_is_left(slack: Slack) -> None:
    """
    Without an answer to a ping the connection is dead.
    """
    slack.sockets.deaf = True
    async with listening(slack, beat=0.2) as made:
        await slack.until(lambda s: s.sockets.opened == 2)

    assert made.slept


async def test_a_token_that_is_refused_is_told(slack: Slack) -> None:
    """
    It goes on trying, and says what to look at.
    """
    slack.fail("apps.connections.open", error="invalid_auth")
    api = SlackApi(slack.base_url, lambda: "xapp-bad")
    sockets = SlackSockets(api, lambda _: True, pauses=(0.01,))
    task = asyncio.create_task(sockets.run())
    await slack.until(lambda s: len(s.calls_of("apps.connections.open")) > 2)
    task.cancel()

    assert (False, True) == (sockets.connected, "invalid_auth" in sockets.why)


async def test_a_defect_at_one_envelope_does_not_end_it(slack: Slack) -> None:
    """
    What goes wrong here is logged, and the next envelope is heard.
    """
    async with listening(slack) as made:
        good, bad = made.sockets.take, iter([True, False])

        def take(event: Inbound) -> bool:
            if next(bad):
                raise RuntimeError("a defect")
            return good(event)

        made.sockets.take = take
        slack.sockets.answer_seconds = 1.0
        typed = await slack.command("ana", "incidents", "/runbook list")

    assert ([True], 1) == ([typed.acknowledged], len(made.taken))


async def test_it_ends_when_it_is_told_to(slack: Slack) -> None:
    """
    Cancelled, its connection is closed in order.
    """
    async with listening(slack):
        pass
    await slack.until(lambda s: not s.sockets.connections)

    assert 1 == slack.sockets.opened
