"""The media process: four nodes that carry calls, packet by packet.

Each call sends a packet every 200 ms; a node works through its packets one after
another, and a packet costs time by kind and by the video cap. A packet that waited
too long ends its call with `media_timeout`. New calls go to nodes by weight alone:
nothing here notices a bad node, which is what the runbook is for.

Fault: `media-saturation` (one node needs twenty times as long for each packet; body
`{"node": "n3"}`).
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .admin import Ask, BadAsk, Reply
from .process import Process, Setup
from .wire import line, read_line

NODES = ("n1", "n2", "n3", "n4")
SLOTS = 16
PACKET_EVERY_SECONDS = 0.2
AUDIO_SECONDS = 0.004
VIDEO_SECONDS = {720: 0.012, 360: 0.004, 0: 0.0}  # by height; 0 is audio only
LATE_SECONDS = 0.6
SLOW_FACTOR = 20.0
BUSY_WINDOW_SECONDS = 2.0


@dataclass(slots=True, eq=False)
class Call:
    """One call of `people` participants."""

    video: bool
    people: int
    ended: asyncio.Future[str] = field(default_factory=asyncio.Future)

    def end(self, reason: str) -> None:
        """End the call, if it has not ended yet."""
        if not self.ended.done():
            self.ended.set_result(reason)


class Node:
    """One media node: its calls, its packets and the worker that sends them on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.weight = 100
        self.slow = 1.0
        self.calls: set[Call] = set()
        self.waited = 0.0  # of the last packet, seconds
        self.dropped = 0
        self.cap_height = 720
        self._packets: deque[tuple[Call, float]] = deque()
        self._some = asyncio.Event()
        self._busy: deque[tuple[float, float]] = deque()

    def put(self, call: Call) -> None:
        """Take one packet of a call."""
        self._packets.append((call, asyncio.get_running_loop().time()))
        self._some.set()

    def load(self) -> float:
        """Return the share of the last two seconds spent on packets, 0 to about 1."""
        now = asyncio.get_running_loop().time()
        while self._busy and self._busy[0][0] < now - BUSY_WINDOW_SECONDS:
            self._busy.popleft()
        return sum(seconds for _, seconds in self._busy) / BUSY_WINDOW_SECONDS

    async def work(self) -> None:
        """Send packets on, one after another, for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            while not self._packets:
                self.waited = 0.0
                self._some.clear()
                await self._some.wait()
            call, came = self._packets.popleft()
            if call.ended.done():
                continue
            begun = clock()
            await asyncio.sleep(self._cost(call))
            self._busy.append((clock(), clock() - begun))
            self.waited = clock() - came
            if self.waited > LATE_SECONDS:
                call.end("media_timeout")

    def _cost(self, call: Call) -> float:
        video = call.video and self.cap_height > 0
        seconds = VIDEO_SECONDS[self.cap_height] if video else AUDIO_SECONDS
        return seconds * self.slow


class Media:
    """All nodes, and the calls on them."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.nodes = {name: Node(name) for name in NODES}
        metrics = process.metrics
        self._setups = metrics.counter("call_setup_total")
        self._ends = metrics.counter("call_ended_total")
        self._dropped = metrics.counter("call_participants_dropped_total")
        self._gauges = {
            name: metrics.gauge(f"media_node_{name}")
            for name in ("load", "calls", "weight", "packet_delay_seconds")
        }
        self._declare()
        metrics.before_scrape(self._refresh)
        for node in self.nodes.values():
            process.spawn(node.work())

    def _declare(self) -> None:
        self._dropped.add(0)
        for result in ("ok", "no_capacity"):
            self._setups.add(0, result=result)
        for node in NODES:
            for reason in ("hangup", "media_timeout"):
                self._ends.add(0, reason=reason, node=node)

    def _refresh(self) -> None:
        for node in self.nodes.values():
            self._gauges["load"].set(round(node.load(), 4), node=node.name)
            self._gauges["calls"].set(len(node.calls), node=node.name)
            self._gauges["weight"].set(node.weight, node=node.name)
            self._gauges["packet_delay_seconds"].set(node.waited, node=node.name)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take call set-ups; each is answered at once and again when it has ended."""
        while (asked := await read_line(reader)) is not None:
            node = self._choose()
            self._setups.add(result="ok" if node else "no_capacity")
            writer.write(line({"n": asked["n"], "ok": node is not None}))
            if node is not None:
                call = Call(bool(asked["video"]), int(asked["people"]))
                self._process.spawn(self._carry(call, node, asked["seconds"]))
                self._process.spawn(self._tell(call, asked["ended"], writer))

    async def _tell(
        self, call: Call, number: int, writer: asyncio.StreamWriter
    ) -> None:
        reason = await call.ended
        writer.write(line({"n": number, "reason": reason}))

    def _choose(self) -> Node | None:
        free = [n for n in self.nodes.values() if n.weight and len(n.calls) < SLOTS]
        if not free:
            return None
        return random.choices(free, [node.weight for node in free])[0]

    async def _carry(self, call: Call, node: Node, seconds: float) -> None:
        node.calls.add(call)
        until = asyncio.get_running_loop().time() + seconds
        await asyncio.sleep(random.uniform(0, PACKET_EVERY_SECONDS))
        while not call.ended.done():
            if asyncio.get_running_loop().time() >= until:
                call.end("hangup")
                break
            node.put(call)
            await asyncio.wait([call.ended], timeout=PACKET_EVERY_SECONDS)
        node.calls.discard(call)
        reason = call.ended.result()
        self._ends.add(reason=reason, node=node.name)
        if reason != "hangup":
            node.dropped += 1
            self._dropped.add(call.people)


class MediaAdmin:
    """The admin endpoints of the media nodes."""

    def __init__(self, process: Process, media: Media) -> None:
        self._nodes = media.nodes
        admin = process.admin
        admin.route("GET", "/admin/nodes", self.nodes)
        admin.route("GET", "/admin/nodes/{id}", self.node)
        admin.route("PUT", "/admin/nodes/{id}", self.set_node)
        admin.route("GET", "/admin/video-cap", self.cap)
        admin.route("PUT", "/admin/video-cap", self.set_cap)
        admin.fault("media-saturation", on=self._slow_down, off=self._speed_up)

    async def _slow_down(self, body: dict[str, Any]) -> None:
        self._named(body.get("node", "n3")).slow = SLOW_FACTOR

    async def _speed_up(self, body: dict[str, Any]) -> None:
        self._named(body.get("node", "n3")).slow = 1.0

    def _named(self, name: object) -> Node:
        if name not in self._nodes:
            raise BadAsk(f"there is no node '{name}'; there are {', '.join(NODES)}")
        return self._nodes[str(name)]

    async def nodes(self, ask: Ask) -> Reply:
        """Return all nodes, the share of them that takes calls, and the worst one."""
        nodes = self._nodes.values()
        worst = max(nodes, key=lambda node: (node.waited, node.load()))
        taking = sum(node.weight for node in nodes) / (100 * len(NODES))
        return 200, {
            "nodes": [_state(node) for node in nodes],
            "capacity_share": round(taking, 3),
            "worst": worst.name,
        }

    async def node(self, ask: Ask) -> Reply:
        """Return one node."""
        return 200, _state(self._named(ask.path["id"]))

    async def set_node(self, ask: Ask) -> Reply:
        """Change a node's weight; 0 drains it: live calls finish, no new ones come."""
        node = self._named(ask.path["id"])
        node.weight = int(ask.number("weight", low=0, high=100))
        return await self.node(ask)

    async def cap(self, ask: Ask) -> Reply:
        """Return the video cap, as picture height; 0 is audio only."""
        return 200, {"height": self._nodes[NODES[0]].cap_height}

    async def set_cap(self, ask: Ask) -> Reply:
        """Cap video on all nodes, for live calls too."""
        height = int(ask.number("height", low=0, high=720))
        if height not in VIDEO_SECONDS:
            known = ", ".join(str(known) for known in sorted(VIDEO_SECONDS))
            raise BadAsk(f"'height' is {height}; it can be {known}")
        for node in self._nodes.values():
            node.cap_height = height
        return await self.cap(ask)


def _state(node: Node) -> dict[str, Any]:
    return {
        "id": node.name,
        "weight": node.weight,
        "state": "active" if node.weight else "draining",
        "calls": len(node.calls),
        "load": round(node.load(), 3),
        "packet_delay_seconds": round(node.waited, 3),
        "dropped_total": node.dropped,
    }


async def start(setup: Setup) -> None:
    """Start the media nodes on their sockets."""
    process = Process(setup)
    media = Media(process)
    MediaAdmin(process, media)
    await process.listen("calls", media.serve)
    await process.listen_http()
