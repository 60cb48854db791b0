"""The screen of a run: what stands in chat, whatever happens on the way there."""

import asyncio
import dataclasses
import re
from itertools import pairwise
from typing import Any

from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Buttons, Card, Place, Shown
from engine.model.events import Noted
from engine.runtime.chat.cards import plain_lines
from engine.runtime.virtual_time import START
from tests.rehearsing import compiled
from tests.runtime.chat.chat_world import ANA, GATED, World, play

LONG = """
format: 1
runbook: long
title: Long
owner: owners
severity: sev3
chat: {channel: incidents}
limits: {time: {silent: 10m}}
workaround: {only: [{wait: 2h}]}
"""


class Killed(BaseException):
    """The engine's process is gone."""


class Mortal(World):
    """Its screen is killed at one of its calls: before it, or after it was done."""

    kill_at = 0
    calls = 0
    dead = False

    def mortal(self) -> None:
        """Let each call of the chat and each write be counted."""
        keep = self.kept.keep
        self.chat.trouble = lambda when, method: self.count()

        async def kept(shown: Shown) -> None:
            self.count()
            await keep(shown)
            self.count()

        self.kept.keep = kept  # type: ignore[method-assign]

    def count(self) -> None:
        """Count one moment; at the chosen one, and ever after, nothing goes on."""
        self.calls += 1
        if self.calls == self.kill_at:
            self.dead = True
        if self.dead:
            raise Killed


def lines_of_news(world: World) -> list[str]:
    """Return the title of every change that was posted, in order."""
    posted = [one.card for one in world.chat.messages if "/news/" in one.key]
    return [title for one in posted for title in _titles(one)]


def _titles(card: Card) -> list[str]:
    merged = " changes since " in card.title
    lines = plain_lines(card)[1:] if merged else [card.title]
    timed = re.compile(r"^\d\d:\d\d:\d\d ")
    return [timed.sub("", one) for one in lines if "Chat was down" not in one]


async def whole_story(world: World) -> None:
    """Play the gated run to its end."""
    await world.begin()
    await world.start()
    await world.question()
    await asyncio.sleep(5)
    await world.vote()
    await asyncio.sleep(120)


KEYS = [
    "r-1/pinned/0", "r-1/news/3", "r-1/asks/4", "r-1/news/11", "r-1/picture/2",
    "r-1/news/16", "r-1/picture/4", "r-1/ended/0",
]  # fmt: skip


def test_a_run_is_a_thread_with_its_story_its_question_and_its_end() -> None:
    """
    The root says how it stands now, the posts follow in order, the question has become
    the record of its answer, and nothing more follows.
    """
    world = World()
    play(whole_story(world))
    root, *others = world.chat.messages
    asked = next(one for one in others if "/asks/" in one.key)
    shown = play(world.kept.shown("local", "r-1"))

    assert KEYS == world.keys()
    assert {Place("local", "C-inc", root.ref)} == {one.place for one in others}
    assert "SEV3 Messages are late: resolved" == root.card.title
    assert ["Approved: Take it?", "Approved by: ana at 00:00:05"] == (
        plain_lines(asked.card)[:2]
    )
    assert not any(isinstance(one, Buttons) for one in asked.card.parts)
    assert shown is not None
    assert shown.over


def test_the_screen_is_killed_at_any_call_and_nothing_is_lost_or_doubled() -> None:
    """
    Before or after each call of the chat and each write: the same messages, once each.
    """
    whole = World()
    play(whole_story(whole))
    calls = 0
    while True:
        calls += 1
        world = Mortal()
        world.kill_at = calls
        play(_story_with_a_death(world))
        if not world.dead and world.calls < calls:
            break
        assert len(world.keys()) == len(set(world.keys())), calls
        assert lines_of_news(whole) == lines_of_news(world), calls
        assert {"r-1/pinned/0", "r-1/asks/4", "r-1/ended/0"} <= set(world.keys()), calls
        shown = play(world.kept.shown("local", "r-1"))
        assert shown is not None
        assert shown.over, calls

    assert calls > 40


async def _story_with_a_death(world: Mortal) -> None:
    world.mortal()
    await world.begin()
    reborn = asyncio.create_task(_reborn(world))
    await world.start()
    await world.question()
    await asyncio.sleep(5)
    await world.vote()
    await asyncio.sleep(120)
    reborn.cancel()
    await world.screens.stop()


async def _reborn(world: Mortal) -> None:
    while not world.dead:
        await asyncio.sleep(0.25)
    await world.screens.stop()
    world.dead, world.kill_at = False, -1
    await world.screen_again()


def test_f57_chat_is_down_for_half_an_hour_and_catches_up_once_in_order() -> None:
    """
    The run goes on without it; afterwards one merged post, not a flood, nothing lost.
    """
    world = World()
    down = [False]

    def trouble(when: str, method: str) -> None:
        if down[0]:
            raise ChatDown("503")

    async def story() -> str:
        world.chat.trouble = trouble
        await world.begin()
        await world.start()
        await world.question()
        await asyncio.sleep(5)
        down[0] = True
        await world.vote()
        await asyncio.sleep(1800)
        summary = await world.store.summary("r-1")
        assert summary is not None
        down[0] = False
        await asyncio.sleep(60)
        return summary.state

    whole = World()
    play(whole_story(whole))

    assert "resolved" == play(story())
    assert lines_of_news(whole) == lines_of_news(world)
    assert 2 == len([one for one in world.keys() if "/news/" in one])
    gaps = _gaps(world)
    assert min(gaps) >= 1.0 - 1e-6


def _gaps(world: World) -> list[float]:
    at = [one.at for one in world.chat.messages]
    return [after - before for before, after in pairwise(at)]


def test_f58_a_server_that_asks_to_wait_is_not_asked_before() -> None:
    """
    Retry-After 30 is waited for; a day is waited for as 300 s at most.
    """
    for asked, waited in ((30.0, 30.0), (99999.0, 300.0), (0.0, 1.0), (-1.0, 1.0)):
        world, tries = World(), list[float]()

        def trouble(
            when: str,
            method: str,
            tries: list[float] = tries,
            asked: float = asked,
        ) -> None:
            if method == "post" and when == "before":
                tries.append(asyncio.get_running_loop().time())
                if len(tries) == 1:
                    raise ChatDown("429", wait_seconds=asked)

        async def story(world: World = world, trouble: Any = trouble) -> None:
            world.chat.trouble = trouble
            await world.begin()
            await world.start()
            await asyncio.sleep(400)

        play(story())

        assert waited == round(tries[1] - tries[0], 3)


def test_f59_what_is_refused_is_shortened_and_then_said_in_the_timeline() -> None:
    """
    A message that is never taken is left out, once noted; the others follow.
    """
    world = World()

    def trouble(when: str, method: str) -> None:
        if method == "post" and when == "before" and world.keys()[-1:] == KEYS[:1]:
            refused.append(method)
            if len(refused) <= 2:
                raise ChatRefused("msg_too_long")

    refused: list[str] = []

    async def story() -> list[str]:
        world.chat.trouble = trouble
        await whole_story(world)
        entries = await world.store.entries("r-1")
        return [one.what for one in entries if one.kind == "note"]

    assert ["local did not take this (news): msg_too_long"] == play(story())
    assert "r-1/asks/4" in world.keys()
    assert "r-1/ended/0" in world.keys()


def test_silence_is_never_longer_than_its_limit() -> None:
    """
    With `limits.time.silent: 10m` no two posts that arrived are further apart.
    """
    world = World(LONG)

    async def story() -> None:
        await world.begin()
        await world.start()
        await asyncio.sleep(7100)

    play(story())

    assert max(_gaps(world)) <= 600.0
    assert len(world.chat.messages) > 10


def test_a_severe_run_has_a_room_of_its_own() -> None:
    """
    Made once, by date, runbook and run; the summary is pinned; the common room is told.
    """
    world = World(GATED.replace("sev3", "sev1"))
    play(whole_story(world))
    room = world.chat.rooms["inc-2026-01-01-gated-1"]
    pinned = [one.key for one in world.chat.messages if one.pinned]

    told = "SEV1 Messages are late: follow it in #inc-2026-01-01-gated-1"

    assert [told] == world.titles()
    assert ["r-1/pinned/0"] == pinned
    assert "SEV1 Messages are late (resolved), run r-1" == world.chat.topics[room]
    assert {Place("local", room)} == {
        one.place for one in world.chat.messages if one.place.room == room
    }


def test_f84_a_drill_is_marked_everywhere_and_mentions_nobody() -> None:
    """
    No room of its own, no group called, [REHEARSAL] before every message.
    """
    world = World(GATED.replace("sev3", "sev1"), mode="rehearsal")
    play(whole_story(world))
    cards = [one.card for one in world.chat.messages]

    assert KEYS == world.keys()
    assert all(plain_lines(one)[0].startswith("[REHEARSAL]") for one in cards)
    assert {()} == {one.loud for one in cards}


def test_a_question_that_was_closed_while_the_engine_was_down_is_its_record() -> None:
    """
    The buttons are gone as soon as the engine is back.
    """
    world = World()

    async def story() -> list[str]:
        await world.begin()
        await world.start()
        await world.question()
        await asyncio.sleep(5)
        await world.screens.stop()
        await world.vote("reject")
        await asyncio.sleep(60)
        await world.screen_again()
        await asyncio.sleep(20)
        asked = next(one for one in world.chat.messages if "/asks/" in one.key)
        return plain_lines(asked.card)[:2]

    assert ["Rejected: Take it?", "Rejected by: ana at 00:00:05"] == play(story())


def test_say_to_another_room_is_posted_there_and_in_the_thread() -> None:
    """
    Once each; a room that is not there is said in the timeline.
    """
    text = GATED.replace(
        "isolate:",
        "isolate:\n  - {say: 'We are on it', to: other}\n  - {say: 'Hi', to: nowhere}",
    )
    world = World(text)
    play(whole_story(world))
    notes = [one.what for one in play(world.store.entries("r-1")) if one.kind == "note"]

    assert ["We are on it"] == world.titles("C-oth")
    assert ["local did not take this (room): no room 'nowhere' at local"] == notes
    assert "r-1/ended/0" in world.keys()


def test_many_runs_share_a_room_a_post_a_second_and_questions_come_first() -> None:
    """
    Thirty runs at once: no two posts within a second, and each run that begins there is
    asked before the next one begins: the first question waits for nobody's.
    """
    world = World()

    async def story() -> None:
        await world.begin()
        for number in range(30):
            await world.start(f"r-{number}")
        await asyncio.sleep(150)

    play(story())
    kinds = [key.split("/")[1] for key in world.keys()]

    assert min(_gaps(world)) >= 1.0 - 1e-6
    assert 30 == kinds.count("asks")
    assert ["pinned", "news", "asks"] * 30 == kinds[:90]  # the first waits for no other


def test_a_burst_of_entries_is_merged_and_in_order() -> None:
    """
    Five hundred notes within ten seconds: some posts, each line once, in order.
    """
    world = World()

    async def story() -> None:
        await world.begin()
        await world.start()
        await world.question()
        for number in range(500):
            await world.driver.told("r-1", Noted(by=ANA, text=f"note {number}"))
            await asyncio.sleep(0.02)
        await asyncio.sleep(30)

    play(story())
    notes = [line for line in lines_of_news(world) if " note" in line]

    assert [str(number) for number in range(500)] == [
        line.rpartition(" ")[2] for line in notes
    ]
    assert len([key for key in world.keys() if "/news/" in key]) <= 25


def test_a_run_that_asks_passes_those_that_only_tell() -> None:
    """
    Fifty runs fill a room with news; the one that asks later is seen within seconds,
    though it waited among them before.
    """
    world = World(GATED.replace("isolate:", "isolate:\n  - {wait: 20s}"))

    async def story() -> float:
        await world.begin()
        await world.start("r-asks")
        for number in range(50):
            await world.start(f"r-{number}", "long")
        await asyncio.sleep(120)
        asked = next(one for one in world.chat.messages if "/asks/" in one.key)
        return asked.at - START

    world.others["long"] = dataclasses.replace(compiled(LONG), revision="long")

    assert play(story()) <= 24.0


def test_run_after_run_is_asked_within_seconds_and_all_are_shown_in_the_end() -> None:
    """
    Thirty runs, one after the other, faster than their room takes posts: each question
    stands there within five seconds, and afterwards everything is caught up with.
    """
    world = World(GATED.replace("{wait: 1m}", "{wait: 1s}"))

    async def asked(run: str) -> float:
        began = asyncio.get_running_loop().time()
        await world.start(run)
        while not any(key.startswith(f"{run}/asks/") for key in world.keys()):
            await asyncio.sleep(0.05)
        await world.vote(run=run)
        return asyncio.get_running_loop().time() - began

    async def story() -> list[float]:
        await world.begin()
        took = [await asked(f"r-{number}") for number in range(30)]
        await asyncio.sleep(300)
        return took

    assert max(play(story())) <= 5.0
    assert 30 == sum("/ended/" in key for key in world.keys())
    assert min(_gaps(world)) >= 1.0 - 1e-5


def test_a_hand_over_names_a_group_and_no_room() -> None:
    """
    Only what a `say` step says goes elsewhere: a rejected run tells nobody of a room.
    """
    world = World()

    async def story() -> list[str]:
        await world.begin()
        await world.start()
        await world.vote("reject")
        await asyncio.sleep(30)
        entries = await world.store.entries("r-1")
        return [one.what for one in entries if one.kind == "note"]

    assert [] == play(story())
    assert "r-1/ended/0" == world.keys()[-1]
