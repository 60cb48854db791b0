"""ports.Web over httpx's URL and httpcore's connections (the engine of httpx).

Host, SNI and the certificate keep the name, while the connection goes to the address
that was checked.

Reads reuse connections. Writes each take a fresh one: on a reused one that the server
is closing nobody could tell whether the request arrived. One host has at most
HOST_CONNECTIONS at a time, so that one that hangs leaves room for the others; what
waits for its turn waits here, because the pool looks at all that wait at each answer.

Called by: the package; through ports.Web by every other adapter.
"""

import asyncio
import os
import ssl
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urljoin
from weakref import WeakValueDictionary

import httpcore
import httpx

from engine.adapters.web.addresses import (
    CheckedBackend,
    Doorman,
    Lookup,
    Network,
    SystemLookup,
)
from engine.adapters.web.failures import FAILURES, problem
from engine.model.credentials import shown_url
from engine.ports import WebAnswer, WebProblem, WebRequest

IDLE_SECONDS: Final = 15.0
CONNECTIONS: Final = 400
HOST_CONNECTIONS: Final = 100
USER_AGENT: Final = "incident-runbook"
OURS: Final = frozenset({"content-length", "transfer-encoding", "connection"})
KEPT_ELSEWHERE: Final = frozenset({"accept", "accept-language", "user-agent"})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

_Key = tuple[str | None, int, bool]  # authorities, their age, whether to reuse


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
        self._doorman = Doorman(tuple(allow), lookup or self._system)
        self._pools: dict[
            tuple[str | None, int, bool], httpcore.AsyncConnectionPool
        ] = {}
        self._all = asyncio.Semaphore(CONNECTIONS)
        self._hosts = WeakValueDictionary[tuple[str, int | None], asyncio.Semaphore]()

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
        except WebProblem as found:
            sent = trip.sent or found.sent
            raise WebProblem(found.kind, found.message, sent=sent) from found
        except FAILURES as error:
            if isinstance(error, TimeoutError) and limit.expired():
                words = f"no complete answer within {request.timeout_seconds:g} s"
                raise WebProblem("timeout", words, sent=trip.sent) from error
            raise problem(error, trip.stage, sent=trip.sent) from error
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
        async with self._turn(url), self._all:
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

    def _turn(self, url: httpx.URL) -> asyncio.Semaphore:
        turns = asyncio.Semaphore(HOST_CONNECTIONS)
        return self._hosts.setdefault((url.host, url.port), turns)

    def _pool(
        self, ca_file: str | None, *, reuse: bool
    ) -> httpcore.AsyncConnectionPool:
        key = ca_file, _changed_at(ca_file), reuse
        if key not in self._pools:
            self._pools[key] = httpcore.AsyncConnectionPool(
                ssl_context=trust(*key[:2]),
                max_connections=CONNECTIONS,
                max_keepalive_connections=20 if reuse else 0,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=CheckedBackend(self._doorman),
            )
        return self._pools[key]


def _changed_at(ca_file: str | None) -> int:
    try:
        return os.stat(ca_file).st_mtime_ns if ca_file else 0  # noqa: PTH116
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=32)  # the system's authorities take 50 ms to read
def trust(ca_file: str | None = None, changed_at: int = 0) -> ssl.SSLContext:
    """Return whom to trust: these authorities, or the system's. Raises WebProblem."""
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
    body, came = bytearray(), False
    async for chunk in response.aiter_stream():
        came = True
        body += chunk if unzip is None else unzip.decompress(chunk, cap + 1 - len(body))
        if len(body) > cap or (unzip is not None and unzip.unconsumed_tail):
            raise WebProblem("too_large", f"more than {cap:,} bytes", sent=True)
    if unzip is not None and came and not unzip.eof:
        raise WebProblem("protocol", "the compressed answer is cut short", sent=True)
    if unzip is not None and unzip.unused_data:
        words = "something follows the end of the compressed answer"
        raise WebProblem("protocol", words, sent=True)
    return bytes(body)
