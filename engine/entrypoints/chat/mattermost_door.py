"""POST /chat/mattermost/…: commands, buttons, dialogs; answered before they are done.

Mattermost waits for the answer while a person looks at a spinning button, so nothing
here waits for the journal: what is posted is judged, acknowledged, and worked on in a
task. 401 for what does not come from Mattermost, 400 for what it never sends, 413 over
1 MiB, 503 where no secret can judge, or too much is under way.

Called by the command `serve`, with what bootstrap made.
"""

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from engine.entrypoints.chat.bodies import MOST_BYTES, TooLarge, read_body
from engine.entrypoints.chat.hearing import ENDING_SECONDS, UnderWay
from engine.entrypoints.web.app import unavailable
from engine.errors import EngineError, NotAllowed, SecretMissing
from engine.ports import BadBody
from engine.runtime.chat.chatting import Ears, Hear, PostKind, Work
from engine.views.escape import visible

log = logging.getLogger(__name__)

LOG_SECONDS: Final = 1.0  # between two lines about the same kind of refusal
KINDS: Final = ("command", "action", "dialog")


@dataclass(slots=True)
class MattermostDoor:
    """The door for what Mattermost posts; `hear` takes what it means."""

    ears: Ears
    hear: Hear
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    _under_way: UnderWay = field(default_factory=UnderWay)
    _logged: dict[tuple[str, int], float] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """Return the routes of this door."""
        return [
            Route(f"/chat/mattermost/{kind}", self._of(kind), methods=["POST"])
            for kind in KINDS
        ]

    async def finished(self) -> None:
        """Return once everything that was acknowledged is done."""
        await self._under_way.finished()

    async def close(self, *, within: float = ENDING_SECONDS) -> None:
        """Let what was acknowledged end; what does not is cut."""
        await self._under_way.close(within=within)

    def _of(self, kind: Any) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def answer(request: Request) -> JSONResponse:
            status, told = await self._take(kind, request)
            self.counts[(kind, status)] += 1
            if status >= 400:
                self._log(kind, status, told)
            return unavailable(told) if status == 503 else JSONResponse(told, status)

        return answer

    def _log(self, kind: PostKind, status: int, told: dict[str, Any]) -> None:
        """Log a refusal, one a second: who posts in a loop fills no disk."""
        now = time.monotonic()
        if now - self._logged.get((kind, status), float("-inf")) >= LOG_SECONDS:
            self._logged[kind, status] = now
            log.warning("refused door=%s status=%d why=%s", kind, status, told)

    async def _take(
        self, kind: PostKind, request: Request
    ) -> tuple[int, dict[str, Any]]:
        try:
            if "origin" in request.headers:
                raise NotAllowed("a web page sent this; Mattermost's server does")
            work = self.ears.take(kind, await read_body(request))
        except NotAllowed as error:
            return 401, {"error": visible(error)}
        except (BadBody, ClientDisconnect) as error:
            return 400, {"error": visible(error) or "the connection ended early"}
        except TooLarge:
            return 413, {"error": f"the body is over {MOST_BYTES // 1024} KiB"}
        except SecretMissing as error:
            log.error("a door is closed door=%s why=%s", kind, error)  # noqa: TRY400
            return 503, {"error": "closed: see the engine's log"}
        if self._under_way.is_full:
            return 503, {"error": "too much is under way; come again"}
        self._under_way.begin(self._do(kind, work))
        return 200, {}

    async def _do(self, kind: PostKind, work: Work) -> None:
        try:
            await work(self.hear)
        except EngineError as error:
            log.error("not done door=%s why=%s", kind, error)  # noqa: TRY400  # no trace
        except Exception:  # whoever pressed was answered; it must not end the server
            log.exception("not done door=%s", kind)
