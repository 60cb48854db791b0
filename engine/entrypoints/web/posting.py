"""POST /alerts/<source>: who posts, what it is, kept; and only then 200.

401 with a reason, 404 for an unknown source, 400 for a body that is none, 413 over
16 MiB, 415 for a compressed one, 503 where nothing can be stored (never 429:
Alertmanager would give up; never 202). What goes wrong here is 503 with a reference,
never 500. Every answer is counted; of one kind of refusal one line a second is logged.

A request that a web page sent (it has an Origin) is refused: no monitoring system is a
browser, and a browser of this machine reaches what listens on loopback.

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
from engine.entrypoints.web.admission import Admission, Closed, Refused, TakeBack
from engine.entrypoints.web.app import unavailable
from engine.errors import StoreUnavailable
from engine.ports import BadBody, Posted, SourceCode, WebProblem
from engine.runtime.intake import Intake
from engine.views.escape import visible

log = logging.getLogger(__name__)

MOST_BYTES: Final = 16 * 1024 * 1024  # of one body
MOST_AT_ONCE: Final = 64 * 1024 * 1024  # of all bodies that are being read
SMALL: Final = 32 * 1024  # parsed at once; more goes into a thread
WITHIN_SECONDS: Final = 10.0  # to read what it says and store it
LOG_SECONDS: Final = 1.0  # between two lines about the same kind of refusal

Judge = Callable[[Posted, list[str]], Awaitable[str]]  # why not, or an empty string


class TooLarge(Exception):
    """The body is over what is taken."""


class Packed(Exception):
    """The body is compressed."""


class Busy(Exception):
    """So much is under way that this one has to wait."""


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
    _logged: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)

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
        return unavailable(told) if status == 503 else JSONResponse(told, status)

    async def _take(self, name: str, request: Request) -> tuple[int, dict[str, Any]]:
        source = self.sources.get(name)
        if source is None:
            self._log("unknown", 404, f"no source '{visible(name, most=60)}'")
            return 404, {"error": f"no source '{visible(name, most=60)}' is configured"}
        try:
            _refuse_pages(request)
            self.admission.by_headers(source, _headers(request))
            posted = await self._read(request)
            take_back = self.admission.by_body(source, posted)
            await self._signed(source, posted)
            return await self._kept(name, posted, take_back)
        except tuple(STATUS) as refused:
            return self._refusal(name, refused)

    async def _kept(
        self, name: str, posted: Posted, take_back: TakeBack
    ) -> tuple[int, dict[str, Any]]:
        """Read and store it; where that fails, the same request may come again."""
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                delivery = await self._parsed(name, posted)
                receipt = await self.intake.receive(delivery, posted.body, at=posted.at)
        except TimeoutError as error:
            take_back()
            raise Busy(f"not stored within {WITHIN_SECONDS:g}s; come again") from error
        except BaseException:
            take_back()
            raise
        note = {"note": visible(delivery.note)} if delivery.note else {}
        return 200, {"delivery": receipt.delivery, "alerts": receipt.alerts} | note

    async def _signed(self, source: Source, posted: Posted) -> None:
        if source.sns is None:
            return
        if self.sns is None:
            raise Closed("nothing here can judge the signatures of SNS")
        try:
            problem = await self.sns(posted, source.sns.topics)
        except WebProblem as error:  # not a word about who posts: it may come again
            raise Busy(f"Amazon cannot be asked now: {error.message}") from error
        if problem:
            raise Refused(problem)

    def _refusal(self, name: str, why: Exception) -> tuple[int, dict[str, Any]]:
        status = next(code for kind, code in STATUS.items() if isinstance(why, kind))
        self._log(name, status, str(why))
        if isinstance(why, Closed):
            return status, {"error": "the source is closed: see the engine's log"}
        return status, {"error": visible(why)}

    def _log(self, name: str, status: int, why: str) -> None:
        """Log a refusal; who posts in a loop fills no disk."""
        now = time.monotonic()
        at, left_out = self._logged.get((name, status), (float("-inf"), 0))
        if now - at < LOG_SECONDS:
            self._logged[name, status] = (at, left_out + 1)
            return
        self._logged[name, status] = (now, 0)
        more = f" and {left_out} like it before" if left_out else ""
        level = logging.ERROR if status == 503 else logging.WARNING
        log.log(level, "refused source=%s status=%d why=%s%s", name, status, why, more)

    async def _read(self, request: Request) -> Posted:
        packed = request.headers.get("content-encoding", "identity")
        if packed != "identity":
            raise Packed("the body is compressed; let the source send it as it is")
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


def _refuse_pages(request: Request) -> None:
    if "origin" in request.headers:
        raise Refused("a web page sent this; alerts come from monitoring systems")


def _headers(request: Request) -> dict[str, str]:
    return {key.lower(): value for key, value in request.headers.items()}


def _too_large() -> str:
    most = MOST_BYTES // (1024 * 1024)
    return (
        f"the body is over {most} MiB; let the source send fewer alerts at once "
        "(Alertmanager: `max_alerts: 500`)"
    )


STATUS: Final[Mapping[type[Exception], int]] = {
    Refused: 401,
    BadBody: 400,
    TooLarge: 413,
    Packed: 415,
    Busy: 503,
    Closed: 503,
    StoreUnavailable: 503,
}
