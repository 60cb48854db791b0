"""POST /chat/slack/events, /actions, /commands: Slack's requests, signed, once.

401 without a good signature of the last five minutes, 413 over 1 MiB, 400 for what is
no body of Slack, 503 where no signing secret has a value or too much is under way (then
Slack sends again). Everything else is 200, within milliseconds and before anything is
looked up: what a person is told goes through the provider. The same bytes again, and
the same event again (X-Slack-Retry-Num), are 200 and do nothing.

Put together by whoever serves:

    hearing = Hearing(Replying(desk, providers).hear)
    door = SlackDoor(SlackSignature(secret=names), admission, slack_reader(), hearing)
    application([*posting.routes(), *door.routes()])
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.config.serving import SlackSignature
from engine.entrypoints.chat.bodies import TooLarge, read_body
from engine.entrypoints.chat.hearing import Hearing
from engine.entrypoints.web.admission import Admission, Closed, Refused, Replayed
from engine.entrypoints.web.app import unavailable
from engine.model.chat import Filled, Heard
from engine.ports import Posted
from engine.views.chat.forms import said_nothing

log = logging.getLogger(__name__)

Kind = Literal["events_api", "interactive", "slash_commands"]
Read = Callable[[Kind, bytes], Heard]
Check = Callable[[Filled], Mapping[str, str]]  # field to what is wrong with it
Result = Literal[
    "taken", "replayed", "forged", "unreadable", "too-large", "closed", "busy"
]
Answered = tuple[Result, Response]

LOG_SECONDS: Final = 1.0  # between two lines about the same kind of refusal
PATHS: Final[Mapping[str, Kind]] = {
    "events": "events_api",
    "actions": "interactive",
    "commands": "slash_commands",
}


@dataclass(slots=True)
class SlackDoor:
    """The door for one Slack app.

    Args:
        signing: The names of the signing secrets: any that has a value will do.
        admission: Judges signatures.
        read: What a body says: bootstrap.slack.slack_reader.
        hearing: Where events go.
        check: What is wrong with a form, said beside its fields at once; pure and
            quick, since Slack waits for it.
    """

    signing: SlackSignature
    admission: Admission
    read: Read
    hearing: Hearing
    check: Check = said_nothing
    clock: Callable[[], float] = time.time
    counts: Counter[tuple[str, Result]] = field(default_factory=Counter)
    _logged: dict[int, float] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """Return the routes of this door."""
        return [
            Route("/chat/slack/{what}", self._take, methods=["POST"]),
            Route("/chat/slack/{what}", self._look, methods=["GET"]),
        ]

    async def _look(self, request: Request) -> Response:
        """Answer Slack's look at the certificate; there is nothing else to get."""
        known = request.path_params["what"] in PATHS
        if known and request.query_params.get("ssl_check"):
            return Response()
        words = "Slack posts here; there is nothing to see"
        return JSONResponse({"error": words}, 405 if known else 404)

    async def _take(self, request: Request) -> Response:
        what = request.path_params["what"]
        kind = PATHS.get(what)
        if kind is None:
            return JSONResponse({"error": "nothing is here"}, 404)
        result, answer = await self._answered(kind, request)
        self.counts[what, result] += 1
        return answer

    async def _answered(self, kind: Kind, request: Request) -> Answered:
        try:
            posted = await self._posted(request)
            replayed = self._judge(posted)
        except TooLarge:
            return "too-large", self._refused(413, "the body is over 1 MiB")
        except Refused as refused:
            return "forged", self._refused(401, str(refused))
        except Closed as closed:
            self._log(503, str(closed))
            words = "the door is closed: see the engine's log"
            return "closed", unavailable({"error": words})
        except ClientDisconnect:
            why = "the connection ended before the body"
            return "unreadable", self._refused(400, why)
        result, answer = self._heard(self.read(kind, posted.body))
        return "replayed" if replayed and result == "taken" else result, answer

    def _judge(self, posted: Posted) -> bool:
        """Judge the signature; return whether the same bytes came before: they pass.

        The same bytes are the same event, and its id tells whether it was heard, which
        a signature does not.
        """
        try:
            self.admission.slack(self.signing, posted)
        except Replayed:
            return True
        return False

    def _heard(self, heard: Heard) -> Answered:
        if not heard.fits:
            return "unreadable", self._refused(400, heard.ignored)
        if heard.answer is not None:
            return "taken", JSONResponse(heard.answer)
        event = heard.event
        if event is None:
            log.debug("ignored why=%s", heard.ignored)
            return "taken", Response()
        if isinstance(event, Filled):
            wrong = self.check(event)
            if wrong:
                told: dict[str, Any] = {"response_action": "errors"}
                return "taken", JSONResponse(told | {"errors": dict(wrong)})
        again = self.hearing.knows(event)
        if not self.hearing.take(event):
            self._log(503, "too much is under way")
            return "busy", unavailable({"error": "too much is under way"})
        return "replayed" if again else "taken", Response()

    async def _posted(self, request: Request) -> Posted:
        body = await read_body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        return Posted(body, headers, self.clock())

    def _refused(self, status: int, why: str) -> Response:
        self._log(status, why)
        return JSONResponse({"error": why}, status)

    def _log(self, status: int, why: str) -> None:
        """Log a refusal; who posts in a loop fills no disk. Never the body."""
        now = time.monotonic()
        if now - self._logged.get(status, float("-inf")) < LOG_SECONDS:
            return
        self._logged[status] = now
        log.warning("refused door=slack status=%d why=%s", status, why)
