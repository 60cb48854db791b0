"""The chats that the contract of ports.ChatProvider is tried on.

One more provider: a function that yields a `Tried`, and its name in PROVIDERS.
"""

import html
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from chat import Message, Slack
from mattermost import Mattermost, Post, markup

from engine.adapters.in_process_chat import InProcessChat, Posted, plain_text
from engine.adapters.mattermost.plain import JOINER
from engine.adapters.slack import SlackApi, SlackChat
from engine.errors import ChatDown
from engine.model import chat as nouns
from engine.model.chat import Buttons, Place
from engine.ports import ChatProvider
from tests.adapters.mattermost.mattermost_world import talking


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
    links: str = "http"  # how the link to a message begins

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


@asynccontextmanager
async def on_mattermost() -> AsyncIterator[Tried]:
    """Give Mattermost's adapter over the stand-in."""
    async with Mattermost() as server:
        world = server.world
        group = world.add_group("sre", ["ana", "bo"])

        async def say(text: str) -> str:
            return (await server.say("ana", "incidents", text)).id

        async def trigger() -> str:
            return world.new_trigger(world.user("ana"))

        @asynccontextmanager
        async def away() -> AsyncIterator[None]:
            await server.go_away()
            yield
            await server.come_back()

        def named(room: str) -> list[str]:
            posts = [*server.posts(room), *world.channel(room).posts]
            texts = [world.channel(room).header, *(one.said for one in posts)]
            names = {name for text in texts for name in markup.called(text)}
            return [group.id if name == group.name else name for name in sorted(names)]

        async with talking(server, groups={"sre": group.id}) as side:
            yield Tried(
                side.chat,
                world.channel("incidents").id,
                world.user("ana").id,
                group.id,
                seen=lambda room: [_post_seen(one) for one in server.posts(room)],
                whispered=lambda who: [
                    one.said for one in server.whispers("incidents", who)
                ],
                pinned=lambda room: [
                    one.id for one in server.posts(room) if one.pinned
                ],
                topic=lambda room: _read(world.channel(room).header),
                members=lambda room: world.channel(room).members,
                uploaded=lambda: [one.content for one in world.files.values()],
                say=say,
                trigger=trigger,
                form=lambda: server.dialog("ana"),
                away=away,
                mentions=named,
                revoke=server.revoke,
            )


def _post_seen(post: Post) -> Seen:
    verbs = tuple(one["integration"]["context"]["verb"] for one in post.actions)
    return Seen(post.id, _read(post.said), verbs, post.root)


def _read(text: str) -> str:
    """Return what a person reads of Mattermost's Markdown."""
    return html.unescape(markup.ESCAPE.sub(r"\1", text)).replace(JOINER, "")


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


@asynccontextmanager
async def in_process() -> AsyncIterator[Tried]:
    """Give the chat that is only in memory."""
    down: list[ChatDown] = []

    def trouble(when: str, method: str) -> None:
        if down:
            raise down[-1]

    ids = {"sre": "G1"}
    chat = InProcessChat(
        lambda: 1_800_000_000.0, {"incidents": "C1"}, trouble,
        groups={"G1": ("ana", "bo")}, triggers={"t1"},
    )  # fmt: skip

    def posted(room: str) -> list[Posted]:
        return [one for one in chat.messages if one.place.room == room]

    async def say(text: str) -> str:
        ref = f"s{len(chat.said)}"
        place = Place(chat.name, "C1")
        link = f"chat://{chat.name}/C1/{ref}"
        chat.said[ref] = nouns.Message(place, ref, "ana", text, chat.now(), link)
        return ref

    async def trigger() -> str:
        return "t1"

    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        down.append(ChatDown("away"))
        yield
        down.clear()

    yield Tried(
        chat, "C1", "ana", "G1",
        seen=lambda room: [_kept(one) for one in posted(room)],
        whispered=lambda who: [
            plain_text(card) for account, card in chat.whispers if account == who
        ],
        pinned=lambda room: [one.ref for one in posted(room) if one.pinned],
        topic=lambda room: chat.topics[room],
        members=lambda room: sorted(chat.invited[room]),
        uploaded=lambda: [one.png for one in chat.messages if one.png],
        say=say,
        trigger=trigger,
        form=lambda: chat.forms[-1] if chat.forms else None,
        away=away,
        mentions=lambda room: [
            ids[name] for one in posted(room) for name in one.card.loud if name in ids
        ],
        revoke=lambda: down.append(ChatDown("revoked", lasting=True)),
        links="chat://",
    )  # fmt: skip


def _kept(one: Posted) -> Seen:
    verbs = tuple(
        button.verb
        for part in one.card.parts
        if isinstance(part, Buttons)
        for button in part.buttons
    )
    return Seen(one.ref, plain_text(one.card), verbs, one.place.thread)


PROVIDERS: Final = {
    "slack": on_slack,
    "mattermost": on_mattermost,
    "in_process": in_process,
}
