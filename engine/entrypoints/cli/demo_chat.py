"""`runbook demo --chat`: the people answer in a Slack stand-in, and it is shown.

The stand-in (examples/chat) listens on loopback, the engine speaks to it as to Slack,
over its Web API and Socket Mode, and a scripted responder presses the buttons. What
stands there goes to the terminal beside the run, or into a page that looks like a chat.

Called by demo.
"""

import asyncio
import contextlib
import importlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.bootstrap import Engine
from engine.entrypoints.chat.ways_in import WaysIn
from engine.entrypoints.cli.demo_people import (
    PEOPLE,
    THINK_SECONDS,
    Answering,
    Write,
    people_lines,
)
from engine.entrypoints.cli.following import Follower
from engine.entrypoints.web.admission import Admission
from engine.model.people import Question
from engine.model.run import RunSummary

CHANNELS: Final = ("inc-messaging", "inc-platform", "inc-edge", "inc-media")
SHOWN_SECONDS: Final = 20.0  # after its end, for chat to show it to its end
LOOK_SECONDS: Final = 0.1
OWNER_ONLY: Final = 0o600


@dataclass(slots=True)
class Talk:
    """A Slack stand-in for one demo, and who answers there."""

    slack: Any
    home: Path
    write: Write
    page: Path | None
    drawn: Any  # how a message is written as lines
    _shown: dict[tuple[str, str], int] = field(default_factory=dict)  # message: edits

    def configuration(self) -> Sequence[str]:
        """Return what the configuration says of people and of chat."""
        ids = {one.name: one.id for one in self.slack.workspace.people.values()}
        for name, secret in (
            ("bot", self.slack.bot_token), ("app", self.slack.app_token),
        ):  # fmt: skip
            file = self.home / f"{name}.token"
            file.touch(mode=OWNER_ONLY)
            file.write_text(str(secret), encoding="utf-8")
        return [
            *people_lines({name: ids[name] for name in PEOPLE}),
            "secrets: {bot: {file: ./bot.token}, app: {file: ./app.token}}",
            "chat:",
            "  slack: {token: {secret: bot}, app: {secret: app},",
            f"    channel: inc-messaging, url: '{self.slack.base_url}'}}",
            "  fallback: {letters: {file: ./letters}}",
        ]

    def people(self, opened: Engine, follower: Follower, write: Write) -> "Talking":
        """Return the people, who answer with buttons."""
        return Talking(self, opened, Answering(opened, follower, write), follower)

    def show(self) -> None:
        """Write what is new in the channels, and what became of questions."""
        if self.page is not None:
            return
        for channel in self.slack.workspace.channels.values():
            for message in channel.messages:
                known = self._shown.get((channel.id, message.ts))
                if known is None or (known != message.edits and message.is_reply):
                    self._say(channel, message, edited=known is not None)
                self._shown[channel.id, message.ts] = message.edits

    def _say(self, channel: Any, message: Any, *, edited: bool) -> None:
        mark = " (edited)" if edited else ""
        first, *rest = self.drawn(self.slack.workspace, message)
        self.write(f"  #{channel.name} │ {first}{mark}")
        for line in rest:
            self.write(f"  {' ' * len(channel.name)}  │ {line}")

    def keep(self) -> None:
        """Write the page, where one is wanted."""
        if self.page is not None:
            self.page.write_text(self.slack.page(), encoding="utf-8")
            self.write(f"Chat     {self.page}")


@dataclass(slots=True)
class Talking:
    """The demo's people at their chat; what has no button they answer at a terminal."""

    talk: Talk
    opened: Engine
    at_terminal: Answering
    follower: Follower
    _ways_in: WaysIn | None = None
    _watch: asyncio.Task[None] | None = None
    _answered: set[str] = field(default_factory=set)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def begin(self) -> None:
        """Open chat: what the engine shows, and what people do."""
        chat = self.opened.chat
        assert chat is not None  # it stands in the demo's configuration
        await chat.start()
        self._ways_in = WaysIn(self.opened, chat, Admission(self.opened.secrets))
        self._ways_in.start()
        self._watch = asyncio.create_task(self._show())

    async def _show(self) -> None:
        while True:
            self.talk.show()
            await asyncio.sleep(LOOK_SECONDS)

    async def answer(self) -> None:
        """Answer what is asked now, each question in a task of its own."""
        for summary in self.follower.open:
            for question in summary.questions:
                if question.key not in self._answered:
                    self._answered.add(question.key)
                    work = self._one(summary, question)
                    self._tasks.append(asyncio.create_task(work))

    async def _one(self, summary: RunSummary, question: Question) -> None:
        if question.kind != "approve" or question.retype is not None:
            await self.at_terminal.one(summary, question)
            return
        asked = await self._asked(question)
        await asyncio.sleep(THINK_SECONDS)
        for name, groups in PEOPLE.items():
            if any(group in groups for group, _ in question.who):
                await self.talk.slack.press(name, asked, _approve(asked))

    async def _asked(self, question: Question) -> Any:
        """Return the message of a question, once it stands in chat."""
        plan = question.plan.hash[:12] if question.plan is not None else ""
        while True:
            for channel in self.talk.slack.workspace.channels.values():
                for message in reversed(channel.messages):
                    if _approve(message) and plan in str(message.blocks):
                        return message
            await asyncio.sleep(LOOK_SECONDS)

    async def end(self) -> None:
        """Wait until the end stands in chat, then close it."""
        chat = self.opened.chat
        assert chat is not None
        assert self._ways_in is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_SECONDS):
                while await self.opened.store.chat.showing("slack"):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)
        for task in [*self._tasks, *([self._watch] if self._watch else [])]:
            task.cancel()
        await self._ways_in.stop()
        self.talk.show()
        self.talk.keep()


def _approve(message: Any) -> str:
    """Return the id of a message's button that approves, or an empty string."""
    for block in message.blocks or []:
        if block.get("type") != "actions":
            continue
        for element in block["elements"]:
            if element["text"]["text"] == "Approve":
                return str(element["action_id"])
    return ""


@asynccontextmanager
async def talking(
    home: Path, shipped: Path, write: Write, page: Path | None
) -> AsyncIterator[Talk]:
    """Give a Slack stand-in that listens on loopback.

    Args:
        home: The demo's folder.
        shipped: Where the stand-in's code lies.
        write: Takes each line.
        page: Where the page goes; None: it is shown in the terminal.
    """
    if str(shipped.parent) not in sys.path:
        sys.path.insert(0, str(shipped.parent))
    chat: Any = importlib.import_module("chat")
    drawn: Any = importlib.import_module("chat.picture")
    people, channels = list(PEOPLE), list(CHANNELS)
    async with chat.Slack(people=people, channels=channels, socket_mode=True) as slack:
        write(f"A Slack stand-in listens at {slack.base_url}")
        yield Talk(slack, home, write, page, drawn.plain_lines)
