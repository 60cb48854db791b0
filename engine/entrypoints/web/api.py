"""/api/v1: what the command line can do, for programs; each refusal is recorded.

Who asks is told by access, what may be asked stands in operations. Everything runs
under the identity of whoever asks. 400 a body that does not fit, 401 nobody known, 403
not this role, 404 nothing of that name, 409 not in this state, 413 over 1 MiB, of which
no more is read, 503 not now. No answer holds the value of a secret.

Called by app.
"""

import asyncio
import json
import logging
import math
import secrets as random_source
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.bootstrap import Engine
from engine.entrypoints.web.access import Access, Caller, Unknown
from engine.entrypoints.web.app import unavailable
from engine.entrypoints.web.asked import Asked
from engine.entrypoints.web.doing import DOES
from engine.entrypoints.web.operations import OPERATIONS, Operation, openapi
from engine.entrypoints.web.tending import TENDS
from engine.errors import (
    DoesNotApply,
    EngineError,
    NotAllowed,
    NotFound,
    RunbookRefused,
    StoreUnavailable,
)
from engine.model.timeline import Entry
from engine.runtime.doctor import Doctor
from engine.runtime.plain_text import kept_text
from engine.runtime.rights import refuse

log = logging.getLogger(__name__)

MOST_BYTES: Final = 1024 * 1024  # of one request
MOST_TOLD: Final = 8_000  # characters of one refusal
DEEPEST: Final = 64  # lists and maps inside each other
STRANGERS_SECONDS: Final = 1.0  # between two records of callers nobody knows


class TooLarge(ValueError):
    """The request is over what is taken."""


STATUS: Final[Mapping[type[Exception], int]] = {
    Unknown: 401,
    NotAllowed: 403,
    NotFound: 404,
    DoesNotApply: 409,
    RunbookRefused: 409,
    TooLarge: 413,
    ValueError: 400,
    StoreUnavailable: 503,
}
EVERY: Final = {**DOES, **TENDS}
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Api:
    """Answers for one open engine."""

    opened: Engine
    access: Access
    version: str
    reload: Callable[[], Awaitable[list[str]]]
    doctor: Doctor
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _stranger_at: float = float("-inf")

    def routes(self) -> list[Route]:
        """Return a route for each operation, and the document of all."""
        made = [
            Route(f"/api/v1{one.path}", self._answer(one), methods=[one.method])
            for one in OPERATIONS
        ]
        return [*made, Route("/api/v1/openapi.json", self._document, methods=["GET"])]

    async def _document(self, request: Request) -> Response:
        return JSONResponse(openapi(self.version))

    def _answer(self, operation: Operation) -> Answer:
        async def answer(request: Request) -> Response:
            caller: Caller | None = None
            try:
                caller = self.access.caller(request)
                refuse(caller.name, caller.role, operation.right)
                asked = await self._asked(request, operation, caller)
                return JSONResponse(_plain(await EVERY[operation.name](asked)))
            except (Unknown, EngineError, ValueError) as why:
                return await self._refuse(operation, caller, why)
            except ClientDisconnect:
                raise  # nobody is there to be answered
            except Exception:
                reference = random_source.token_hex(4)
                log.exception("api failed at=%s ref=%s", operation.name, reference)
                told = {"error": "it could not be done", "ref": reference}
                return unavailable(told)

        return answer

    async def _asked(
        self, request: Request, operation: Operation, caller: Caller
    ) -> Asked:
        given = None
        if operation.body is not None:
            values = _json(await _read(request))
            try:
                given = operation.body.model_validate(values)
            except ValidationError as error:
                raise ValueError(_told(error)) from error
        return Asked(
            self.opened,
            caller,
            request.path_params,
            dict(request.query_params),
            given,
            self.reload,
            self.doctor,
            self._turn,
        )

    async def _refuse(
        self, operation: Operation, caller: Caller | None, why: Exception
    ) -> Response:
        status = next(
            (code for kind, code in STATUS.items() if isinstance(why, kind)), 409
        )
        if status in (401, 403):
            await self._record(operation, caller, str(why))
        words = kept_text(str(why))[:MOST_TOLD]
        if status != 401:  # whose words are ours alone
            words = self.opened.service.redactor.text(words)
        if status == 503:
            return unavailable({"error": words})
        return JSONResponse({"error": words}, status)

    async def _record(
        self, operation: Operation, caller: Caller | None, why: str
    ) -> None:
        """Write down who was refused what (F101); of strangers one a second."""
        if caller is None:
            now = time.monotonic()
            if now - self._stranger_at < STRANGERS_SECONDS:
                return
            self._stranger_at = now
        who = caller.name if caller is not None else "somebody"
        log.warning("refused who=%s what=%s why=%s", who, operation.name, why)
        entry = Entry(
            "engine", 0, time.time(), 0.0, "refused", f"{operation.name} refused", who,
            why=why,
        )  # fmt: skip
        try:
            await self.opened.store.record(entry)
        except StoreUnavailable as error:
            log.warning("the refusal is not recorded error=%s", error)


async def _read(request: Request) -> bytes:
    """Return the body; stop reading where it is over what is taken."""
    said = request.headers.get("content-length", "")
    size, parts = int(said) if said.isdecimal() else 0, []
    if size <= MOST_BYTES:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > MOST_BYTES:
                break
            parts.append(part)
    if size > MOST_BYTES:
        raise TooLarge("the request is over 1 MiB")
    return b"".join(parts)


def _json(raw: bytes) -> Any:
    try:
        made = json.loads(raw or b"{}", parse_constant=_number, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise ValueError("the request is no JSON") from error
    level, depth = [made], 0
    while level := [part for one in level for part in _inside(one)]:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"the request is nested more than {DEEPEST} deep")
    return made


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _number(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(written)
    return number


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the request"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
