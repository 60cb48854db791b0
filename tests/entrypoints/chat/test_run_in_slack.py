"""A run on a real driver, in Slack's stand-in: what people see there, and do to it.

Everything but the clock of the pace is as it is live: the door over HTTP, the desk, the
screen. A second between posts is a fiftieth here.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from chat import Message, Slack

from engine.adapters.slack import SlackApi, SlackChat
from engine.entrypoints.chat.hearing import Hearing
from engine.model.events import Noted, Stopped
from engine.runtime.chat.asking import Around
from engine.runtime.chat.desk import Desk
from engine.runtime.chat.health import Health
from engine.runtime.chat.people import People, Person
from engine.runtime.chat.replying import Replying
from engine.runtime.chat.rooms import Rules
from engine.runtime.chat.screen import Screen
from engine.runtime.chat.screens import Screens
from engine.runtime.chat.story import Stories
from engine.runtime.library import Library
from engine.runtime.redact import Redactor
from engine.runtime.scripted import NoHold
from engine.runtime.service import Service
from tests.entrypoints.chat.slack_world import a_door
from tests.rehearsing import KINDS
from tests.runtime.chat.chat_world import World, drawn, nobody, until

FASTER = 50.0
BOOK = """
format: 1
runbook: gated
title: Messages are late
owner: ops
severity: sev3
chat: {channel: incidents}
checks:
  bad: {probe: {}, pass: value > 0, fresh_for: 1s}
actions:
  fix: {do: {to: x}, undo: none, why_no_undo: final}
diagnose:
  - cause:
    - {name: it, when: '!checks.bad.ok', workaround: only}
    - {name: other}
workaround:
  only:
    - {approve: 'Fix it?', from: {group: ops}, within: 10m}
    - {act: fix}
    - {wait: 1h}
"""


async def sooner(seconds: float) -> None:
    """Sleep a fiftieth of it."""
    await asyncio.sleep(seconds / FASTER)


@dataclass
class Run(World):
    """One run, shown in Slack."""

    slack: Slack = None  # type: ignore[assignment]

    async def screen_again(self) -> None:
        """Begin the screen on Slack."""
        api = SlackApi(
            self.slack.base_url, lambda: self.slack.bot_token,
            lambda: time.monotonic() * FASTER, sooner,
        )  # fmt: skip
        self.shown_by = SlackChat(api)
        rules = Rules("slack", "incidents", (), edit_seconds=0.05)
        screen = Screen(
            self.shown_by, self.kept, rules, self.clock, drawn, nobody, self.note
        )
        self.stories = Stories(self.store, self.code_of)
        self.screens = Screens(
            screen, self.stories, self.store, Health(self.clock, "slack"),
            post_seconds=1 / FASTER,
        )  # fmt: skip
        await self.screens.start()

    def hears(self) -> Hearing:
        """Return the desk's ears: ana and bo may answer."""
        folk = [
            Person(name, "responder", ("ops",), (("slack", self.id_of(name)),))
            for name in ("ana", "bo")
        ]
        chats = {"slack": self.shown_by}
        people = People(folk, (), chats, self.clock)
        service = Service(
            self.driver, self.store, Library(KINDS), Redactor(list), NoHold(),
            {one.name: one.groups for one in folk},
        )  # fmt: skip
        around = Around(service, self.kept, self.stories, people, chats, self.clock)
        return Hearing(Replying(Desk(around), chats).hear)

    def id_of(self, name: str) -> str:
        """Return a person's id in Slack."""
        return str(self.slack.workspace.person(name).id)

    def asked(self) -> list[Message]:
        """Return the messages that ask, or asked."""
        return [
            one
            for one in self.slack.messages("incidents")
            if "/asks/" in str(one.metadata)
        ]

    async def kept_so_far(self, count: int) -> bool:
        """Return whether so much was kept of people's messages."""
        return len(await self.notes()) >= count

    async def notes(self) -> list[Noted]:
        """Return what was kept of people's messages."""
        found = [one.event for one in await self.store.entries("r-1")]
        return [one for one in found if isinstance(one, Noted)]


@asynccontextmanager
async def a_run() -> AsyncIterator[Run]:
    """Begin a run, and wait until its question stands in Slack."""
    async with Slack() as slack, a_door(slack) as door:
        script = {"checks": {"bad": ["fail", "pass"]}}
        run = Run(BOOK, script=script, slack=slack)
        await run.begin()
        door.door.hearing = run.hears()
        await run.start()
        await slack.until(lambda _: run.asked())
        try:
            yield run
        finally:
            await run.screens.stop()
            await run.driver.stop(Stopped())


def approve(message: Message) -> str:
    """Return the id of the button that approves; it may be gone by now."""
    return next(
        str(one["action_id"])
        for block in message.blocks
        for one in block.get("elements", [])
        if one["type"] == "button" and one["text"]["text"] == "Approve"
    )


async def test_f64_a_void_plan_is_asked_again_with_the_difference() -> None:
    """
    What was approved has changed when the act begins: the old question says that it is
    void and has no button, a press on the old button counts for nothing and says so,
    the new question shows what changed, and its button lets the run go on.
    """
    async with a_run() as run:
        slack, (first,) = run.slack, run.asked()
        button = approve(first)
        await asyncio.sleep(1.1)  # the look is no longer fresh
        await slack.press("ana", first, button)
        await slack.until(lambda _: len(run.asked()) == 2)
        await slack.until(lambda _: "Void" in str(first.blocks))
        second = run.asked()[1]
        shown = str(second.blocks)
        await slack.press("bo", first, button, stale=True)
        await slack.until(lambda s: s.ephemerals("incidents", "bo"))
        told = [str(one.blocks) for one in slack.ephemerals("incidents", "bo")]
        still = (await run.question()).plan
        await slack.press("bo", second, approve(second))
        await slack.until(lambda _: "Approved" in str(second.blocks))
        kinds = [one.kind for one in await run.store.entries("r-1") if not one.event]

        changed = "The plan changed since it was approved: bad was fail, is pass"
        assert changed in shown
        with pytest.raises(StopIteration):
            approve(first)
        assert "another plan than the one that stands" in told[0]
        assert still is not None
        assert ["approved", "void", "refused", "approved"] == [
            one for one in kinds if one in ("approved", "void", "refused")
        ]


async def test_what_becomes_of_a_message_that_was_kept_is_written_down() -> None:
    """
    A pin keeps a message of the run's thread; its edits and its deletion follow, each
    once and by whom; one that nobody kept may change as it likes.
    """
    async with a_run() as run:
        slack = run.slack
        thread = slack.messages("incidents")[0].ts
        said = await slack.say("bo", "incidents", "lag is at <9>", thread_ts=thread)
        other = await slack.say("bo", "incidents", "hm", thread_ts=thread)
        await slack.react("ana", said, "pushpin")
        await until(lambda: run.kept_so_far(1), 10)
        for text in ("lag is at <12>", "lag is at <15>"):
            await slack.edit("bo", said, text)
            await slack.edit("bo", other, text)
        await slack.delete("bo", other)
        await slack.delete("bo", said)
        await until(lambda: run.kept_so_far(4), 10)
        kept = await run.notes()

        assert [
            ("lag is at <9>", "", "ana"), ("lag is at <12>", "edited", "bo"),
            ("lag is at <15>", "edited", "bo"), ("", "deleted", "bo"),
        ] == [(one.text, one.change, one.by.id) for one in kept]  # fmt: skip
        assert {("bo", f"slack:{said.channel}:{said.ts}")} == {
            (one.author, one.ref) for one in kept
        }
