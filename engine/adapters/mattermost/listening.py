"""The websocket of Mattermost, kept open: what people write, edit, mark.

What is here: the challenge, a connection that is opened again with growing pauses, and
what was missed meanwhile, asked for by time. What is not: what an event means
(reading), commands and buttons (they come over HTTP: hearing).

Events are handed on beside the reading, those of one room one after the other: a slow
journal does not break the connection, and a slow room does not hold up another. The
server counts its events; a gap is caught up with, too. What was said shortly before the
engine began is asked for as well: whoever hears knows what it heard before.

Called by bootstrap, as a task of the server.
"""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from socket import AF_INET, AF_INET6, AddressFamily
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec.structs import replace

from engine.adapters.mattermost.reading import (
    events_of,
    is_direct,
    loaded,
    missed,
    whole_in,
)
from engine.adapters.mattermost.server import MattermostServer, Me, Visit, part
from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Inbound, Said
from engine.ports import Web, WebProblem

log = logging.getLogger(__name__)

OPEN_SECONDS: Final = 10.0  # to connect, and to be let in
BEAT_SECONDS: Final = 20.0  # between two pings
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60.0
OVERLAP_SECONDS: Final = 30.0  # what is caught up with begins so much earlier
FURTHEST_SECONDS: Final = 900.0  # what is older is not acted on any more
BEFORE_START_SECONDS: Final = 300.0  # said while the engine was on its way up
QUIET_ROOM_SECONDS: Final = 86_400.0  # a room without a post since is not asked about
MOST_ROOMS: Final = 50  # the liveliest ones: Mattermost takes ten requests a second
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
        self._hear: Hear = _nobody
        self._last: dict[str, asyncio.Task[None]] = {}  # room: its newest event
        self._slots = asyncio.Semaphore(WAITING)
        self.connected = asyncio.Event()

    async def run(self, hear: Hear) -> None:
        """Hand every event to `hear`, for ever; what it raises is logged."""
        self._hear = hear
        self._heard_at = self._server.now() - BEFORE_START_SECONDS
        try:
            while True:
                why = await self._once()
                pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
                log.warning("mattermost lost why=%s again_in=%.1fs", why, pause)
                await asyncio.sleep(pause)
        finally:
            left = list(self._last.values())
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _once(self) -> str:
        """Listen until the connection ends; return why it did."""
        try:
            await self._listen()
        except (ChatDown, ChatRefused, Refused) as error:
            return str(error)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        except Exception:  # whoever stops listening here is deaf until a restart
            log.exception("mattermost listening failed")
            return "a defect"
        finally:
            self.connected.clear()
        return "the server closed it"

    async def _listen(self) -> None:
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
                await self._hear_all(socket, early, me)
            finally:
                await socket.close()

    async def _hear_all(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        early: Sequence[str],
        me: Me,
    ) -> None:
        await self._catch_up(me)
        self._heard_at = self._server.now()
        self._pause = self._first_pause
        self.connected.set()
        log.info("mattermost connected")
        expected = -1
        for raw in early:
            expected = await self._event(raw, expected, me)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            expected = await self._event(message.data, expected, me)

    async def _event(self, raw: str, expected: int, me: Me) -> int:
        """Hand on what an event says; return the number that the next one has."""
        event = loaded(raw)
        number = whole_in(event, "seq") if "event" in event else -1
        if number >= 0 and expected >= 0 and number > expected:
            log.warning("mattermost gap events=%d", number - expected)
            await self._catch_up(me)
        await self._put(events_of(event, me))
        self._heard_at = self._server.now()
        return number + 1 if number >= 0 else expected

    async def _put(self, events: Sequence[Inbound]) -> None:
        for event in events:
            if event.id in self._handed:
                continue
            self._handed[event.id] = None
            while len(self._handed) > KNOWN:
                self._handed.popitem(last=False)
            await self._slots.acquire()
            room = event.place.room if event.place is not None else ""
            hand = self._hand_on(self._ours(event), room, self._last.get(room))
            self._last[room] = asyncio.create_task(hand)

    def _ours(self, event: Inbound) -> Inbound:
        """Return it with its time as our clock has it."""
        if not isinstance(event, Said) or not event.at:
            return event
        return replace(event, at=event.at - self._server.ahead)

    async def _hand_on(
        self, event: Inbound, room: str, before: asyncio.Task[None] | None
    ) -> None:
        try:
            if before is not None:
                await asyncio.wait((before,))
            await self._hear(event)
        except Exception:  # the next event is heard all the same
            log.exception("an event of mattermost failed event=%s", event.id)
        finally:
            self._slots.release()
            if self._last.get(room) is asyncio.current_task():
                del self._last[room]

    async def _catch_up(self, me: Me) -> None:
        """Ask for what was said meanwhile; where it may not ask, it hears from now."""
        try:
            await self._ask_for_missed(me)
        except ChatRefused as error:
            log.warning("mattermost not caught up with why=%s", error)

    async def _ask_for_missed(self, me: Me) -> None:
        now = self._server.now()
        since = max(self._heard_at - OVERLAP_SECONDS, now - FURTHEST_SECONDS)
        since_ms = int(since * 1000)
        visit = self._server.visit()
        team = await self._server.team_id(visit)
        rooms = await visit.get(f"/users/{part(me.id)}/teams/{part(team)}/channels")
        found: list[tuple[int, Inbound]] = []
        for room in _lively(rooms, since_ms):
            found += await _news(self._server.visit(), room, me, since_ms)
        found.sort(key=lambda one: one[0])
        await self._put([event for _, event in found])


def _lively(rooms: Any, since_ms: int) -> list[dict[str, Any]]:
    """Return the rooms that may have news; an edit does not show in their times."""
    quiet = since_ms - QUIET_ROOM_SECONDS * 1000
    known = [
        one for one in (rooms if isinstance(rooms, list) else ())
        if isinstance(one, dict) and isinstance(one.get("id"), str)
        and whole_in(one, "last_post_at") >= quiet
    ]  # fmt: skip
    return sorted(known, key=lambda one: -whole_in(one, "last_post_at"))[:MOST_ROOMS]


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


async def _nobody(event: Inbound) -> None:
    """Nobody hears yet."""


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
