"""The doors for people and programs, put together for one open engine.

Alerts and health have doors of their own (posting, health). Called by the command
`serve`.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable

from starlette.routing import Route

from engine import __version__
from engine.bootstrap import Engine
from engine.entrypoints.web.access import Access
from engine.entrypoints.web.admission import Admission
from engine.entrypoints.web.answering import Answering
from engine.entrypoints.web.api import Api
from engine.entrypoints.web.metrics import MOST_OPEN, Metrics, Now
from engine.runtime.doctor import Doctor


def doors(
    opened: Engine,
    admission: Admission,
    posts: Counter[tuple[str, str]],
    reload: Callable[[], Awaitable[list[str]]],
    me: str,
    doctor: Doctor,
) -> list[Route]:
    """Return the routes of the API, of the metrics, and of one-time links."""
    settings = opened.config.settings
    access = Access(settings.server.tokens, admission, me, settings.people)

    async def now() -> Now:
        runs = await opened.store.runs(open_only=True, limit=MOST_OPEN)
        began = time.perf_counter()
        await opened.store.writable()
        took = time.perf_counter() - began
        return Now(runs, len(await opened.store.unsent(limit=10_000)), took)

    metrics = Metrics(
        opened.measures, opened.intake, now, posts, access, doctor, opened.chat
    )
    api = Api(opened, access, __version__, reload, doctor)
    chat = opened.chat
    links = chat.links if chat is not None else None
    answers = Answering(opened, links).routes() if links is not None else []
    return [*metrics.routes(), *api.routes(), *answers]
