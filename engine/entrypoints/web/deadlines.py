"""Connections that end in time: slow senders, idle ones, too many of them.

uvicorn's HTTP/1.1 protocol with a time for each thing that a peer can keep us waiting
for. Where too many are open, the one that has done nothing for longest makes room; so
idle and slow peers keep nobody else out. The unix socket counts for nothing: the
command line of this machine always gets in.

Called by serving.
"""

import asyncio
import contextlib
import json
import socket
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

RETRY_SECONDS: Final = 5


class Awaited(StrEnum):
    """What a connection waits for."""

    HEAD = "head"  # the whole of a request's headers, from its first byte
    BODY = "body"  # the whole of a request's body
    NEXT = "next"  # another request on a connection that had one
    ANSWER = "answer"  # ours: the application has its own limits
    LINGER = "linger"  # the peer's end, once it has our last word
    END = "end"  # the peer, to take what was written


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a peer may keep us waiting, in seconds, and how many may be open."""

    head: float = 5.0
    body: float = 15.0
    next: float = 15.0
    linger: float = 2.0
    end: float = 15.0
    taking: float = 30.0  # a peer that takes nothing of what is written
    connections: int = 2_000

    def of(self, awaited: Awaited) -> float | None:
        """Return the seconds for what is awaited; None: as long as it takes."""
        return None if awaited is Awaited.ANSWER else float(getattr(self, awaited))


class Crowd:
    """The open connections, those that wait for a request in the order of waiting."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[PunctualProtocol] = set()
        self.idle: OrderedDict[PunctualProtocol, None] = OrderedDict()

    def enter(self, one: "PunctualProtocol") -> bool:
        """Let one in; where it is one too many, the longest idle goes for it."""
        if len(self.open) >= self.most and not self._made_room():
            return False
        self.open.add(one)
        return True

    def leave(self, one: "PunctualProtocol") -> None:
        """Count it no more."""
        self.open.discard(one)
        self.idle.pop(one, None)

    def now(self, one: "PunctualProtocol", awaited: Awaited) -> None:
        """Note what it waits for from now on."""
        self.idle.pop(one, None)
        if awaited in (Awaited.HEAD, Awaited.NEXT) and one in self.open:
            self.idle[one] = None

    def _made_room(self) -> bool:
        if not self.idle:
            return False
        longest = next(iter(self.idle))
        self.leave(longest)
        longest.transport.abort()
        return True


class LimitedConfig(uvicorn.Config):
    """uvicorn's settings, and ours for its connections."""

    def __init__(self, app: Any, limits: Limits, **more: Any) -> None:
        self.limits, self.crowd = limits, Crowd(limits.connections)
        super().__init__(app, http=PunctualProtocol, **more)


class PunctualProtocol(H11Protocol):
    """One connection that cannot keep us waiting for ever.

    `state.local` of a request's scope: it came over the unix socket.
    """

    config: LimitedConfig

    def __init__(
        self,
        config: LimitedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._since: tuple[Awaited, object] | None = None
        self._over = False  # our last word is written; what comes is read away

    # What happens on the connection

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Let the peer in, or tell it to come again."""
        super().connection_made(transport)
        peer: socket.socket | None = transport.get_extra_info("socket")
        local = peer is not None and peer.family == socket.AF_UNIX
        self.app_state = {**self.app_state, "local": local}
        if local or self.config.crowd.enter(self):
            self._see()
        else:
            self._end_with(503, "too many connections are open; come again")
            transport.close()  # it has no place to linger in

    def data_received(self, data: bytes) -> None:
        """Take what came; nothing more once the connection is to end."""
        if not (self._over or self.transport.is_closing()):
            super().data_received(data)
            self._see()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for what is left of this one."""
        super().on_response_complete()
        self._see()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        for timer in (self._late, self._stalled):
            if timer is not None:
                timer.cancel()
        self.config.crowd.leave(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer takes nothing now."""
        super().pause_writing()
        seconds = self.config.limits.taking
        self._stalled = self.loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer takes it again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def shutdown(self) -> None:
        """End when the request in flight has its answer, else now."""
        with contextlib.suppress(h11.LocalProtocolError):
            super().shutdown()
        if self._awaited() in (Awaited.HEAD, Awaited.NEXT):
            self.transport.close()
        self._see()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, in JSON; called while its error is judged."""
        hint = getattr(sys.exception(), "error_status_hint", 400)
        self._end_with(hint, "this is no HTTP/1.1 request")

    # What is waited for, and until when

    def _awaited(self) -> Awaited:
        their = self.conn.their_state
        if self.transport.is_closing():
            return Awaited.END
        if self._over or their in (h11.CLOSED, h11.ERROR):
            return Awaited.LINGER
        if their is h11.SEND_BODY:
            return Awaited.BODY
        if their is not h11.IDLE:
            return Awaited.ANSWER
        begun = self.cycle is None or self.conn.trailing_data[0]
        return Awaited.HEAD if begun else Awaited.NEXT

    def _see(self) -> None:
        """Let the time run for what is awaited now; for the same thing it runs on."""
        awaited = self._awaited()
        since = (awaited, self.cycle)
        if since == self._since:
            return
        self._since = since
        self.config.crowd.now(self, awaited)
        if self._late is not None:
            self._late.cancel()
        seconds = self.config.limits.of(awaited)
        self._late = self.loop.call_later(seconds, self._end) if seconds else None

    def _end(self) -> None:
        """The time is over."""
        awaited = self._awaited()
        if awaited in (Awaited.LINGER, Awaited.END):
            self.transport.abort()
        elif awaited is Awaited.NEXT:
            self.transport.close()
        else:
            limit = self.config.limits.of(awaited)
            told = f"the {awaited} of the request was not here within {limit:g}s"
            self._end_with(408, told)

    def _end_with(self, status: int, told: str) -> None:
        """Write an answer, unless one was begun, and end the connection.

        It has the form that every other refusal has: `{"error": WORDS}`.
        """
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_answer(status, {"error": told}))
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._over = True  # closed while more comes, the answer would be lost
        with contextlib.suppress(OSError):  # a peer that has gone takes no end either
            self.transport.write_eof()
        self._see()


def _answer(status: int, told: Mapping[str, str]) -> bytes:
    body = json.dumps(told).encode()
    retry = f"retry-after: {RETRY_SECONDS}\r\n" if status == 503 else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"{retry}connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
