"""/api/v1: what the command line can do, for programs; each refusal is recorded.

Who asks is told by access, what may be asked stands in operations. Everything runs
under the identity of whoever asks. 400 a body that does not fit, 401 nobody known, 403
not this role, 404 nothing of that name, 409 not in this state, 503 not now.

Called by app.
"""

import json
import logging
import secrets as random_source
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.bootstrap import Engine
from engine.entrypoints.web.access import Access, Caller, Unknown, refuse_below
from engine.entrypoints.web.doing import DOES, Asked
from engine.entrypoints.web.operations import OPERATIONS, Operation, openapi
from engine.errors import (
    DoesNotApply,
    EngineError,
    NotAllowed,
    NotFound,
    RunbookRefused,
    StoreUnavailable,
)
from engine.model.timeline import Entry

log = logging.getLogger(__name__)

MOST_BYTES: Final = 1024 * 1024  # of one request
STATUS: Final[Mapping[type[Exception], int]] = {
    Unknown: 401,
    NotAllowed: 403,
    NotFound: 404,
    DoesNotApply: 409,
    RunbookRefused: 409,
    ValueError: 400,
    StoreUnavailable: 503,
}
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Api:
    """Answers for one open engine."""

    opened: Engine
    access: Access
    version: str
    reload: Callable[[], Awaitable[list[str]]]

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
                refuse_below(caller, operation.role)
                asked = await self._asked(request, operation, caller)
                return JSONResponse(_plain(await DOES[operation.name](asked)))
            except (Unknown, EngineError, ValueError) as why:
                return await self._refuse(operation, caller, why)
            except Exception:
                reference = random_source.token_hex(4)
                log.exception("api failed at=%s ref=%s", operation.name, reference)
                told = {"error": "it could not be done", "ref": reference}
                return JSONResponse(told, 503)

        return answer

    async def _asked(
        self, request: Request, operation: Operation, caller: Caller
    ) -> Asked:
        given = None
        if operation.body is not None:
            raw = await request.body()
            if len(raw) > MOST_BYTES:
                raise ValueError("the request is over 1 MiB")
            try:
                values = json.loads(raw or b"{}")
                given = operation.body.model_validate(values)
            except ValidationError as error:
                raise ValueError(_told(error)) from error
            except (ValueError, RecursionError) as error:
                raise ValueError("the request is no JSON") from error
        return Asked(
            self.opened,
            caller,
            request.path_params,
            dict(request.query_params),
            given,
            self.reload,
        )

    async def _refuse(
        self, operation: Operation, caller: Caller | None, why: Exception
    ) -> Response:
        status = next(
            (code for kind, code in STATUS.items() if isinstance(why, kind)), 409
        )
        if status in (401, 403):
            await self._record(operation, caller, str(why))
        return JSONResponse({"error": str(why)}, status)

    async def _record(
        self, operation: Operation, caller: Caller | None, why: str
    ) -> None:
        """Write down who was refused what (F101)."""
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


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the request"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
