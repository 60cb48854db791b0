"""A server that counts: every change that was really asked for, with its key.

It runs in the test's own process and outlives every engine that is killed. It does not
take a repeated key for one: a change done twice is counted twice.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class CountingTarget:
    """Things that can be put and deleted, and a list of every change."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.changes: list[tuple[str, str, str]] = []  # method, path, idempotency key
        self.on_change: Callable[[str, str], None] = lambda method, path: None
        self._lock = threading.Lock()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self, status: int, body: Any) -> None:
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(raw)

            def do_GET(self) -> None:
                with target._lock:
                    self._answer(200, {"there": self.path in target.state})

            def _change(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                key = self.headers.get("Idempotency-Key", "")
                with target._lock:
                    target.changes.append((self.command, self.path, key))
                    if self.command == "DELETE":
                        target.state.pop(self.path, None)
                    else:
                        target.state[self.path] = key
                target.on_change(self.command, self.path)
                self._answer(200, {})

            do_PUT = do_POST = do_DELETE = _change

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.state.clear()
            self.changes.clear()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
