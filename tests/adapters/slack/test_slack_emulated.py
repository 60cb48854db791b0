"""The adapter on a Slack that nobody here wrote (emulate), as far as that one goes.

It has no buttons, user groups, shortcuts and events, and its shim no uploads.
"""

from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from engine.adapters.slack import SlackApi, SlackChat
from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Card, Code, NewRoom, Place
from tests.adapters.slack.cards import QUESTION
from tests.contracts.chat_providers import Ticks
from tests.real_slack import Emulated, emulated_slack


def paced(slack: Emulated) -> SlackChat:
    """Return the adapter on a clock that only sleeping moves."""
    ticks = Ticks()
    token = slack.bot_token
    return SlackChat(SlackApi(slack.base_url, lambda: token, ticks.now, ticks.sleep))


async def test_emulate_shows_a_run(tmp_path: Path) -> None:
    """
    A room of its own, made once; posts that are found by their keys, edited, pinned.
    """
    async with emulated_slack(tmp_path) as slack:
        chat = paced(slack)
        new = NewRoom("Inc 2026-11-24/late", "sev1: late", ("nobody",))
        made = [await chat.new_room(new) for _ in range(2)]
        room = Place("slack", made[0])
        root = await chat.post(room, QUESTION, key="r-1:1")
        thread = Place("slack", made[0], root)
        step = await chat.post(thread, Card("s", (Code("x\n" * 9000),)), key="r-1:2")
        found = [
            await chat.find(place, key)
            for place, key in ((room, "r-1:1"), (thread, "r-1:2"), (thread, "r-1:3"))
        ]
        await chat.edit(room, root, Card("over"))
        for _ in range(2):
            await chat.pin(room, root)
        await chat.topic(room, "sev2: <late>")
        read = await chat.message(room, root)
        below = await chat.message(thread, step)
        gone = await chat.message(room, "1700000000.000001")
        app = AsyncWebClient(slack.bot_token, base_url=slack.base_url)
        told = (await app.conversations_info(channel=made[0]))["channel"]

        assert made[0] == made[1] == await chat.room("#inc-2026-11-24-late")
        assert found == [root, step, None]
        assert read is not None and below is not None and gone is None
        assert (read.text, below.by) == ("over", slack.bot_user)
        assert told["topic"]["value"] == "sev2: &lt;late&gt;"
        assert (await chat.link(room, root)).startswith("http")


async def test_emulate_says_no_in_slacks_words(tmp_path: Path) -> None:
    """
    What lasts, what passes and what is refused are told apart.
    """
    async with emulated_slack(tmp_path) as slack:
        chat = paced(slack)
        room = Place("slack", await chat.room("incidents"))
        with pytest.raises(ChatDown) as nowhere:
            await chat.post(Place("slack", "C0NOWHERE"), QUESTION, key="k")
        with pytest.raises(ChatRefused):
            await chat.edit(room, "1700000000.000001", QUESTION)
        with pytest.raises(ChatDown) as lost:
            await chat.room("#no-such-room")
        slack.fail("chat.postMessage", status=429, retry_after="30")
        with pytest.raises(ChatDown) as limited:
            await chat.post(room, QUESTION, key="k")

        lasting = [one.value.lasting for one in (nowhere, lost, limited)]
        assert [True, True, False] == lasting
        assert 30.0 == limited.value.wait_seconds
