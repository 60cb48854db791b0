"""What the desk says back reaches whoever did something, through the real provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from chat import Slack

from engine.entrypoints.chat.hearing import Hearing
from engine.model.chat import Card, Field, Form, Inbound, Reply, Rewritten
from engine.runtime.chat.replying import Replying
from tests.adapters.slack.cards import post_question, provider
from tests.entrypoints.chat.slack_world import World, a_door

FORM = Form("Reject", "reject q1", (Field("reason", "Why?", "long"),))


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack() as one:
        yield one


@dataclass
class Says:
    """A desk that always says this."""

    reply: Reply
    heard: list[Inbound]

    async def hear(self, event: Inbound) -> Reply:
        """Take note of an event."""
        self.heard.append(event)
        return self.reply


@asynccontextmanager
async def desk(slack: Slack, reply: Reply) -> AsyncIterator[World]:
    """Run a door before a desk that always says this."""
    async with a_door(slack) as world:
        said: Any = Says(reply, world.heard)
        replying = Replying(said, {"slack": provider(slack)})
        world.door.hearing = Hearing(replying.hear)
        yield world


def whispered(slack: Slack, who: str) -> list[str]:
    return [one.text for one in slack.ephemerals("incidents", who)]


async def test_a_whisper_is_shown_to_whoever_said_it(slack: Slack) -> None:
    """
    After a command, a mention and a button, to that person alone.
    """
    button = await post_question(slack)
    async with desk(slack, Reply(Card("not yours"))):
        await slack.command("ana", "incidents", "/runbook list")
        await slack.say("ana", "incidents", "@runbook list")
        await slack.press("bo", button, "approve")
        await slack.until(lambda s: len(whispered(s, "ana")) == 2)
        await slack.until(lambda s: whispered(s, "bo"))

    assert ["not yours"] == whispered(slack, "bo")


async def test_a_form_opens_and_comes_back(slack: Slack) -> None:
    """
    Reject asks for a reason, in the window that the press opened.
    """
    button = await post_question(slack)
    async with desk(slack, Reply(form=FORM)) as world:
        await slack.press("bo", button, "reject")
        await slack.until(lambda s: s.view("bo"))
        await slack.submit("bo", {"reason": "not now"})
        filled = world.heard[-1]

    assert ("reject q1", {"reason": "not now"}) == (filled.value, filled.answers)  # type: ignore[union-attr]


async def test_a_form_that_comes_too_late_becomes_words(slack: Slack) -> None:
    """
    Nobody waits for a window that never opens.
    """
    slack.fail("views.open", error="expired_trigger_id")
    async with desk(slack, Reply(form=FORM)):
        await slack.command("ana", "incidents", "/runbook list")
        await slack.until(lambda s: whispered(s, "ana"))

    assert "ask again" in whispered(slack, "ana")[0]


async def test_a_shortcut_is_answered_directly(slack: Slack) -> None:
    """
    It has no room, so it is a direct message.
    """
    async with desk(slack, Reply(Card("the runbooks"))):
        await slack.shortcut("ana", "list")
        await slack.until(lambda s: s.direct("ana").messages)

    assert ["the runbooks"] == [one.text for one in slack.direct("ana").messages]


async def test_a_slack_that_is_down_is_told_nothing(slack: Slack) -> None:
    """
    What cannot be shown does no harm, and the next word is answered.
    """
    with slack.fail("chat.postEphemeral", status=503):
        async with desk(slack, Reply(Card("told"))):
            await slack.command("ana", "incidents", "/runbook list")
            await slack.until(lambda s: s.calls_of("chat.postEphemeral"))
            slack.heal()
            await slack.command("ana", "incidents", "/runbook list")
            await slack.until(lambda s: whispered(s, "ana"))

    assert ["told"] == whispered(slack, "ana")


async def test_a_changed_message_is_answered_to_nobody(slack: Slack) -> None:
    """
    Whoever edits their own words is not spoken to.
    """
    async with desk(slack, Reply(Card("never"))) as world:
        said = await slack.say("ana", "incidents", "x")
        await slack.edit("ana", said, "y")
        await world.door.hearing.close()

    assert [Rewritten] == [type(one) for one in world.heard]
    assert [] == whispered(slack, "ana")
