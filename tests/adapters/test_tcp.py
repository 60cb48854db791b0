"""The check `tcp` against real sockets on loopback."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from plain_web import PlainWeb

from engine.adapters.tcp import Tcp, look_through, register
from engine.model.evidence import Observation
from engine.ports import Call
from engine.registry import Registry

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def no_secret(name: str) -> str:
    raise AssertionError(name)


def a_call(seconds: float = 5.0) -> Call:
    return Call("r-1/port/1", seconds, no_secret)


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def connection(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await serve(reader, writer)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(connection(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.write(b"ESMTP ready\r\n")
    await reader.readline()
    writer.write(b"250 hello\r\n")
    await writer.drain()


async def closing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"busy\r\n")
    await writer.drain()


async def resetting(
    _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def free_port() -> int:
    with socket.socket() as raw:
        raw.bind(("127.0.0.1", 0))
        return int(raw.getsockname()[1])


async def look(port: int, *, seconds: float = 5.0, **more: str) -> Observation:
    params = Tcp(host="127.0.0.1", port=port, **more)
    return await look_through(PlainWeb(), params, a_call(seconds))


async def test_connected_is_pass() -> None:
    """A port that accepts is pass, with the time it took."""
    async with listening(silent) as port:
        found = await look(port)

    assert found.verdict == "pass"
    assert list(found.seen) == ["latency_seconds"]
    assert 0 < found.seen["latency_seconds"] < 5
    assert found.source == f"127.0.0.1:{port}"


async def test_refused_is_fail() -> None:
    """Nobody listens: that is an answer."""
    port = free_port()
    found = await look(port)

    assert found == Observation(
        verdict="fail",
        summary="the connection was refused",
        source=f"127.0.0.1:{port}",
    )


@pytest.mark.timed
async def test_connect_timeout_is_fail_within_the_limit() -> None:
    """A host that drops every packet is fail, and the look ends in time."""
    with socket.socket() as raw:
        raw.bind(("127.0.0.1", 0))
        raw.listen(0)
        port = int(raw.getsockname()[1])
        waiting = [socket.socket() for _ in range(4)]  # fills the queue
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        found = await look(port, seconds=0.5)
        took = time.monotonic() - began
        for one in waiting:
            one.close()

    assert (found.verdict, found.summary) == ("fail", "no connection within 0.5 s")
    assert took < 1


async def test_name_that_cannot_be_resolved_is_unknown() -> None:
    """Without an address nothing is known of the service."""
    params = Tcp(host="nowhere.invalid", port=1)
    found = await look_through(PlainWeb(), params, a_call())

    assert found == Observation(
        unknown="'nowhere.invalid' cannot be resolved", source="nowhere.invalid:1"
    )


async def test_resolver_that_hangs_is_unknown_within_the_limit() -> None:
    """A time-out while resolving is ours, not the service's."""
    params = Tcp(host="slow.example", port=1)
    found = await look_through(PlainWeb(hangs=True), params, a_call(0.2))

    assert found.unknown == "'slow.example' was not resolved within 0.2 s"


async def test_f93_blocked_address_is_unknown_and_not_connected() -> None:
    """An address that may not be reached is never connected to, nor tried again."""
    connections = []

    async def counting(
        _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
    ) -> None:
        connections.append(1)

    async with listening(counting) as port:
        web = PlainWeb(blocked=("127.0.0.1",))
        found = await look_through(web, Tcp(host="127.0.0.1", port=port), a_call())

    assert found == Observation(
        unknown="'127.0.0.1' is at 127.0.0.1, which is not a public address",
        retryable=False,
        source=f"127.0.0.1:{port}",
    )
    assert connections == []


async def test_no_route_is_unknown() -> None:
    """A destination that the kernel has no way to is unknown."""
    params = Tcp(host="far.example", port=9)
    web = PlainWeb(known=(("far.example", ("255.255.255.255",)),))
    found = await look_through(web, params, a_call(2))

    assert found.verdict is None
    assert found.unknown == "no connection: Network is unreachable"


async def test_second_address_is_tried() -> None:
    """One address that does not answer is not the service."""
    async with listening(silent) as port:
        web = PlainWeb(known=(("two.example", ("127.0.0.2", "127.0.0.1")),))
        found = await look_through(web, Tcp(host="two.example", port=port), a_call())

    assert found.verdict == "pass"


async def test_refusal_counts_more_than_a_missing_route() -> None:
    """One address refused and one without a route: the service has answered."""
    web = PlainWeb(known=(("two.example", ("127.0.0.1", "255.255.255.255")),))
    params = Tcp(host="two.example", port=free_port())
    found = await look_through(web, params, a_call(2))

    assert (found.verdict, found.summary) == ("fail", "the connection was refused")


async def test_expected_text_may_come_in_pieces() -> None:
    """`expect` looks through the whole answer."""
    async with listening(greeting) as port:
        found = await look(port, expect="example ESMTP")

    assert found.verdict == "pass"


async def test_sent_text_gets_its_answer() -> None:
    """`send` goes out first, `expect` judges what comes back."""
    async with listening(greeting) as port:
        found = await look(port, send="EHLO x\r\n", expect="250 hello")

    assert found.verdict == "pass"


@pytest.mark.parametrize(
    ("serve", "summary"),
    [
        (closing, "the connection was closed without 'ready'"),
        (resetting, "the connection was reset"),
        (silent, "no 'ready' within 0.5 s"),
    ],
)
async def test_other_answer_than_expected_is_fail(serve: Serve, summary: str) -> None:
    """Closed, reset and silent are fail, each in its own words."""
    async with listening(serve) as port:
        found = await look(port, seconds=0.5, expect="ready")

    assert (found.verdict, found.summary) == ("fail", summary)


async def test_endless_answer_without_the_text_is_fail() -> None:
    """Not more than 64 KiB are read while the text is looked for."""

    async def pouring(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with listening(pouring) as port:
        found = await look(port, expect="ready")

    assert (found.verdict, found.summary) == ("fail", "an answer without 'ready'")


def test_tcp_judges_itself_and_its_host_is_a_host() -> None:
    """`pass` may be left out; a host from outside is held to the rules for hosts."""
    registry = Registry()
    register(registry, PlainWeb())
    kind = registry.kinds.checks["tcp"]

    assert (kind.judges_itself, kind.places["host"]) == (True, "host")
