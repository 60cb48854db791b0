"""Words that a chat delivers late: they answer nothing that was asked after them."""

import asyncio
from pathlib import Path

import pytest
from desk_world import ASKING, GATED, DeskWorld, text_of

from engine.model.events import Event
from engine.runtime.virtual_time import run_virtual

BOOKS = {"gated": GATED.replace("need: 2", "need: 1"), "asking": ASKING}
LATE = "was asked after that was said: look at it, and say it again"


@pytest.mark.parametrize(
    ("book", "words"),
    [
        ("gated", "approve"), ("gated", "reject no"),
        ("asking", "answer note=x hosts=2 way=a"),
    ],
)  # fmt: skip
def test_words_from_before_a_question_do_not_answer_it(
    tmp_path: Path, book: str, words: str
) -> None:
    """
    Said a minute before it was asked, they are refused; said now, they count.
    """

    async def story() -> tuple[str, int, int]:
        world = DeskWorld(tmp_path, BOOKS)
        said_at = world.clock.now() - 60
        run = await world.start(book)
        await asyncio.sleep(5)
        late = text_of(await world.say(words, at=said_at))
        summary = await world.store.summary(run)
        await world.say(words, at=world.clock.now())
        await asyncio.sleep(1)
        after = await world.store.summary(run)
        assert summary is not None
        assert after is not None
        return late, len(summary.questions), len(after.questions)

    late, before, after = run_virtual(story())

    assert LATE in late
    assert (1, 0) == (before, after)


@pytest.mark.parametrize(
    ("words", "after_seconds", "told"),
    [
        ("U1> approve", 2.0, "RUN: ana said yes\nstill needed: 1 of ops"),
        ("U4> approve", 2.0, "Not done\nit does not count: cai is not in ops"),
        ("U1> approve", 60.0, "RUN: left for the engine that drives the run"),
    ],
    ids=["counts", "does not count", "nobody takes it"],
)
def test_what_another_process_makes_of_a_word_is_waited_for(
    tmp_path: Path, words: str, after_seconds: float, told: str
) -> None:
    """
    A run that another engine drives: its word on the vote is told, and not "left for
    it", unless it takes more than five seconds.
    """

    async def story() -> str:
        world = DeskWorld(tmp_path)
        run = await world.start()
        await asyncio.sleep(1)
        tasks = []

        async def elsewhere(run: str, event: Event) -> None:
            async def later() -> None:
                await asyncio.sleep(after_seconds)
                await world.driver.told(run, event)

            tasks.append(asyncio.create_task(later()))

        world.service.tell = elsewhere
        who, _, said = words.partition("> ")
        reply = text_of(await world.say(said, by=who))
        for task in tasks:
            task.cancel()
        return reply.replace(run, "RUN")

    assert told == run_virtual(story())
