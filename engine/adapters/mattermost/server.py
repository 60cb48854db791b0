"""One Mattermost server: requests of its REST API v4, and what answers mean.

What is here: one deadline for all requests of a visit; the wait that the server asked
for, before which nothing is sent; who this engine is there. What is not: what is asked
(rooms, provider), the websocket (listening).

Called by the package.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from engine.adapters.mattermost.plain import shown
from engine.adapters.mattermost.settings import MattermostSettings
from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.model.credentials import HIDDEN, shown_url
from engine.model.rate_limits import wait_asked
from engine.ports import Secrets, Web, WebAnswer, WebProblem, WebRequest

WITHIN_SECONDS: Final = 10.0  # a call as a total
DEFAULT_WAIT_SECONDS: Final = 1.0  # after 429 without a time
LONGEST_WAIT_SECONDS: Final = 300.0
LASTING: Final = frozenset({"blocked"})  # the configuration is wrong
LIMITED: Final = 429
TEMPORARY: Final = frozenset({408, 425, LIMITED})
LOST: Final = 401
NOT_BUILT_IN: Final = 501  # a feature that this server or its licence has not

Clock = Callable[[], float]


class Denied(ChatRefused):
    """The server said no: `status` of HTTP, `id` the server's name for the reason."""

    def __init__(self, message: str, *, status: int, error_id: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_id = error_id

    @property
    def closed(self) -> bool:
        """Return whether what was asked about is not there, or not open to us."""
        return self.status in (403, 404)


@dataclass(frozen=True, slots=True)
class Me:
    """The bot: how its posts and the words meant for it are known."""

    id: str
    name: str


class MattermostServer:
    """Asks one server; what it learns of it is kept until the engine ends."""

    def __init__(
        self,
        settings: MattermostSettings,
        secrets: Secrets,
        web: Web,
        *,
        clock: Clock = time.monotonic,
        wall_clock: Clock = time.time,
    ) -> None:
        """Ask through `web`; the clocks are for tests."""
        self.url = settings.url.rstrip("/")
        self.team = settings.team
        self.web = web
        self.clock = clock
        self.ahead = 0.0  # seconds by which the server's clock is before ours
        self._wall_clock = wall_clock
        self._token, self._secrets = settings.token.secret, secrets
        self._quiet_until = 0.0  # monotonic
        self._me: Me | None = None
        self._team_id = ""

    def visit(self) -> "Visit":
        """Return what asks for one call; its ten seconds begin now."""
        return Visit(self, self.clock() + WITHIN_SECONDS)

    def token(self) -> str:
        """Return the bot's token, read anew. Raises ChatDown: it has no value."""
        try:
            return self._secrets.get(self._token)
        except SecretMissing as error:
            raise ChatDown(f"Mattermost: {error}", lasting=True) from error

    def now(self) -> float:
        """Return the server's time, in epoch seconds, as near as it was told."""
        return self._wall_clock() + self.ahead

    def quiet_seconds(self) -> float:
        """Return how long the server still wants to be left alone."""
        return max(0.0, self._quiet_until - self.clock())

    async def me(self, visit: "Visit") -> Me:
        """Return who this engine is there. Raises ChatDown, ChatRefused."""
        if self._me is None:
            found = await visit.get("/users/me")
            self._me = Me(field_of(found, "id"), field_of(found, "username"))
        return self._me

    async def team_id(self, visit: "Visit") -> str:
        """Return the id of the team. Raises ChatDown: also where it is not there."""
        if not self._team_id:
            try:
                found = await visit.get(f"/teams/name/{part(self.team)}")
            except Denied as denied:
                raise lasting(denied) from denied
            self._team_id = field_of(found, "id")
        return self._team_id

    def learn(self, answer: WebAnswer) -> None:
        """Take from an answer how late it is there, and how long to be quiet."""
        now = self._wall_clock()
        try:
            told = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
            self.ahead = told - now
        except (ValueError, TypeError, OverflowError, OSError):
            pass
        wait = wait_asked(answer.status, answer.headers, now)
        if answer.status == LIMITED and not wait:
            wait = DEFAULT_WAIT_SECONDS
        if wait:
            until = self.clock() + min(wait, LONGEST_WAIT_SECONDS)
            self._quiet_until = max(self._quiet_until, until)


@dataclass(frozen=True, slots=True)
class Visit:
    """The requests of one call, until `ends_at` (monotonic seconds)."""

    server: MattermostServer
    ends_at: float

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.ends_at - self.server.clock()

    async def get(self, path: str) -> Any:
        """Return the JSON of a GET. Raises ChatDown, Denied."""
        return await self.ask("GET", path)

    async def post(self, path: str, body: Any) -> Any:
        """Return the JSON of a POST. Raises ChatDown, Denied."""
        return await self.ask("POST", path, body)

    async def put(self, path: str, body: Any) -> Any:
        """Return the JSON of a PUT. Raises ChatDown, Denied."""
        return await self.ask("PUT", path, body)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        kind: str = "application/json",
    ) -> Any:
        """Return the JSON of a 2xx answer.

        Raises:
            ChatDown: no complete answer, or one that asks to come again.
            Denied: this request will never do.
        """
        server = self.server
        quiet = server.quiet_seconds()
        if quiet:
            words = f"not asked: it wants to be left alone for {quiet:.0f} s"
            raise self._down(words, wait=quiet)
        if self.left() <= 0:
            raise self._down("no time was left")
        token = server.token()
        content = json.dumps(body).encode() if raw is None and body is not None else raw
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if content is not None:
            headers["content-type"] = kind
        request = WebRequest(
            method, f"{server.url}/api/v4{path}", headers, content, self.left()
        )
        try:
            answer = await server.web.request(request)
        except WebProblem as problem:
            words = problem.message.replace(token, HIDDEN)
            raise self._down(words, lasting=problem.kind in LASTING) from problem
        server.learn(answer)
        return self._read(answer, token)

    def _read(self, answer: WebAnswer, token: str) -> Any:
        status, found = answer.status, _json(answer.body)
        if 200 <= status < 300 and found is not None:
            return found
        if 200 <= status < 300:
            raise self._down(f"HTTP {status}, and the answer is not JSON")
        error_id, message = _said(found, answer.body, token)
        words = f"HTTP {status}: {message}" + (f" ({error_id})" if error_id else "")
        if status == LOST:
            raise self._down(f"{words}. Give it a token that is good", lasting=True)
        server_side = status >= 500 and status != NOT_BUILT_IN
        if server_side or status in TEMPORARY or 300 <= status < 400:
            raise self._down(words, wait=self.server.quiet_seconds())
        where = shown_url(self.server.url)
        raise Denied(
            f"Mattermost at {where}: {words}", status=status, error_id=error_id
        )

    def _down(
        self, words: str, *, wait: float = 0.0, lasting: bool = False
    ) -> ChatDown:
        told = f"Mattermost at {shown_url(self.server.url)}: {words}"
        return ChatDown(told, wait_seconds=wait, lasting=lasting)


def lasting(denied: Denied) -> ChatDown:
    """Return it as what will not mend by itself: a room or a right that is gone."""
    return ChatDown(str(denied), lasting=True)


def part(text: str) -> str:
    """Return text as one part of a path, whatever stands in it."""
    return quote(text, safe="").replace(".", "%2E") or "%20"


def field_of(found: Any, name: str) -> str:
    """Return a text that every such answer has. Raises ChatDown: this one has not."""
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, str) or not value:
        raise ChatDown(f"Mattermost: an answer without '{name}'")
    return value


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _said(found: Any, body: bytes, token: str) -> tuple[str, str]:
    """Return the id and the words of an error, without the token and on one line."""
    if isinstance(found, dict):
        error_id, message = str(found.get("id", "")), str(found.get("message", ""))
    else:
        error_id, message = "", body[:400].decode("utf-8", "replace")
    words = shown(" ".join(message.replace(token, HIDDEN).split()))[:160]
    return shown(error_id.replace(token, HIDDEN))[:120], words
