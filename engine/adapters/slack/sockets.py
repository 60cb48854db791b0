"""Socket Mode: what people do, over a websocket that the engine opens.

What is here: connect, acknowledge each envelope before anything else, give on what it
says, and connect again, at once where Slack says so, else after longer and longer
pauses. slack_sdk knows the envelopes and opens the connection; its own client is not
used, since it goes on with an address that was used up and cannot be told to stop.
What is not: what a payload says (inbound), what becomes of it (the caller).

Slack sends an envelope again that was not acknowledged, and after a lost connection it
cannot know: whoever takes events takes each id once.

Called by the server, through bootstrap.slack.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from engine.adapters.slack.asking import UPLOADS, SlackApi
from engine.adapters.slack.inbound import read
from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Filled, Inbound

log = logging.getLogger(__name__)

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds, and up to half as much more
BEAT_SECONDS: Final = 10.0  # a connection that is silent for longer is dead
HELLO_SECONDS: Final = 10.0
MOST_BYTES: Final = 1024 * 1024  # of one envelope
AT_ONCE: Final = frozenset({"warning", "refresh_requested"})  # Slack means to move us

Take = Callable[[Inbound], bool]
Check = Callable[[Filled], Mapping[str, str]]


def _nothing_wrong(filled: Filled) -> Mapping[str, str]:
    return {}


@dataclass(slots=True)
class SlackSockets:
    """Keeps one connection open.

    Args:
        api: Where Slack is, with the app's token (xapp-…), not the bot's.
        take: Takes an event at once; False: it is to come again.
        check: What is wrong with a form, said beside its fields; pure and quick.
        pauses: Seconds between tries, the last one for all further ones.
    """

    api: SlackApi
    take: Take
    check: Check = _nothing_wrong
    pauses: tuple[float, ...] = PAUSES
    beat_seconds: float = BEAT_SECONDS
    connected: bool = False
    why: str = "not connected yet"  # while it is not
    _failures: int = 0
    _draw: Callable[[], float] = field(default=random.random)

    async def run(self) -> None:
        """Keep connected until cancelled; nothing else ends it."""
        while True:
            pause = 0.0
            try:
                if not await self._connection():
                    pause = self._pause()
            except ChatDown as problem:
                self._lost(str(problem))
                pause = max(problem.wait_seconds, self._pause())
            except (ChatRefused, aiohttp.ClientError, OSError) as problem:
                self._lost(str(problem) or type(problem).__name__)
                pause = self._pause()
            except Exception:  # ours: one envelope must not end what hears all others
                log.exception("socket mode failed")
                pause = self._pause()
            finally:
                self.connected = False
            if pause:
                await self.api.sleep(pause)

    def _pause(self) -> float:
        pause = self.pauses[min(self._failures, len(self.pauses) - 1)]
        self._failures += 1
        return pause * (1 + self._draw() / 2)

    def _lost(self, why: str) -> None:
        level = logging.WARNING if self._failures == 0 else logging.DEBUG
        if self.why != why:
            level = logging.WARNING
        self.why = why
        log.log(level, "socket mode is down why=%s", why)

    async def _connection(self) -> bool:
        """Hold one connection; return whether to open the next one at once."""
        url = await self._url()
        async with aiohttp.ClientSession(trust_env=False) as session:
            async with asyncio.timeout(HELLO_SECONDS):
                socket = await session.ws_connect(
                    url, heartbeat=self.beat_seconds, max_msg_size=MOST_BYTES
                )
            async with socket:
                reason = await self._listen(socket)
        if reason in AT_ONCE:
            log.info("socket mode moves why=%s", reason)
            return True
        self._lost(f"the connection ended: {reason}")
        return False

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Take what comes until the connection ends; return why it did."""
        within: float | None = HELLO_SECONDS
        while True:
            async with asyncio.timeout(within):
                message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return "it was cut"
            reason = await self._envelope(socket, message.data)
            if reason:
                return reason
            within = None  # from now on the heartbeat tells

    async def _url(self) -> str:
        async with self.api.asking("opening Socket Mode") as ask:
            answer = await ask("apps.connections.open", app_token=self.api.token())
        url = str(answer.get("url", ""))
        parts, own = urlsplit(url), urlsplit(self.api.url)
        host = parts.hostname or ""
        slack = parts.scheme == "wss" and host.endswith(UPLOADS)
        if not slack and parts.netloc != own.netloc:
            raise ChatRefused("Slack wants to be connected to where it is not")
        return url

    async def _envelope(self, socket: aiohttp.ClientWebSocketResponse, raw: str) -> str:
        """Take one message; return why Slack wants the connection to end, if so."""
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(body, dict):
            return ""
        if body.get("type") == "hello":
            self.connected, self._failures, self.why = True, 0, ""
            log.info("socket mode is up")
        elif body.get("type") == "disconnect":
            return str(body.get("reason") or "unknown")
        else:
            await self._acknowledge(socket, body)
        return ""

    async def _acknowledge(
        self, socket: aiohttp.ClientWebSocketResponse, body: dict[str, Any]
    ) -> None:
        if not isinstance(body.get("payload"), dict):
            return
        request = SocketModeRequest.from_dict(body)
        if request is None or not isinstance(request.envelope_id, str):
            return
        heard = read(request.type, request.payload)
        event, answer = heard.event, heard.answer
        if isinstance(event, Filled):
            wrong = self.check(event)
            if wrong:
                answer = {"response_action": "errors", "errors": dict(wrong)}
                event = None
        if event is not None and not self.take(event):
            return  # not acknowledged: it comes again
        if not request.accepts_response_payload:
            answer = None
        response = SocketModeResponse(request.envelope_id, answer)
        await socket.send_json(response.to_dict())
