"""The websocket of Mattermost, kept open: what people write, edit, mark.

What is here: the challenge, a connection that is opened again with growing pauses, and
what was missed meanwhile, asked for by time. What is not: what an event means
(reading), commands and buttons (they come over HTTP: hearing).

Events are handed on one by one, in order, beside the reading: a slow journal does not
break the connection. The server counts its events; a gap is caught up with, too.

Called by bootstrap, as a task of the server.
"""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from socket import AF_INET, AF_INET6, AddressFamily
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from engine.adapters.mattermost.reading import (
    events_of,
    is_direct,
    loaded,
    missed,
    whole_in,
)
from engine.adapters.mattermost.server import MattermostServer, Me, Visit, part
from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Inbound
from engine.ports import Web, WebProblem

log = logging.getLogger(__name__)

OPEN_SECONDS: Final = 10.0  # to connect, and to be let in
BEAT_SECONDS: Final = 20.0  # between two pings
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60.0
OVERLAP_SECONDS: Final = 30.0  # what is caught up with begins so much earlier
FURTHEST_SECONDS: Final = 900.0  # what is older is not acted on any more
WAITING: Final = 1_000  # events that wait to be handed on
MOST_BYTES: Final = 4 * 1024 * 1024  # of one event
KNOWN: Final = 10_000  # ids of events that were handed on

Hear = Callable[[Inbound], Awaitable[None]]


class Refused(Exception):
    """The server did not let the engine in."""


class _Checked(AbstractResolver):
    """Resolves through the one door, so that no address is reached that may not be."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AF_INET
    ) -> list[ResolveResult]:
        try:
            found = await self._web.addresses(host, port)
        except WebProblem as problem:
            raise OSError(problem.message) from problem
        return [
            ResolveResult(
                hostname=host, host=one, port=port, proto=0, flags=0,
                family=AF_INET6 if ":" in one else AF_INET,
            )
            for one in found
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is held open."""


class MattermostEvents:
    """Listens until it is cancelled."""

    def __init__(
        self,
        server: MattermostServer,
        *,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        """Listen to `server`; the pause is for tests."""
        self._server = server
        self._first_pause = first_pause_seconds
        self._pause = first_pause_seconds
        self._heard_at = 0.0  # the server's time, up to which nothing was missed
        self._handed: OrderedDict[str, None] = OrderedDict()
        self.connected = asyncio.Event()

    async def run(self, hear: Hear) -> None:
        """Hand every event to `hear`, for ever; what it raises is logged."""
        waiting: asyncio.Queue[Inbound] = asyncio.Queue(WAITING)
        handing = asyncio.create_task(_hand_on(waiting, hear))
        try:
            while True:
                why = await self._once(waiting)
                pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
                log.warning("mattermost lost why=%s again_in=%.1fs", why, pause)
                await asyncio.sleep(pause)
        finally:
            handing.cancel()
            with suppress(asyncio.CancelledError):
                await handing

    async def _once(self, waiting: asyncio.Queue[Inbound]) -> str:
        """Listen until the connection ends; return why it did."""
        try:
            await self._listen(waiting)
        except (ChatDown, ChatRefused, Refused) as error:
            return str(error)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            self.connected.clear()
        return "the server closed it"

    async def _listen(self, waiting: asyncio.Queue[Inbound]) -> None:
        server = self._server
        me = await server.me(server.visit())
        address = _checked(server.url)
        connector = aiohttp.TCPConnector(
            resolver=_Checked(server.web), force_close=True
        )
        async with aiohttp.ClientSession(connector=connector) as session:
            async with asyncio.timeout(OPEN_SECONDS):
                await _reachable(server.web, address)
                socket = await session.ws_connect(
                    address, heartbeat=BEAT_SECONDS, max_msg_size=MOST_BYTES
                )
                early = await _let_in(socket, server.token())
            try:
                await self._hear_all(socket, early, me, waiting)
            finally:
                await socket.close()

    async def _hear_all(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        early: Sequence[str],
        me: Me,
        waiting: asyncio.Queue[Inbound],
    ) -> None:
        if self._heard_at:
            await self._catch_up(me, waiting)
        self._heard_at = self._server.now()
        self._pause = self._first_pause
        self.connected.set()
        log.info("mattermost connected")
        expected = -1
        for raw in early:
            expected = await self._event(raw, expected, me, waiting)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            expected = await self._event(message.data, expected, me, waiting)

    async def _event(
        self, raw: str, expected: int, me: Me, waiting: asyncio.Queue[Inbound]
    ) -> int:
        """Hand on what an event says; return the number that the next one has."""
        event = loaded(raw)
        number = whole_in(event, "seq") if "event" in event else -1
        if number >= 0 and expected >= 0 and number > expected:
            log.warning("mattermost gap events=%d", number - expected)
            await self._catch_up(me, waiting)
        await self._put(events_of(event, me), waiting)
        self._heard_at = self._server.now()
        return number + 1 if number >= 0 else expected

    async def _put(
        self, events: Sequence[Inbound], waiting: asyncio.Queue[Inbound]
    ) -> None:
        for event in events:
            if event.id in self._handed:
                continue
            self._handed[event.id] = None
            while len(self._handed) > KNOWN:
                self._handed.popitem(last=False)
            await waiting.put(event)

    async def _catch_up(self, me: Me, waiting: asyncio.Queue[Inbound]) -> None:
        """Ask for what was said meanwhile in every room that the bot is in."""
        now = self._server.now()
        since = max(self._heard_at - OVERLAP_SECONDS, now - FURTHEST_SECONDS)
        since_ms = int(since * 1000)
        visit = self._server.visit()
        team = await self._server.team_id(visit)
        rooms = await visit.get(f"/users/{part(me.id)}/teams/{part(team)}/channels")
        found: list[tuple[int, Inbound]] = []
        for room in rooms if isinstance(rooms, list) else ():
            if isinstance(room, dict) and _may_have_news(room, since_ms):
                found += await _news(self._server.visit(), room, me, since_ms)
        found.sort(key=lambda one: one[0])
        await self._put([event for _, event in found], waiting)


def _may_have_news(room: dict[str, Any], since_ms: int) -> bool:
    last = max(whole_in(room, name) for name in ("last_post_at", "update_at"))
    return isinstance(room.get("id"), str) and (last >= since_ms or not last)


async def _news(
    visit: Visit, room: dict[str, Any], me: Me, since_ms: int
) -> list[tuple[int, Inbound]]:
    try:
        listing = await visit.get(
            f"/channels/{part(room['id'])}/posts?since={since_ms}"
        )
    except ChatRefused:
        return []  # it was thrown out of there meanwhile
    return missed(listing, me, direct=is_direct(room), since_ms=since_ms)


async def _hand_on(waiting: asyncio.Queue[Inbound], hear: Hear) -> None:
    while True:
        event = await waiting.get()
        try:
            await hear(event)
        except Exception:  # the next event is heard all the same
            log.exception("an event of mattermost failed event=%s", event.id)


async def _let_in(socket: aiohttp.ClientWebSocketResponse, token: str) -> list[str]:
    """Pass the challenge; return the events that came before its answer."""
    challenge = {
        "seq": 1, "action": "authentication_challenge", "data": {"token": token},
    }  # fmt: skip
    await socket.send_json(challenge)
    early: list[str] = []
    while True:
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise Refused("it closed the websocket: is the token good?")
        raw = message.data
        answer = loaded(raw)
        if answer.get("seq_reply") == 1:
            if answer.get("status") != "OK":
                raise Refused("the token is not good for the websocket")
            return early
        early.append(raw)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    scheme = {"https": "wss", "http": "ws"}[parts.scheme]
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/api/v4/websocket"


async def _reachable(web: Web, address: str) -> None:
    """Raise OSError where the address may not be reached: no resolver is asked then."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    try:
        await web.addresses(parts.hostname or "", port)
    except WebProblem as problem:
        raise OSError(problem.message) from problem
