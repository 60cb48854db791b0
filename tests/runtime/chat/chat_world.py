"""Runs on a real driver, in virtual time, shown by one in-process chat."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.adapters.in_process_chat import PNG, InProcessChat
from engine.adapters.memory_chat import MemoryChat
from engine.adapters.memory_store import MemoryStore
from engine.core.code import CompiledRunbook
from engine.model.events import Noted, Started, Voted
from engine.model.people import ENGINE, Actor, Question
from engine.model.run import RunSummary
from engine.model.runbook import Test
from engine.model.timeline import Entry
from engine.runtime.chat.cards import plain_lines
from engine.runtime.chat.health import Health
from engine.runtime.chat.rooms import Rules
from engine.runtime.chat.screen import Screen
from engine.runtime.chat.screens import Screens
from engine.runtime.chat.story import Stories, Story
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.scripted import (
    NoHold,
    Script,
    ScriptedActions,
    ScriptedChecks,
    ScriptedPeople,
)
from engine.runtime.session import Session
from engine.runtime.virtual_time import VirtualClock, run_virtual
from tests.rehearsing import compiled

Got = TypeVar("Got")
ANA = Actor("ana", groups=("ops", "owners"), via="chat")
GATED = """
format: 1
runbook: gated
title: Messages are late
owner: owners
severity: sev3
chat: {channel: incidents}
actions: {take: {do: {}, undo: {do: {}}}}
isolate:
  - approve: 'Take it?'
    name: take-it
    from: [{group: ops, need: 1}]
    within: 10m
  - act: take
workaround: {only: [{wait: 1m}]}
"""


@dataclass
class World:
    """Everything around one screen; `begin` makes a new engine on the same journal."""

    text: str = GATED
    store: MemoryStore = field(default_factory=lambda: MemoryStore(seal=False))
    kept: MemoryChat = field(default_factory=MemoryChat)
    rules: Rules = field(default_factory=lambda: Rules("local", "general"))
    script: dict[str, Any] = field(default_factory=dict)
    mode: str = "live"
    others: dict[str, CompiledRunbook] = field(default_factory=dict)  # by revision
    screens: Screens = field(init=False)
    driver: Driver = field(init=False)
    chat: InProcessChat = field(init=False)
    code: CompiledRunbook = field(init=False)

    def __post_init__(self) -> None:
        """Compile the runbook; a chat has two rooms."""
        self.code = compiled(self.text)
        self.clock = VirtualClock()
        rooms = {"incidents": "C-inc", "general": "C-gen", "other": "C-oth"}
        self.chat = InProcessChat(self.clock.now, rooms)

    async def code_of(self, revision: str) -> CompiledRunbook:
        """Return a runbook by its revision."""
        return self.others.get(revision, self.code)

    async def screen_again(self) -> None:
        """Begin a screen on what is kept, as a new process would."""
        stories = Stories(self.store, self.code_of)
        health = Health(self.clock, "local")
        screen = Screen(
            self.chat, self.kept, self.rules, self.clock, drawn, nobody, self.note
        )
        self.screens = Screens(screen, stories, self.store, health)
        await self.screens.start()

    async def begin(self) -> None:
        """Begin an engine: a driver, and a screen beside it."""
        await self.screen_again()
        test = Test.model_validate({"name": "x"} | self.script)
        checks = ScriptedChecks(Script(test.checks), self.clock, frozenset())
        people = ScriptedPeople([])
        actions = ScriptedActions(Script(test.actions))
        ports = Ports(
            self.store, checks, actions, people, self.clock, NoHold(), self.code_of
        )
        self.driver = Driver(ports, listener=self.changed)
        people.driver = self.driver

    def changed(self, summary: RunSummary, entries: list[Entry]) -> None:
        """Tell the screen."""
        self.screens.changed(summary, entries)

    async def note(self, run: str, text: str) -> None:
        """Write a note of the engine."""
        await self.driver.told(run, Noted(by=ENGINE, text=text))

    async def start(self, run: str = "r-1", revision: str = "rev") -> None:
        """Begin a run."""
        code = self.others.get(revision, self.code)
        mode: Any = self.mode
        first = Started(run=run, revision=revision, by=Actor("bo"), mode=mode)
        await self.driver.begin(Session(run, code), first)

    async def question(self, run: str = "r-1") -> Question:
        """Return what a run asks; wait until it asks."""
        while True:
            summary = await self.store.summary(run)
            if summary is not None and summary.questions:
                return summary.questions[0]
            await asyncio.sleep(0.01)

    async def vote(self, vote: Any = "approve", run: str = "r-1") -> None:
        """Answer what is asked."""
        asked = await self.question(run)
        plan = asked.plan.hash if asked.plan else ""
        event = Voted(key=asked.key, by=ANA, vote=vote, plan=plan)
        await self.driver.told(run, event)

    def titles(self, room: str = "C-inc") -> list[str]:
        """Return the first line of every message of a room, in order."""
        return [
            plain_lines(one.card)[0]
            for one in self.chat.messages
            if one.place.room == room
        ]

    def keys(self) -> list[str]:
        """Return the keys of all messages, in order."""
        return [one.key for one in self.chat.messages]


async def drawn(dot: str) -> bytes:
    """Return something that is a picture to the chat."""
    return PNG + dot.encode()


async def nobody(
    provider: str, story: Story
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return nobody to invite."""
    return (), ()


def play(work: Coroutine[Any, Any, Got]) -> Got:
    """Run it in virtual time."""
    return run_virtual(work)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 600.0) -> None:
    """Wait, in virtual time, until it is true."""
    ends = asyncio.get_running_loop().time() + seconds
    while not await true():
        if asyncio.get_running_loop().time() > ends:
            raise TimeoutError("never true")
        await asyncio.sleep(0.05)
