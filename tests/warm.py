"""Commands of `runbook` as processes of their own that begin with everything loaded.

`ran` and `begun` do what `python -m engine WORDS` does: a process with its own folder,
environment and streams, which ends with its exit code. It is forked from one that has
loaded the engine, once for all tests of a worker: loading takes longer than most
commands. What depends on how an interpreter begins (PYTHON..., a locale) gets a new one.

    python -m tests.warm FD    is that process: it serves the socket FD until it closes
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).parents[1]
COLD: Final = ("PYTHON", "LANG", "LC_", "SSL_")
MOST_BYTES: Final = 100_000  # of one request; a larger one begins cold
Ended = tuple[int, str, str]  # exit code, output, errors


def ran(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    within: float = 60.0,
) -> Ended:
    """Return exit code, output and errors of one command; it has no input.

    Raises:
        TimeoutExpired: it did not end within so many seconds, and was killed.
    """
    cold = any(one.startswith(COLD) for one in environment)
    if cold or sum(map(len, words)) > MOST_BYTES // 2:
        return _cold(words, folder, environment, within)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = begun(words, folder, environment, out=out, err=err)
        try:
            return process.wait(within), _text(out), _text(err)
        finally:
            process.close()


class Begun:
    """A command that goes on, as `subprocess.Popen` has it; let go of, it is killed."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told  # its id, and later its exit code
        self.pid = int(told.recv(20))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code. Raises TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM, unless it has ended."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Let go of it."""
        self._told.close()

    def _ended(self, within: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], within)[0]:
            with self._told:
                self.returncode = int(self._told.recv(20))
        return self.returncode


def begun(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    out: IO[Any],
    err: IO[Any],
) -> Begun:
    """Begin a command; it has no input, and writes to these files."""
    request = json.dumps([[*words], str(folder), {**environment}]).encode()
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        files = [out.fileno(), err.fileno(), there.fileno()]
        socket.send_fds(_source(), [request], files)
    return Begun(here)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


def _cold(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], within: float
) -> Ended:
    done = subprocess.run(
        [sys.executable, "-m", "engine", *words], cwd=folder, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@cache
def _source() -> socket.socket:
    """Begin the process that commands are forked from; return the way to it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(there.fileno())],
            cwd=ROOT, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL,
            env={key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        )  # fmt: skip

    def end() -> None:
        here.close()
        process.wait()

    atexit.register(end)
    return here


def _serve(source: socket.socket) -> None:
    """Fork one process for each request, which waits for the command it forks."""
    import engine

    for module in pkgutil.walk_packages(engine.__path__, "engine."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    engine.registry.installed()
    engine.adapters.web.httpx_web.trust()
    gc.freeze()
    while True:
        request, files, _, _ = socket.recv_fds(source, MOST_BYTES, 3)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                """What waited for a command has ended with it."""
        if not request:
            return
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    source.close()
    out, err, told = files
    command = os.fork()
    if command:
        _wait(command, socket.socket(fileno=told))
    os.close(told)
    _become(*json.loads(request), out, err)


def _wait(command: int, told: socket.socket) -> None:
    """Tell its id and how it ended; end it where nobody waits to hear that."""
    told.send(str(command).encode())
    ended = os.pidfd_open(command)
    if told in select.select([ended, told], [], [])[0]:
        os.kill(command, signal.SIGKILL)
    _, status = os.waitpid(command, 0)
    with contextlib.suppress(OSError):
        told.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(
    words: list[str], folder: str, environment: dict[str, str], out: int, err: int
) -> None:
    """Be what `python -m engine` would be; it exits."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, out, err)):
        os.dup2(file, number)
        os.close(file)
    sys.path[0] = folder
    sys.argv = [str(ROOT / "engine/__main__.py"), *words]
    from engine.entrypoints.cli import main

    main()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
