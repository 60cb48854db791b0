"""uvicorn in the engine's own loop: deadlines for slow senders, two sockets, a drain.

A connection has 5 s for its headers and 15 s for its body; an idle one is closed after
15 s. The unix socket is for this machine's command line. A signal ends the server in
order; a second one hurries it.

Called by the command `serve`.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.errors import EngineError

HEADER_SECONDS: Final = 5.0
BODY_SECONDS: Final = 15.0
IDLE_SECONDS: Final = 15
MOST_CONNECTIONS: Final = 4_000
BACKLOG: Final = 4_096
HEADER_BYTES: Final = 32 * 1024


class Deadlines(H11Protocol):
    """Cuts a sender that takes too long for its headers or its body."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for headers."""
        super().connection_made(transport)
        self._late: asyncio.TimerHandle | None = None
        self._for: object = None
        self._expect(HEADER_SECONDS, "headers")

    def data_received(self, data: bytes) -> None:
        """Take what came, and see what is still missing."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._expect(HEADER_SECONDS, "headers")
        elif cycle.more_body:
            self._expect(BODY_SECONDS, cycle)
        else:
            self._rest()

    def on_response_complete(self) -> None:
        """Between two requests the idle time of uvicorn counts."""
        self._rest()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._rest()
        super().connection_lost(exc)

    def _expect(self, seconds: float, what: object) -> None:
        if self._for is what:
            return  # the time of this one runs already
        self._rest()
        self._for = what
        self._late = self.loop.call_later(seconds, self._cut)

    def _rest(self) -> None:
        self._for = None
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _cut(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    """A server whose signals are ours: the engine ends after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def server(app: Any) -> Server:
    """Return a server of the application, not yet started."""
    return Server(
        uvicorn.Config(
            app,
            http=Deadlines,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=20,
            limit_concurrency=MOST_CONNECTIONS,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=HEADER_BYTES,
        )
    )


def listen(address: str) -> socket.socket:
    """Return a socket bound to `host:port`. Raises EngineError, with what to do."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, int(port)))
    except OSError as error:
        made.close()
        raise EngineError(
            f"cannot listen at {address}: {error.strerror}. Name another address with "
            "`server.listen`, or end what listens there."
        ) from error
    return made


def listen_locally(path: Path) -> socket.socket:
    """Return a unix socket that this user alone can reach; an old one is replaced."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError as error:
        made.close()
        raise EngineError(f"cannot listen at {path}: {error}") from error
    finally:
        os.umask(before)
    return made


def end_on_signals(server: Server) -> None:
    """Let SIGTERM and SIGINT end the server in order, and at once the second time."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
