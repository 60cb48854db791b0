"""Start and stop the platform: one call up, one call down, nothing left behind.

The controller opens all sockets, starts each process in a process group of its own,
waits until all are healthy and writes `platform.json` into the work directory. Each
process holds a pipe to the controller and ends when that closes, so a killed
controller leaves nothing running either. Synchronous: from a coroutine, call it with
`asyncio.to_thread`.

Used by: __main__.py (the command line), the engine's demo and end-to-end tests.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from . import certificates
from .process import Setup

SOCKETS = {
    "keys": ("http", "logins", "tls"),
    "router": ("http", "messages"),
    "media": ("http", "calls"),
    "deploys": ("http",),
    "gateway": ("http", "clients"),
    "load": ("http",),
}
FAULTS = {
    "consumer-stall": "router",
    "bad-rollout": "deploys",
    "hot-partition": "load",
    "connection-storm": "load",
    "media-saturation": "media",
    "expired-certificate": "keys",
    "key-server-errors": "keys",
}
STATE_FILE = "platform.json"
START_SECONDS = 30.0
STOP_SECONDS = 3.0


class PlatformError(Exception):
    """The platform could not be started or reached; the text says what to look at."""


@dataclass(slots=True)
class Platform:
    """A running platform. Use it as a context manager, or call `stop`."""

    directory: Path
    region: str
    ports: dict[str, int]
    urls: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def fault(self, name: str, *, on: bool, **body: str) -> None:
        """Switch a fault on (with the body that it takes) or off."""
        switch_fault(self.urls, name, on=on, body=body)

    def get(self, process: str, path: str) -> dict[str, Any]:
        """Return the JSON that a process answers to GET; PlatformError otherwise."""
        return request("GET", self.urls[process] + path)

    def send(
        self, method: str, process: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Change something at a process; return its answer."""
        return request(method, self.urls[process] + path, body or {})

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: process.pid for name, process in self.processes.items()}

    def spawn(
        self, name: str, sockets: tuple[str, ...], options: dict[str, Any]
    ) -> None:
        """Start one more of our processes on sockets of its own."""
        opened = {what: _open_socket() for what in sockets}
        self._keep_ports(name, opened)
        self._start(name, opened, options)
        self.write_state()

    def start_all(self) -> None:
        """Start every process of the platform and wait until all are healthy."""
        opened = {
            name: {what: _open_socket() for what in sockets}
            for name, sockets in SOCKETS.items()
        }
        for name, its_sockets in opened.items():
            self._keep_ports(name, its_sockets)
        for name, its_sockets in opened.items():
            self._start(name, its_sockets, {})
        self.write_state()
        self.wait_healthy(tuple(SOCKETS))

    def _keep_ports(self, name: str, opened: dict[str, socket.socket]) -> None:
        for what, listening in opened.items():
            self.ports[f"{name}.{what}"] = listening.getsockname()[1]
        self.urls[name] = f"http://127.0.0.1:{self.ports[f'{name}.http']}"

    def _start(
        self, name: str, opened: dict[str, socket.socket], options: dict[str, Any]
    ) -> None:
        descriptors = {what: listening.fileno() for what, listening in opened.items()}
        setup = Setup(
            name, self.region, self.directory, descriptors, self.ports, options
        )
        command = [sys.executable, "-m", f"{__package__}.run", setup.to_json()]
        self.launch(name, command, tuple(descriptors.values()))
        for listening in opened.values():
            listening.close()

    def launch(
        self, name: str, command: list[str], pass_fds: tuple[int, ...] = ()
    ) -> None:
        """Start a program in a process group of its own; its output goes to logs/."""
        logs = self.directory / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=pass_fds,
                env={**os.environ, "PYTHONPATH": _python_path()},
                start_new_session=True,
            )

    def wait_healthy(self, names: tuple[str, ...], path: str = "/health") -> None:
        """Wait until these processes answer 200; PlatformError names one that won't."""
        deadline = time.monotonic() + START_SECONDS
        for name in names:
            while not _answers(self.urls[name] + path):
                self._check_alive(name)
                if time.monotonic() > deadline:
                    raise PlatformError(
                        f"{name} was not healthy within {START_SECONDS:g}s; see "
                        f"{self.directory / 'logs' / name}.log"
                    )
                time.sleep(0.05)

    def _check_alive(self, name: str) -> None:
        if (code := self.processes[name].poll()) is not None:
            log = self.directory / "logs" / f"{name}.log"
            raise PlatformError(f"{name} ended with {code} at its start; see {log}")

    def write_state(self) -> None:
        """Write platform.json: what runs here and where."""
        state = {
            "region": self.region,
            "controller": os.getpid(),
            "pids": self.pids(),
            "ports": self.ports,
            "urls": self.urls,
            "faults": FAULTS,
            "trusted": str(self.directory / "certificates" / "trusted.pem"),
        }
        path = self.directory / STATE_FILE
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(state, indent=2))
        fresh.replace(path)

    def stop(self) -> None:
        """End every process with its group; repeating it does nothing."""
        for process in self.processes.values():
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self.processes.clear()
        (self.directory / STATE_FILE).unlink(missing_ok=True)


def start(workdir: Path, region: str = "eu-west") -> Platform:
    """Start the platform in `workdir` and return it, healthy, about 5 s later.

    Raises:
        PlatformError: a process ended or was not healthy within 30 s; nothing is left
            running.
    """
    directory = workdir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    certificates.issue(directory / "certificates")
    platform = Platform(directory, region, {}, {})
    try:
        platform.start_all()
    except BaseException:
        platform.stop()
        raise
    return platform


def read_state(workdir: Path) -> dict[str, Any]:
    """Return platform.json of a running platform; PlatformError where there is none."""
    path = workdir / STATE_FILE
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise PlatformError(f"no platform runs in {workdir}: no {path.name}") from None
    return state


def switch_fault(
    urls: dict[str, str], name: str, *, on: bool, body: dict[str, str] | None = None
) -> None:
    """Switch a fault at the process that has it; PlatformError where it cannot be."""
    if name not in FAULTS:
        raise PlatformError(f"no fault '{name}'; there are: {', '.join(FAULTS)}")
    url = f"{urls[FAULTS[name]]}/faults/{name}"
    request("POST" if on else "DELETE", url, body or {})


def request(
    method: str, url: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the JSON answer to one request; PlatformError for anything but a 2xx."""
    sent = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, sent, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10.0) as answer:
            state: dict[str, Any] = json.load(answer)
            return state
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode(errors="replace")
        raise PlatformError(f"{method} {url}: {error.code} {text}") from None
    except OSError as error:
        raise PlatformError(f"{method} {url}: {error}") from None


def _open_socket() -> socket.socket:
    opened = socket.create_server(("127.0.0.1", 0), backlog=512)
    opened.set_inheritable(True)
    return opened


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            os.killpg(process.pid, number)


def _python_path() -> str:
    """Return a PYTHONPATH on which this package is found under its own name."""
    depth = len((__package__ or "").split("."))
    root = Path(__file__).resolve().parents[depth]
    before = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(root), before]) if before else str(root)
