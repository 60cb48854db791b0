"""One ASGI application out of its doors; what no door knows is answered in JSON.

Called by serving.
"""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from engine.views.escape import visible


def application(routes: Iterable[BaseRoute]) -> Starlette:
    """Return the application: these routes, and words for everything else."""
    return Starlette(routes=list(routes), exception_handlers={HTTPException: _refuse})


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = {
        404: f"nothing is at {visible(request.url.path, most=80)}",
        405: f"{visible(request.method, most=12)} is not what this takes",
    }
    words = told.get(error.status_code, str(error.detail))
    return JSONResponse({"error": words}, error.status_code, error.headers)
