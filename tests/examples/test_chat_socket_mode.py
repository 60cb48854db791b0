"""The stand-in's Socket Mode works with slack_sdk's real client."""

import asyncio

import aiohttp
from chat import Slack
from chat_world import client, connected


async def test_a_command_comes_in_an_envelope_and_its_answer_in_the_ack() -> None:
    """The payload of the acknowledgement is what the person sees."""
    async with Slack(socket_mode=True) as slack, connected(slack) as socket:
        socket.payloads["slash_commands"] = {"text": "two runbooks"}
        typed = await slack.command("ana", "incidents", "/runbook list")

        assert (typed.shown, typed.acknowledged) == ("two runbooks", True)
        assert [(r.type, r.payload["text"], r.accepts_response_payload)
                for r in socket.heard] == [("slash_commands", "list", True)]  # fmt: skip


async def test_events_and_clicks_come_in_envelopes() -> None:
    """Each has an id of its own, and says whether an answer may go with the ack."""
    async with Slack(socket_mode=True) as slack, connected(slack) as socket:
        await slack.say("ana", "incidents", "@runbook help")
        await slack.shortcut("bo", "start")

        assert [(r.type, r.accepts_response_payload) for r in socket.heard] == [
            ("events_api", False),
            ("events_api", False),
            ("interactive", True),
        ]
        assert len(set(socket.ids())) == 3


async def test_an_unacknowledged_envelope_comes_again_over_the_next_connection() -> (
    None
):
    """After a dropped connection the same envelope_id comes again."""
    async with (
        Slack(socket_mode=True, answer_seconds=15) as slack,
        connected(slack) as socket,
    ):
        socket.answering = False
        task = asyncio.create_task(slack.shortcut("ana", "start"))
        await slack.until(lambda _: len(slack.deliveries) == 1)
        while not socket.heard:
            await asyncio.sleep(0.01)
        socket.answering = True
        slack.sockets.drop()
        pressed = await task

        assert (pressed.acknowledged, slack.sockets.opened) == (True, 2)
        assert len(socket.heard) == 2
        assert len(set(socket.ids())) == 1


async def test_an_unacknowledged_event_is_tried_again_with_its_number() -> None:
    """Another envelope, the same event id, retry_attempt and the reason."""
    async with (
        Slack(socket_mode=True, answer_seconds=0.1) as slack,
        connected(slack) as socket,
    ):
        slack.courier.retry_seconds = (0.0, 0.0, 0.0)
        socket.answering = False
        await slack.say("ana", "incidents", "hello")
        delivery = slack.deliveries[0]
        await slack.until(lambda _: len(delivery.attempts) == 4)

        assert [(r.retry_attempt, r.retry_reason) for r in socket.heard] == [
            (0, ""),
            (1, "timeout"),
            (2, "timeout"),
            (3, "timeout"),
        ]
        assert len({r.payload["event_id"] for r in socket.heard}) == 1
        assert not delivery.acknowledged


async def test_the_app_connects_anew_when_told_to_go() -> None:
    """refresh_requested closes the connection; the client opens another."""
    async with Slack(socket_mode=True) as slack, connected(slack) as socket:
        await slack.disconnect("warning")
        await slack.disconnect("refresh_requested")
        await slack.until(lambda s: s.sockets.opened == 2 and s.sockets.connections)
        await slack.shortcut("ana", "start")

        assert ["interactive"] == [r.type for r in socket.heard]


async def test_an_app_that_is_away_hears_of_events_when_it_is_back() -> None:
    """What came while no socket was open comes as a retry; a click was lost."""
    async with Slack(socket_mode=True, answer_seconds=0.1) as slack:
        slack.courier.retry_seconds = (0.0, 0.2, 0.2)
        await slack.say("ana", "incidents", "hello")
        clicked = await slack.shortcut("ana", "start")
        async with connected(slack) as socket:
            await slack.until(lambda s: s.deliveries[0].acknowledged)
            kinds = [r.type for r in socket.heard]

        assert (kinds, clicked.shown) == (["events_api"], "dispatch_failed")


async def test_several_connections_take_turns() -> None:
    """Each envelope goes to one of them."""
    async with (
        Slack(socket_mode=True) as slack,
        connected(slack) as one,
        connected(slack) as two,
    ):
        for _ in range(4):
            await slack.shortcut("ana", "start")

        assert (2, 2) == (len(one.heard), len(two.heard))


async def test_pings_are_answered_unless_it_is_deaf() -> None:
    """A client whose pings stay unanswered gives the connection up and opens another."""
    async with Slack(socket_mode=True) as slack, connected(slack):
        await slack.until(lambda s: s.sockets.connections[0].pings > 1)
        opened = slack.sockets.opened
        slack.sockets.deaf = True
        await slack.until(lambda s: s.sockets.opened > opened)

        assert opened == 1


async def test_a_redelivered_click_has_the_same_envelope_id() -> None:
    """Slack may send what it already sent; the id says so."""
    async with Slack(socket_mode=True) as slack, connected(slack) as socket:
        pressed = await slack.shortcut("ana", "start")
        await slack.redeliver(pressed)

        assert (2, 1) == (len(socket.heard), len(set(socket.ids())))


async def test_a_ticket_opens_one_connection() -> None:
    """The address of apps.connections.open is good once."""
    async with Slack(socket_mode=True) as slack, aiohttp.ClientSession() as web:
        opened = await client(slack, slack.app_token).apps_connections_open(
            app_token=slack.app_token
        )
        async with web.ws_connect(opened["url"]) as socket:
            hello = await socket.receive_json()
        async with web.get(opened["url"]) as again:
            status = again.status

        assert (hello["type"], hello["num_connections"], status) == ("hello", 1, 403)


async def test_the_app_is_back_after_slack_was_gone() -> None:
    """Open sockets are cut, connecting is refused; the client comes back by itself."""
    async with Slack(socket_mode=True) as slack, connected(slack) as socket:
        await slack.go_away()
        await slack.until(lambda s: not s.sockets.connections)
        await slack.come_back()
        await slack.until(lambda s: s.sockets.connections)
        await slack.shortcut("ana", "start")

        assert ["interactive"] == [r.type for r in socket.heard]
