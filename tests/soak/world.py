"""What a soak acts on: a target that counts every call, and can be slow, lie or be gone.

It lives in the soak's own process and outlives every engine. Each thing can be set
(PUT), taken back (DELETE) and asked for (GET); whoever sets a thing twice under one key
is counted twice.
"""

import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Moods:
    """What is wrong with the target now."""

    slow_seconds: float = 0.0
    lying: bool = False  # answers checks with what is not so, as 200
    broken: bool = False  # answers checks with 500
    losing: bool = False  # does what it is told, and cuts the connection
    away: bool = False  # nobody answers: no check, no change
    dripping: bool = False  # answers checks a byte a second


@dataclass(slots=True)
class Call:
    """One change that was really made."""

    at: float
    method: str
    thing: str
    key: str
    fence: int


@dataclass(slots=True)
class Target:
    """Things, and every change of them."""

    things: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    moods: Moods = field(default_factory=Moods)
    lied: set[str] = field(default_factory=set)  # things somebody was lied to about
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Serve on a free port of loopback."""
        self._server = _Quiet(("127.0.0.1", 0), _handler(self))
        self._server.target = self
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Serve no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def asked(self, thing: str) -> tuple[int, bool]:
        """Return status and answer of a check."""
        with self._lock:
            there = thing in self.things
            if self.moods.broken:
                return 500, there
            if self.moods.lying and random.random() < 0.5:
                self.lied.add(thing)
                return 200, not there
            return 200, there

    def changed(self, method: str, thing: str, key: str, fence: int) -> bool:
        """Make a change; return whether the answer gets through."""
        with self._lock:
            self.calls.append(Call(time.time(), method, thing, key, fence))
            if method == "PUT":
                self.things.add(thing)
            else:
                self.things.discard(thing)
            return not (self.moods.losing and random.random() < 0.5)


class _Quiet(ThreadingHTTPServer):
    """Engines die in the middle of a sentence: that is no news here."""

    request_queue_size = 256
    target: Target

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Return whether anybody is there; who is not closes the connection."""
        return not self.target.moods.away

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


def _handler(target: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(target.moods.slow_seconds)
            status, there = target.asked(self.path.strip("/"))
            self._answer(status, {"there": there})

        def _change(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fence = int(self.headers.get("Runbook-Fence") or 0)
            key = self.headers.get("Idempotency-Key", "")
            if target.changed(self.command, self.path.strip("/"), key, fence):
                self._answer(200, {})
            else:
                self.close_connection = True
                self.connection.close()

        do_PUT = do_DELETE = _change

        def _answer(self, status: int, told: Any) -> None:
            raw = json.dumps(told).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self._write(raw)
            except OSError:
                self.close_connection = True  # whoever asked is dead

        def _write(self, raw: bytes) -> None:
            if not (target.moods.dripping and self.command == "GET"):
                self.wfile.write(raw)
                return
            for one in raw:
                self.wfile.write(bytes([one]))
                time.sleep(1.0)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
