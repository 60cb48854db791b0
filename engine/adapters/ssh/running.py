"""One program on another machine, from its start to its end or its limit.

What is here: the line for the remote shell, the bounded reading of output, the limit
over connecting, login and running together. At the limit the program's process group
is sent TERM, then KILL. OpenSSH takes signals since 7.9, but not for root; so whatever
carries the mark of this try in its environment is killed by a second command on the
same connection (Linux), which finds what left the group, too. Then it is closed.

Needs asyncssh. Called by the check and the action `ssh`.
"""

import asyncio
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final

import asyncssh

from engine.adapters.ssh.connecting import NotConnected, connected
from engine.adapters.ssh.parameters import SshAction, SshCheck, SshDefaults
from engine.model.credentials import Unsealed
from engine.ports import Call, Web

KEPT_BYTES: Final = 64 * 1024  # of each stream, the first; what follows is counted
SPARE_BYTES: Final = 4 * 1024  # so that a secret at the edge is whole when it is hidden
LONGEST_GRACE_SECONDS: Final = 2.0
GRACE_SHARE: Final = 0.25  # of the limit, so that the end fits into it
MARK: Final = "RUNBOOK_TRY"
SWEEP: Final = (  # three times: a family that forks meanwhile needs more than one
    'for i in 1 2 3; do for f in $(grep -ls "$0" /proc/[0-9]*/environ); do '
    'p=${f#/proc/}; kill -9 "${p%/environ}"; done; done'
)
DRAIN_SECONDS: Final = 0.25  # for output on its way when the program has ended
DETAIL_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Ran:
    """What is known of a program that was asked for.

    `exit_code` is None where it did not end by itself; `why` says then what came first.
    """

    exit_code: int | None
    why: str
    stdout: str
    stderr: str
    dropped_bytes: int
    took_seconds: float

    @property
    def last_words(self) -> str:
        """The last line that it wrote, errors first, with a colon before it."""
        said = (self.stderr.strip() or self.stdout.strip()).splitlines()
        return f": {said[-1].strip()[:DETAIL_CHARACTERS]}" if said else ""


class _Stream:
    """What a program writes: the first of it, and how much it was."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._count = 0

    @property
    def dropped_bytes(self) -> int:
        return max(self._count - KEPT_BYTES, 0)

    def take(self, chunk: bytes) -> None:
        self._count += len(chunk)
        self._kept += chunk[: KEPT_BYTES + SPARE_BYTES - len(self._kept)]

    def text(self, hide: Callable[[str], str]) -> str:
        shown = hide(self._kept.decode("utf-8", errors="replace"))
        if not self.dropped_bytes:
            return shown
        return shown.encode()[:KEPT_BYTES].decode("utf-8", errors="ignore")


class _Session(asyncssh.SSHClientSession[bytes]):
    """One program, as the channel tells of it."""

    def __init__(self) -> None:
        self.out, self.err = _Stream(), _Stream()
        self.exit_code: int | None = None
        self.signal = ""
        self.ended = asyncio.Event()  # the program, or the connection
        self.closed = asyncio.Event()  # nothing more will come

    def data_received(self, data: bytes, datatype: int | None) -> None:
        stream = self.err if datatype == asyncssh.EXTENDED_DATA_STDERR else self.out
        stream.take(data)

    def exit_status_received(self, status: int) -> None:
        self.exit_code = status
        self.ended.set()

    def exit_signal_received(
        self, signal: str, core_dumped: bool, msg: str, lang: str
    ) -> None:
        self.signal = signal
        self.ended.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        self.closed.set()


class _Progress:
    """How far it has come: before the program is asked for, it surely did not run."""

    def __init__(self, mark: str) -> None:
        self.mark = mark  # stands in the environment of all that the program starts

    asked = False
    session: _Session | None = None
    channel: Any = None
    cut = False  # by the limit

    @property
    def has_ended(self) -> bool:
        """Whether the server has told of the program's end."""
        session = self.session
        return session is not None and (
            session.exit_code is not None or bool(session.signal)
        )


async def run_remote(
    web: Web, params: SshCheck, defaults: SshDefaults, call: Call, unsealed: Unsealed
) -> Ran:
    """Run the program to its end, its limit, or the end of the connection.

    Raises:
        NotConnected: it surely did not run.
        SecretMissing: a secret has no value.
    """
    began = time.monotonic()
    grace = min(LONGEST_GRACE_SECONDS, call.timeout_seconds * GRACE_SHARE)
    mark = "" if params.bare else f"{MARK}={token_hex(8)}"
    line = command_line(params, call, mark)
    stdin = "" if params.stdin is None else unsealed.text(params.stdin)
    progress = _Progress(mark)
    try:
        async with asyncio.timeout(call.timeout_seconds - grace):
            async with connected(web, params, defaults, unsealed) as connection:
                await _until_end(connection, line, stdin.encode(), progress, grace)
    except TimeoutError as error:
        if not progress.asked:
            words = f"not connected within {call.timeout_seconds:g} s"
            raise NotConnected(words, retryable=True) from error
    return _ran(progress, call, unsealed, time.monotonic() - began)


async def _until_end(
    connection: asyncssh.SSHClientConnection,
    line: str,
    stdin: bytes,
    progress: _Progress,
    grace: float,
) -> None:
    try:
        progress.session = session = _Session()
        progress.asked = True
        channel, _ = await connection.create_session(
            lambda: session, line, encoding=None
        )
        progress.channel = channel
        channel.write(stdin)
        channel.write_eof()
        await session.ended.wait()
        with suppress(TimeoutError):  # a program left behind may hold the output open
            async with asyncio.timeout(DRAIN_SECONDS):
                await session.closed.wait()
    except asyncssh.ChannelOpenError as error:
        progress.asked = False
        words = f"the server starts no program: {error.reason}"
        raise NotConnected(words, retryable=True) from error
    except (asyncssh.Error, OSError):  # lost while it was asked for
        return
    except asyncio.CancelledError:
        progress.cut = True
        await _end(connection, progress, grace)
        raise


async def _end(
    connection: asyncssh.SSHClientConnection, progress: _Progress, grace: float
) -> None:
    """End the program and what it started, as far as SSH lets, inside `grace`."""
    channel, session = progress.channel, progress.session
    if channel is None or session is None:
        return
    with suppress(OSError, TimeoutError, asyncssh.Error):
        async with asyncio.timeout(grace * 0.9):
            channel.send_signal("TERM")
            with suppress(TimeoutError):
                async with asyncio.timeout(grace * 0.3):
                    await session.ended.wait()
            if not progress.has_ended:
                channel.send_signal("KILL")
            if progress.mark:
                sweep = shlex.join(["sh", "-c", SWEEP, progress.mark])
                await connection.run(sweep, encoding=None)
            await session.ended.wait()


def _ran(progress: _Progress, call: Call, unsealed: Unsealed, seconds: float) -> Ran:
    session = progress.session
    assert session is not None
    code = None if progress.cut else session.exit_code
    why = ""
    if progress.cut:
        why = f"no end within {call.timeout_seconds:g} s, "
        ended = progress.has_ended
        why += "so it was ended" if ended else "and its end was not seen"
    elif session.signal:
        why = f"it was ended by SIG{session.signal}"
    elif code is None:
        why = "the connection was lost while it ran"
    return Ran(
        code,
        why,
        session.out.text(unsealed.hide),
        session.err.text(unsealed.hide),
        session.out.dropped_bytes + session.err.dropped_bytes,
        seconds,
    )


def command_line(params: SshCheck, call: Call, mark: str = "") -> str:
    """Return the line for the remote shell: every word quoted, none of it read.

    An SSH server drops the variables it does not accept and says nothing, so they
    stand in front of the program.
    """
    if params.bare:
        return shlex.join(params.argv)
    pairs = [f"{name}={value}" for name, value in params.env.items()]
    if isinstance(params, SshAction):
        pairs += [f"RUNBOOK_KEY={call.key}", f"RUNBOOK_FENCE={call.fence}"]
        pairs += ["RUNBOOK_UNDO=1"] if call.undo else []
    pairs += [mark] if mark else []
    return shlex.join([*(["env", *pairs] if pairs else []), *params.argv])
