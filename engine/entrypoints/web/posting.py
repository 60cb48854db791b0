"""POST /alerts/<source>: who posts, what it is, kept; and only then 200.

401 with a reason, 404 for an unknown source, 400 for a body that is none, 413 over
16 MiB, 503 where nothing can be stored (never 429: Alertmanager would give up; never
202). Whatever goes wrong here is 503 with a reference, never 500.

Called by app.
"""

import asyncio
import logging
import secrets as random_source
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from engine.config.serving import Source
from engine.entrypoints.web.admission import Admission, Closed, Refused
from engine.errors import StoreUnavailable
from engine.ports import BadBody, Posted, SourceCode
from engine.runtime.intake import Intake
from engine.views.escape import visible

log = logging.getLogger(__name__)

MOST_BYTES: Final = 16 * 1024 * 1024  # of one body
MOST_AT_ONCE: Final = 64 * 1024 * 1024  # of all bodies that are being read
SMALL: Final = 32 * 1024  # parsed at once; more goes into a thread
RETRY_SECONDS: Final = 5

Judge = Callable[[Posted, list[str]], Awaitable[str]]  # why not, or an empty string


class TooLarge(Exception):
    """The body is over what is taken."""


class Busy(Exception):
    """So many bodies are being read that another one has to wait."""


@dataclass(slots=True)
class Posting:
    """The door for alerts."""

    sources: Mapping[str, Source]
    codes: Mapping[str, SourceCode]
    admission: Admission
    intake: Intake
    sns: Judge | None = None
    clock: Callable[[], float] = time.time
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _reading: int = 0

    def routes(self) -> list[Route]:
        """Return the routes of this door."""
        return [Route("/alerts/{source:path}", self.post, methods=["POST"])]

    async def post(self, request: Request) -> JSONResponse:
        """Take one delivery; the answer says what was kept, or why nothing was."""
        name = request.path_params["source"]
        shown = name if name in self.sources else "unknown"
        told: dict[str, Any]
        try:
            status, told = await self._take(name, request)
        except ClientDisconnect:
            status, told = 400, {"error": "the connection ended before the body"}
        except Exception:  # the sender is told to come again
            reference = random_source.token_hex(4)
            log.exception("posting failed source=%s reference=%s", shown, reference)
            status, told = 503, {"error": "it could not be taken", "ref": reference}
        self.counts[(shown, str(status))] += 1
        headers = {"retry-after": str(RETRY_SECONDS)} if status == 503 else {}
        return JSONResponse(told, status, headers)

    async def _take(self, name: str, request: Request) -> tuple[int, dict[str, Any]]:
        source = self.sources.get(name)
        if source is None:
            known = ", ".join(sorted(self.sources)) or "none"
            why = f"no source '{visible(name, most=60)}'; known: {known}"
            return 404, {"error": why}
        try:
            self.admission.by_headers(source, _headers(request))
            posted = await self._read(request)
            self.admission.by_body(source, posted)
            await self._signed(source, posted)
            delivery = await self._parsed(name, posted)
            receipt = await self.intake.receive(delivery, posted.body, at=posted.at)
        except (Refused, BadBody, TooLarge, Busy, Closed, StoreUnavailable) as refused:
            return self._refusal(name, refused)
        told: dict[str, Any] = {
            "delivery": receipt.delivery,
            "alerts": receipt.alerts,
        }
        if delivery.note:
            told["note"] = delivery.note
        return 200, told

    async def _signed(self, source: Source, posted: Posted) -> None:
        if source.sns is None:
            return
        if self.sns is None:
            raise Closed("nothing here can judge the signatures of SNS")
        problem = await self.sns(posted, source.sns.topics)
        if problem:
            raise Refused(problem)

    def _refusal(self, name: str, why: Exception) -> tuple[int, dict[str, Any]]:
        status = STATUS.get(type(why), 503)
        level = logging.ERROR if status == 503 else logging.WARNING
        log.log(level, "refused source=%s status=%d why=%s", name, status, why)
        if isinstance(why, Closed):
            return status, {"error": "the source is closed: see the engine's log"}
        return status, {"error": str(why)}

    async def _read(self, request: Request) -> Posted:
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length[:18]) > MOST_BYTES:
            raise TooLarge(_too_large())
        parts: list[bytes] = []
        size = 0
        try:
            async for part in request.stream():
                size += len(part)
                self._reading += len(part)
                if size > MOST_BYTES:
                    raise TooLarge(_too_large())
                if self._reading > MOST_AT_ONCE:
                    raise Busy("too many bodies are being read; come again")
                parts.append(part)
        finally:
            self._reading -= size
        at, path = self.clock(), request.url.path
        return Posted(b"".join(parts), _headers(request), at, path)

    async def _parsed(self, name: str, posted: Posted) -> Any:
        code = self.codes[name]
        if len(posted.body) <= SMALL:
            return code(posted, name)
        return await asyncio.to_thread(code, posted, name)


def _headers(request: Request) -> dict[str, str]:
    return {key.lower(): value for key, value in request.headers.items()}


def _too_large() -> str:
    most = MOST_BYTES // (1024 * 1024)
    return (
        f"the body is over {most} MiB; let the source send fewer alerts at once "
        "(Alertmanager: `max_alerts: 500`)"
    )


STATUS: Final = {Refused: 401, BadBody: 400, TooLarge: 413}
