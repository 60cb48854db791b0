"""Words that a chat delivers late: they answer nothing that was asked after them."""

import asyncio
from pathlib import Path

import pytest
from desk_world import ASKING, GATED, DeskWorld, text_of

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
