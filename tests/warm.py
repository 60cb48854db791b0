"""Commands of `runbook` as processes of their own that begin with everything loaded.

`ran` does what `python -m engine WORDS` does: a process with its own folder,
environment and streams, which ends with its exit code. It is forked from one that has
loaded the engine, once for all tests of a worker: loading takes longer than most
commands. What depends on how an interpreter begins (PYTHON..., a locale) gets a new one.

    python -m tests.warm FD    is that process: it serves the socket FD until it closes
"""

import atexit
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
from typing import Final

ROOT: Final = Path(__file__).parents[1]
COLD: Final = ("PYTHON", "LANG", "LC_")
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
    request = json.dumps([[*words], str(folder), {**environment}]).encode()
    if len(request) > MOST_BYTES or any(one.startswith(COLD) for one in environment):
        return _cold(words, folder, environment, within)
    here, there = socket.socketpair()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, here:
        with there:
            files = [out.fileno(), err.fileno(), there.fileno()]
            socket.send_fds(_source(), [request], files)
        here.settimeout(within)
        try:
            code = int(here.recv(20))
        except TimeoutError:
            raise subprocess.TimeoutExpired([*words], within) from None
        return code, _text(out), _text(err)


def _text(file: "tempfile._TemporaryFileWrapper[bytes]") -> str:
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
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who waits
    while True:
        request, files, _, _ = socket.recv_fds(source, MOST_BYTES, 3)
        if not request:
            return
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    source.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out, err, told = files
    command = os.fork()
    if command:
        _wait(command, socket.socket(fileno=told))
    os.close(told)
    _become(*json.loads(request), out, err)


def _wait(command: int, told: socket.socket) -> None:
    """Tell how the command ended; end it where nobody waits to hear that."""
    ended = os.pidfd_open(command)
    if told in select.select([ended, told], [], [])[0]:
        os.kill(command, signal.SIGKILL)
    _, status = os.waitpid(command, 0)
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
