"""/healthz: the process answers. /readyz: it can take alerts and act, or why not.

Both are open to anybody, say nothing secret, and cost little: what was found is told
again for a second. Called by app.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Check = Callable[[], Awaitable[str]]  # why not, or an empty string

KEPT_SECONDS: Final = 1.0
WITHIN_SECONDS: Final = 2.0  # one check; whoever asks waits no longer
LEAST_FREE_BYTES: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class Health:
    """Answers whether the engine lives, and whether it is of use."""

    checks: dict[str, Check]
    _found: dict[str, str] = field(default_factory=dict)
    _found_at: float = float("-inf")
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/healthz", self.alive, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
        ]

    async def alive(self, request: Request) -> JSONResponse:
        """Say that the loop turns."""
        return JSONResponse({"alive": True})

    async def ready(self, request: Request) -> JSONResponse:
        """Say what keeps the engine from its work; 503 where anything does."""
        problems = await self.problems()
        ready = not problems
        return JSONResponse(
            {"ready": ready, "problems": problems}, 200 if ready else 503
        )

    async def problems(self) -> dict[str, str]:
        """Return what is in the way, by the name of the check; at most 1 s old."""
        async with self._one:
            if time.monotonic() - self._found_at > KEPT_SECONDS:
                told = await asyncio.gather(*map(_within, self.checks.values()))
                pairs = zip(self.checks, told, strict=True)
                self._found = {name: why for name, why in pairs if why}
                self._found_at = time.monotonic()
            return self._found


async def _within(check: Check) -> str:
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            return await check()
    except TimeoutError:
        return f"no answer within {WITHIN_SECONDS:g}s"


async def disk_space(folder: Path) -> str:
    """Return that the folder's disk is nearly full, or an empty string."""
    try:
        found = await asyncio.to_thread(shutil.disk_usage, folder)
    except OSError as error:
        return f"the data folder cannot be read: {error.strerror}"
    if found.free >= LEAST_FREE_BYTES:
        return ""
    return f"{found.free // 1024} KiB are free where the journal is kept"
