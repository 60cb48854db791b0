"""The load process: 120 users who talk, call, and notice when it does not work.

Each user is a real connection to the gateway (users.py). Forty conversations of
three exchange about 64 messages a second; five calls a second are set up at the
media nodes; eight new sessions a second fetch prekeys over verified TLS.

Faults: `connection-storm` (everybody reconnects at once, and the clients retry
without backoff until they are told one), `hot-partition` (100 messages a second
more into one conversation).
"""

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from typing import Any

from .admin import Admin, Ask, Reply
from .keyclient import expiry, fetch_prekeys
from .process import Process, Setup
from .users import User, Users
from .wire import Link

MESSAGES_PER_SECOND = 64.0
FLOOD_PER_SECOND = 100.0
FLOOD_CONVERSATION = 7
EVENTS_PER_SECOND = 6.0
CALLS_PER_SECOND = 5.0
CALL_SECONDS = 4.0
SESSIONS_PER_SECOND = 8.0
CHURN_PER_SECOND = 1.0
RAMP_PER_SECOND = 35.0
HEALTHY_SHARE = 0.97


async def paced(per_second: float, act: Callable[[], object]) -> None:
    """Call `act` at this pace for ever; what a pause missed is not made up for."""
    clock = asyncio.get_running_loop().time
    due = clock()
    while True:
        act()
        due = max(due + 1.0 / per_second, clock() - 0.2)
        await asyncio.sleep(max(0.0, due - clock()))


class Talk:
    """What users send, in an ordinary minute and in a flood."""

    def __init__(self, process: Process, users: Users) -> None:
        self._users = users
        self._sent = process.metrics.counter("client_messages_sent_total")
        self._unsent = process.metrics.counter("client_messages_unsent_total")
        self._sent.add(0)
        self._unsent.add(0)

    def message(self) -> None:
        """Have a random user say something in its conversation."""
        self._say(random.choice(self._users.all))

    def flood(self) -> None:
        """Have a member of the hot conversation say something."""
        members = self._users.members(FLOOD_CONVERSATION)
        online = [user for user in members if user.online]
        if online:
            self._say(random.choice(online))

    def _say(self, user: User) -> None:
        others = [u.name for u in self._users.members(user.conversation) if u != user]
        (self._sent if user.say(others) else self._unsent).add()

    def event(self) -> None:
        """Have a random user type, or show that it is there."""
        user = random.choice(self._users.all)
        other = random.choice(self._users.members(user.conversation))
        user.event(random.choice(("presence", "typing")), other.name)

    def totals(self) -> dict[str, float]:
        """Return what was said, and what could not be said."""
        return {"sent": self._sent.total(), "unsent": self._unsent.total()}


class Calls:
    """Calls at the media nodes."""

    def __init__(self, process: Process, media: Link) -> None:
        self._process = process
        self._media = media
        self._results = process.metrics.counter("client_calls_total")
        for result in ("ok", "dropped", "not_set_up"):
            self._results.add(0, result=result)

    def one(self) -> None:
        """Start a call, and count how it ends."""
        self._process.spawn(self._call())

    async def _call(self) -> None:
        seconds = random.uniform(0.5, 1.5) * CALL_SECONDS
        asked = {"video": random.random() < 0.5, "people": 2, "seconds": seconds}
        set_up, ended = await self._media.ask_twice(asked)
        if not set_up["ok"]:
            ended.cancel()
            self._results.add(result="not_set_up")
            return
        reason = (await ended)["reason"]
        self._results.add(result="ok" if reason == "hangup" else "dropped")

    def totals(self) -> dict[str, float]:
        """Return how calls ended."""
        value = self._results.value
        return {"dropped": value(result="dropped"), "ended": value(result="ok")}


class Sessions:
    """New sessions: prekeys over TLS; and the probe that looks at the certificate."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._port = process.setup.ports["keys.tls"]
        trusted = process.setup.directory / "certificates" / "trusted.pem"
        self._tls = ssl.create_default_context(cafile=str(trusted))
        metrics = process.metrics
        self._results = metrics.counter("session_setup_total")
        self._users_failed = metrics.counter("session_setup_failed_users_total")
        self._expiry = metrics.gauge("probe_ssl_earliest_cert_expiry")
        self._success = metrics.gauge("probe_success")
        self._users_failed.add(0)
        for result in ("ok", "tls", "error"):
            self._results.add(0, result=result)

    def one(self) -> None:
        """Set one session up, and count how that went."""
        self._process.spawn(self._set_up(random.randrange(120)))

    async def _set_up(self, user: int) -> None:
        result = await asyncio.to_thread(fetch_prekeys, self._port, user, self._tls)
        self._results.add(result=result)
        if result != "ok":
            self._users_failed.add()

    def probe(self) -> None:
        """Look at the certificate that the listener shows."""
        self._process.spawn(self._probe())

    async def _probe(self) -> None:
        labels = {"job": "blackbox-tls", "instance": f"127.0.0.1:{self._port}"}
        until = await asyncio.to_thread(expiry, self._port)
        if until is not None:
            self._expiry.set(until, **labels)
        good = until is not None and until > time.time()
        self._success.set(1 if good else 0, **labels)

    def totals(self) -> dict[str, float]:
        """Return how session set-ups went."""
        value = self._results.value
        failed = value(result="tls") + value(result="error")
        return {"ok": value(result="ok"), "failed": failed}


class Faults:
    """What the users can do to the platform."""

    def __init__(self, process: Process, users: Users, talk: Talk) -> None:
        self._process = process
        self._users = users
        self._talk = talk
        self._flood: asyncio.Task[Any] | None = None
        admin: Admin = process.admin
        admin.fault("connection-storm", on=self._storm, off=self._calm)
        admin.fault("hot-partition", on=self._heat, off=self._cool)

    async def _storm(self, body: dict[str, Any]) -> None:
        self._users.impatient = True
        for user in self._users.all:
            user.leave()

    async def _calm(self, body: dict[str, Any]) -> None:
        self._users.impatient = False

    async def _heat(self, body: dict[str, Any]) -> None:
        self._flood = self._process.spawn(paced(FLOOD_PER_SECOND, self._talk.flood))

    async def _cool(self, body: dict[str, Any]) -> None:
        if self._flood is not None:
            self._flood.cancel()


class Seen:
    """What users saw, as one page."""

    def __init__(
        self, process: Process, users: Users, talk: Talk, calls: Calls, new: Sessions
    ) -> None:
        self._users = users
        self._talk = talk
        self._calls = calls
        self._new = new
        process.admin.route("GET", "/admin/seen", self.seen)

    async def seen(self, ask: Ask) -> Reply:
        """Return the totals since the start."""
        return 200, {
            "messages": {**self._talk.totals(), **self._users.received()},
            "logins": self._users.logins(),
            "calls": self._calls.totals(),
            "sessions": self._new.totals(),
        }


async def start(setup: Setup) -> None:
    """Start the users; healthy as soon as nearly all of them are connected."""
    process = Process(setup)
    media = Link("127.0.0.1", setup.ports["media.calls"])
    await media.open()
    users = Users(process)
    talk, calls, new = Talk(process, users), Calls(process, media), Sessions(process)
    Faults(process, users, talk)
    Seen(process, users, talk, calls, new)
    process.admin.healthy_when(lambda: users.online() >= HEALTHY_SHARE * len(users.all))
    await process.listen_http()
    process.spawn(paced(1.0, new.probe))
    pace: list[tuple[float, Callable[[], object]]] = [
        (MESSAGES_PER_SECOND, talk.message),
        (EVENTS_PER_SECOND, talk.event),
        (CALLS_PER_SECOND, calls.one),
        (SESSIONS_PER_SECOND, new.one),
        (CHURN_PER_SECOND, lambda: random.choice(users.all).leave()),
    ]
    process.spawn(_ramp(process, users, pace))


async def _ramp(
    process: Process, users: Users, pace: list[tuple[float, Callable[[], object]]]
) -> None:
    """Bring users in below the login capacity, then have them do what users do."""
    for user in users.all:
        process.spawn(user.live())
        await asyncio.sleep(1.0 / RAMP_PER_SECOND)
    for per_second, act in pace:
        process.spawn(paced(per_second, act))
