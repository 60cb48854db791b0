"""The websocket: a challenge, then every event that the bot may see, numbered.

Called by: mattermost.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from mattermost.things import Channel, Json
from mattermost.world import World


@dataclass
class Connection:
    """One that was let in; `lost` events more are numbered and not sent."""

    socket: web.WebSocketResponse
    request: web.Request
    number: int = 0
    lost: int = 0


class Sockets:
    """Those who listen. `tokens` says who is let in."""

    def __init__(
        self, world: World, tokens: dict[str, str], changed: Callable[[], None]
    ) -> None:
        self.world, self.tokens, self.changed = world, tokens, changed
        self.open: list[Connection] = []
        self.opened = 0
        self.sent: list[Json] = []
        self._writing: list[tuple[Connection, Json]] = []

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection until it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection: Connection | None = None
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            asked = json.loads(message.data)
            if asked.get("action") != "authentication_challenge":
                continue
            if asked.get("data", {}).get("token") not in self.tokens:
                await socket.close()  # without a word, as Mattermost does
                break
            await socket.send_json({"status": "OK", "seq_reply": asked["seq"]})
            connection = Connection(socket, request)
            self.open.append(connection)
            self.opened += 1
            hello = {"server_version": "10.5.0", "connection_id": "x"}
            await self._send(connection, "hello", hello, "")
            self.changed()
        if connection is not None and connection in self.open:
            self.open.remove(connection)
        self.changed()
        return socket

    async def tell(self, event: str, data: Json, channel: Channel) -> None:
        """Send an event to everybody who listens, if the bot is there."""
        if self.world.bot.id not in channel.members:
            return
        for one in list(self.open):
            await self._send(one, event, data, channel.id)

    async def disconnect(self) -> None:
        """Cut every connection."""
        for one in list(self.open):
            if one.request.transport is not None:
                one.request.transport.abort()
        self.open.clear()
        self.changed()

    async def _send(
        self, one: Connection, event: str, data: Json, channel: str
    ) -> None:
        where = {
            "omit_users": None,
            "user_id": "",
            "channel_id": channel,
            "team_id": "",
        }
        told = {"event": event, "data": data, "broadcast": where, "seq": one.number}
        one.number += 1
        if one.lost:
            one.lost -= 1
            return
        self.sent.append(told)
        try:
            await one.socket.send_json(told)
        except (ConnectionError, RuntimeError):
            return
