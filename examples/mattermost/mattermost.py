"""`Mattermost`: one server with one team and one bot, on 127.0.0.1. See the package."""

import asyncio
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from aiohttp import web
from chat.faults import Drop

from mattermost.people import People
from mattermost.routes import Routes
from mattermost.sockets import Sockets
from mattermost.things import Channel, Json, Post, User
from mattermost.trouble import Call, Failure, Trouble
from mattermost.world import World


class Mattermost(People):
    """A server that answers a bot, and tells it what people do.

    Attributes:
        url: its address.
        token: the bot's; `routes.tokens` are all good ones.
        world: users, channels, posts, groups, dialogs (see `world`).
        sockets: who listens.
        trouble: the faults, and every call that came.
    """

    def __init__(
        self, *, people: Iterable[str] = ("ana", "bo"),
        channels: Iterable[str] = ("incidents",),
        clock: Callable[[], float] = time.time, answer_seconds: float = 3.0,
    ) -> None:  # fmt: skip
        """Make it, not yet listening; everybody is in every channel, so is the bot."""
        world = World(clock)
        super().__init__(world, answer_seconds=answer_seconds)
        self.trouble = Trouble(time.monotonic)
        self.routes = Routes(world, self.trouble, self._changed)
        self.sockets = Sockets(world, self.routes.tokens, self._changed)
        self.routes.app.router.add_get("/api/v4/websocket", self.sockets.connect)
        self.token = "good-token"
        self.url = ""
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._events: asyncio.Queue[tuple[str, Json, Channel]] = asyncio.Queue()
        self._telling: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        names = [world.add_user(name).name for name in people]
        for name in channels:
            self.add_channel(name, names)
        world.emit = self._emit

    # up and down

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(
            self.routes.app, access_log=None, shutdown_timeout=0.2
        )
        await self._runner.setup()
        await self.come_back()
        self._telling = asyncio.create_task(self._tell_all())
        return self

    async def __aexit__(self, kind: type[BaseException] | None,
                        error: BaseException | None, trace: TracebackType | None
                        ) -> None:  # fmt: skip
        if self._telling is not None:
            self._telling.cancel()
        await self.go_away()
        if self._runner is not None:
            await self._runner.cleanup()

    async def go_away(self) -> None:
        """Be gone: connections are refused and those that are open are cut."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        self.sockets.open.clear()
        if self._runner is not None and self._runner.server is not None:
            for one in list(self._runner.server.connections):
                if one.transport is not None:
                    one.transport.abort()

    async def come_back(self) -> None:
        """Listen again, at the same port."""
        assert self._runner is not None
        if self._site is None:
            self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
            await self._site.start()
            self._port = self._runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{self._port}"

    def callback(self, base: str) -> None:
        """Say where the slash command posts to: below this address."""
        self.command_url = f"{base}/chat/mattermost/command"

    def revoke(self) -> None:
        """Make the bot's token no good any more."""
        self.routes.tokens.pop(self.token, None)

    def restore(self) -> None:
        """Make it good again."""
        self.routes.tokens[self.token] = self.world.bot.id

    def fail(
        self, *names: str, status: int = 0, error: str = "",
        retry_after: str | None = None, reset: str | None = None, seconds: float = 0.0,
        drop: Drop = "", effect: bool = False, channel: str = "",
        times: int | None = None,
    ) -> Failure:  # fmt: skip
        """Set a fault of these calls ("POST /posts"), or of all; see chat.faults."""
        where = self.world.channel(channel).id if channel else ""
        failure = Failure(frozenset(names), status, error, retry_after, seconds, drop,
                          effect, where, times, reset=reset)  # fmt: skip
        self.trouble.faults.append(failure)
        return failure

    def calls_of(self, *names: str) -> list[Call]:
        """Return the calls of some names."""
        return self.trouble.of(names)

    # what is there

    def add_channel(
        self, name: str, people: Iterable[str] = (), *, private: bool = False,
        bot: bool = True,
    ) -> Channel:  # fmt: skip
        """Return a new channel of these people, with or without the bot."""
        members = [*([self.world.bot.name] if bot else []), *people]
        return self.world.add_channel(
            name, members, creator=self.world.bot.id, kind="P" if private else "O"
        )

    @property
    def bot(self) -> User:
        """Return the bot."""
        return self.world.bot

    def posts(self, where: str) -> list[Post]:
        """Return what people and bots wrote there and is still there, oldest first."""
        return [
            one for one in self.world.channel(where).posts
            if not one.deleted_at and not one.seen_by and not one.type
        ]  # fmt: skip

    def last(self, where: str) -> Post:
        """Return the newest of them."""
        return self.posts(where)[-1]

    def whispers(self, where: str, user: str) -> list[Post]:
        """Return what only this person sees there."""
        me = self.world.user(user).id
        return [one for one in self.world.channel(where).posts if one.seen_by == me]

    def dialog(self, user: str) -> Json | None:
        """Return the dialog that a person has before them."""
        opened = self.world.dialogs.get(self.world.user(user).id)
        return opened["dialog"] if opened else None

    async def until(self, condition: Callable[["Mattermost"], object], *,
                    within: float = 10.0) -> None:  # fmt: skip
        """Return once a condition holds; looked at after each change."""
        async with asyncio.timeout(within):
            while not condition(self):
                future = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                await future

    async def settled(self) -> None:
        """Return once every event was sent."""
        if self._telling is not None:
            await self._events.join()

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def _emit(self, event: str, data: Json, channel: Channel) -> None:
        self._events.put_nowait((event, data, channel))
        self._changed()

    async def _tell_all(self) -> None:
        while True:
            event, data, channel = await self._events.get()
            await self.sockets.tell(event, data, channel)
            self._events.task_done()
