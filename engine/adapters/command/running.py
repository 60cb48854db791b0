"""One program from its start to its end or its limit.

What is here: the environment, the bounded reading of output, the limit. What is not:
what an exit code means (the two kinds), how a family is ended (family).

Called by the check and the action `command`.
"""

import asyncio
import errno
import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from engine.adapters.command.family import end_family, signal_group
from engine.adapters.command.parameters import CommandCheck
from engine.model.credentials import Unsealed
from engine.ports import Call

KEPT_BYTES: Final = 64 * 1024  # of each stream, the first; what follows is counted
SPARE_BYTES: Final = 4 * 1024  # so that a secret at the edge is whole when it is hidden
CHUNK_BYTES: Final = 256 * 1024
PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ")  # the engine's secrets stay with it
LONGEST_GRACE_SECONDS: Final = 2.0
GRACE_SHARE: Final = 0.1  # of the limit, so that the end fits into it
DRAIN_SECONDS: Final = 0.25  # for output still in the pipe when the program has ended
DETAIL_CHARACTERS: Final = 300
RETRYABLE: Final = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that has run; `exit_code` is None where the limit came first."""

    exit_code: int | None
    stdout: str
    stderr: str
    dropped_bytes: int
    took_seconds: float

    @property
    def last_words(self) -> str:
        """The last line that it wrote, errors first, with a colon before it."""
        said = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return f": {said[-1].strip()[:DETAIL_CHARACTERS]}" if said else ""


class NotStarted(Exception):
    """The program surely did not run."""

    def __init__(self, reason: str, *, retryable: bool = False) -> None:
        super().__init__(reason)
        self.retryable = retryable


class _Pipe:
    """One stream of a program, read as it comes; never makes the program wait."""

    def __init__(self, stack: ExitStack) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader, self.writer = os.pipe()
        self._writes = True
        self._kept = bytearray()
        self._count = 0
        self.ended = asyncio.Event()
        stack.callback(self.close)
        os.set_blocking(self._reader, False)
        self._loop.add_reader(self._reader, self._read)

    @property
    def dropped_bytes(self) -> int:
        return max(self._count - KEPT_BYTES, 0)

    def _read(self) -> None:
        try:
            chunk = os.read(self._reader, CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.close()
            return
        self._count += len(chunk)
        self._kept += chunk[: KEPT_BYTES + SPARE_BYTES - len(self._kept)]

    def close_writer(self) -> None:
        if self._writes:
            os.close(self.writer)
            self._writes = False

    def close(self) -> None:
        self.close_writer()
        if not self.ended.is_set():
            self._loop.remove_reader(self._reader)
            os.close(self._reader)
            self.ended.set()

    def text(self, hide: Callable[[str], str]) -> str:
        shown = hide(self._kept.decode("utf-8", errors="replace"))
        if not self.dropped_bytes:
            return shown
        return shown.encode()[:KEPT_BYTES].decode("utf-8", errors="ignore")


async def run_program(
    params: CommandCheck, call: Call, secrets: Unsealed, *, leaves_nothing: bool
) -> Ran:
    """Run the program to its end or its limit. Raises NotStarted, SecretMissing."""
    began = time.monotonic()
    grace = min(LONGEST_GRACE_SECONDS, call.timeout_seconds * GRACE_SHARE)
    with ExitStack() as stack:
        exit_code: int | None = None
        try:
            out, err = _Pipe(stack), _Pipe(stack)
            process = await _start(params, call, secrets, out, err)
        except (OSError, ValueError) as error:
            raise _not_started(params.argv[0], error) from error
        out.close_writer()
        err.close_writer()
        try:
            async with asyncio.timeout(call.timeout_seconds - grace):
                exit_code = await process.wait()
            await _drained(out, err)
        except TimeoutError:
            await end_family(process, call.key, grace)
            await _drained(out, err, seconds=0.0)
        except asyncio.CancelledError:
            await end_family(process, call.key, grace)
            raise
        if leaves_nothing:
            signal_group(process.pid, signal.SIGKILL)
        return Ran(
            exit_code,
            out.text(secrets.hide),
            err.text(secrets.hide),
            out.dropped_bytes + err.dropped_bytes,
            time.monotonic() - began,
        )


async def _drained(out: _Pipe, err: _Pipe, *, seconds: float = DRAIN_SECONDS) -> None:
    """Read what is left; a grandchild that holds the pipe open is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await out.ended.wait()
            await err.ended.wait()


async def _start(
    params: CommandCheck, call: Call, secrets: Unsealed, out: _Pipe, err: _Pipe
) -> asyncio.subprocess.Process:
    environment = _environment(params, call, secrets)
    if params.cwd is not None and not _is_folder(params.cwd):
        raise NotStarted(f"the folder '{params.cwd}' (cwd) is not there; create it")
    with ExitStack() as stack:
        text = None if params.stdin is None else secrets.text(params.stdin)
        source = None if text is None else _as_file(text, stack)
        return await asyncio.create_subprocess_exec(
            *params.argv,
            stdin=asyncio.subprocess.DEVNULL if source is None else source,
            stdout=out.writer,
            stderr=err.writer,
            cwd=params.cwd,
            env=environment,
            start_new_session=True,
        )


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except ValueError:  # NUL in the path
        return False


def _environment(params: CommandCheck, call: Call, secrets: Unsealed) -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    ours = {"RUNBOOK_KEY": call.key, "RUNBOOK_FENCE": str(call.fence)}
    if call.undo:
        ours["RUNBOOK_UNDO"] = "1"
    return {"PATH": os.defpath} | passed | secrets.texts(params.env) | ours


def _as_file(text: str, stack: ExitStack) -> BinaryIO:
    """Return an open file without a name: one that is not read blocks nobody."""
    file: BinaryIO
    if hasattr(os, "memfd_create"):  # not on a disk: it may be a secret
        file = stack.enter_context(os.fdopen(os.memfd_create("stdin"), "w+b"))
    else:
        file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    file.write(text.encode("utf-8", errors="surrogatepass"))
    file.seek(0)
    return file


def _not_started(program: str, error: OSError | ValueError) -> NotStarted:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotStarted(
            f"the program '{program}' was not found; install it where the engine "
            "runs, or write its whole path"
        )
    if isinstance(error, PermissionError):
        return NotStarted(f"the program '{program}' may not be run by the engine")
    if isinstance(error, ValueError):  # NUL in an argument, "=" in a variable's name
        return NotStarted(f"'{program}' cannot be started: {error}")
    retryable = error.errno in RETRYABLE
    words = error.strerror or "no reason given"
    return NotStarted(f"'{program}' cannot be started: {words}", retryable=retryable)
