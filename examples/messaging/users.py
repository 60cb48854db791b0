"""Users: each a connection to the gateway that comes back when it is lost.

A user notices what a person would: how late a message is, whether one is missing,
whether a login worked. Retries wait as the gateway last told (`backoff`, a random
part of it), else by the client's own rule, which `Users.impatient` makes a bad one.

Used by: load.py.
"""

import asyncio
import random
import time
from collections import defaultdict
from typing import Any

from .process import Process
from .wire import line, read_line

USERS = 120
MEMBERS = 3  # of a conversation
LATE_SECONDS = 2.0
PATIENT_LOGIN_SECONDS = 4.0
IMPATIENT_LOGIN_SECONDS = 1.0
IMPATIENT_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 6.0
RECEIPT_SHARE = 0.1


class Users:
    """All users, and what they saw together."""

    def __init__(self, process: Process) -> None:
        self.impatient = False
        self.port = process.setup.ports["gateway.clients"]
        metrics = process.metrics
        self.messages = metrics.counter("client_messages_received_total")
        self.gaps = metrics.counter("message_sequence_gap_total")
        self.failures = metrics.counter("client_login_failures_total")
        self._users = metrics.gauge("client_users")
        self._offline = metrics.gauge("client_users_offline")
        self.gaps.add(0)
        for late in ("true", "false"):
            self.messages.add(0, late=late)
        for reason in ("busy", "timeout", "refused"):
            self.failures.add(0, reason=reason)
        self.all = [User(number, self) for number in range(USERS)]
        metrics.before_scrape(self._refresh)

    def _refresh(self) -> None:
        self._users.set(len(self.all))
        self._offline.set(len(self.all) - self.online())

    def online(self) -> int:
        """Return how many users are logged in."""
        return sum(user.online for user in self.all)

    def members(self, conversation: int) -> list["User"]:
        """Return the users of a conversation."""
        return self.all[conversation * MEMBERS : (conversation + 1) * MEMBERS]

    def received(self) -> dict[str, float]:
        """Return what arrived: in all, late, and missing."""
        late = self.messages.value(late="true")
        total = late + self.messages.value(late="false")
        return {"received": total, "late": late, "missing": self.gaps.total()}

    def logins(self) -> dict[str, float]:
        """Return who is connected now, and how many logins failed so far."""
        return {
            "users": len(self.all),
            "online": self.online(),
            "failed": self.failures.total(),
        }


class User:
    """One user and its connection."""

    def __init__(self, number: int, users: Users) -> None:
        self.name = f"u{number}"
        self.conversation = number // MEMBERS
        self.online = False
        self._users = users
        self._writer: asyncio.StreamWriter | None = None
        self._told_backoff = 0.0
        self._failures = 0
        self._said = 0
        self._heard: dict[str, int] = defaultdict(int)

    async def live(self) -> None:
        """Connect, listen, and come back whenever the connection is lost."""
        while True:
            if await self._session():
                self._failures = 0
            else:
                self._failures += 1
            await asyncio.sleep(self._pause())

    def leave(self) -> None:
        """Say goodbye; the user is back after its pause."""
        if self.online and self._writer is not None:
            self.online = False
            self._writer.write(line({"bye": True}))

    def say(self, to: list[str]) -> bool:
        """Send one message to the conversation; False where the user is offline."""
        if not self.online or self._writer is None:
            return False
        self._said += 1
        message = {
            "say": f"c{self.conversation}",
            "id": f"{self.name}-{self._said}",
            "seq": self._said,
            "at": time.time(),
            "to": to,
        }
        self._writer.write(line(message))
        return True

    def event(self, kind: str, to: str) -> None:
        """Send a small event, if the user is online."""
        if self.online and self._writer is not None:
            self._writer.write(line({"event": kind, "to": to}))

    def _pause(self) -> float:
        if self._told_backoff > 0:
            return random.uniform(0.0, self._told_backoff)
        if self._users.impatient:
            return IMPATIENT_RETRY_SECONDS
        most = min(LONGEST_RETRY_SECONDS, 2.0**self._failures)
        return random.uniform(0.1, most)

    async def _session(self) -> bool:
        """Return whether the user was logged in for a while."""
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self._users.port
            )
        except OSError:
            self._users.failures.add(reason="refused")
            return False
        try:
            return await self._log_in_and_listen(reader, writer)
        except OSError:
            return False
        finally:
            self.online = False
            writer.close()

    async def _log_in_and_listen(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        writer.write(line({"login": self.name}))
        impatient = self._users.impatient
        patience = IMPATIENT_LOGIN_SECONDS if impatient else PATIENT_LOGIN_SECONDS
        try:
            answer = await asyncio.wait_for(read_line(reader), patience)
        except TimeoutError:
            self._users.failures.add(reason="timeout")
            return False
        if answer is not None:
            self._told_backoff = float(answer["backoff"])
        if answer is None or "ok" not in answer:
            self._users.failures.add(reason="busy")
            return False
        self._writer, self.online = writer, True
        while (heard := await read_line(reader)) is not None:
            self._hear(heard)
        return True

    def _hear(self, heard: dict[str, Any]) -> None:
        if "backoff" in heard:
            self._told_backoff = float(heard["backoff"])
        if "say" not in heard:
            return
        late = time.time() - float(heard["at"]) > LATE_SECONDS
        self._users.messages.add(late="true" if late else "false")
        sender, number = str(heard["from"]), int(heard["seq"])
        if number != self._heard[sender] + 1:
            self._users.gaps.add(abs(number - self._heard[sender] - 1))
        self._heard[sender] = number
        if random.random() < RECEIPT_SHARE:
            self.event("receipts", sender)
