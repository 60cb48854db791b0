"""Connections that keep a server waiting, on real sockets with short limits."""

import asyncio
import json
import logging
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from engine.entrypoints.web import serving
from engine.entrypoints.web.app import application
from engine.entrypoints.web.deadlines import LimitedConfig, Limits
from engine.errors import EngineError

GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
SHORT = Limits(head=0.4, body=0.6, next=0.5, end=0.5, taking=0.5, connections=20)


async def hello(request: Request) -> Response:
    """Say where the request came from."""
    return JSONResponse({"local": request.scope["state"]["local"]})


async def read(request: Request) -> Response:
    """Answer once the body is here."""
    return JSONResponse({"bytes": len(await request.body())})


async def early(request: Request) -> Response:
    """Answer before the body is here."""
    return JSONResponse({"error": "no"}, 401)


async def broken(request: Request) -> Response:
    """Fail."""
    raise RuntimeError("secret inside")


async def slow(request: Request) -> Response:
    """Answer after a while."""
    await asyncio.sleep(0.8)
    return JSONResponse({"slow": True})


async def large(request: Request) -> Response:
    """Answer with more than any buffer holds."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 1_000_000

    return StreamingResponse(parts())


class Late(Response):
    """The head at once, the end after a while, and no look at the peer between."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send both."""
        head = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await asyncio.sleep(0.3)
        await send({"type": "http.response.body", "body": b""})


async def late(request: Request) -> Response:
    """Answer in two parts."""
    return Late()


ROUTES = [
    Route("/late", late),
    Route("/hello", hello),
    Route("/read", read, methods=["POST"]),
    Route("/early", early, methods=["POST"]),
    Route("/broken", broken),
    Route("/slow", slow),
    Route("/large", large),
]


@dataclass
class Open:
    """A server, and where it is."""

    server: serving.Server
    task: "asyncio.Task[None]"
    port: int
    path: Path

    async def connect(self) -> "Peer":
        """Open one connection."""
        return Peer(*await asyncio.open_connection("127.0.0.1", self.port))

    async def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Send on a fresh connection; return status and body."""
        peer = await self.connect()
        peer.send(sent)
        found = await peer.answer()
        peer.close()
        return found


@dataclass
class Peer:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, sent: bytes) -> None:
        """Send without waiting."""
        self.writer.write(sent)

    async def answer(self) -> tuple[int, bytes]:
        """Return status and body of the next answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        lines = dict(
            line.lower().split(b": ", 1) for line in head.splitlines()[1:] if line
        )
        length = int(lines.get(b"content-length", b"0"))
        return int(head.split()[1]), await self.reader.readexactly(length)

    async def ended(self) -> float:
        """Wait until the server ends it; return the seconds."""
        began = asyncio.get_running_loop().time()
        with suppress(ConnectionError):
            await asyncio.wait_for(self.reader.read(), 5)
        return asyncio.get_running_loop().time() - began

    def close(self) -> None:
        """Let go of it."""
        self.writer.close()


@asynccontextmanager
async def opened(folder: Path, limits: Limits = SHORT) -> AsyncIterator[Open]:
    """Serve on loopback and on a unix socket."""
    sock = serving.listen("127.0.0.1:0")
    with serving.listening_locally(folder / "s.sock") as local:
        server = serving.server(application(ROUTES), limits=limits)
        task = asyncio.create_task(server.serve(sockets=[sock, local]))
        port = int(serving.address_of(sock).rpartition(":")[2])
        try:
            yield Open(server, task, port, folder / "s.sock")
        finally:
            server.end(now=True)
            await task


async def test_f52_half_a_head_is_408_in_time(tmp_path: Path) -> None:
    """
    Headers that come byte by byte have one time, from the first byte to the last.
    """
    async with opened(tmp_path) as one:
        peer = await one.connect()
        for byte in b"GET /he":
            peer.send(bytes([byte]))
            await asyncio.sleep(0.02)
        status, told = await peer.answer()

        assert (408, "the head of the request was not here within 0.4s") == (
            status,
            json.loads(told)["error"],
        )
        assert await peer.ended() < 1.0
        peer.close()


async def test_f52_half_a_body_is_408_in_time(tmp_path: Path) -> None:
    """
    A body that trickles has one time; the door behind it sees that the sender is gone.
    """
    async with opened(tmp_path) as one:
        peer = await one.connect()
        peer.send(POST + b"12")
        status, told = await peer.answer()

        assert (408, "the body of the request was not here within 0.6s") == (
            status,
            json.loads(told)["error"],
        )
        assert await peer.ended() < 1.0
        peer.close()


@pytest.mark.timed
async def test_f52_a_silent_connection_ends(tmp_path: Path) -> None:
    """
    Nothing sent at all, and nothing more after an answer: both end by themselves.
    """
    async with opened(tmp_path) as one:
        silent, idle = await one.connect(), await one.connect()
        idle.send(GET)

        assert (200, b'{"local":false}') == await idle.answer()
        times = await asyncio.gather(silent.ended(), idle.ended())
        assert [True, True] == [0.2 < took < 1.5 for took in times]
        silent.close()
        idle.close()


async def test_requests_one_after_another_each_have_their_time(tmp_path: Path) -> None:
    """
    A connection in use goes on for longer than any one of its times.
    """
    async with opened(tmp_path) as one:
        peer = await one.connect()
        for _ in range(4):
            peer.send(POST[:-2])
            await asyncio.sleep(0.2)
            peer.send(POST[-2:] + b"12345")
            await asyncio.sleep(0.2)
            peer.send(b"67890")
            assert (200, b'{"bytes":10}') == await peer.answer()
        peer.send(GET + GET)  # the second one before the first is answered
        told = [await peer.answer(), await peer.answer()]
        assert [(200, b'{"local":false}')] * 2 == told
        peer.close()


async def test_a_body_after_its_answer_has_its_time_too(tmp_path: Path) -> None:
    """
    Refused before its body came: the rest is read away, or the connection ends.
    """
    async with opened(tmp_path) as one:
        # nothing is written into the half one after its answer
        whole, half = await one.connect(), await one.connect()
        for peer in (whole, half):
            peer.send(POST.replace(b"/read", b"/early"))
            assert (401, b'{"error":"no"}') == await peer.answer()
        whole.send(b"1234567890" + GET)

        assert (200, b'{"local":false}') == await whole.answer()
        assert b"" == await asyncio.wait_for(half.reader.read(), 5)
        whole.close()
        half.close()


async def test_f52_the_longest_idle_makes_room(tmp_path: Path) -> None:
    """
    With every place taken by idle and slow peers, whoever comes next is served.
    """
    limits = Limits(head=30, body=30, next=30, connections=20)
    async with opened(tmp_path, limits) as one:
        idle = [await one.connect() for _ in range(20)]
        for peer in idle[10:]:
            peer.send(b"GET /he")
        await asyncio.sleep(0.1)
        told = [await one.ask(GET) for _ in range(5)]

        assert [(200, b'{"local":false}')] * 5 == told
        assert await idle[0].ended() < 1.0
        for peer in idle:
            peer.close()


async def test_f52_with_every_place_at_work_the_next_is_503(tmp_path: Path) -> None:
    """
    Requests in flight are not cut for others; the command line still gets in.
    """
    async with opened(tmp_path, Limits(connections=3)) as one:
        busy = [await one.connect() for _ in range(3)]
        for peer in busy:
            peer.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.2)
        peer = await one.connect()
        status, refused = await peer.answer()
        local = Peer(*await asyncio.open_unix_connection(str(one.path)))
        local.send(GET)

        assert 503 == status
        assert json.loads(refused) == {
            "error": "too many connections are open; come again"
        }
        assert (200, b'{"local":true}') == await local.answer()
        told = [await one.answer() for one in busy]
        assert [(200, b'{"slow":true}')] * 3 == told
        for one_peer in (*busy, peer, local):
            one_peer.close()


def test_f52_connections_leave_files_for_the_runs() -> None:
    """
    Where few files may be open, at most half of them are connections.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        few = serving.server(application(ROUTES))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert isinstance(few.config, LimitedConfig)
    assert 256 == few.config.limits.connections


async def test_a_peer_that_takes_nothing_is_let_go(tmp_path: Path) -> None:
    """
    An answer that nobody reads does not stay in memory.
    """
    async with opened(tmp_path) as one:
        peer = await one.connect()
        peer.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.2)
        assert 1 == len(one.server.server_state.connections)
        await asyncio.sleep(1.0)

        assert 0 == len(one.server.server_state.connections)
        peer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /hello HTTP/1.1\r\n\r\n", 400),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000, 431),
        (
            b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
        ),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ],
    ids=range(6),
)
async def test_f50_what_is_no_http_is_told(
    tmp_path: Path, sent: bytes, status: int
) -> None:
    """
    A status that fits, in JSON, and the connection ends.
    """
    async with opened(tmp_path) as one:
        found, told = await one.ask(sent)

        assert status == found
        assert json.loads(told).keys() == {"error"}


async def test_what_is_no_http_after_an_answer_is_told(tmp_path: Path) -> None:
    """
    The second request of a connection is judged like the first.
    """
    async with opened(tmp_path) as one:
        peer = await one.connect()
        peer.send(GET)
        await peer.answer()
        peer.send(b"nonsense\r\n\r\n")

        assert 400 == (await peer.answer())[0]
        peer.close()


async def test_f50_a_peer_that_broke_off_behind_nonsense_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Its end is not seen before the answer is out; no traceback comes into the log.
    """
    async with opened(tmp_path) as one:
        peer = await one.connect()
        peer.send(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\nSM\r\n\r\n")
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.close()
        await peer.writer.wait_closed()
        await one.ask(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")  # it ends after that

        assert [] == [it for it in caplog.records if it.levelno >= logging.ERROR]


async def test_a_failure_behind_a_door_is_503_with_a_reference(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Never 500: come again; the reference stands in the log, the failure only there.
    """
    async with opened(tmp_path) as one:
        status, told = await one.ask(b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
        reference = json.loads(told)["ref"]

        assert (503, {"error": "it went wrong here", "ref": reference}) == (
            status,
            json.loads(told),
        )
        assert f"reference={reference}" in caplog.text
        assert (200, b'{"local":false}') == await one.ask(GET)


async def test_f10_an_answer_in_flight_is_given_before_the_end(tmp_path: Path) -> None:
    """
    Told to end: the request in flight is answered, idle peers go, nobody new gets in.
    """
    async with opened(tmp_path) as one:
        busy, idle = await one.connect(), await one.connect()
        busy.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.1)
        one.server.end()

        assert (200, b'{"slow":true}') == await busy.answer()
        assert await idle.ended() < 1.0
        await asyncio.wait_for(one.task, 2)
        with pytest.raises(ConnectionRefusedError):
            await one.connect()
        busy.close()
        idle.close()


@pytest.mark.timed
async def test_told_twice_nothing_is_waited_for(tmp_path: Path) -> None:
    """
    A second word ends the server at once, whatever is in flight.
    """
    async with opened(tmp_path) as one:
        busy = await one.connect()
        busy.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.1)
        one.server.end()
        one.server.end(now=True)
        began = asyncio.get_running_loop().time()
        await one.task

        assert asyncio.get_running_loop().time() - began < 0.6
        busy.close()


def test_the_socket_of_a_dead_server_is_replaced(tmp_path: Path) -> None:
    """
    A left name is no obstacle; one that is answered is, and its owner keeps it.
    """
    path = tmp_path / "s.sock"
    with serving.listening_locally(path):
        left = path.stat().st_ino
        with (
            pytest.raises(EngineError, match="another server answers at"),
            serving.listening_locally(path),
        ):
            pass
        assert left == path.stat().st_ino
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with serving.listening_locally(path):
        assert 0o600 == path.stat().st_mode & 0o777

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("nowhere.invalid:0", "cannot listen at nowhere.invalid:0: "),
        ("192.0.2.1:0", "cannot listen at 192.0.2.1:0: Cannot assign requested"),
    ],
)
def test_an_address_that_is_not_ours_is_told(address: str, expected: str) -> None:
    """
    What is wrong with it, and where another one is named.
    """
    with pytest.raises(EngineError) as told:
        serving.listen(address)

    assert str(told.value).startswith(expected)
    assert "`server.listen`" in str(told.value)


def test_two_servers_do_not_share_an_address() -> None:
    """
    The second is told at once, before it opens the journal.
    """
    with serving.listen("127.0.0.1:0") as first:
        address = serving.address_of(first)
        with pytest.raises(EngineError, match=f"cannot listen at {address}"):
            serving.listen(address)
