"""What goes over the wire: HTTP/1.1 with keep-alive, and JSON lines.

Small on purpose: the platform must run wherever the engine runs, so it takes no web
framework with it. HTTP bodies need a Content-Length; chunked requests are refused.

Used by: admin.py (the HTTP side of each process), gateway, router, media, keys and
load (JSON lines between processes and users), scraper.py (`get`).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_BODY_BYTES = 1_000_000
REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Awaitable[Response]]


class BadRequest(Exception):
    """The peer did not speak HTTP as we read it; the text says what was wrong."""


async def serve_http(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
) -> None:
    """Answer the requests of one connection until the peer closes it."""
    try:
        while (request := await read_request(reader)) is not None:
            response = await answer(request)
            writer.write(encode(response))
            await writer.drain()
            if request.headers.get("connection", "").lower() == "close":
                break
    except BadRequest as error:
        writer.write(encode(Response(400, f'{{"error": "{error}"}}'.encode())))
    except (OSError, asyncio.IncompleteReadError):
        pass  # the peer went away: its business
    finally:
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request of a connection, or None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest("the request ended inside its head") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest("the request head is too long") from None
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3:
        raise BadRequest("the request line is not METHOD PATH VERSION")
    headers = _headers(lines)
    target = urlsplit(parts[1])
    return Request(
        parts[0].upper(),
        unquote(target.path),
        dict(parse_qsl(target.query, keep_blank_values=True)),
        headers,
        await _body(reader, headers),
    )


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise BadRequest("send Content-Length, not chunks")
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        raise BadRequest("Content-Length is not a number up to 1000000")
    return await reader.readexactly(int(length))


def encode(response: Response) -> bytes:
    """Return the bytes of an answer."""
    extra = "".join(f"{name}: {text}\r\n" for name, text in response.headers.items())
    return (
        f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Answer')}\r\n"
        f"Content-Type: {response.content_type}\r\n"
        f"Content-Length: {len(response.body)}\r\n{extra}\r\n"
    ).encode() + response.body


async def get(host: str, port: int, path: str, *, timeout: float) -> tuple[int, bytes]:
    """Return status and body of a GET on a connection of its own.

    Raises:
        OSError: no connection, no complete answer, or no answer in `timeout` seconds.
    """
    return await call(host, port, "GET", path, b"", timeout=timeout)


async def call(
    host: str, port: int, method: str, path: str, body: bytes, *, timeout: float
) -> tuple[int, bytes]:
    """Return status and body of one request; errors as for `get`."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(head.encode() + body)
                raw = await reader.read(-1)
            finally:
                writer.close()
    except TimeoutError:
        raise OSError(f"{host}:{port}{path}: no answer in {timeout} s") from None
    start, found, rest = raw.partition(b"\r\n\r\n")
    status = start.split(b" ", 2)[1:2]
    if not found or not status or not status[0].isdigit():
        raise OSError(f"{host}:{port}{path}: the answer is not HTTP")
    return int(status[0]), rest


def line(message: dict[str, Any]) -> bytes:
    """Return one JSON line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


async def read_line(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Return the next JSON line, or None at the end of the connection."""
    try:
        raw = await reader.readline()
    except (OSError, ValueError):
        return None
    if not raw.endswith(b"\n"):
        return None
    message: dict[str, Any] = json.loads(raw)
    return message


class Link:
    """A connection to another process on which numbered questions are answered."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect; call once before `ask`."""
        reader, self._writer = await asyncio.open_connection(*self._address)
        self._reading = asyncio.create_task(self._read(reader))

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the answer, however long it takes."""
        assert self._writer is not None, "open() first"
        self._number += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.Future()
        self._waiting[self._number] = answer
        self._writer.write(line({**question, "n": self._number}))
        return await answer

    async def ask_twice(
        self, question: dict[str, Any]
    ) -> tuple[dict[str, Any], asyncio.Future[dict[str, Any]]]:
        """Return the first answer, and the second as a future; `ended` numbers it."""
        self._number += 1
        later: asyncio.Future[dict[str, Any]] = asyncio.Future()
        self._waiting[self._number] = later
        first = await self.ask({**question, "ended": self._number})
        return first, later

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while (message := await read_line(reader)) is not None:
            answer = self._waiting.pop(int(message["n"]), None)
            if answer is not None and not answer.done():
                answer.set_result(message)
