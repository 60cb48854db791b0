"""The check `tls` against real servers on loopback."""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from authority import Authority
from plain_web import PlainWeb

from engine.adapters.tls import Tls, look_through, register
from engine.model.evidence import Observation
from engine.ports import Call
from engine.registry import Registry

WEB = PlainWeb(known=(("good.example", ("127.0.0.1",)),))


def no_secret(name: str) -> str:
    raise AssertionError(name)


@asynccontextmanager
async def serving(context: ssl.SSLContext | None, mode: str = "") -> AsyncIterator[int]:
    """Run a server: TLS, or one that misbehaves in place of a handshake."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def connection(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if mode == "silent":
            await asyncio.sleep(60)
        if mode == "plain":
            writer.write(b"220 no TLS here\r\n")
            await writer.drain()
        if mode == "close":
            await reader.read(4096)
        if mode == "reset":
            await reader.read(1)
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if context is not None:
            with suppress(OSError):
                await reader.read()
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.add(asyncio.create_task(connection(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def look(
    context: ssl.SSLContext | None,
    *,
    ca_file: str | None = None,
    host: str = "good.example",
    server_name: str | None = None,
    mode: str = "",
    seconds: float = 5.0,
) -> Observation:
    async with serving(context, mode) as port:
        params = Tls(host=host, port=port, ca_file=ca_file, server_name=server_name)
        return await look_through(WEB, params, Call("r-1/cert/1", seconds, no_secret))


async def test_accepted_certificate_is_pass(tmp_path: Path) -> None:
    """A certificate of a trusted authority is pass, and says what it says."""
    authority = Authority(tmp_path)
    found = await look(authority.server(ends=30), ca_file=authority.file)

    assert 29.9 < found.seen.pop("days_left") <= 30
    assert 0 < found.seen.pop("latency_seconds") < 5
    assert found.verdict == "pass"
    assert found.summary == "accepted, 30.0 days left"
    assert found.seen == {
        "verified": True,
        "reason": "",
        "subject": "CN=good.example",
        "issuer": "CN=Test Authority",
        "names": ["good.example", "127.0.0.9"],
    }


async def test_days_left_follow_the_clock_that_is_given(tmp_path: Path) -> None:
    """`days_left` counts from the time of the look."""
    authority = Authority(tmp_path)
    async with serving(authority.server(ends=30)) as port:
        params = Tls(host="good.example", port=port, ca_file=authority.file)
        found = await look_through(
            WEB,
            params,
            Call("k", 5, no_secret),
            now=lambda: time.time() + 10 * 86_400,
        )

    assert 19.9 < found.seen["days_left"] <= 20


async def test_expired_certificate_still_tells_its_days(tmp_path: Path) -> None:
    """An expired certificate is fail, and `days_left` is below zero."""
    authority = Authority(tmp_path)
    found = await look(authority.server(ends=-3), ca_file=authority.file)

    assert -3.1 < found.seen["days_left"] < -2.9
    assert (found.verdict, found.seen["verified"], found.seen["reason"]) == (
        "fail", False, "certificate has expired"
    )  # fmt: skip
    assert found.summary == (
        "the certificate is not accepted: certificate has expired, -3.0 days left"
    )


async def test_certificate_that_begins_later_is_fail(tmp_path: Path) -> None:
    """A certificate that is not valid yet is not accepted, days left or not."""
    authority = Authority(tmp_path)
    found = await look(authority.server(begins=2, ends=30), ca_file=authority.file)

    assert (found.verdict, found.seen["reason"]) == (
        "fail", "certificate is not yet valid"
    )  # fmt: skip
    assert found.seen["days_left"] > 29


async def test_certificate_of_another_host_is_fail(tmp_path: Path) -> None:
    """The name is checked, and the reason names it."""
    authority = Authority(tmp_path)
    found = await look(authority.server(host="other.example"), ca_file=authority.file)

    assert found.verdict == "fail"
    assert found.seen["names"] == ["other.example", "127.0.0.9"]
    assert found.seen["reason"] == (
        "Hostname mismatch, certificate is not valid for 'good.example'"
    )


async def test_server_name_is_asked_for(tmp_path: Path) -> None:
    """`server_name` stands in for the host in SNI and in the check of the name."""
    authority = Authority(tmp_path)
    names = []
    context = authority.server(host="other.example")
    context.sni_callback = lambda _sock, name, _ctx: names.append(name)
    found = await look(context, ca_file=authority.file, server_name="other.example")

    assert (found.verdict, names) == ("pass", ["other.example"])


async def test_certificate_of_a_stranger_is_fail(tmp_path: Path) -> None:
    """Without `ca_file` a private authority is not trusted; the dates are still read."""
    found = await look(Authority(tmp_path).server())

    assert (found.verdict, found.seen["verified"], found.seen["reason"]) == (
        "fail", False, "unable to get local issuer certificate"
    )  # fmt: skip
    assert found.seen["days_left"] > 29


async def test_address_in_the_certificate_is_accepted(tmp_path: Path) -> None:
    """A host that is an address is checked against the addresses."""
    authority = Authority(tmp_path)
    found = await look(
        authority.server(),
        ca_file=authority.file,
        host="127.0.0.1",
        server_name="127.0.0.9",
    )

    assert found.verdict == "pass"


@pytest.mark.parametrize(
    ("mode", "summary"),
    [
        ("silent", "no end of the TLS handshake within 0.5 s"),
        ("plain", "TLS failed: WRONG_VERSION_NUMBER"),
        ("reset", "the connection was reset"),
        ("close", "the connection was closed during the TLS handshake"),
    ],
)
async def test_server_that_does_not_speak_tls_is_fail(mode: str, summary: str) -> None:
    """Silent, reset, closed and plain text are answers of the service."""
    found = await look(None, mode=mode, seconds=0.5)

    assert (found.verdict, found.summary) == ("fail", summary)


async def test_refused_is_fail() -> None:
    """Nobody listens: that is an answer."""
    async with serving(None) as port:
        pass
    params = Tls(host="127.0.0.1", port=port)
    found = await look_through(WEB, params, Call("k", 5, no_secret))

    assert found == Observation(
        verdict="fail", summary="the connection was refused", source=f"127.0.0.1:{port}"
    )


async def test_what_is_our_trouble_is_unknown(tmp_path: Path) -> None:
    """No address, no permission, no route, no authorities: nothing is known."""
    call = Call("k", 5, no_secret)
    lost = await look_through(WEB, Tls(host="nowhere.invalid"), call)
    blocked = await look_through(
        PlainWeb(blocked=("127.0.0.1",)), Tls(host="127.0.0.1"), call
    )
    far = await look_through(WEB, Tls(host="255.255.255.255"), call)
    gone = str(tmp_path / "gone.pem")
    untrusting = await look_through(WEB, Tls(host="127.0.0.1", ca_file=gone), call)
    slow = await look_through(
        PlainWeb(hangs=True), Tls(host="slow.example"), Call("k", 0.2, no_secret)
    )

    assert [found.unknown for found in (lost, blocked, far, untrusting, slow)] == [
        "'nowhere.invalid' cannot be resolved",
        "'127.0.0.1' is at 127.0.0.1, which is not a public address",
        "no connection: Network is unreachable",
        (
            f"the authorities in '{gone}' cannot be read: "
            "[Errno 2] No such file or directory"
        ),
        "'slow.example' was not resolved within 0.2 s",
    ]
    assert [found.retryable for found in (lost, blocked, far, untrusting, slow)] == [
        True, False, True, False, True
    ]  # fmt: skip


def test_tls_judges_itself() -> None:
    """`pass` may be left out."""
    registry = Registry()
    register(registry, WEB)

    assert registry.kinds.checks["tls"].judges_itself
