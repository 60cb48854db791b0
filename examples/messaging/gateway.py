"""The gateway process: where users connect, log in, say things and hear things.

A connection passes the accept limit (a token bucket), then a login at the key
server, then it is a session. What comes back from the router goes to the session of
each recipient, or waits in a mailbox until the recipient is back.

No fault of its own: `connection-storm` is what the users do (load.py), and the
limit, the pushed backoff and shedding are what repairs it.
"""

import asyncio
from typing import Any

from .admin import Ask, Reply
from .process import Process, Setup
from .wire import Link, line, read_line

VERSION = "g7"
DEFAULT_LIMIT = 1000.0  # connections per second: as good as none
BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
CLASSES = ("presence", "typing", "receipts")
Writer = asyncio.StreamWriter


class TokenBucket:
    """At most `rate` tokens a second, a fifth of a second's worth at once."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._tokens = self._most()
        self._at = asyncio.get_running_loop().time()

    def set_rate(self, rate: float) -> None:
        """Change the rate; tokens saved up under the old one are capped."""
        self.rate = rate
        self._tokens = min(self._tokens, self._most())

    def take(self) -> bool:
        """Take one token, if there is one."""
        now = asyncio.get_running_loop().time()
        gained = (now - self._at) * self.rate
        self._tokens, self._at = min(self._most(), self._tokens + gained), now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _most(self) -> float:
        return max(1.0, self.rate / 5.0)


class Gateway:
    """All state of the gateway."""

    def __init__(self, process: Process, router: Writer, keys: Link) -> None:
        self.bucket = TokenBucket(DEFAULT_LIMIT)
        self.backoff_seconds = 0.0
        self.shed = dict.fromkeys(CLASSES, False)
        self.draining = False
        self.sessions: dict[str, Writer] = {}
        self._mailboxes: dict[str, list[bytes]] = {}
        self._router = router
        self._keys = keys
        metrics = process.metrics
        self.accepted = metrics.counter("gateway_connections_accepted_total")
        self.rejected = metrics.counter("gateway_connections_rejected_total")
        self.connected = metrics.gauge("gateway_connected_clients")
        self.logins = metrics.histogram("auth_login_duration_seconds", BOUNDS)
        self.login_results = metrics.counter("auth_login_total")
        self.events = metrics.counter("gateway_events_total")
        self._build = metrics.gauge("gateway_build_info")
        self._limit = metrics.gauge("gateway_accept_limit")
        self._declare()
        metrics.before_scrape(self._refresh)

    def _declare(self) -> None:
        self.accepted.add(0)
        for reason in ("limit", "draining"):
            self.rejected.add(0, reason=reason)
        for result in ("ok", "busy", "gone"):
            self.login_results.add(0, result=result)
        for kind in CLASSES:
            for shed in ("true", "false"):
                self.events.add(0, kind=kind, shed=shed)
        self.logins.declare()
        self._build.set(1, version=VERSION)

    def _refresh(self) -> None:
        self.connected.set(len(self.sessions))
        self._limit.set(self.bucket.rate)

    async def client(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """Serve one connection of a user from accept to end."""
        user = ""
        try:
            if self._refused(writer):
                return
            self.accepted.add()
            user = await self._login(reader, writer)
            while user and (said := await read_line(reader)) is not None:
                if "bye" in said:
                    break
                self._said(user, said)
        except OSError:
            pass  # the user went away
        finally:
            if user and self.sessions.get(user) is writer:
                del self.sessions[user]
            writer.close()

    def _refused(self, writer: Writer) -> bool:
        if not self.draining and self.bucket.take():
            return False
        self.rejected.add(reason="draining" if self.draining else "limit")
        writer.write(line({"busy": True, "backoff": self.backoff_seconds}))
        return True

    async def _login(self, reader: asyncio.StreamReader, writer: Writer) -> str:
        """Return who logged in, or nothing."""
        hello = await read_line(reader)
        if hello is None or "login" not in hello:
            return ""
        user = str(hello["login"])
        begun = asyncio.get_running_loop().time()
        answer = await self._keys.ask({"login": user})
        self.logins.observe(asyncio.get_running_loop().time() - begun)
        if not answer["ok"]:
            self.login_results.add(result="busy")
            writer.write(line({"busy": True, "backoff": self.backoff_seconds}))
            return ""
        if reader.at_eof():  # it gave up while the key server worked for it
            self.login_results.add(result="gone")
            return ""
        self.login_results.add(result="ok")
        self.sessions[user] = writer
        writer.write(line({"ok": True, "backoff": self.backoff_seconds}))
        for waiting in self._mailboxes.pop(user, []):
            writer.write(waiting)
        return user

    def _said(self, user: str, said: dict[str, Any]) -> None:
        if "say" in said:
            self._router.write(line({**said, "from": user}))
            return
        kind = str(said.get("event"))
        if kind not in CLASSES:
            return
        shed = self.shed[kind]
        self.events.add(kind=kind, shed="true" if shed else "false")
        if not shed and (to := self.sessions.get(str(said.get("to")))) is not None:
            to.write(line({"event": kind, "from": user}))

    async def from_router(self, reader: asyncio.StreamReader) -> None:
        """Pass on what the router delivers, for as long as it lives."""
        while (message := await read_line(reader)) is not None:
            to = message.pop("to")
            text = line(message)
            for user in to:
                if (session := self.sessions.get(user)) is not None:
                    session.write(text)
                else:
                    self._mailboxes.setdefault(user, []).append(text)
        raise ConnectionError("the router closed the connection")

    def push_backoff(self, seconds: float) -> None:
        """Tell all connected users how long to wait before they reconnect."""
        self.backoff_seconds = seconds
        for session in self.sessions.values():
            session.write(line({"backoff": seconds}))


class GatewayAdmin:
    """The admin endpoints of the gateway."""

    def __init__(self, process: Process, gateway: Gateway, keys: Link) -> None:
        self._gateway = gateway
        self._keys = keys
        admin = process.admin
        admin.route("GET", "/admin/limit", self.limit)
        admin.route("PUT", "/admin/limit", self.set_limit)
        admin.route("GET", "/admin/backoff", self.backoff)
        admin.route("PUT", "/admin/backoff", self.set_backoff)
        admin.route("GET", "/admin/shed", self.shed)
        admin.route("PUT", "/admin/shed", self.set_shed)
        admin.route("GET", "/admin/drain", self.drain)
        admin.route("POST", "/admin/drain", self.set_drain)
        admin.route("DELETE", "/admin/drain", self.end_drain)

    async def limit(self, ask: Ask) -> Reply:
        """Return the accept limit, and the login capacity that the keys measured."""
        measured = await self._keys.ask({"capacity": True})
        return 200, {
            "limit": self._gateway.bucket.rate,
            "default": DEFAULT_LIMIT,
            "login_capacity": measured["capacity"],
            "connected": len(self._gateway.sessions),
        }

    async def set_limit(self, ask: Ask) -> Reply:
        """Change the accept limit, in connections per second."""
        self._gateway.bucket.set_rate(ask.number("limit", low=1, high=10_000))
        return await self.limit(ask)

    async def backoff(self, ask: Ask) -> Reply:
        """Return the backoff that users are told; 0 leaves it to them."""
        return 200, {"seconds": self._gateway.backoff_seconds}

    async def set_backoff(self, ask: Ask) -> Reply:
        """Push a backoff to all users; each waits a random part of it."""
        self._gateway.push_backoff(ask.number("seconds", low=0, high=600))
        return await self.backoff(ask)

    async def shed(self, ask: Ask) -> Reply:
        """Return which kinds of small events are dropped."""
        return 200, dict(self._gateway.shed)

    async def set_shed(self, ask: Ask) -> Reply:
        """Drop, or pass on again, the kinds that the body names."""
        asked = {kind: ask.boolean(kind) for kind in CLASSES if kind in ask.body}
        self._gateway.shed.update(asked)
        return await self.shed(ask)

    async def drain(self, ask: Ask) -> Reply:
        """Return whether new connections are refused."""
        return 200, {"draining": self._gateway.draining}

    async def set_drain(self, ask: Ask) -> Reply:
        """Refuse new connections; those that stand go on."""
        self._gateway.draining = True
        return await self.drain(ask)

    async def end_drain(self, ask: Ask) -> Reply:
        """Take new connections again."""
        self._gateway.draining = False
        return await self.drain(ask)


async def start(setup: Setup) -> None:
    """Start the gateway: router and keys first, then its own sockets."""
    process = Process(setup)
    reader, router = await asyncio.open_connection(
        "127.0.0.1", setup.ports["router.messages"]
    )
    keys = Link("127.0.0.1", setup.ports["keys.logins"])
    await keys.open()
    gateway = Gateway(process, router, keys)
    GatewayAdmin(process, gateway, keys)
    process.spawn(gateway.from_router(reader))
    await process.listen("clients", gateway.client)
    await process.listen_http()
