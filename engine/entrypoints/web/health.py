"""/healthz: the process answers. /readyz: it can take alerts and act, or why not.

Both are open to anybody and say nothing secret. Called by app.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Check = Callable[[], Awaitable[str]]  # why not, or an empty string


@dataclass(slots=True)
class Health:
    """Answers whether the engine lives, and whether it is of use."""

    checks: dict[str, Check]

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
        told = {name: await check() for name, check in self.checks.items()}
        problems = {name: why for name, why in told.items() if why}
        ready = not problems
        return JSONResponse(
            {"ready": ready, "problems": problems}, 200 if ready else 503
        )
