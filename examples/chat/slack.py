"""`Slack`: one Slack workspace with one app in it, on 127.0.0.1. See the package."""

import asyncio
import time
from collections.abc import Callable, Iterable
from secrets import token_hex, token_urlsafe
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from chat import page, picture
from chat.bodies import VERIFICATION_TOKEN
from chat.courier import Courier
from chat.delivery import Delivery, Kind, Post, Sign
from chat.faults import Call, Drop, Fault, Rates, Trouble
from chat.people import People
from chat.server import Server
from chat.sockets import Reason, Sockets
from chat.things import Channel, Message, Person
from chat.workspace import View, Workspace

POLL_SECONDS: Final = 0.05
CLOSING_SECONDS: Final = 0.2  # what a call under way gets when the server ends


class Slack(People):
    """A workspace that answers an app over HTTP and tells it what people do.

    Attributes:
        base_url: of the Web API, for `AsyncWebClient(base_url=...)`; ends with "/api/".
        bot_token, app_token, signing_secret: the app's credentials.
        bot: the app's own user; workspace.bot_id, .app_id, .team are its other ids.
        workspace: people, channels, groups, files, views (see `workspace`).
        courier: what the app was told (`deliveries`), `subscribed`, `retry_seconds`.
        sockets: Socket Mode's connections, `deaf`.
        rates: how fast the app may call; nothing is limited until it is set
            (`rates.as_slack()`).
        trouble: the faults; `fail` sets them.
    """

    def __init__(
        self, *, people: Iterable[str] = ("ana", "bo"),
        channels: Iterable[str] = ("incidents",), socket_mode: bool = False,
        port: int = 0, clock: Callable[[], float] = time.time,
        answer_seconds: float = 3.0,
    ) -> None:  # fmt: skip
        """Make it, not yet listening.

        Args:
            people: who is in the workspace, and in each of the channels.
            channels: names; the app is in each.
            socket_mode: tell the app over websockets instead of HTTP.
            port: where to listen; 0: anywhere.
            clock: Unix seconds, for ts, event times and signatures.
            answer_seconds: how long the app has to acknowledge.
        """
        ticks = time.monotonic
        workspace = Workspace(clock, ticks)
        self.trouble = Trouble(ticks)
        self.signing_secret = token_hex(16)
        self.post = Post(self.signing_secret, clock, ticks, answer_seconds)
        self.sockets = Sockets(workspace.app_id, ticks, answer_seconds,
                               workspace.changed)  # fmt: skip
        courier = Courier(workspace, self.post, self.sockets, ticks)
        super().__init__(workspace, courier)
        courier.socket_mode = socket_mode
        self.server = Server(workspace, self.trouble, self.sockets.connect,
                             self.sockets.new_ticket, courier.respond)  # fmt: skip
        self.bot_token = "xoxb-good"
        self.app_token = "xapp-good"
        self._port = port
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        members = [workspace.add_person(name).name for name in people]
        for name in channels:
            self.add_channel(name, members)
        workspace.outgoing = courier.event

    # up and down

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None,
                        error: BaseException | None, trace: TracebackType | None
                        ) -> None:  # fmt: skip
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        self._runner = web.AppRunner(self.server.app, access_log=None,
                                     shutdown_timeout=CLOSING_SECONDS)  # fmt: skip
        await self._runner.setup()
        await self.come_back()

    async def stop(self) -> None:
        """End everything: connections, deliveries, the server."""
        await self.courier.close()
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def go_away(self) -> None:
        """Be gone: connections are refused and those that are open are cut."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        if self._runner is not None and self._runner.server is not None:
            for one in list(self._runner.server.connections):
                if one.transport is not None:
                    one.transport.abort()

    async def come_back(self) -> None:
        """Listen again, at the same port."""
        assert self._runner is not None, "start() first"
        if self._site is None:
            self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
            await self._site.start()
            self._port = self._runner.addresses[0][1]
            self.workspace.base = f"http://127.0.0.1:{self._port}"

    # the app

    @property
    def base_url(self) -> str:
        """Return the Web API's address."""
        return f"{self.workspace.base}/api/"

    @property
    def bot(self) -> Person:
        """Return the app's own user."""
        return self.workspace.bot

    def request_urls(self, *, events: str = "", interactivity: str = "",
                     commands: str = "") -> None:  # fmt: skip
        """Say where the app is told things over HTTP (an empty one: not at all)."""
        given: dict[Kind, str] = {"events_api": events, "interactive": interactivity,
                                  "slash_commands": commands}  # fmt: skip
        self.post.urls = {kind: url for kind, url in given.items() if url}

    async def verify_url(self, *, sign: Sign = "good") -> bool:
        """Ask the events URL for its challenge; return whether it was given back."""
        body = {"type": "url_verification", "token": VERIFICATION_TOKEN,
                "challenge": token_urlsafe(30)}  # fmt: skip
        with self.courier.signing(sign):
            delivery = self.courier.start("events_api", body)
        await delivery.tried.wait()
        answer = delivery.answer
        given = answer.get("challenge") if isinstance(answer, dict) else answer
        return bool(given == body["challenge"])

    def revoke(self, token: str = "") -> None:
        """Make a token (the bot's, if none is named) answer token_revoked."""
        self.server.revoked.add(token or self.bot_token)

    def restore(self, token: str = "") -> None:
        """Make a revoked token good again."""
        self.server.revoked.discard(token or self.bot_token)

    async def redeliver(self, delivery: Delivery, *, sign: Sign = "good") -> Delivery:
        """Bring the same body to the app again; see courier.Courier.again."""
        await self.courier.again(delivery, sign=sign)
        return delivery

    async def disconnect(self, reason: Reason) -> None:
        """Tell every websocket to go; see sockets.Sockets.disconnect."""
        await self.sockets.disconnect(reason)

    # faults

    def fail(
        self, *methods: str, status: int = 0, error: str = "",
        retry_after: str | None = None, seconds: float = 0.0, drop: Drop = "",
        effect: bool = False, channel: str = "", times: int | None = None,
    ) -> Fault:  # fmt: skip
        """Set a fault, of these methods or of all; see faults.Fault.

        Further "methods" are "upload" (a file's bytes) and "response_url". It holds
        until `.lift()`, `with slack.fail(...)` ends, or it met `times` calls.
        """
        where = self.workspace.channel(channel).id if channel else ""
        return self.trouble.add(Fault(
            frozenset(methods), status, error, retry_after, seconds, drop, effect,
            where, times,
        ))  # fmt: skip

    def heal(self) -> None:
        """Lift every fault."""
        for fault in self.trouble.faults:
            fault.lift()

    @property
    def rates(self) -> Rates:
        """Return how fast the app may call."""
        return self.trouble.rates

    @property
    def calls(self) -> list[Call]:
        """Return every call that came, in the order they were answered."""
        return self.trouble.calls

    def calls_of(self, *methods: str) -> list[Call]:
        """Return the calls of some methods."""
        return self.trouble.of(methods)

    # what is there

    def add_channel(self, name: str, people: Iterable[str] = (), *,
                    private: bool = False, app: bool = True) -> Channel:  # fmt: skip
        """Return a new channel of these people, with or without the app in it."""
        members = [*([self.bot.name] if app else []), *people]
        creator = self.workspace.person(members[0]).id if members else self.bot.id
        return self.workspace.add_channel(name, members, creator=creator,
                                          private=private)  # fmt: skip

    def channel(self, where: str) -> Channel:
        """Return a channel by name or id."""
        return self.workspace.channel(where)

    def direct(self, user: str) -> Channel:
        """Return the direct messages of a person and the app."""
        return self.workspace.direct(user)

    def messages(self, where: str) -> list[Message]:
        """Return what stands in a channel for everybody, replies too, oldest first."""
        return self.channel(where).shown()

    def ephemerals(self, where: str, user: str) -> list[Message]:
        """Return what only this person sees there."""
        me = self.workspace.person(user).id
        return [m for m in self.channel(where).messages if m.seen_by == me]

    def last(self, where: str) -> Message:
        """Return the newest message of a channel."""
        return self.messages(where)[-1]

    def message(self, where: str, ts: str) -> Message:
        """Return the message with this ts; Refused: message_not_found."""
        return self.channel(where).find(ts)

    def view(self, user: str) -> View | None:
        """Return the window that a person has before them, or None."""
        return self.workspace.top_view(self.workspace.person(user).id)

    @property
    def deliveries(self) -> list[Delivery]:
        """Return everything the app was told."""
        return self.courier.deliveries

    def events(self, kind: str) -> list[Delivery]:
        """Return the deliveries of one kind of event: "app_mention", "message" …"""
        return [
            one for one in self.deliveries
            if one.body.get("event", {}).get("type") == kind
        ]  # fmt: skip

    async def until(self, condition: Callable[["Slack"], object], *,
                    within: float = 10.0) -> None:  # fmt: skip
        """Return once a condition holds; looked at after each change and every 50 ms.

        Raises:
            TimeoutError: not within these seconds; the text shows all channels.
        """
        try:
            async with asyncio.timeout(within):
                while not condition(self):
                    await self.workspace.next_change(POLL_SECONDS)
        except TimeoutError:
            shown = "\n\n".join(map(self.transcript, self.workspace.channels))
            raise TimeoutError(
                f"not within {within:g} s; Slack has:\n{shown}"
            ) from None

    def transcript(self, where: str) -> str:
        """Return a channel as plain text; see picture."""
        return picture.transcript(self.workspace, self.channel(where))

    def page(self, *where: str) -> str:
        """Return channels (all, if none is named) as one HTML page; see page."""
        chosen = [self.channel(one) for one in where]
        every = chosen or list(self.workspace.channels.values())
        return page.html_page(self.workspace, every)
