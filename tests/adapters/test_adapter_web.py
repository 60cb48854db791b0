"""The door to HTTP: deadlines, caps, honesty about what was sent, address rules."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest

from engine.adapters.web import HttpxWeb, may_reach
from engine.adapters.web.httpx_web import HOST_CONNECTIONS
from engine.ports import WebProblem, WebRequest
from tests.adapters.certificates import server_certificate
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    always,
    drip,
    hang,
    in_turn,
    reply,
    reset,
    serving,
    zipped,
)

ZIPPED = {"content-encoding": "gzip"}


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


@pytest.fixture
async def strict() -> AsyncIterator[HttpxWeb]:
    """A web that may reach public addresses only."""
    made = HttpxWeb()
    yield made
    await made.aclose()


async def problem(web: HttpxWeb, request: WebRequest) -> WebProblem:
    """Return the problem that the request ends with."""
    with pytest.raises(WebProblem) as caught:
        await web.request(request)
    return caught.value


def told(found: WebProblem) -> tuple[str, str, bool]:
    """Return the whole problem as values."""
    return (found.kind, found.message, found.sent)


@pytest.mark.timed
async def test_answer_is_complete_whatever_its_status(web: HttpxWeb) -> None:
    """
    A 503 with a body is an answer: status, headers in lower case, body.
    """
    async with serving(always(reply("busy", status=503, headers={"X-A": "1"}))) as far:
        answer = await web.request(WebRequest("GET", far.url + "/a?b=c%20d"))

    assert answer.status == 503
    assert answer.headers == {"x-a": "1", "content-length": "4"}
    assert answer.body == b"busy"
    assert 0 < answer.took_seconds < 5
    assert [asked.target for asked in far.asked] == ["/a?b=c%20d"]


async def test_reads_share_a_connection_and_writes_do_not(web: HttpxWeb) -> None:
    """
    Two reads use one connection; each write has its own.
    """
    async with serving(always(reply("ok"))) as far:
        for method in ("GET", "GET", "POST", "POST"):
            await web.request(WebRequest(method, far.url))

    assert far.connections == 3


@pytest.mark.timed
async def test_f28_hanging_server_is_cut_and_was_sent(web: HttpxWeb) -> None:
    """
    A server that never answers costs the total time, and the request counts as sent.
    """
    async with serving(hang) as far:
        began = time.monotonic()
        found = await problem(web, WebRequest("GET", far.url, timeout_seconds=0.3))
        took = time.monotonic() - began

    assert told(found) == ("timeout", "no complete answer within 0.3 s", True)
    assert took < 1.5


@pytest.mark.timed
async def test_f28_dripping_server_is_cut_at_the_total_deadline(web: HttpxWeb) -> None:
    """
    Bytes that keep coming do not extend the deadline.
    """
    async with serving(drip) as far:
        began = time.monotonic()
        found = await problem(web, WebRequest("GET", far.url, timeout_seconds=0.4))
        took = time.monotonic() - began

    assert told(found) == ("timeout", "no complete answer within 0.4 s", True)
    assert 0.3 < took < 1.5


async def test_f34_gzip_bomb_stops_at_the_cap(web: HttpxWeb) -> None:
    """
    A small compressed body that grows beyond the cap is cut while it grows.
    """
    async with serving(always(zipped(b"\0" * 50_000_000))) as far:
        found = await problem(web, WebRequest("GET", far.url))

    assert told(found) == ("too_large", "more than 8,388,608 bytes", True)


async def test_f34_one_gigabyte_body_stops_early(web: HttpxWeb) -> None:
    """
    A body of a gigabyte is left as soon as the cap is passed.
    """
    sent = 0

    async def gigabyte(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(reply(of_length=1_000_000_000))
        for _ in range(1000):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            sent += 1_000_000

    async with serving(gigabyte) as far:
        found = await problem(web, WebRequest("GET", far.url, max_bytes=1_000_000))

    assert told(found) == ("too_large", "more than 1,000,000 bytes", True)
    assert sent < 100_000_000


async def test_f34_stacked_encodings_are_refused(web: HttpxWeb) -> None:
    """
    An encoding that was not asked for is not unpacked.
    """
    answer = reply(b"x", headers={"content-encoding": "gzip, gzip"})
    async with serving(always(answer)) as far:
        found = await problem(web, WebRequest("GET", far.url))

    words = "the answer is encoded as 'gzip, gzip', which was not asked for"
    assert told(found) == ("protocol", words, True)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            zipped(b"x" * 100)[:-12],
            ("reset", "the connection was closed before the answer was complete"),
        ),
        (
            reply(gzip.compress(b"x" * 100, mtime=0)[:-9], headers=ZIPPED),
            ("protocol", "the compressed answer is cut short"),
        ),
        (
            reply(gzip.compress(b"x" * 100, mtime=0)[:10], headers=ZIPPED),
            ("protocol", "the compressed answer is cut short"),
        ),
        (
            reply(gzip.compress(b"{", mtime=0) + gzip.compress(b"}"), headers=ZIPPED),
            ("protocol", "something follows the end of the compressed answer"),
        ),
        (
            reply(b"no gzip", headers=ZIPPED),
            ("protocol", "the compressed answer is damaged"),
        ),
        (
            b"nonsense\r\n\r\n",
            ("protocol", "not HTTP: illegal status line: bytearray(b'nonsense')"),
        ),
    ],
)
async def test_f34_damaged_answers_are_problems(
    web: HttpxWeb, answer: bytes, expected: tuple[str, str]
) -> None:
    """
    A cut, damaged or foreign answer is never half an answer.
    """

    async def once(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with serving(once) as far:
        found = await problem(web, WebRequest("GET", far.url))

    assert told(found) == (*expected, True)


async def test_compressed_answer_is_unpacked(web: HttpxWeb) -> None:
    """
    A gzip body arrives as what was compressed.
    """
    async with serving(always(zipped(b"hello" * 1000))) as far:
        answer = await web.request(WebRequest("GET", far.url))

    assert answer.body == b"hello" * 1000


async def test_refused_connection_was_not_sent(web: HttpxWeb) -> None:
    """
    Nobody listens: refused, and surely nothing was sent.
    """
    async with serving(hang) as far:
        url = far.url

    found = await problem(web, WebRequest("POST", url, body=b"x"))

    assert told(found) == ("refused", "no connection: Connection refused", False)


async def test_reset_after_the_request_was_sent(web: HttpxWeb) -> None:
    """
    A connection cut after the request may have done the work: sent.
    """
    async with serving(reset) as far:
        found = await problem(web, WebRequest("POST", far.url, body=b"x"))

    words = "the connection was closed before the answer was complete"
    assert told(found) == ("reset", words, True)


async def test_redirect_is_an_answer_unless_asked(web: HttpxWeb) -> None:
    """
    Without `redirects` the 302 itself comes back.
    """
    answer = reply(status=302, headers={"location": "/there"})
    async with serving(always(answer)) as far:
        got = await web.request(WebRequest("GET", far.url))

    assert (got.status, got.headers["location"]) == (302, "/there")
    assert len(far.asked) == 1


async def test_redirect_keeps_secrets_at_home(web: HttpxWeb) -> None:
    """
    A redirect to another origin loses the Authorization header.
    """
    async with serving(always(reply("there"))) as there:
        answer = reply(status=302, headers={"location": there.url + "/x"})
        async with serving(always(answer)) as here:
            got = await web.request(
                WebRequest("GET", here.url, {"Authorization": "Bearer c"}, redirects=2)
            )

    assert got.body == b"there"
    assert here.asked[0].headers["authorization"] == "Bearer c"
    assert "authorization" not in there.asked[0].headers


async def test_redirect_loop_ends(web: HttpxWeb) -> None:
    """
    A loop ends after as many hops as were asked for.
    """
    async with serving(always(reply(status=302, headers={"location": "/"}))) as far:
        found = await problem(web, WebRequest("GET", far.url, redirects=3))

    assert told(found) == ("protocol", "more than 3 redirects", True)
    assert len(far.asked) == 4


async def test_env_proxies_are_ignored(
    web: HttpxWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A proxy in the environment does not see the request.
    """
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serving(always(reply("direct"))) as far:
        answer = await web.request(WebRequest("GET", far.url))

    assert answer.body == b"direct"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "192.88.99.1",
    ],
)
def test_f93_special_addresses_are_not_reached(address: str) -> None:
    """
    Nothing but public unicast is reached, whatever form hides the address.
    """
    assert may_reach(address, ()) is False


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("8.8.8.8", "192.0.2.0/24"),
        ("2606:4700::1111", "192.0.2.0/24"),
        ("::ffff:8.8.8.8", "192.0.2.0/24"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.0.0.0/8"),
        ("fd00::5", "fd00::/8"),
    ],
)
def test_f93_public_and_allowed_addresses_are_reached(
    address: str, network: str
) -> None:
    """
    Public addresses are reached, and private ones that the configuration allows.
    """
    assert may_reach(address, (ip_network(network),)) is True


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "0",
        "127。0。0。1",
    ],
)
async def test_f93_odd_forms_are_blocked(strict: HttpxWeb, host: str) -> None:
    """
    An odd form resolves as the system does it, and is then refused.
    """
    async with serving(always(reply("secret"))) as far:
        found = await problem(strict, WebRequest("GET", f"http://{host}:{far.port}/"))

    assert (found.kind, found.sent, far.connections) == ("blocked", False, 0)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "file:///etc/passwd: only http and https are asked"),
        ("gopher://h/", "gopher://h/: only http and https are asked"),
        (
            "http://u:p@h/",
            "http://h/: a user stands in the URL; write it as `basic`",
        ),
        ("http:///x", "http:///x: no host or port"),
        ("http://h:0/", "http://h:0/: no host or port"),
    ],
)
async def test_f93_other_urls_are_blocked(
    strict: HttpxWeb, url: str, words: str
) -> None:
    """
    Only http and https, without a user in the URL.
    """
    assert told(await problem(strict, WebRequest("GET", url))) == (
        "blocked",
        words,
        False,
    )


async def test_f93_every_address_of_a_name_is_checked() -> None:
    """
    One private address among public ones blocks the name.
    """

    async def both(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.216.34", "127.0.0.1"]

    web = HttpxWeb(lookup=both)
    found = await problem(web, WebRequest("GET", "http://two.example/"))

    words = (
        "'two.example' is at 127.0.0.1, which is not a public address; allow its "
        "network in the configuration if it may be reached"
    )
    assert told(found) == ("blocked", words, False)


async def test_f93_rebinding_name_is_resolved_once() -> None:
    """
    A name that answers differently the second time is never asked a second time.
    """
    asked = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    web = HttpxWeb([ip_network("127.0.0.1/32")], lookup=rebinding)
    async with serving(always(reply("ok"))) as far:
        url = f"http://moving.example:{far.port}/"
        answer = await web.request(WebRequest("GET", url))
        again = await problem(web, WebRequest("POST", url))
    await web.aclose()

    assert answer.body == b"ok"
    assert asked == ["moving.example"] * 2
    assert again.kind == "blocked"
    assert far.asked[0].headers["host"] == f"moving.example:{far.port}"


async def test_f93_redirect_to_loopback_is_blocked() -> None:
    """
    Each hop is checked anew.
    """

    async def lookup(host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.2" if host == "inner.example" else "127.0.0.1"]

    web = HttpxWeb([ip_network("127.0.0.1/32")], lookup=lookup)
    answer = reply(status=302, headers={"location": "http://inner.example/"})
    async with serving(always(answer)) as far:
        url = f"http://outer.example:{far.port}/"
        found = await problem(web, WebRequest("GET", url, redirects=5))
    await web.aclose()

    assert (found.kind, found.sent) == ("blocked", True)


async def test_f93_failed_lookup_denies(strict: HttpxWeb) -> None:
    """
    A name that cannot be resolved is a problem of kind dns; nothing is sent.
    """
    found = await problem(strict, WebRequest("GET", "http://no.such.invalid/"))

    assert (found.kind, found.sent) == ("dns", False)
    with pytest.raises(WebProblem) as caught:
        await strict.addresses("localhost", 80)
    assert caught.value.kind == "blocked"


async def test_f39_name_is_verified_though_an_address_is_dialled(
    tmp_path: Path,
) -> None:
    """
    SNI and the certificate follow the name, the connection the checked address.
    """

    async def lookup(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    web = HttpxWeb([ip_network(LOOPBACK)], lookup=lookup)
    context, trusted = server_certificate(tmp_path, "good.example")
    async with serving(always(reply("safe")), tls=context) as far:
        good = WebRequest("GET", f"https://good.example:{far.port}/", ca_file=trusted)
        answer = await web.request(good)
        other = WebRequest("GET", f"https://bad.example:{far.port}/", ca_file=trusted)
        wrong_name = await problem(web, other)
        unknown = await problem(
            web, WebRequest("GET", f"https://good.example:{far.port}/")
        )
    await web.aclose()

    assert answer.body == b"safe"
    assert (wrong_name.kind, wrong_name.sent) == ("tls", False)
    assert wrong_name.message.startswith("the certificate is not accepted: Hostname")
    assert told(unknown) == (
        "tls",
        "the certificate is not accepted: self-signed certificate",
        False,
    )


async def test_f39_expired_certificate_is_a_tls_problem(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    An expired certificate ends the request; there is no second try without TLS.
    """
    context, trusted = server_certificate(tmp_path, "localhost", days_left=-1)
    async with serving(always(reply("x")), tls=context) as far:
        url = f"https://localhost:{far.port}/"
        found = await problem(web, WebRequest("GET", url, ca_file=trusted))

    words = "the certificate is not accepted: certificate has expired"
    assert told(found) == ("tls", words, False)
    assert far.asked == []


async def test_f39_plain_server_behind_https_is_a_tls_problem(web: HttpxWeb) -> None:
    """
    A server that speaks no TLS is never asked in the clear.
    """
    async with serving(always(reply("x"))) as far:
        url = far.url.replace("http:", "https:")
        found = await problem(web, WebRequest("GET", url, timeout_seconds=3))

    assert (found.kind, found.sent) == ("timeout", False)


async def test_f39_redirect_from_https_to_http_is_blocked(
    web: HttpxWeb, tmp_path: Path
) -> None:
    """
    A redirect never leads out of TLS.
    """
    context, trusted = server_certificate(tmp_path, "localhost")
    answer = reply(status=301, headers={"location": "http://localhost/"})
    async with serving(always(answer), tls=context) as far:
        url = f"https://localhost:{far.port}/"
        found = await problem(web, WebRequest("GET", url, ca_file=trusted, redirects=1))

    words = f"https://localhost:{far.port}/ redirects from https to http"
    assert told(found) == ("blocked", words, True)


async def test_headers_cannot_be_split(web: HttpxWeb) -> None:
    """
    A line break in a header stops the request, and its value is not shown.
    """
    request = WebRequest("GET", "http://127.0.0.1/", {"X-A": "1\r\nX-Canary: 2"})

    assert told(await problem(web, request)) == (
        "protocol",
        "header 'x-a' may not be set so",
        False,
    )


async def test_silent_address_gives_way_to_the_next(web: HttpxWeb) -> None:
    """
    Where one address refuses, the next one is tried.
    """

    async def lookup(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.3", "127.0.0.1"]

    web = HttpxWeb([ip_network(LOOPBACK)], lookup=lookup)
    async with serving(always(reply("second"))) as far:
        answer = await web.request(WebRequest("GET", f"http://two.example:{far.port}"))
    await web.aclose()

    assert answer.body == b"second"


async def test_requests_run_after_the_pool_was_used_by_many(web: HttpxWeb) -> None:
    """
    A request that is cut leaves the connections of the others alone.
    """
    answers = in_turn(reply("one"), reply("two"))
    async with serving(hang) as slow, serving(answers) as far:
        await problem(web, WebRequest("GET", slow.url, timeout_seconds=0.2))
        first = await web.request(WebRequest("GET", far.url))
        second = await web.request(WebRequest("GET", far.url))

    assert (first.body, second.body) == (b"one", b"two")


async def test_a_host_that_hangs_leaves_room_for_others(web: HttpxWeb) -> None:
    """
    More requests wait at one host than it may have: another one is asked at once, and
    those that had no turn were not sent.
    """
    times = [3.0] * HOST_CONNECTIONS + [1.0] * 20
    async with serving(hang) as far, serving(always(reply("ok"))) as near:
        slow = [
            asyncio.create_task(
                problem(web, WebRequest("GET", far.url, timeout_seconds=one))
            )
            for one in times
        ]
        await asyncio.sleep(0)
        answer = await web.request(WebRequest("GET", near.url, timeout_seconds=2.0))
        found = await asyncio.gather(*slow)

    assert 200 == answer.status
    assert [("timeout", True)] * HOST_CONNECTIONS + [("timeout", False)] * 20 == [
        (one.kind, one.sent) for one in found
    ]
