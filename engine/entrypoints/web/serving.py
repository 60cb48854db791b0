"""uvicorn in the engine's own loop: two sockets, and an end in order.

The unix socket is for the command line of this machine. A signal lets the requests in
flight finish; a second one lets nothing finish. Connections and their times: deadlines.

Called by the command `serve`.
"""

import asyncio
import contextlib
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn

from engine.entrypoints.web.deadlines import LimitedConfig, Limits
from engine.errors import EngineError

BACKLOG: Final = 4_096
HEADER_BYTES: Final = 32 * 1024  # of one request, all its headers
DRAIN_SECONDS: Final = 20  # for requests in flight once the server is to end
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """A server whose signals are ours: the engine ends after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    def end(self, *, now: bool = False) -> None:
        """Take nothing more; end when the requests in flight are answered, or now."""
        self.should_exit = True
        self.force_exit = self.force_exit or now


def server(app: Any, *, limits: Limits | None = None) -> Server:
    """Return a server of the application, not yet started."""
    return Server(
        LimitedConfig(
            app,
            limits or _fitting_limits(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,  # who asks is who is connected, whatever they say
            timeout_graceful_shutdown=DRAIN_SECONDS,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=HEADER_BYTES,
        )
    )


def _fitting_limits() -> Limits:
    """Leave half of the files that may be open to the journal and the runs."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = Limits().connections
    if files == resource.RLIM_INFINITY:
        return Limits()
    return Limits(connections=max(8, min(most, files // 2)))


def listen(address: str) -> socket.socket:
    """Return a socket that listens at `host:port`.

    Raises:
        EngineError: it cannot; the text says why, and what to do.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]"),
            int(port),
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
        made = socket.socket(found[0][0], socket.SOCK_STREAM)
    except OSError as error:
        raise EngineError(_told(address, error)) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(found[0][4])
        made.listen(BACKLOG)  # at once: of two servers the second is told
    except OSError as error:
        made.close()
        raise EngineError(_told(address, error)) from error
    return made


def _told(address: str, error: OSError) -> str:
    return (
        f"cannot listen at {address}: {error.strerror}. Name another address with "
        "`server.listen`, or end what listens there."
    )


def address_of(listening: socket.socket) -> str:
    """Return where it really listens: `host:port`, also where port 0 was asked for."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def listening_locally(path: Path, *, owned: bool = False) -> Iterator[socket.socket]:
    """Give a unix socket that this user alone can reach; take its name away after.

    Args:
        path: Its name.
        owned: Nobody else may serve here: who still answers has lost its place.

    Raises:
        EngineError: another server answers there, or it cannot be made.
    """
    if not owned and _answers(path):
        raise EngineError(
            f"another server answers at {path}. End it, or give this one another "
            "data folder with `data`."
        )
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        made.bind(str(fresh))
        fresh.chmod(0o600)
        made.listen(BACKLOG)
        fresh.replace(path)  # only now can anybody find it
    except OSError as error:
        made.close()
        fresh.unlink(missing_ok=True)
        raise EngineError(f"cannot listen at {path}: {error}") from error
    ours = path.stat()
    try:
        yield made
    finally:
        made.close()
        with contextlib.suppress(OSError):
            if os.path.samestat(ours, path.stat()):
                path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


@contextlib.contextmanager
def told_by_signals(told: Callable[[int], None]) -> Iterator[None]:
    """Tell of SIGTERM and SIGINT for as long as this lasts: how often there was one."""
    loop, times = asyncio.get_running_loop(), 0

    def count() -> None:
        nonlocal times
        times += 1
        told(times)

    for number in SIGNALS:
        loop.add_signal_handler(number, count)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
