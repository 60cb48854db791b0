"""A TCP port that answers: the check `tcp`.

It judges by itself: connected (and, with `expect`, greeted as expected) is pass;
refused, reset, closed, silent is fail; a name that cannot be resolved, an address that
may not be reached, no route is unknown.

Registered by bootstrap.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from pydantic import Field

from engine.model.connections import failed_connection
from engine.model.evidence import Observation
from engine.model.values import Model
from engine.ports import Call, LookCode, Web, WebProblem
from engine.registry import Registry

FIRST_TRY_SECONDS: Final = 2.0  # a silent address gives way to the next after this
READ_BYTES: Final = 64 * 1024  # of an answer, while `expect` is looked for


class Tcp(Model):
    """A port to connect to."""

    host: str = Field(min_length=1, description="A name or an address.")
    port: int = Field(ge=1, le=65535, description="The port.")
    send: str | None = Field(
        None, description="Text to send once connected, line ends included."
    )
    expect: str | None = Field(
        None,
        min_length=1,
        description="Text that the answer must hold; without it, a connection does.",
    )


class _Progress:
    """How far a look has come, for the words when its time is over."""

    resolved = False
    connected = False


async def look_through(web: Web, params: Tcp, call: Call) -> Observation:
    """Return pass, fail or unknown, and `latency_seconds` until connected."""
    source = f"{params.host}:{params.port}"
    progress = _Progress()
    try:
        async with asyncio.timeout(call.timeout_seconds):
            return await _look(web, params, source, progress)
    except TimeoutError:
        seconds = f"within {call.timeout_seconds:g} s"
        if not progress.resolved:
            reason = f"'{params.host}' was not resolved {seconds}"
            return Observation(unknown=reason, source=source)
        missing = f"no '{params.expect}'" if progress.connected else "no connection"
        return Observation(
            verdict="fail", summary=f"{missing} {seconds}", source=source
        )


async def _look(web: Web, params: Tcp, source: str, progress: _Progress) -> Observation:
    try:
        addresses = await web.addresses(params.host, params.port)
    except WebProblem as problem:
        return Observation(
            unknown=problem.message, retryable=problem.kind != "blocked", source=source
        )
    progress.resolved = True
    began = time.monotonic()
    try:
        reader, writer = await _connect(addresses, params.port)
    except OSError as error:
        return _refused(error, source)
    progress.connected = True
    seen = {"latency_seconds": time.monotonic() - began}
    try:
        missing = await _missing(params, reader, writer)
    finally:
        writer.transport.abort()
    if missing:
        return Observation(seen=seen, verdict="fail", summary=missing, source=source)
    summary = f"connected in {seen['latency_seconds']:.3f} s"
    return Observation(seen=seen, verdict="pass", summary=summary, source=source)


def _refused(error: OSError, source: str) -> Observation:
    whose, words = failed_connection(error)
    if whose == "fail":
        return Observation(verdict="fail", summary=words, source=source)
    return Observation(unknown=words, source=source)


async def _connect(
    addresses: Sequence[str], port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that answers. Raises OSError.

    Where none does, an answer of the service counts more than a missing route.
    """
    problem: OSError = OSError("no address")
    for number, address in enumerate(addresses, start=1):
        limit = None if number == len(addresses) else FIRST_TRY_SECONDS
        try:
            async with asyncio.timeout(limit):
                return await asyncio.open_connection(address, port)
        except OSError as error:
            if failed_connection(problem)[0] == "unknown":
                problem = error
    raise problem


async def _missing(
    params: Tcp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> str:
    """Return what is missing in the answer, or nothing."""
    try:
        if params.send is not None:
            writer.write(params.send.encode())
            await writer.drain()
        if params.expect is None:
            return ""
        wanted, answer = params.expect.encode(), b""
        while wanted not in answer and len(answer) <= READ_BYTES:
            chunk = await reader.read(READ_BYTES)
            if not chunk:
                return f"the connection was closed without '{params.expect}'"
            answer += chunk
    except OSError as error:
        return failed_connection(error)[1]
    return "" if wanted in answer else f"an answer without '{params.expect}'"


def register(registry: Registry, web: Web) -> None:
    """Add the check `tcp`; `web` says which addresses may be reached."""

    async def look(params: Tcp, call: Call) -> Observation:
        return await look_through(web, params, call)

    code: LookCode = look
    registry.add_check(
        "tcp",
        Tcp,
        code,
        judges_itself=True,
        places={"host": "host", "port": "text", "send": "text", "expect": "text"},
        sees=("latency_seconds",),
    )
