"""Socket Mode: websockets that an app opens, and envelopes that it acknowledges.

An envelope that is not acknowledged when its connection ends goes out again over
another one, or over the next that comes, with the same envelope_id. Called by: slack.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Final, Literal

from aiohttp import WSMsgType, web

from chat.delivery import Attempt, Delivery, Sign
from chat.things import Json

MOST_CONNECTIONS: Final = 10
TICKET_SECONDS: Final = 30.0
Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(eq=False)
class Connection:
    """One websocket; `number` counts from 1, `acknowledged` has its envelope ids."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    retiring: bool = False  # told to go: gets nothing new
    acknowledged: list[str] = field(default_factory=list)
    pings: int = 0

    def abort(self) -> None:
        """Drop the connection as a broken network does, without a close frame."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(eq=False)
class _Pending:
    envelope: Json
    answer: "asyncio.Future[Any]"
    on: Connection | None = None


class Sockets:
    """All connections of the app.

    Attributes:
        connections: those that are open, the oldest first.
        opened: how many there have been.
        deaf: pings stay unanswered while this is true.
        answer_seconds: how long an acknowledgement may take.
    """

    def __init__(self, app_id: str, ticks: Callable[[], float], answer_seconds: float,
                 changed: Callable[[], None]) -> None:  # fmt: skip
        self.connections: list[Connection] = []
        self.opened = 0
        self.deaf = False
        self.answer_seconds = answer_seconds
        self._app_id = app_id
        self._ticks = ticks
        self._changed = changed
        self._tickets: dict[str, float] = {}
        self._pending: dict[str, _Pending] = {}
        self._turn = 0

    def new_ticket(self) -> str:
        """Return what lets one websocket in, within half a minute."""
        ticket = token_urlsafe(12)
        self._tickets[ticket] = self._ticks()
        return ticket

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket until it ends."""
        made = self._tickets.pop(request.query.get("ticket", ""), None)
        if made is None or self._ticks() - made > TICKET_SECONDS:
            return web.Response(status=403)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.opened += 1
        connection = Connection(self.opened, socket, request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await self.disconnect("too_many_websockets", connection)
            await socket.close()
            return socket
        self.connections.append(connection)
        try:
            await self._greet(connection)
            await self._listen(connection)
        except (ConnectionError, RuntimeError):
            pass  # the other side is gone
        finally:
            await self._gone(connection)
        return socket

    async def send(self, delivery: Delivery, *, retry: int, reason: str,
                   sign: Sign) -> Attempt:  # fmt: skip
        """Send it once in an envelope; return how it was acknowledged."""
        came = self._ticks()
        envelope: Json = {
            "envelope_id": delivery.envelope_id,
            "type": delivery.kind,
            "payload": delivery.body,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            why = "timeout" if reason else ""
            envelope |= {"retry_attempt": retry, "retry_reason": why}
        loop = asyncio.get_running_loop()
        pending = _Pending(envelope, loop.create_future())
        self._pending[delivery.envelope_id] = pending
        await self._hand_out(pending)
        try:
            answer = await asyncio.wait_for(pending.answer, self.answer_seconds)
        except TimeoutError:
            failed = "timeout" if pending.on else "no_connection"
            return Attempt(came, self._ticks() - came, 0, failed, None, retry)
        finally:
            if self._pending.get(delivery.envelope_id) is pending:
                del self._pending[delivery.envelope_id]
        return Attempt(came, self._ticks() - came, 200, "", answer, retry)

    async def disconnect(self, reason: Reason,
                         connection: Connection | None = None) -> None:  # fmt: skip
        """Tell one connection (or all) to go; after "warning" it stays usable.

        For "refresh_requested" and "link_disabled" Slack closes it: so does this,
        after telling it.
        """
        for one in [connection] if connection else list(self.connections):
            body = {"type": "disconnect", "reason": reason,
                    "debug_info": {"host": "applink-1"}}  # fmt: skip
            await one.socket.send_json(body)
            if reason != "warning":
                one.retiring = True
                await one.socket.close()

    def drop(self) -> None:
        """Drop every connection, as a broken network does."""
        for one in list(self.connections):
            one.abort()

    async def close(self) -> None:
        """Close every connection properly."""
        for one in list(self.connections):
            one.retiring = True
            await one.socket.close()

    async def _greet(self, connection: Connection) -> None:
        await connection.socket.send_json({
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": "applink-1", "build_number": 1,
                           "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        })  # fmt: skip
        self._changed()
        for pending in [one for one in self._pending.values() if one.on is None]:
            await self._hand_out(pending)

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.PING:
                connection.pings += 1
                self._changed()
                if not self.deaf:
                    await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledge(connection, message.data)

    def _acknowledge(self, connection: Connection, text: str) -> None:
        try:
            body = json.loads(text)
        except ValueError:
            return
        envelope_id = body.get("envelope_id", "")
        connection.acknowledged.append(envelope_id)
        pending = self._pending.get(envelope_id)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(body.get("payload"))
        self._changed()

    async def _gone(self, connection: Connection) -> None:
        self.connections.remove(connection)
        self._changed()
        lost = [one for one in self._pending.values()
                if one.on is connection and not one.answer.done()]  # fmt: skip
        for pending in lost:
            pending.on = None
            await self._hand_out(pending)

    async def _hand_out(self, pending: _Pending) -> None:
        """Send an envelope over one connection, each in turn; without one it waits."""
        open_ones = [
            one for one in self.connections
            if not one.retiring and not one.socket.closed
        ]  # fmt: skip
        self._turn += 1
        for number in range(len(open_ones)):
            chosen = open_ones[(self._turn + number) % len(open_ones)]
            pending.on = chosen
            try:
                await chosen.socket.send_json(pending.envelope)
            except (ConnectionError, RuntimeError):
                pending.on = None  # it ended just now: the next one gets it
            else:
                return
