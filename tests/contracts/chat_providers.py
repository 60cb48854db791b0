"""The chats that the contract of ports.ChatProvider is tried on.

One more provider: a function that yields a `Tried`, and its name in PROVIDERS.
"""

import html
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from chat import Message, Slack

from engine.adapters.slack import SlackApi, SlackChat
from engine.model.chat import Place
from engine.ports import ChatProvider


@dataclass(frozen=True, slots=True)
class Seen:
    """One message as people see it: all that is written in it, and its buttons."""

    ref: str
    text: str
    buttons: tuple[str, ...] = ()
    thread: str = ""


@dataclass(slots=True)
class Tried:
    """A provider, and what a test can see and do behind its back.

    `ana` and `bo` are in the room `incidents`; `sre` is a group of both.
    """

    chat: ChatProvider
    room: str
    ana: str
    group: str
    seen: Callable[[str], list[Seen]]  # of a room, oldest first
    whispered: Callable[[str], list[str]]  # texts that an account alone sees
    pinned: Callable[[str], list[str]]  # refs, of a room
    topic: Callable[[str], str]
    members: Callable[[str], Sequence[str]]
    uploaded: Callable[[], list[bytes]]
    say: Callable[[str], Awaitable[str]]  # what ana says in the room; its ref
    trigger: Callable[[], Awaitable[str]]
    form: Callable[[], Any]  # the form before ana, or None
    away: Callable[[], AbstractAsyncContextManager[None]]
    mentions: Callable[[str], Sequence[str]]  # who is called by a room's messages
    revoke: Callable[[], None]

    @property
    def place(self) -> Place:
        """The room `incidents`."""
        return Place(self.chat.name, self.room)


@asynccontextmanager
async def on_slack() -> AsyncIterator[Tried]:
    """Give Slack's adapter over the stand-in."""
    async with Slack() as slack:
        group = slack.workspace.add_group("sre", ["ana", "bo"])
        ticks = Ticks()
        api = SlackApi(slack.base_url, lambda: slack.bot_token, ticks.now, ticks.sleep)

        async def say(text: str) -> str:
            return (await slack.say("ana", "incidents", text)).ts

        async def trigger() -> str:
            return str(
                (await slack.command("ana", "incidents", "/x")).body["trigger_id"]
            )

        @asynccontextmanager
        async def away() -> AsyncIterator[None]:
            await slack.go_away()
            yield
            await slack.come_back()

        def revoke() -> None:
            slack.fail(error="token_revoked")

        yield Tried(
            SlackChat(api, groups={"sre": group.id}),
            slack.channel("incidents").id,
            slack.workspace.person("ana").id,
            group.id,
            seen=lambda room: [_seen(one) for one in slack.messages(room)],
            whispered=lambda who: [
                one.said for one in slack.ephemerals("incidents", who)
            ],
            pinned=lambda room: [one.ts for one in slack.channel(room).pins],
            topic=lambda room: slack.channel(room).topic,
            members=lambda room: slack.channel(room).members,
            uploaded=lambda: [
                one.content or b"" for one in slack.workspace.files.values()
            ],
            say=say,
            trigger=trigger,
            form=lambda: slack.view("ana"),
            away=away,
            mentions=lambda room: [
                who for one in slack.messages(room) for who in sorted(one.pings)
            ],
            revoke=revoke,
        )


def _seen(message: Message) -> Seen:
    texts = html.unescape(message.said)
    return Seen(message.ts, texts, tuple(message.buttons), message.thread_ts)


@dataclass(slots=True)
class Ticks:
    """A clock that only sleeping moves."""

    at: float = 100.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return the seconds."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.at += seconds


PROVIDERS: Final = {"slack": on_slack}
