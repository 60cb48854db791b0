"""Runs on a real driver and a real library, steered from an in-process chat."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.adapters.hold_file import HoldFile
from engine.adapters.in_process_chat import InProcessChat
from engine.adapters.memory_chat import MemoryChat
from engine.adapters.memory_store import MemoryStore
from engine.core.code import CompiledRunbook
from engine.model.chat import (
    Account,
    Card,
    Filled,
    Form,
    Inbound,
    Marked,
    Message,
    Place,
    Pressed,
    Reply,
    Said,
    Shown,
)
from engine.model.people import Question
from engine.model.runbook import Test
from engine.model.timeline import Entry
from engine.runtime.chat.asking import Around
from engine.runtime.chat.cards import plain_lines
from engine.runtime.chat.desk import DEFECT, Desk
from engine.runtime.chat.people import People, Person, UserGroup
from engine.runtime.chat.story import Stories
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.library import Library
from engine.runtime.on_call import OnCall
from engine.runtime.redact import Redactor
from engine.runtime.scripted import (
    Script,
    ScriptedActions,
    ScriptedChecks,
    ScriptedPeople,
)
from engine.runtime.service import Service
from engine.runtime.virtual_time import VirtualClock
from tests.rehearsing import KINDS

HERE = Place("local", "C1", "t1")  # the thread of the run
ELSEWHERE = Place("local", "C1")
FOLK = (
    Person("ana", "commander", ("ops",), (("local", "U1"), ("other", "X1"))),
    Person("bo", "responder", ("ops",), (("local", "U2"), ("local", "U3"))),
    Person("cai", "responder", (), (("local", "U4"),)),
    Person("vic", "viewer", ("ops",), (("local", "U5"),)),
    Person("dee", "responder", ("bosses",), (("local", "U6"),)),
)
HEAD = (
    "format: 1\nrunbook: {}\ntitle: Messages are late\nowner: owners\nseverity: sev3\n"
)
GATED = """
actions: {take: {do: {to: b}, undo: {do: {to: a}}, retry: {times: 2, wait: 10m}}}
isolate:
  - approve: 'Take it?'
    from: [{group: ops, need: 2}]
    within: 10m
    then: {group: bosses, within: 5m}
  - act: take
workaround: {only: [{wait: 1h}]}
"""
ASKING = """
isolate:
  - {ask: 'What was done?', name: hand, who: ops,
     fields: {note: string, hosts: {type: integer, min: 1}, way: {type: choice, of: [a, b]}}}
  - {wait: 1h}
"""
WITH_INPUTS = """
inputs:
  region: {type: choice, of: [eu, us]}
  copies: {type: integer, default: 2}
  token: {type: string, secret: true, default: none}
trigger: [{chat: {who: ops}}]
actions: {take: {do: {to: '{{ region }}'}, undo: {do: {}}}}
isolate: [{act: take}, {wait: 1h}]
"""


@dataclass
class DeskWorld:
    """Everything around one desk."""

    folder: Path
    books: Mapping[str, str] = field(default_factory=dict)
    folk: tuple[Person, ...] = FOLK
    user_groups: tuple[UserGroup, ...] = ()
    script: dict[str, Any] = field(default_factory=dict)
    on_call: OnCall | None = None

    def __post_init__(self) -> None:
        """Write the runbooks, and build an engine on them."""
        self.clock = VirtualClock()
        self.store, self.kept = MemoryStore(seal=False), MemoryChat()
        self.chat = InProcessChat(self.clock.now, {"incidents": "C1", "other": "C2"})
        self.library = Library(KINDS)
        books = self.books or {"gated": GATED, "asking": ASKING, "inputs": WITH_INPUTS}
        for name, text in books.items():
            file = self.folder / f"{name}.yaml"
            file.write_text(HEAD.format(name) + text, encoding="utf-8")
        self.library.add_paths([self.folder])
        assert {} == self.library.refused
        self.switch = HoldFile(self.folder / "HOLD")
        self.driver = self._driver()
        self.people = People(
            self.folk, self.user_groups, {"local": self.chat}, self.clock
        )
        names = {one.name: one.groups for one in self.folk}
        redactor = Redactor(lambda: ["hunter2hunter2"])
        self.service = Service(
            self.driver, self.store, self.library, redactor, self.switch, names
        )
        stories = Stories(self.store, self.code_of)
        self.around = Around(
            self.service,
            self.kept,
            stories,
            self.people,
            {"local": self.chat},
            self.clock,
            self.switch,
            self.on_call,
        )
        self.desk = Desk(self.around)
        self.failed: list[str] = []  # what the desk could only log
        self.ids = itertools.count(1)

    def _driver(self) -> Driver:
        test = Test.model_validate({"name": "x"} | self.script)
        checks = ScriptedChecks(Script(test.checks), self.clock, frozenset())
        self.acts = ScriptedActions(Script(test.actions))
        ports = Ports(
            self.store, checks, self.acts, ScriptedPeople([]), self.clock, self.switch,
            self.code_of,
        )  # fmt: skip
        return Driver(ports)

    async def code_of(self, revision: str) -> CompiledRunbook:
        """Return the runbook of a revision."""
        bundles = [self.library.bundle(name) for name in self.library.runbooks]
        return next(one.compiled for one in bundles if one.revision == revision)

    async def start(self, name: str = "gated", by: str = "U4") -> str:
        """Start a runbook from the chat; its thread is HERE."""
        await self.say(f"run {name}", by=by, place=ELSEWHERE)
        run = (await self.store.runs())[0].run
        await self.kept.keep(Shown("local", run, HERE))
        return run

    async def hear(self, inbound: Inbound) -> Reply:
        """Let the desk hear it."""
        reply = await self.desk.hear(inbound)
        if reply.whisper is not None and DEFECT in str(reply.whisper):
            self.failed.append(repr(inbound))
        return reply

    async def say(
        self, text: str, *, by: str = "U1", place: Place = HERE, **more: Any
    ) -> Reply:
        """Say words."""
        fields = {"id": f"e{next(self.ids)}"} | more
        return await self.hear(
            Said(by=Account("local", by), place=place, text=text, **fields)
        )

    async def press(
        self, verb: str, value: str, *, by: str = "U1", **more: Any
    ) -> Reply:
        """Press a button."""
        fields = {"id": f"e{next(self.ids)}", "name": ""} | more
        account = Account("local", by, fields.pop("name"))
        return await self.hear(
            Pressed(by=account, place=HERE, ref="m1", verb=verb, value=value, **fields)
        )

    async def fill(
        self, value: str, answers: dict[str, Any], *, by: str = "U1", **more: Any
    ) -> Reply:
        """Send a form."""
        fields = {"id": f"e{next(self.ids)}"} | more
        return await self.hear(
            Filled(by=Account("local", by), value=value, answers=answers, **fields)
        )

    async def mark(self, ref: str, *, by: str = "U1", **more: Any) -> Reply:
        """Put a reaction under a message."""
        fields = {"id": f"e{next(self.ids)}", "mark": "pushpin"} | more
        return await self.hear(
            Marked(by=Account("local", by), place=ELSEWHERE, ref=ref, **fields)
        )

    def wrote(self, ref: str, text: str, *, by: str = "U4", **more: Any) -> Message:
        """Let a person write a message in the run's thread."""
        fields = {"place": HERE, "at": self.clock.now()} | more
        self.chat.said[ref] = Message(ref=ref, by=by, text=text, **fields)
        return self.chat.said[ref]

    async def question(self, run: str) -> Question:
        """Return what a run asks now."""
        summary = await self.store.summary(run)
        assert summary is not None
        return summary.questions[0]

    async def notes(self, run: str, *kinds: str) -> list[tuple[str, str]]:
        """Return what and why of a run's notes of these kinds."""
        return [
            (one.what, one.why)
            for one in await self.store.entries(run)
            if one.event is None and one.kind in kinds
        ]

    async def entries(self, run: str) -> list[Entry]:
        """Return a run's entries."""
        return await self.store.entries(run)


def text_of(reply: Reply) -> str:
    """Return what a reply shows, as text; a form by its title."""
    shown = "\n".join(plain_lines(reply.whisper)) if reply.whisper is not None else ""
    return shown if reply.form is None else f"form: {reply.form.title}"


def form_of(reply: Reply) -> Form:
    """Return the form of a reply."""
    assert reply.form is not None
    return reply.form


def buttons_of(card: Card | None) -> dict[str, str]:
    """Return the value of each button of a card, by its label."""
    assert card is not None
    return {
        one.label: one.value
        for part in card.parts
        for one in getattr(part, "buttons", ())
    }
