"""The check `dns` against a little name server on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from plain_web import PlainWeb
from pydantic import ValidationError

from engine.adapters.dns import Dns, look_through, register
from engine.model.evidence import Observation
from engine.ports import Call
from engine.registry import Registry

ZONE = {
    ("good.example.", "A"): "192.0.2.1 192.0.2.2",
    ("good.example.", "AAAA"): "2001:db8::1",
    ("alias.example.", "A"): "-> good.example.",
    ("alias.example.", "CNAME"): "good.example.",
    ("good.example.", "MX"): "10 mail.example.",
    ("good.example.", "TXT"): '"v=spf1" " -all"',
    ("good.example.", "NS"): "ns1.example.",
    ("1.2.0.192.in-addr.arpa.", "PTR"): "good.example.",
    ("lossy.example.", "A"): "192.0.2.3",
    ("long.example.", "A"): "192.0.2.4",
}
CODES = {
    "servfail.example.": dns.rcode.SERVFAIL,
    "refused.example.": dns.rcode.REFUSED,
    "missing.example.": dns.rcode.NXDOMAIN,
}


def answer(raw: bytes, *, of_udp: bool, seen: list[str]) -> bytes | None:
    """Return the reply to a query, or None to keep silent."""
    query = dns.message.from_wire(raw)
    question = query.question[0]
    name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
    seen.append(name)
    if name == "silent.example." or (name == "lossy.example." and len(seen) == 1):
        return None
    if name == "garbage.example.":
        return b"\x00\x01not a reply"
    reply = dns.message.make_response(query)
    reply.set_rcode(CODES.get(name, dns.rcode.NOERROR))
    found = ZONE.get((name, kind))
    if name == "long.example." and of_udp:
        reply.flags |= dns.flags.TC
    elif found and found.startswith("-> "):
        target = found.removeprefix("-> ")
        reply.answer = [
            dns.rrset.from_text(name, 60, "IN", "CNAME", target),
            dns.rrset.from_text(target, 60, "IN", kind, *ZONE[target, kind].split()),
        ]
    elif found:
        rows = found.split() if kind == "A" else [found]
        reply.answer = [dns.rrset.from_text(name, 60, "IN", kind, *rows)]
    return reply.to_wire()


class Udp(asyncio.DatagramProtocol):
    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = answer(data, of_udp=True, seen=self.seen)
        if reply is not None:
            self.transport.sendto(reply, addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[int]:
    """Run the server on UDP and TCP of one port."""
    seen: list[str] = []

    async def over_tcp(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        reply = answer(await reader.readexactly(size), of_udp=False, seen=seen)
        if reply is not None:
            writer.write(len(reply).to_bytes(2, "big") + reply)
        writer.close()

    tcp = await asyncio.start_server(over_tcp, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    udp, _ = await loop.create_datagram_endpoint(
        lambda: Udp(seen), local_addr=("127.0.0.1", port)
    )
    try:
        yield port
    finally:
        udp.close()
        tcp.close()


def no_secret(name: str) -> str:
    raise AssertionError(name)


async def ask(name: str, kind: str = "A", *, seconds: float = 5.0) -> Observation:
    async with name_server() as port:
        params = Dns.model_validate(
            {"name": name, "type": kind, "server": f"127.0.0.1:{port}"}
        )
        return await look_through(
            PlainWeb(), params, Call("r-1/name/1", seconds, no_secret)
        )


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("good.example", "A", ["192.0.2.1", "192.0.2.2"]),
        ("good.example.", "AAAA", ["2001:db8::1"]),
        ("alias.example", "A", ["192.0.2.1", "192.0.2.2"]),
        ("alias.example", "CNAME", ["good.example"]),
        ("good.example", "MX", ["10 mail.example"]),
        ("good.example", "TXT", ["v=spf1 -all"]),
        ("good.example", "NS", ["ns1.example"]),
        ("192.0.2.1", "PTR", ["good.example"]),
    ],
)
async def test_answer_is_pass(name: str, kind: str, records: list[str]) -> None:
    """Records of any type come back as people write them."""
    found = await ask(name, kind)

    assert (found.verdict, found.seen["addresses"]) == ("pass", records)
    assert found.summary == ", ".join(records)
    assert 0 < found.seen["latency_seconds"] < 5


async def test_nxdomain_is_fail() -> None:
    """The servers have said that there is no such name."""
    found = await ask("missing.example")

    assert (found.verdict, found.summary, found.seen["addresses"]) == (
        "fail", "there is no name 'missing.example' (NXDOMAIN)", []
    )  # fmt: skip


async def test_name_without_such_a_record_is_fail() -> None:
    """The servers have said that the name has no record of this type."""
    found = await ask("good.example", "CAA")

    assert (found.verdict, found.summary, found.seen["addresses"]) == (
        "fail", "'good.example' has no CAA record", []
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("servfail.example", "no server could answer: 127.0.0.1: SERVFAIL"),
        ("refused.example", "no server could answer: 127.0.0.1: REFUSED"),
    ],
)
async def test_server_that_fails_or_refuses_is_unknown(name: str, reason: str) -> None:
    """A server's own trouble says nothing of the name."""
    found = await ask(name)

    assert (found.verdict, found.unknown) == (None, reason)


async def test_garbage_is_unknown() -> None:
    """A reply that cannot be read says nothing of the name."""
    found = await ask("garbage.example", seconds=1.0)

    assert found.verdict is None
    assert found.unknown is not None


@pytest.mark.timed
async def test_silent_server_is_unknown_within_the_limit() -> None:
    """No answer in time is unknown, and the look ends in time."""
    began = time.monotonic()
    found = await ask("silent.example", seconds=0.6)

    assert time.monotonic() - began < 1
    assert found.unknown in (
        "no answer from the name servers in time", "no answer within 0.6 s"
    )  # fmt: skip


async def test_lost_packet_is_sent_again() -> None:
    """One lost packet does not make a name unknown."""
    found = await ask("lossy.example", seconds=2.0)

    assert found.seen["addresses"] == ["192.0.2.3"]


async def test_truncated_answer_is_asked_again_over_tcp() -> None:
    """An answer too long for UDP is fetched over TCP."""
    found = await ask("long.example")

    assert found.seen["addresses"] == ["192.0.2.4"]


async def test_server_that_is_not_there_is_unknown() -> None:
    """Nobody on the server's port: nothing is known of the name."""
    async with name_server() as port:
        pass
    params = Dns(name="good.example", server=f"127.0.0.1:{port}")
    found = await look_through(PlainWeb(), params, Call("k", 1.0, no_secret))

    assert found.verdict is None
    assert found.unknown is not None


async def test_f93_blocked_server_is_not_asked() -> None:
    """A server that may not be reached is unknown for good."""
    params = Dns(name="good.example", server="127.0.0.1")
    web = PlainWeb(blocked=("127.0.0.1",))
    found = await look_through(web, params, Call("k", 1.0, no_secret))

    assert found == Observation(
        unknown="'127.0.0.1' is at 127.0.0.1, which is not a public address",
        retryable=False,
        source="A good.example at 127.0.0.1",
    )


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", "x." * 130, "\\999"])
async def test_impossible_name_is_unknown_in_words(name: str) -> None:
    """What cannot be a name is not asked, and no retry helps."""
    found = await ask(name)

    assert found.retryable is False
    assert (found.unknown or "").startswith(f"'{name}' is not a name: ")


@pytest.mark.parametrize("server", ["host:0", "host:x", ":53", "host:99999"])
def test_impossible_server_is_refused_at_load(server: str) -> None:
    """A port that is none is an error of the runbook."""
    with pytest.raises(ValidationError, match="is no server"):
        Dns(name="good.example", server=server)


def test_dns_judges_itself() -> None:
    """`pass` may be left out."""
    registry = Registry()
    register(registry, PlainWeb())

    assert registry.kinds.checks["dns"].judges_itself
