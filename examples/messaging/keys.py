"""The key server process: logins, and prekeys for new sessions over TLS.

Logins pass a bounded queue and few workers: that is the platform's login capacity.
Prekeys come from four shards, each a file that holds every user's record; a shard is
chosen by weight. All of it is what really happens: a shard whose file is gone
answers 500, a listener with an expired certificate is refused by its clients.

Faults: `key-server-errors` (a shard's file goes away; body `{"shard": "s2"}`),
`expired-certificate` (the primary certificate runs out before it is renewed).
"""

import asyncio
import random
import ssl
import time
from collections import deque
from pathlib import Path
from typing import Any

from .admin import Ask, BadAsk, Reply
from .certificates import Certificates
from .process import Process, Setup
from .wire import Request, Response, line, read_line, serve_http

SHARDS = ("s0", "s1", "s2", "s3")
USERS = 120
RECORD_BYTES = 32
ONE_TIME_KEYS = 50
LOGIN_WORKERS = 2
LOGIN_SECONDS = 0.05  # two workers: 40 logins per second
LOGIN_QUEUE = 80


class Logins:
    """The login queue and its workers."""

    def __init__(self, process: Process) -> None:
        self._queue: deque[tuple[int, asyncio.StreamWriter]] = deque()
        self._some = asyncio.Event()
        self._took: deque[float] = deque(maxlen=50)
        self._depth = process.metrics.gauge("auth_login_queue_depth")
        self._capacity = process.metrics.gauge("auth_login_capacity_per_second")
        process.metrics.before_scrape(self._refresh)
        for _ in range(LOGIN_WORKERS):
            process.spawn(self._work())

    def _refresh(self) -> None:
        self._depth.set(len(self._queue))
        self._capacity.set(self.capacity())

    def capacity(self) -> float:
        """Return logins per second, from how long the last ones took to work on."""
        if not self._took:
            return LOGIN_WORKERS / LOGIN_SECONDS
        return round(LOGIN_WORKERS * len(self._took) / sum(self._took), 1)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take the gateway's questions; a full queue answers at once."""
        while (asked := await read_line(reader)) is not None:
            number = int(asked["n"])
            if "capacity" in asked:
                writer.write(line({"n": number, "capacity": self.capacity()}))
            elif len(self._queue) >= LOGIN_QUEUE:
                writer.write(line({"n": number, "ok": False}))
            else:
                self._queue.append((number, writer))
                self._some.set()

    async def _work(self) -> None:
        while True:
            while not self._queue:
                self._some.clear()
                await self._some.wait()
            number, writer = self._queue.popleft()
            begun = time.perf_counter()
            await asyncio.sleep(LOGIN_SECONDS)
            self._took.append(time.perf_counter() - begun)
            writer.write(line({"n": number, "ok": True}))


class Shards:
    """The stores of prekeys, and how requests are spread over them."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.files = {shard: directory / f"{shard}.keys" for shard in SHARDS}
        for path in self.files.values():
            path.write_bytes(random.randbytes(USERS * RECORD_BYTES))
        self.weights = dict.fromkeys(SHARDS, 100)
        self.one_time = dict.fromkeys(SHARDS, ONE_TIME_KEYS * USERS)

    def choose(self) -> str | None:
        """Return a shard drawn by weight, or None where all weights are zero."""
        if not any(self.weights.values()):
            return None
        return random.choices(SHARDS, list(self.weights.values()))[0]

    def record(self, shard: str, user: int) -> str:
        """Return a user's record in hexadecimal; OSError where the file is gone."""
        with self.files[shard].open("rb") as store:
            store.seek(user * RECORD_BYTES)
            return store.read(RECORD_BYTES).hex()


class Prekeys:
    """The HTTPS side: `GET /prekeys/USER-NUMBER`."""

    def __init__(self, process: Process, shards: Shards) -> None:
        self._shards = shards
        self.requests = process.metrics.counter("http_requests_total")
        self._served = process.metrics.counter("prekey_bundles_served_total")
        self._last_resort = process.metrics.counter("prekey_last_resort_served_total")
        self._served.add(0)
        self._last_resort.add(0)
        for shard in SHARDS:
            for code in ("200", "500"):
                self._count(shard, code, 0)

    async def answer(self, request: Request) -> Response:
        """Answer one request for a bundle; `upload` brings a fresh key along."""
        number = request.path.removeprefix("/prekeys/")
        if not number.isdigit() or int(number) >= USERS:
            return Response(404, b"{}")
        shard = self._shards.choose()
        if shard is None:
            return Response(503, b'{"error": "no shard has weight"}')
        try:
            record = self._shards.record(shard, int(number))
        except OSError:
            self._count(shard, "500", 1)
            return Response(500, b'{"error": "the shard could not be read"}')
        self._count(shard, "200", 1)
        self._take_one(shard)
        if "upload" in request.query:
            self._shards.one_time[shard] += 1
        return Response(200, f'{{"bundle": "{record}"}}'.encode())

    def _take_one(self, shard: str) -> None:
        self._served.add()
        if self._shards.one_time[shard] > 0:
            self._shards.one_time[shard] -= 1
        else:
            self._last_resort.add()

    def _count(self, shard: str, code: str, amount: int) -> None:
        labels = {"service": "prekey", "version": "k3", "shard": shard, "code": code}
        self.requests.add(amount, **labels)


class TlsListener:
    """The listener: TLS with the certificate that is deployed at this moment."""

    def __init__(
        self, process: Process, prekeys: Prekeys, certificates: Certificates
    ) -> None:
        self._prekeys = prekeys
        self._certificates = certificates
        self.errors = process.metrics.counter("gateway_tls_handshake_errors_total")
        self.done = process.metrics.counter("gateway_tls_handshakes_total")
        for reason in ("expired", "bad_certificate", "other"):
            self.errors.add(0, reason=reason)
        self.done.add(0)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Shake hands, count how that went, then speak HTTP."""
        try:
            context = self._certificates.context()
            await writer.start_tls(context, ssl_handshake_timeout=5.0)
        except (OSError, ssl.SSLError) as error:
            self.errors.add(reason=_reason(error))
            writer.close()
            return
        self.done.add()
        await serve_http(reader, writer, self._prekeys.answer)


def _reason(error: OSError) -> str:
    text = str(getattr(error, "reason", ""))
    if "CERTIFICATE_EXPIRED" in text:
        return "expired"
    return "bad_certificate" if "CERTIFICATE" in text or "CA" in text else "other"


class KeysAdmin:
    """The admin endpoints of the key server."""

    def __init__(
        self, process: Process, shards: Shards, certificates: Certificates
    ) -> None:
        self._shards = shards
        self._certificates = certificates
        admin = process.admin
        admin.route("GET", "/admin/shards", self.shards)
        admin.route("GET", "/admin/shards/{id}", self.shard)
        admin.route("PUT", "/admin/shards/{id}", self.set_shard)
        admin.route("GET", "/admin/certificate", self.certificate)
        admin.route("POST", "/admin/certificate", self.deploy)
        admin.fault("key-server-errors", on=self._lose_shard, off=self._find_shard)
        admin.fault("expired-certificate", on=self._expire, off=self._renew)

    async def _lose_shard(self, body: dict[str, Any]) -> None:
        path = self._shards.files[self._named(body.get("shard", "s2"))]
        path.rename(path.with_suffix(".lost"))

    async def _find_shard(self, body: dict[str, Any]) -> None:
        path = self._shards.files[self._named(body.get("shard", "s2"))]
        path.with_suffix(".lost").rename(path)

    async def _expire(self, body: dict[str, Any]) -> None:
        self._certificates.expire_primary()

    async def _renew(self, body: dict[str, Any]) -> None:
        self._certificates.renew_primary()

    def _named(self, shard: object) -> str:
        if shard not in SHARDS:
            raise BadAsk(f"there is no shard '{shard}'; there are {', '.join(SHARDS)}")
        return str(shard)

    async def shards(self, ask: Ask) -> Reply:
        """Return all weights."""
        return 200, {"shards": dict(self._shards.weights)}

    async def shard(self, ask: Ask) -> Reply:
        """Return one shard."""
        shard = self._named(ask.path["id"])
        return 200, {"id": shard, "weight": self._shards.weights[shard]}

    async def set_shard(self, ask: Ask) -> Reply:
        """Change a shard's weight; 0 sends nothing there."""
        shard = self._named(ask.path["id"])
        self._shards.weights[shard] = int(ask.number("weight", low=0, high=100))
        return await self.shard(ask)

    async def certificate(self, ask: Ask) -> Reply:
        """Return which certificate is deployed and how long it lasts."""
        return 200, self._certificates.state()

    async def deploy(self, ask: Ask) -> Reply:
        """Deploy the primary or the pre-issued standby certificate."""
        self._certificates.deploy(ask.choice("which", ("primary", "standby")))
        return await self.certificate(ask)


async def start(setup: Setup) -> None:
    """Start the key server on its sockets."""
    process = Process(setup)
    shards = Shards(setup.directory / "keys")
    certificates = Certificates(setup.directory / "certificates")
    KeysAdmin(process, shards, certificates)
    listener = TlsListener(process, Prekeys(process, shards), certificates)
    await process.listen("logins", Logins(process).serve)
    await process.listen("tls", listener.serve)
    await process.listen_http()
