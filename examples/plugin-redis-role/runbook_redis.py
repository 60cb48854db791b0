"""Two kinds for Redis: the check `redis_role` and the action `redis_pause_writes`.

What is here: the role of a node as the node itself tells it, and a pause of its writes
that gives itself back. What is not: failover; that is Sentinel's, or a runbook's.

Loaded by the engine through the entry point in pyproject.toml.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from pydantic import Field
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from engine.model.credentials import Secretable, Unsealed
from engine.model.evidence import Observation
from engine.model.values import Duration, Model
from engine.ports import ActResult, Call
from engine.registry import Registry

PORT: Final = 6379
REFUSED: Final = (exceptions.AuthenticationError, exceptions.ResponseError)
FAILED: Final = (exceptions.RedisError, OSError, TimeoutError)


class Node(Model):
    """Where a node is."""

    host: str = Field(min_length=1, description="The node's name or address.")
    port: int = Field(PORT, ge=1, le=65535, description="Its port.")
    password: Secretable | None = Field(
        None, description="Its password; `{secret: NAME}`."
    )


class PauseWrites(Node):
    """Where a node is, and how long its writes wait."""

    duration: Duration = Field(
        description="Writes wait so long at most; the node goes on by itself then."
    )


async def redis_role(params: Node, call: Call) -> Observation:
    """Return the node's role as json: role, links (of a replica: whether it is fed)."""
    source = f"ROLE at {params.host}:{params.port}"
    try:
        answer = await _ask(params, call, "ROLE")
        told = _role(answer)
    except (*FAILED, ValueError) as error:
        again = not isinstance(error, REFUSED)
        return Observation(unknown=_why(source, error), retryable=again, source=source)
    summary = f"{params.host}:{params.port} says {told['role']}"
    return Observation(seen={"json": told}, summary=summary, source=source)


async def redis_pause_writes(params: PauseWrites, call: Call) -> ActResult:
    """Let writes wait (CLIENT PAUSE), or with `call.undo` go on (CLIENT UNPAUSE).

    Both may be repeated: a second pause only sets the end anew.
    """
    where = f"{params.host}:{params.port}"
    milliseconds = int(params.duration.total_seconds() * 1000)
    pause = ("CLIENT", "PAUSE", str(milliseconds), "WRITE")
    words = ("CLIENT", "UNPAUSE") if call.undo else pause
    try:
        await _ask(params, call, *words)
    except REFUSED as error:
        return ActResult("failed", _why(where, error), retryable=False)
    except FAILED as error:
        # redis-py says "connecting" only where nothing was sent yet
        never_sent = " connecting to " in str(error)
        return ActResult("failed" if never_sent else "unknown", _why(where, error))
    done = "writes go on" if call.undo else f"writes wait for {milliseconds} ms at most"
    return ActResult("ok", f"{where}: {done}")


async def _ask(params: Node, call: Call, *words: str) -> Any:
    async with asyncio.timeout(call.timeout_seconds), _connection(params, call) as node:
        answer: Any = await node.execute_command(*words)  # type: ignore[no-untyped-call]
        return answer


@asynccontextmanager
async def _connection(params: Node, call: Call) -> AsyncIterator[Redis]:
    unsealed = Unsealed(call.secret)
    password = unsealed.text(params.password) if params.password is not None else None
    node = Redis(
        host=params.host,
        port=params.port,
        password=password,
        protocol=2,
        single_connection_client=True,
        retry=Retry(
            NoBackoff(), 0
        ),  # a runbook's retries are the engine's: each is an entry
        lib_name=None,
        lib_version=None,
    )
    try:
        yield node
    finally:
        await node.aclose()


def _role(answer: Any) -> dict[str, Any]:
    """Return what ROLE says.

    Raises:
        ValueError: an answer in another form.
    """
    if not isinstance(answer, list) or not answer:
        raise ValueError("ROLE answers in another form")
    name = _text(answer[0])
    if name == "master" and len(answer) >= 3:
        return {"role": name, "links": len(answer[2])}
    if name == "slave" and len(answer) >= 4:
        fed = _text(answer[3]) == "connected"
        return {"role": "replica", "of": _text(answer[1]), "links": int(fed)}
    if name == "sentinel":
        return {"role": name, "links": 0}
    raise ValueError(f"ROLE says {name!r:.40}")


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _why(where: str, error: BaseException) -> str:
    told = "no answer in time" if isinstance(error, TimeoutError) else str(error)
    return f"{where}: {' '.join(told.split())[:160]}"


def register(registry: Registry) -> None:
    """Add both kinds; `host` is a place where outside values need a pattern."""
    registry.add_check(
        "redis_role", Node, redis_role, places={"host": "host"}, sees=("json",)
    )
    registry.add_action(
        "redis_pause_writes",
        PauseWrites,
        redis_pause_writes,
        built_in_undo=True,
        places={"host": "host"},
    )
