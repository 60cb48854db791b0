"""A second server waits for the place of the first: nothing is taken, nothing done.

What is asked of it meanwhile is answered with 503 and the name of the server that
serves, so that a sender comes again and a balancer goes elsewhere. Called by serving.
"""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Any, Final, Protocol

from engine.entrypoints.cli.screen import tell

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from engine.bootstrap import Engine
    from engine.entrypoints.web.serving import Server
    from engine.model.engines import Enrolled

log = logging.getLogger("engine.serve")

ANY: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Ending(Protocol):
    """Whether a signal told this process to end; `server` is what it ends first."""

    server: "Server | None"
    times: int


async def stood_by(opened: "Engine", sock: socket.socket, ending: Ending) -> bool:
    """Return whether this is the one server now; False: told to end before."""
    from engine.entrypoints.web import serving

    waiting = asyncio.Event()

    def told(other: "Enrolled") -> None:
        log.warning("standing by fence=%d", other.token)
        tell(f"standing by: {other.owner} serves. This one takes over when it ends.")
        waiting.set()

    ours = asyncio.create_task(opened.host.stand_by(told))
    waits = asyncio.create_task(waiting.wait())
    await asyncio.wait({ours, waits}, return_when=asyncio.FIRST_COMPLETED)
    waits.cancel()
    if not ours.done():
        server = serving.server(_application(opened))
        ending.server = server
        if not ending.times:
            served = asyncio.create_task(server.serve(sockets=[sock.dup()]))
            both: set[asyncio.Task[Any]] = {ours, served}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            server.end(now=True)
            await served
        ending.server = None
    if ours.done():
        await ours
        return not ending.times
    ours.cancel()
    return False


def _application(opened: "Engine") -> Any:
    from starlette.routing import Route

    from engine.entrypoints.web.app import application, unavailable
    from engine.entrypoints.web.health import Health

    async def driving() -> str:
        return opened.host.condition()

    async def elsewhere(request: "Request") -> "Response":
        return unavailable({"error": opened.host.condition() or "come again"})

    health = Health({"engine": driving})
    return application(
        [*health.routes(), Route("/{path:path}", elsewhere, methods=list(ANY))]
    )
