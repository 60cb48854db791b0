"""Queues of messages, and the two versions of the code that routes one message.

Rule: messages of one conversation leave a lane in the order in which they came,
whatever moves, retries or versions do. Nothing here waits or counts: router.py does.
"""

import zlib
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

PARTITIONS = 8
RINGS = {"canary": (0,), "half": (1, 2, 3), "rest": (4, 5, 6, 7)}
STABLE = "v41"
CANDIDATE = "v42"


class RoutingError(Exception):
    """This attempt found no recipients; the message stays where it is."""


@dataclass(slots=True)
class Message:
    """One message on its way; `at` is when the gateway handed it over (loop time)."""

    body: dict[str, Any]
    at: float

    @property
    def conversation(self) -> str:
        """Return the conversation's name."""
        return str(self.body["say"])


@dataclass(slots=True)
class Lane:
    """One queue: a partition of the topic, or the quarantine lane."""

    name: str
    topic: str
    ring: str
    queue: deque[Message] = field(default_factory=deque)
    busy: bool = False  # a consumer holds its head
    closing: bool = False  # its worker ends after what it is doing
    arrived: int = 0
    consumed: int = 0

    def put(self, message: Message) -> None:
        """Add one message at the end."""
        self.arrived += 1
        self.queue.append(message)

    def take_out(self, conversation: str) -> list[Message]:
        """Remove and return a conversation's messages, oldest first.

        The head stays while a consumer holds it: it is about to be delivered.
        """
        held = [self.queue.popleft()] if self.busy and self.queue else []
        taken = [m for m in self.queue if m.conversation == conversation]
        kept = [m for m in self.queue if m.conversation != conversation]
        self.queue = deque(held + kept)
        self.arrived -= len(taken)
        return taken

    def hottest(self) -> tuple[str, int]:
        """Return the conversation with the most messages here, and how many."""
        counted = Counter(message.conversation for message in self.queue)
        return counted.most_common(1)[0] if counted else ("", 0)


def partition_of(conversation: str) -> int:
    """Return the partition that a conversation belongs to."""
    return zlib.crc32(conversation.encode()) % PARTITIONS


def ring_of(partition: int) -> str:
    """Return the ring whose version serves a partition."""
    return next(ring for ring, members in RINGS.items() if partition in members)


class Versions:
    """Which version of the routing code each ring runs, and that code."""

    def __init__(self) -> None:
        self.by_ring = dict.fromkeys(RINGS, STABLE)
        self.batch_routing = True  # the feature flag that v42 reads
        self._members: dict[str, list[str]] = {}

    def recipients(self, message: Message, version: str) -> list[str]:
        """Return who gets a message.

        Raises:
            RoutingError: version v42 with its flag on, at the first attempt.
        """
        if version == CANDIDATE and self.batch_routing:
            return self._from_members(message)
        return list(message.body["to"])

    def _from_members(self, message: Message) -> list[str]:
        # The bug of v42: the members of a conversation are kept under the id of the
        # message, so no message ever finds those of the one before it.
        key = str(message.body["id"])
        if key not in self._members:
            self._members[key] = list(message.body["to"])
            raise RoutingError(f"no members known for {message.conversation}")
        return self._members.pop(key)
