"""The frame of one process: its setup, its sockets, its end.

Listening sockets are opened by the controller and passed in, so ports are known
before anything starts and nobody has to wait for anybody. A process ends when its
controller does: its standard input is a pipe that the controller holds open.

Used by: run.py (the entry), and each process for `Setup` and `Process`.
"""

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .admin import Admin
from .metrics import Metrics
from .wire import serve_http

Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process is told when it is started."""

    name: str
    region: str
    directory: Path
    sockets: dict[str, int]  # what is listened for -> file descriptor
    ports: dict[str, int]  # "router.http" -> port on 127.0.0.1
    options: dict[str, Any]

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return json.dumps(
            {
                "name": self.name,
                "region": self.region,
                "directory": str(self.directory),
                "sockets": self.sockets,
                "ports": self.ports,
                "options": self.options,
            }
        )

    @staticmethod
    def from_json(text: str) -> "Setup":
        """Return the setup that `to_json` wrote."""
        raw = json.loads(text)
        return Setup(**{**raw, "directory": Path(raw["directory"])})


class Process:
    """What each process has: metrics, admin endpoints, listening sockets."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.metrics = Metrics({"region": setup.region})
        self.admin = Admin(self.metrics)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._servers: list[asyncio.Server] = []

    async def listen(self, what: str, serve: Streams) -> None:
        """Serve the connections of one of the passed sockets."""
        passed = socket.socket(fileno=self.setup.sockets[what])
        passed.setblocking(False)
        server = await asyncio.start_server(serve, sock=passed, limit=2**20)
        self._servers.append(server)

    async def listen_http(self) -> None:
        """Serve /metrics, /health, /admin/... and /faults/..."""
        await self.listen(
            "http", lambda reader, writer: serve_http(reader, writer, self.admin.answer)
        )

    def spawn(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """Run `work` beside the rest; the process ends loudly if it fails."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            print(f"{self.setup.name}: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)


def end_with_parent() -> None:
    """End this process when the standard input closes, whatever else it does."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
