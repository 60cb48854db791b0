"""Loopback servers that misbehave on purpose: each connection is one coroutine.

Used by the adapter tests; nothing here knows an adapter.
"""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

LOOPBACK = "127.0.0.0/8"


@dataclass(slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Serve = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Server:
    """A running server and what it was asked."""

    port: int = 0
    scheme: str = "http"
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


def reply(
    body: bytes | str = b"",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    of_length: int | None = None,
) -> bytes:
    """Return a whole answer; `of_length` claims another length than it has."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Word"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"content-length: {len(raw) if of_length is None else of_length}"]
    return "\r\n".join([*lines, "", ""]).encode() + raw


def as_json(value: Any, *, status: int = 200) -> bytes:
    """Return a whole answer that holds JSON."""
    kind = {"content-type": "application/json"}
    return reply(json.dumps(value), status=status, headers=kind)


def zipped(raw: bytes) -> bytes:
    """Return a whole answer that is compressed."""
    return reply(gzip.compress(raw, mtime=0), headers={"content-encoding": "gzip"})


def always(answer: bytes) -> Serve:
    """Return the behaviour that gives this answer to everything."""

    async def serve(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return serve


def in_turn(*answers: bytes) -> Serve:
    """Return the behaviour that gives these answers one after the other."""
    left = list(answers)

    async def serve(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return serve


async def hang(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.sleep(60)


async def reset(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Read the request and cut the connection."""
    writer.transport.abort()


async def drip(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer one byte every twentieth of a second, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.lower(): value.strip()
        for name, value in (line.split(":", 1) for line in rest)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


@asynccontextmanager
async def serving(
    serve: Serve, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Run a server on 127.0.0.1 for the length of the block."""
    seen = Server(scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def connection(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.connections += 1
        try:
            while True:
                asked = await _read(reader)
                seen.asked.append(asked)
                await serve(asked, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.add(asyncio.create_task(connection(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        await _turns()  # Python 3.11 loses whom a closed server is just accepting
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:  # a task that never began has closed nothing
            writer.transport.abort()
        await _turns()  # a socket is closed one turn later


async def _turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
