"""What the tests of the messaging platform share: a receiver, a fault's course.

Read by test_messaging_platform.py.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

from messaging import control
from messaging_faults import Fault


@dataclass
class Receiver:
    """A webhook receiver; `heard` maps a path to the bodies posted there."""

    url: str = ""
    heard: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def told(self, path: str) -> set[tuple[str, str]]:
        """Return (alertname, status) of every alert heard at a path."""
        bodies = self.heard.get(path, [])
        alerts = [alert for body in bodies for alert in body["alerts"]]
        return {(alert["labels"]["alertname"], alert["status"]) for alert in alerts}

    def fingerprints(self, path: str) -> dict[str, str]:
        """Return label set (as JSON) to fingerprint of every alert heard at a path."""
        bodies = self.heard.get(path, [])
        alerts = [alert for body in bodies for alert in body["alerts"]]
        return {
            json.dumps(alert["labels"], sort_keys=True): alert["fingerprint"]
            for alert in alerts
        }


@contextmanager
def listening() -> Iterator[Receiver]:
    """Give a receiver that listens on a port of its own."""
    heard = Receiver()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.heard.setdefault(self.path, []).append(json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    heard.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield heard
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Course:
    """How a fault went: over its threshold, and back after the repair alone."""

    fault: str
    crossed: bool
    repaired: bool
    seconds: tuple[float, float] = field(compare=False, default=(0.0, 0.0))


@dataclass(frozen=True)
class World:
    """What the tests of this file look at."""

    platform: control.Platform
    builtin: str
    prometheus: str | None
    receiver: Receiver


def run_through(world: World, fault: Fault) -> Course:
    """Switch a fault on, see it, repair it, see that, and put everything back."""
    begun = time.monotonic()
    world.platform.fault(fault.name, on=True)
    crossed = until(lambda: asked(world.builtin, fault.broken), 20)
    crossed_after = time.monotonic() - begun
    alert = (fault.alert, "firing")
    for path in ("/builtin", "/alertmanager") if world.prometheus else ("/builtin",):
        until(lambda: alert in world.receiver.told(path), 10)  # noqa: B023
    begun = time.monotonic()
    for method, process, path, body in fault.repair:
        world.platform.send(method, process, path, body)
    repaired = until(lambda: asked(world.builtin, fault.healthy), 30)
    took = (crossed_after, time.monotonic() - begun)
    world.platform.fault(fault.name, on=False)
    for method, process, path, body in fault.undo:
        world.platform.send(method, process, path, body)
    return Course(fault.name, crossed, repaired, took)


def until(true: Callable[[], object], seconds: float) -> bool:
    """Return whether something came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.25)
    return False


def query(url: str, query: str, at: float | None = None) -> dict[str, Any]:
    """Return what a monitor answers to a query: its `data`."""
    when = "" if at is None else f"&time={at}"
    asked = f"{url}/api/v1/query?query={quote(query)}{when}"
    with urllib.request.urlopen(asked, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)["data"]
        return found


def asked(url: str, condition: str) -> bool:
    """Return whether a comparison leaves at least one series."""
    return bool(query(url, condition)["result"])
