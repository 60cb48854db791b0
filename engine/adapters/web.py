"""The only door to HTTP: deadlines, caps and address rules in one place.

What is here: ports.Web over httpx's URL and httpcore's connections (the engine of
httpx). A host is resolved once, every address is checked, and the connection goes to
that very address, while Host, SNI and the certificate keep the name. What is not:
secrets, retries, the meaning of a status: those belong to the adapter that asks.

Reads reuse connections. Writes each take a fresh one: on a reused one that the server
is closing nobody could tell whether the request arrived.

Called by bootstrap (builds one) and, through ports.Web, by every other adapter.
"""

import asyncio
import errno
import os
import socket
import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urljoin

import httpcore
import httpx

from engine.model.credentials import shown_url
from engine.ports import WebAnswer, WebProblem, WebRequest

Network = IPv4Network | IPv6Network
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

PUBLIC_V6: Final = ip_network("2000::/3")  # all that is given out; the rest is special
NEVER_PUBLIC: Final = (
    ip_network("2002::/16"),  # 6to4: a private v4 address may hide in it
    ip_network("3fff::/20"),  # documentation
    ip_network("192.88.99.0/24"),  # 6to4 relays
)
FIRST_TRY_SECONDS: Final = 2.0  # a silent address gives way to the next after this
IDLE_SECONDS: Final = 15.0
CONNECTIONS: Final = 100
LOOKUPS: Final = 16  # threads: a resolver that hangs must not stop the others
USER_AGENT: Final = "incident-runbook"
OURS: Final = frozenset({"content-length", "transfer-encoding", "connection"})
KEPT_ELSEWHERE: Final = frozenset({"accept", "accept-language", "user-agent"})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
FAILURES: Final = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    ssl.SSLError,
    zlib.error,
    OSError,
    ValueError,
)


def may_reach(address: str, allow: Sequence[Network]) -> bool:
    """Return whether an address is public, or stands in an allowed network."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found.version == net.version and found in net for net in allow):
        return True
    if isinstance(found, IPv6Address) and found not in PUBLIC_V6:
        return False
    if any(found.version == net.version and found in net for net in NEVER_PUBLIC):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class SystemLookup:
    """Names to addresses as the operating system does it, odd forms included."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses in the system's order. Raises OSError, ValueError."""
        try:  # an address needs no resolver, and must work while there is none
            return self._ask(host, port, socket.AI_NUMERICHOST)
        except socket.gaierror:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._ask, host, port, 0)

    def close(self) -> None:
        """Let the threads end; does not wait for a lookup that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _ask(host: str, port: int, flags: int) -> list[str]:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        return list(dict.fromkeys(str(row[4][0]) for row in rows))


@dataclass(frozen=True, slots=True)
class _Doorman:
    """Which addresses a host has, and whether all of them may be reached."""

    allow: tuple[Network, ...]
    lookup: Lookup

    async def reachable(self, host: str, port: int) -> list[str]:
        try:
            found = list(await self.lookup(host, port))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise WebProblem(
                "dns",
                f"'{host}' cannot be resolved: {reason or 'not a host name'}",
                sent=False,
            ) from error
        if not found:
            raise WebProblem("dns", f"'{host}' has no address", sent=False)
        for address in found:
            if not may_reach(address, self.allow):
                raise WebProblem(
                    "blocked",
                    f"'{host}' is at {address}, which is not a public address; allow "
                    "its network in the configuration if it may be reached",
                    sent=False,
                )
        return found


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to an address that was checked, never to a name."""

    def __init__(self, doorman: _Doorman) -> None:
        self._doorman = doorman
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._doorman.reachable(host, port)
        for address in addresses[:-1]:
            try:
                return await self._tcp.connect_tcp(address, port, FIRST_TRY_SECONDS)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._tcp.connect_tcp(addresses[-1], port, timeout)


@dataclass(slots=True)
class _Trip:
    """How far a request has come."""

    sent: bool = False
    stage: str = ""
    half_open: httpcore.AsyncNetworkStream | None = None  # no TLS agreed yet

    async def trace(self, event: str, detail: Mapping[str, Any]) -> None:
        self.stage = event
        self.sent = self.sent or event.endswith("send_request_headers.started")
        if event.endswith("connect_tcp.complete"):
            self.half_open = detail["return_value"]
        elif event.endswith(("start_tls.complete", "send_request_headers.started")):
            self.half_open = None

    async def abandon(self) -> None:
        """Close what a cancelled TLS handshake would leave open."""
        if self.half_open is not None:
            await self.half_open.aclose()


class HttpxWeb:
    """ports.Web. One per event loop; close it with `aclose`."""

    def __init__(
        self, allow: Sequence[Network] = (), *, lookup: Lookup | None = None
    ) -> None:
        """Reach public addresses and those in `allow`; `lookup` is for tests."""
        self._system = SystemLookup()
        self._doorman = _Doorman(tuple(allow), lookup or self._system)
        self._pools: dict[tuple[object, ...], httpcore.AsyncConnectionPool] = {}

    async def addresses(self, host: str, port: int, /) -> Sequence[str]:
        """Return the addresses of a host that may be reached. Raises WebProblem."""
        return await self._doorman.reachable(host, port)

    async def request(self, request: WebRequest, /) -> WebAnswer:
        """Return the complete answer, whatever its status. Raises WebProblem."""
        began = time.monotonic()
        trip = _Trip()
        try:
            async with asyncio.timeout(request.timeout_seconds) as limit:
                answer = await self._follow(request, trip)
        except WebProblem as problem:
            sent = trip.sent or problem.sent
            raise WebProblem(problem.kind, problem.message, sent=sent) from problem
        except FAILURES as error:
            if isinstance(error, TimeoutError) and limit.expired():
                words = f"no complete answer within {request.timeout_seconds:g} s"
                raise WebProblem("timeout", words, sent=trip.sent) from error
            raise _problem(error, trip) from error
        return replace(answer, took_seconds=time.monotonic() - began)

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            await pool.aclose()
        self._system.close()

    async def _follow(self, request: WebRequest, trip: _Trip) -> WebAnswer:
        for _ in range(request.redirects + 1):
            answer = await self._once(request, trip)
            target = answer.headers.get("location")
            if answer.status not in REDIRECTS or not target or not request.redirects:
                return answer
            request = _next_hop(request, answer.status, target)
        raise WebProblem(
            "protocol", f"more than {request.redirects} redirects", sent=True
        )

    async def _once(self, request: WebRequest, trip: _Trip) -> WebAnswer:
        url = _checked_url(request.url)
        method = request.method.upper()
        core = httpcore.Request(
            method,
            httpcore.URL(
                scheme=url.raw_scheme,
                host=url.raw_host,
                port=url.port,
                target=url.raw_path,
            ),
            headers=_headers(request, url.netloc),
            content=request.body,
            extensions={"trace": trip.trace},
        )
        pool = self._pool(request.ca_file, reuse=method in ("GET", "HEAD", "OPTIONS"))
        try:
            response = await pool.handle_async_request(core)
        except BaseException:
            await trip.abandon()
            raise
        try:
            headers = dict(httpx.Headers(response.headers).items())
            body = await _read(response, headers, request.max_bytes, method)
        finally:
            await response.aclose()
        return WebAnswer(response.status, headers, body, 0.0)

    def _pool(
        self, ca_file: str | None, *, reuse: bool
    ) -> httpcore.AsyncConnectionPool:
        key = (ca_file, _changed_at(ca_file), reuse)
        if key not in self._pools:
            self._pools[key] = httpcore.AsyncConnectionPool(
                ssl_context=_trust(ca_file),
                max_connections=CONNECTIONS,
                max_keepalive_connections=20 if reuse else 0,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=_CheckedBackend(self._doorman),
            )
        return self._pools[key]


def _changed_at(ca_file: str | None) -> int:
    try:
        return os.stat(ca_file).st_mtime_ns if ca_file else 0  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def _trust(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        words = f"the authorities in '{ca_file}' cannot be read: {error}"
        raise WebProblem("tls", words, sent=False) from error


def _checked_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise WebProblem("blocked", f"not a URL: {error}", sent=False) from error
    shown = shown_url(text)
    if url.scheme not in ("http", "https"):
        words = f"{shown}: only http and https are asked"
        raise WebProblem("blocked", words, sent=False)
    if url.userinfo:
        words = f"{shown}: a user stands in the URL; write it as `basic`"
        raise WebProblem("blocked", words, sent=False)
    if not url.host or url.port == 0:
        raise WebProblem("blocked", f"{shown}: no host or port", sent=False)
    return url


def _headers(request: WebRequest, netloc: bytes) -> list[tuple[bytes, bytes]]:
    own = {
        "host": netloc.decode("ascii"),
        "user-agent": USER_AGENT,
        "accept": "*/*",
        "accept-encoding": "gzip",
    }
    own |= {name.lower(): value for name, value in request.headers.items()}
    for name, value in own.items():
        if name in OURS or any(sign in value for sign in "\r\n\0"):
            words = f"header '{name}' may not be set so"
            raise WebProblem("protocol", words, sent=False)
    if request.body is not None or request.method.upper() in ("POST", "PUT", "PATCH"):
        own["content-length"] = str(len(request.body or b""))
    return [(name.encode(), value.encode()) for name, value in own.items()]


def _next_hop(request: WebRequest, status: int, target: str) -> WebRequest:
    """Return the request for a redirect: no downgrade, nothing private elsewhere."""
    here = _checked_url(request.url)
    there = _checked_url(urljoin(request.url, target))
    if here.scheme == "https" and there.scheme == "http":
        words = f"{shown_url(request.url)} redirects from https to http"
        raise WebProblem("blocked", words, sent=True)
    to_get = status == 303 or (
        status in (301, 302) and request.method.upper() != "HEAD"
    )
    same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    if not same and not to_get and request.body:
        words = f"{shown_url(request.url)} redirects a body to another host"
        raise WebProblem("blocked", words, sent=True)
    kept = {
        name: value
        for name, value in request.headers.items()
        if same or name.lower() in KEPT_ELSEWHERE
    }
    if not to_get or request.method.upper() == "HEAD":
        return replace(request, url=str(there), headers=kept)
    kept = {n: v for n, v in kept.items() if n.lower() != "content-type"}
    return replace(request, url=str(there), headers=kept, method="GET", body=None)


async def _read(
    response: httpcore.Response, headers: dict[str, str], cap: int, method: str
) -> bytes:
    """Return the body, decompressed piece by piece and never beyond `cap` bytes."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        words = f"the answer is encoded as '{coding[:40]}', which was not asked for"
        raise WebProblem("protocol", words, sent=True)
    unzip = zlib.decompressobj(47) if coding not in ("", "identity") else None
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk if unzip is None else unzip.decompress(chunk, cap + 1 - len(body))
        if len(body) > cap or (unzip is not None and unzip.unconsumed_tail):
            raise WebProblem("too_large", f"more than {cap:,} bytes", sent=True)
    if unzip is not None and body and not unzip.eof:
        raise WebProblem("protocol", "the compressed answer is cut short", sent=True)
    return bytes(body)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _problem(error: Exception, trip: _Trip) -> WebProblem:
    """Return what a failure below HTTP means."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"the certificate is not accepted: {cause.verify_message}"
            return WebProblem("tls", words, sent=trip.sent)
        if isinstance(cause, ssl.SSLError):
            words = f"TLS failed: {cause.reason or 'no agreement'}"
            return WebProblem("tls", words, sent=trip.sent)
    if ".start_tls" in trip.stage:
        words = "the connection was closed during the TLS handshake"
        return WebProblem("tls", words, sent=trip.sent)
    if isinstance(error, httpcore.TimeoutException | TimeoutError):
        return WebProblem("timeout", "no connection in time", sent=trip.sent)
    if isinstance(error, httpcore.ConnectError):
        return WebProblem("refused", _why_no_connection(causes), sent=trip.sent)
    closed = any(word in str(error) for word in ("disconnected", "closed connection"))
    if isinstance(error, httpcore.ReadError | httpcore.WriteError | OSError) or closed:
        words = "the connection was closed before the answer was complete"
        return WebProblem("reset", words, sent=trip.sent)
    if isinstance(error, zlib.error):
        return WebProblem("protocol", "the compressed answer is damaged", sent=True)
    if isinstance(error, ValueError):
        return WebProblem("protocol", "the request cannot be written", sent=trip.sent)
    return WebProblem("protocol", f"not HTTP: {str(error)[:120]}", sent=trip.sent)


def _why_no_connection(causes: Sequence[BaseException]) -> str:
    codes = [cause.errno for cause in causes if isinstance(cause, OSError)]
    code = next((code for code in codes if code is not None), errno.ECONNREFUSED)
    return f"no connection: {os.strerror(code)}"
