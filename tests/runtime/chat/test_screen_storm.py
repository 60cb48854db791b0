"""Two hundred runs in one room, on a wire that loses answers and asks to wait."""

import asyncio
import random
from collections import Counter
from itertools import pairwise

from engine.errors import ChatDown
from engine.model.chat import Card
from engine.runtime.chat.cards import plain_lines
from tests.runtime.chat.chat_world import World, play

RUNS = 200
STEPS = ("one", "two", "three")
BOOK = """
format: 1
runbook: told
title: Told
owner: owners
severity: sev3
chat: {channel: incidents}
workaround: {only: [{say: one}, {wait: 1s}, {say: two}, {wait: 1s}, {say: three}, {wait: 9h}]}
"""


class Wire:
    """Loses what is asked, or the answer to it, and sometimes asks to wait."""

    def __init__(self, seed: int) -> None:
        self.dice, self.is_bad = random.Random(seed), True
        self.failed: Counter[str] = Counter()

    def trouble(self, when: str, method: str) -> None:
        """Fail now and then."""
        drawn = self.dice.random() if self.is_bad else 1.0
        if drawn < 0.02:
            self.failed[f"lost {when}"] += 1
            raise ChatDown("connection lost")
        if when == "before" and drawn < 0.03:
            self.failed["429"] += 1
            raise ChatDown("429", wait_seconds=3.0)


def told(card: Card) -> list[str]:
    """Return which of the run's words a message tells, in order."""
    lines = " ".join(plain_lines(card)).split()
    return [word for word in lines if word in STEPS]


def test_f57_f58_two_hundred_runs_lose_nothing_and_keep_their_order() -> None:
    """
    Lost requests, lost answers and 429 in between: each run has one root, each word of
    it once and in order, no two posts stand within a second, and all are caught up with.
    """
    world, wire = World(BOOK), Wire(7)

    async def story() -> tuple[int, float]:
        await world.begin()
        world.chat.trouble = wire.trouble
        for number in range(RUNS):
            await world.start(f"r-{number}")
        await asyncio.sleep(900)
        wire.is_bad = False
        await asyncio.sleep(300)
        return world.screens.behind()

    behind = play(story())
    keys = world.keys()
    words: dict[str, list[str]] = {f"r-{number}": [] for number in range(RUNS)}
    for one in world.chat.messages:
        if "/news/" in one.key:
            words[one.key.partition("/")[0]] += told(one.card)
    at = [one.at for one in world.chat.messages]

    assert (0, 0.0) == behind
    assert {"lost before", "lost after", "429"} == set(wire.failed)
    assert len(keys) == len(set(keys))
    assert RUNS == sum("/pinned/" in key for key in keys)
    assert {tuple(STEPS)} == {tuple(one) for one in words.values()}
    assert min(later - sooner for sooner, later in pairwise(at)) >= 1.0 - 1e-6
