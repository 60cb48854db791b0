"""The router process: partitioned queues, consumers, and a quarantine lane.

Consumers are asyncio workers with a real service time; each serves its share of the
partitions, oldest message first, so a flood in one partition delays its neighbours.
The quarantine lane has a worker of its own that delivers in batches, which it can
because all its messages go to the same people.

Faults: `consumer-stall` (each message takes 3.5 times as long). The faulty version
comes from deploys.py, the flood from load.py.
"""

import asyncio
import time

from .admin import Ask, BadAsk, Reply
from .lanes import (
    CANDIDATE,
    PARTITIONS,
    RINGS,
    STABLE,
    Lane,
    Message,
    RoutingError,
    Versions,
    partition_of,
    ring_of,
)
from .process import Process, Setup
from .wire import line, read_line

TOPIC = "fanout"
SERVICE_SECONDS = 0.016
STALL_FACTOR = 3.5
RETRY_SECONDS = 0.024
REPLICAS = 2
BATCH = 8
BOUNDS = (
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
    16.0,
    30.0,
    60.0,
)
AGES = {"gt1s": 1.0, "gt2s": 2.0, "gt5s": 5.0, "gt30s": 30.0}


class Router:
    """All state of the router."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lanes = [Lane(str(i), TOPIC, ring_of(i)) for i in range(PARTITIONS)]
        self.quarantine: Lane | None = None
        self.quarantined = ""  # the conversation in the quarantine lane
        self.versions = Versions()
        self.replicas = 0
        self.service_seconds = SERVICE_SECONDS
        self._wake: list[asyncio.Event] = []
        self._running: set[int] = set()
        self._wake_quarantine = asyncio.Event()
        self._delivered = asyncio.Event()  # a consumer is through with a message
        self._quarantine_work: asyncio.Task[None] | None = None
        self._gateway: asyncio.StreamWriter | None = None
        metrics = process.metrics
        self.delay = metrics.histogram("message_delivery_seconds", BOUNDS)
        self.requests = metrics.counter("http_requests_total")
        self.delivered = metrics.counter("messages_delivered_total")
        self.delay.declare(topic=TOPIC, lane="main")
        for version in (STABLE, CANDIDATE):
            for code in ("200", "500"):
                self.requests.add(0, service="router", version=version, code=code)

    def scale(self, replicas: int) -> None:
        """Have this many consumers; surplus ones end after their message."""
        self.replicas = replicas
        while len(self._wake) < replicas:
            self._wake.append(asyncio.Event())
        for index in set(range(replicas)) - self._running:
            self._running.add(index)
            self.process.spawn(self._consume(index))
        for event in self._wake:
            event.set()

    async def from_gateway(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take messages from the gateway until it closes the connection."""
        self._gateway = writer
        while (body := await read_line(reader)) is not None:
            self._put(Message(body, asyncio.get_running_loop().time()))

    def _put(self, message: Message) -> None:
        if self.quarantine is not None and message.conversation == self.quarantined:
            self.quarantine.put(message)
            self._wake_quarantine.set()
            return
        partition = partition_of(message.conversation)
        self.lanes[partition].put(message)
        self._wake_owner(partition)

    def _wake_owner(self, partition: int) -> None:
        self._wake[partition % self.replicas].set()

    async def _consume(self, index: int) -> None:
        while index < self.replicas:
            lane = self._next(index)
            if lane is None:
                self._wake[index].clear()
                await self._wake[index].wait()
                continue
            lane.busy = True
            await self._deliver(lane, 1)
            lane.busy = False
            self._delivered.set()
            self._wake_owner(int(lane.name))
        self._running.discard(index)

    def _next(self, index: int) -> Lane | None:
        mine = self.lanes[index :: self.replicas]
        ready = [lane for lane in mine if lane.queue and not lane.busy]
        return min(ready, key=lambda lane: lane.queue[0].at, default=None)

    async def _consume_quarantine(self, lane: Lane, home: Lane) -> None:
        while home.queue and home.queue[0].conversation == self.quarantined:
            self._delivered.clear()  # the one on its way there comes first
            await self._delivered.wait()
        while not lane.closing:
            if not lane.queue:
                self._wake_quarantine.clear()
                await self._wake_quarantine.wait()
                continue
            await self._deliver(lane, BATCH)
        for message in lane.queue:
            home.put(message)
        self.quarantine = None
        self._wake_owner(int(home.name))

    async def _deliver(self, lane: Lane, most: int) -> None:
        """Deliver up to `most` messages from the head of a lane, in one go."""
        await asyncio.sleep(self.service_seconds)
        version = self.versions.by_ring[lane.ring]
        for _ in range(min(most, len(lane.queue))):
            message = lane.queue[0]
            try:
                to = self.versions.recipients(message, version)
            except RoutingError:
                self.requests.add(service="router", version=version, code="500")
                await asyncio.sleep(RETRY_SECONDS)  # and keep its place in the order
                return
            self.requests.add(service="router", version=version, code="200")
            self._hand_over(message, to)
            lane.queue.popleft()
            lane.consumed += 1
            main = lane.topic == TOPIC
            waited = asyncio.get_running_loop().time() - message.at
            self.delay.observe(
                waited, topic=TOPIC, lane="main" if main else "quarantine"
            )

    def _hand_over(self, message: Message, to: list[str]) -> None:
        assert self._gateway is not None
        self._gateway.write(line({**message.body, "to": to}))
        self.delivered.add(len(to))

    def open_quarantine(self, conversation: str) -> None:
        """Move a conversation to a lane of its own; its queued messages first."""
        home = self.lanes[partition_of(conversation)]
        lane = Lane("quarantine", "quarantine", home.ring)
        for message in home.take_out(conversation):
            lane.put(message)
        self.quarantine, self.quarantined = lane, conversation
        work = self._consume_quarantine(lane, home)
        self._quarantine_work = self.process.spawn(work)

    async def close_quarantine(self) -> None:
        """Put the conversation back; what still waits goes first, in order."""
        if self.quarantine is None or self._quarantine_work is None:
            return
        self.quarantine.closing = True
        self._wake_quarantine.set()
        await asyncio.wait([self._quarantine_work])

    def hottest(self) -> str:
        """Return the conversation with the most messages waiting."""
        return max((lane.hottest() for lane in self.lanes), key=lambda hot: hot[1])[0]

    def all_lanes(self) -> list[Lane]:
        """Return the partitions, and the quarantine lane where there is one."""
        return self.lanes + ([self.quarantine] if self.quarantine else [])


class Gauges:
    """What is looked up in the queues at each scrape."""

    def __init__(self, router: Router) -> None:
        self._router = router
        metrics = router.process.metrics
        self._lag = metrics.gauge("kafka_consumergroup_lag")
        self._waiting = metrics.gauge("message_recipients_waiting")
        self._oldest = metrics.gauge("message_oldest_undelivered_seconds")
        self._consumers = metrics.gauge("router_consumers")
        self._build = metrics.gauge("router_build_info")
        self._arrived = metrics.counter("kafka_topic_partition_current_offset")
        self._consumed = metrics.counter("kafka_consumergroup_current_offset")
        metrics.before_scrape(self._refresh)

    def _refresh(self) -> None:
        now = asyncio.get_running_loop().time()
        self._refresh_lanes(now)
        waiting: dict[str, set[str]] = {age: set() for age in AGES}
        for lane in self._router.all_lanes():
            for message in lane.queue:
                for age, seconds in AGES.items():
                    if now - message.at > seconds:
                        waiting[age].update(message.body["to"])
        for age, people in waiting.items():
            self._waiting.set(len(people), age_bucket=age)
        self._consumers.set(self._router.replicas)
        self._build.clear()
        for ring, version in self._router.versions.by_ring.items():
            self._build.set(1, ring=ring, version=version)

    def _refresh_lanes(self, now: float) -> None:
        for gauge in (self._lag, self._oldest, self._arrived, self._consumed):
            gauge.clear()
        oldest = {TOPIC: 0.0}
        for lane in self._router.all_lanes():
            where = {"topic": lane.topic, "partition": lane.name}
            self._lag.set(len(lane.queue), **where, consumergroup="delivery")
            self._arrived.set(lane.arrived, **where)
            self._consumed.set(lane.consumed, **where, consumergroup="delivery")
            age = now - lane.queue[0].at if lane.queue else 0.0
            oldest[lane.topic] = max(oldest.get(lane.topic, 0.0), age)
        for topic, age in oldest.items():
            self._oldest.set(age, topic=topic)


class RouterAdmin:
    """The admin endpoints of the router."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._previous = {ring: [STABLE] for ring in RINGS}
        admin = router.process.admin
        admin.route("GET", "/admin/consumers", self.consumers)
        admin.route("PATCH", "/admin/consumers", self.scale)
        admin.route("GET", "/admin/lanes/quarantine", self.get_lane)
        admin.route("POST", "/admin/lanes/quarantine", self.post_lane)
        admin.route("DELETE", "/admin/lanes/quarantine", self.delete_lane)
        admin.route("GET", "/admin/version", self.version)
        admin.route("POST", "/admin/rollback", self.rollback)
        admin.route("PUT", "/internal/version", self.set_version)
        admin.route("PUT", "/internal/flag", self.set_flag)
        admin.fault("consumer-stall", on=self._stall, off=self._unstall)

    async def _stall(self, body: dict[str, object]) -> None:
        self._router.service_seconds = SERVICE_SECONDS * STALL_FACTOR

    async def _unstall(self, body: dict[str, object]) -> None:
        self._router.service_seconds = SERVICE_SECONDS

    async def consumers(self, ask: Ask) -> Reply:
        """Return how many consumers there are, and the most that can be busy."""
        return 200, {"replicas": self._router.replicas, "useful": PARTITIONS}

    async def scale(self, ask: Ask) -> Reply:
        """Change how many consumers there are."""
        self._router.scale(int(ask.number("replicas", low=1, high=64)))
        return await self.consumers(ask)

    async def get_lane(self, ask: Ask) -> Reply:
        """Return the quarantine lane; 404 where there is none."""
        lane = self._router.quarantine
        if lane is None:
            return 404, {"state": "absent"}
        return 200, {
            "state": "open",
            "conversation": self._router.quarantined,
            "partition": partition_of(self._router.quarantined),
            "lag": len(lane.queue),
        }

    async def post_lane(self, ask: Ask) -> Reply:
        """Open the quarantine lane for the named or the hottest conversation."""
        if self._router.quarantine is not None:
            return await self.get_lane(ask)
        conversation = str(ask.body.get("conversation") or self._router.hottest())
        if not conversation:
            raise BadAsk("no conversation has messages waiting; name one", status=409)
        self._router.open_quarantine(conversation)
        return 201, (await self.get_lane(ask))[1]

    async def delete_lane(self, ask: Ask) -> Reply:
        """Close the quarantine lane; none to close is no error."""
        await self._router.close_quarantine()
        return 200, {"state": "absent"}

    async def version(self, ask: Ask) -> Reply:
        """Return which version each ring runs."""
        rings = self._router.versions.by_ring
        return 200, {"rings": rings, "versions": sorted(set(rings.values()))}

    async def rollback(self, ask: Ask) -> Reply:
        """Put all rings, or the one named, back to what they ran before."""
        only = ask.body.get("ring")
        if only is not None:
            ask.choice("ring", tuple(RINGS))
        for ring in [only] if only else RINGS:
            if len(self._previous[ring]) > 1:
                self._previous[ring].pop()
            self._router.versions.by_ring[ring] = self._previous[ring][-1]
        return await self.version(ask)

    async def set_version(self, ask: Ask) -> Reply:
        """Run a version on one ring (deploys.py asks this)."""
        ring = ask.choice("ring", tuple(RINGS))
        version = ask.choice("version", (STABLE, CANDIDATE))
        past = self._previous[ring]
        if version in past:
            del past[past.index(version) + 1 :]
        else:
            past.append(version)
        self._router.versions.by_ring[ring] = version
        return await self.version(ask)

    async def set_flag(self, ask: Ask) -> Reply:
        """Switch the flag that v42 reads (deploys.py asks this)."""
        self._router.versions.batch_routing = ask.boolean("enabled")
        return 200, {"enabled": self._router.versions.batch_routing}


async def start(setup: Setup) -> None:
    """Start the router on its sockets."""
    process = Process(setup)
    router = Router(process)
    Gauges(router)
    RouterAdmin(router)
    started = process.metrics.gauge("process_start_time_seconds")
    started.set(time.time())
    router.scale(REPLICAS)
    await process.listen("messages", router.from_gateway)
    await process.listen_http()
