"""One ASGI application out of its doors; what no door knows is answered in JSON.

A door is an object with `routes()`; the application takes the routes of all. Whatever
goes wrong in one is 503 with a reference that stands in the log, never 500: a sender
that retries on 503 loses nothing.

Called by serving.
"""

import logging
import secrets as random_source
from collections.abc import Iterable, Mapping
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.entrypoints.web.serving import HEADER_BYTES
from engine.views.escape import visible

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5
ALWAYS: Final = (  # unless the answer says otherwise
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


def application(routes: Iterable[BaseRoute]) -> Starlette:
    """Return the application: these routes, and words for everything else."""
    made = Starlette(
        routes=list(routes),
        exception_handlers={HTTPException: _refuse},
        middleware=[Middleware(_Outermost)],
    )
    made.router.redirect_slashes = False
    return made


def unavailable(told: Mapping[str, object]) -> JSONResponse:
    """Return an answer that asks to come again."""
    return JSONResponse(told, 503, {"retry-after": str(RETRY_SECONDS)})


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = {
        404: f"nothing is at {visible(request.url.path, most=80)}",
        405: f"{visible(request.method, most=12)} is not what this takes",
    }
    words = told.get(error.status_code, str(error.detail))
    return JSONResponse({"error": words}, error.status_code, error.headers)


class _Outermost:
    """What holds for every answer, and the answer where there would be none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def told(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                given = {name.lower() for name, _ in message.get("headers", ())}
                more = [one for one in ALWAYS if one[0] not in given]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        try:
            if scope["type"] == "http" and _size(scope) > HEADER_BYTES:
                words = f"the headers are over {HEADER_BYTES // 1024} KiB"
                await JSONResponse({"error": words}, 431)(scope, receive, told)
            else:
                await self._app(scope, receive, told)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception:  # the sender is told to come again
            reference = random_source.token_hex(4)
            log.exception("a request failed reference=%s", reference)
            if begun:
                raise
            answer = unavailable({"error": "it went wrong here", "ref": reference})
            await answer(scope, receive, told)


def _size(scope: Scope) -> int:
    return sum(len(name) + len(value) for name, value in scope["headers"])
