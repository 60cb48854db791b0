"""What the tests of the Slack stand-in share: an app that hears, and real clients.

Read by the test_chat_*.py files beside it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from chat import Slack
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient


@dataclass
class Heard:
    """One request as the app got it, and whether slack_sdk finds its signature good."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    valid: bool


@dataclass
class App:
    """An app behind HTTP: `answers` maps a path to what it answers, a status or JSON."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """Return the bodies heard at a path."""
        return [one.body for one in self.heard if one.path == path]


@asynccontextmanager
async def listening(slack: Slack) -> AsyncIterator[App]:
    """Give an app that Slack tells everything over HTTP."""
    app = App()
    verifier = SignatureVerifier(slack.signing_secret)

    async def answer(request: web.Request) -> web.Response:
        raw = await request.read()
        headers = dict(request.headers)
        try:
            valid = verifier.is_valid_request(raw, headers)
        except TypeError:
            valid = False  # what slack_sdk does with a signature that is not ASCII
        app.heard.append(Heard(request.path, decoded(request, raw), headers, valid))
        await asyncio.sleep(app.seconds)
        given = app.answers.get(request.path, 200)
        if isinstance(given, int):
            return web.Response(status=given)
        return web.json_response(given)

    server = web.Application()
    server.router.add_post("/{path}", answer)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    slack.request_urls(
        events=f"{app.url}/events",
        interactivity=f"{app.url}/interactions",
        commands=f"{app.url}/commands",
    )
    try:
        yield app
    finally:
        await runner.cleanup()


def decoded(request: web.Request, raw: bytes) -> dict[str, Any]:
    """Return what a request of Slack says, of whichever kind."""
    if request.content_type == "application/json":
        body: dict[str, Any] = json.loads(raw)
        return body
    fields = {k: v[0] for k, v in parse_qs(raw.decode(), True).items()}
    return json.loads(fields["payload"]) if "payload" in fields else dict(fields)


def client(slack: Slack, token: str = "") -> AsyncWebClient:
    """Return the real Web API client, for this Slack, without retries of its own."""
    return AsyncWebClient(
        token or slack.bot_token, base_url=slack.base_url, retry_handlers=[]
    )


@dataclass
class Socket:
    """A real Socket Mode client; acknowledges what it hears while `answering`."""

    client: SocketModeClient
    heard: list[SocketModeRequest] = field(default_factory=list)
    answering: bool = True
    payloads: dict[str, dict[str, Any]] = field(default_factory=dict)  # by type

    async def hear(self, client: Any, request: SocketModeRequest) -> None:
        """Take a request."""
        self.heard.append(request)
        if self.answering:
            payload = self.payloads.get(request.type)
            await client.send_socket_mode_response(
                SocketModeResponse(envelope_id=request.envelope_id, payload=payload)
            )

    def ids(self) -> list[str]:
        """Return the envelope ids it heard."""
        return [one.envelope_id for one in self.heard]


@asynccontextmanager
async def connected(
    slack: Slack, *, ping_interval: float = 0.5
) -> AsyncIterator[Socket]:
    """Give a real Socket Mode client that is connected."""
    socket = Socket(
        SocketModeClient(
            slack.app_token,
            web_client=client(slack, slack.app_token),
            ping_interval=ping_interval,
        )
    )
    before = slack.sockets.opened
    socket.client.socket_mode_request_listeners.append(socket.hear)
    await socket.client.connect()
    await slack.until(lambda s: s.sockets.opened > before)
    try:
        yield socket
    finally:
        await socket.client.close()
