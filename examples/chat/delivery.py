"""How a body reaches the app: over HTTP with a signature, tried again as Slack does.

`Delivery` is one body and everything that happened to it; `Post` is the HTTP way (the
other way is sockets.Sockets). Called by: slack.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlencode

import aiohttp

from chat.things import Json, Message

Kind = Literal["events_api", "interactive", "slash_commands"]
Sign = Literal["good", "none", "forged", "old", "future", "non-ascii"]
SIGNATURE_AGE: Final = {"old": -301, "future": 301}  # seconds beside now


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `status` is HTTP's (0: none came; Socket Mode says 200 for an ack).

    `failed` is "" or Slack's word for why: http_timeout, http_error,
    connection_failed, timeout, no_request_url, no_connection; invalid_response where
    Slack could not do what the answer asks.
    `at` and `seconds` are monotonic.
    """

    at: float
    seconds: float
    status: int
    failed: str
    answer: Any
    retry: int = 0
    retried: bool = True  # False where the app asked for no further try


@dataclass
class Delivery:
    """One body for the app.

    Attributes:
        reply: the message that a slash command was answered with, if any.
        errors: block_id -> text, where a window was sent back with errors.
    """

    kind: Kind
    body: Json
    envelope_id: str
    sign: Sign = "good"
    attempts: list[Attempt] = field(default_factory=list)
    reply: Message | None = None
    errors: dict[str, str] = field(default_factory=dict)
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def acknowledged(self) -> bool:
        """Return whether the app took it, at whichever try."""
        return any(not one.failed for one in self.attempts)

    @property
    def last(self) -> Attempt:
        """Return the last try."""
        return self.attempts[-1]

    @property
    def status(self) -> int:
        """Return the HTTP status of the last try (0: no answer)."""
        return self.last.status

    @property
    def answer(self) -> Any:
        """Return what the app answered at the last try: JSON, text or None."""
        return self.last.answer

    @property
    def seconds(self) -> float:
        """Return how long the last try's answer took."""
        return self.last.seconds

    @property
    def shown(self) -> str:
        """Return what the person sees: the reply, or Slack's own words of failure."""
        if self.reply is not None:
            return self.reply.said
        if not self.attempts or not self.last.failed:
            return ""
        late = self.last.failed in ("http_timeout", "timeout")
        return "operation_timeout" if late else "dispatch_failed"


class Way(Protocol):
    """A way to the app."""

    async def send(self, delivery: Delivery, *, retry: int, reason: str,
                   sign: Sign) -> Attempt:  # fmt: skip
        """Send it once; return how it went."""
        ...


class Post:
    """Slack's requests over HTTP. `urls` has a URL for each kind."""

    def __init__(self, secret: str, clock: Callable[[], float],
                 ticks: Callable[[], float],
                 answer_seconds: float) -> None:  # fmt: skip
        self.secret = secret
        self.urls: dict[Kind, str] = {}
        self.answer_seconds = answer_seconds
        self._clock = clock
        self._ticks = ticks
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, delivery: Delivery, *, retry: int, reason: str,
                   sign: Sign) -> Attempt:  # fmt: skip
        """Send it once; return how it went within the seconds Slack waits."""
        came = self._ticks()
        url = self.urls.get(delivery.kind, "")
        if not url:
            return Attempt(came, 0.0, 0, "no_request_url", None, retry)
        raw, content_type = encoded(delivery.kind, delivery.body)
        headers = {"Content-Type": content_type, "Accept": "*/*",
                   "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                   **signed(self.secret, raw, self._clock(), sign)}  # fmt: skip
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        status, failed, answer, again = await self._post(url, raw, headers)
        took = self._ticks() - came
        return Attempt(came, took, status, failed, answer, retry, again)

    async def _post(self, url: str, raw: bytes,
                    headers: dict[str, str]) -> tuple[int, str, Any, bool]:  # fmt: skip
        if self._session is None:
            self._session = aiohttp.ClientSession()
        patience = aiohttp.ClientTimeout(total=self.answer_seconds)
        try:
            async with self._session.post(
                url, data=raw, headers=headers, timeout=patience, allow_redirects=False
            ) as got:
                answer = parsed(await got.text(), got.content_type)
                failed = "" if 200 <= got.status < 300 else "http_error"
                again = got.headers.get("X-Slack-No-Retry") != "1"
                return got.status, failed, answer, again
        except TimeoutError:
            return 0, "http_timeout", None, True
        except (aiohttp.ClientError, OSError):
            return 0, "connection_failed", None, True


def encoded(kind: Kind, body: Json) -> tuple[bytes, str]:
    """Return the bytes and the content type of a request."""
    if kind == "events_api":
        return json.dumps(body).encode(), "application/json"
    fields = {"payload": json.dumps(body)} if kind == "interactive" else body
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def signed(secret: str, raw: bytes, now: float, sign: Sign) -> dict[str, str]:
    """Return the two headers of a signature, good or bad as `sign` says."""
    if sign == "none":
        return {}
    at = str(int(now) + SIGNATURE_AGE.get(sign, 0))
    key = secret + ("-other" if sign == "forged" else "")
    digest = hmac.new(key.encode(), f"v0:{at}:".encode() + raw, hashlib.sha256)
    value = "v0=" + digest.hexdigest()
    if sign == "non-ascii":
        value = "v0=é" + value[4:]
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": value}


def parsed(text: str, content_type: str) -> Any:
    """Return an answer's JSON, its text if it is none, or None if it is empty."""
    if not text:
        return None
    if content_type != "application/json":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
