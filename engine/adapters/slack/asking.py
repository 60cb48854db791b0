"""One question to Slack's Web API: paced, within a total time, its failures in words.

What is here: slack_sdk's AsyncWebClient with a session of its own for each call of the
provider, so that nothing is left open and a token that was changed counts at once;
which of Slack's errors pass, last, or are about the message. What is not: what is asked
(provider).

Requests go to the configured address alone: no redirect is followed, no proxy of the
environment is used. A token is never part of a message.

Called by provider, sockets.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from engine.adapters.slack.pacing import Pace, asked_to_wait
from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.model.visible import visible

TOTAL_SECONDS: Final = 10.0  # of one call of the provider, waiting included
NO_ANSWER: Final = (  # what the SDK raises at a body that is not Slack's
    SlackClientError, ValueError, AttributeError, LookupError, RecursionError,
)  # fmt: skip
UPLOADS: Final = ".slack.com"  # where Slack lets files be put, besides its own address
PASSING: Final = frozenset({
    "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "team_added_to_org", "accesslimited", "timeout", "upstream_error",
})  # fmt: skip
LIMITED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
MEND_IT: Final = "look at the secret of chat.slack.token, and install the app anew"
LASTING: Final[Mapping[str, str]] = {
    "invalid_auth": MEND_IT,
    "not_authed": MEND_IT,
    "account_inactive": MEND_IT,
    "token_revoked": MEND_IT,
    "token_expired": MEND_IT,
    "not_allowed_token_type": "chat.slack.token begins with xoxb-",
    "org_login_required": "somebody must sign in to the workspace's organisation",
    "ekm_access_denied": "the workspace's keys are closed to it",
    "team_access_not_granted": "install the app in this workspace",
    "access_denied": "ask the workspace's owners",
    "no_permission": "ask the workspace's owners",
    "restricted_action": "ask the workspace's owners",
    "missing_scope": "give the app the scopes of `runbook chat-manifest`",
    "channel_not_found": "is there such a channel, and was the app invited to it?",
    "is_archived": "unarchive the channel, or name another",
    "not_in_channel": "invite the app there: /invite @runbook",
}


class SlackSaid(Exception):
    """Slack answered, and its answer is no: `code` is its word for why."""

    def __init__(self, method: str, code: str, detail: str = "") -> None:
        super().__init__(f"{method}: {code}")
        self.method, self.code, self.detail = method, code, detail


@dataclass(slots=True)
class SlackApi:
    """Where Slack is, with what token, and how fast it may be asked."""

    url: str
    token: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    total_seconds: float = TOTAL_SECONDS
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        """Begin with every room free."""
        self.pace = Pace(self.clock)

    @asynccontextmanager
    async def asking(self, what: str) -> AsyncIterator["Ask"]:
        """Give what questions are asked with; turn what goes wrong into chat's words.

        Args:
            what: What is being done, for messages: "posting in C01".

        Raises:
            ChatDown: it may work later, or after somebody mended it (`lasting`).
            ChatRefused: it never will as it is.
        """
        try:
            async with asyncio.timeout(self.total_seconds):
                async with self._session() as session:
                    yield Ask(self, session, self._client(session), self.clock())
        except TimeoutError as error:
            raise ChatDown(
                f"Slack: {what} took longer than {self.total_seconds:g} s"
            ) from error
        except SlackSaid as said:
            raise _meant(said, what) from said
        except (aiohttp.ClientError, OSError) as error:
            words = visible(error, most=200) or type(error).__name__
            raise ChatDown(f"Slack cannot be reached for {what}: {words}") from error
        except SecretMissing as missing:
            raise ChatDown(f"Slack: {missing}", lasting=True) from missing

    def _session(self) -> aiohttp.ClientSession:
        stays = aiohttp.TraceConfig()
        stays.on_request_redirect.append(_refuse_redirect)
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.total_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[stays],
            trust_env=False,
        )

    def _client(self, session: aiohttp.ClientSession) -> AsyncWebClient:
        client = AsyncWebClient(
            self.token(), self.url, session=session, retry_handlers=[]
        )
        client.proxy = None  # the SDK took one from the environment
        return client


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks, within what is left of the time of one call."""

    api: SlackApi
    session: aiohttp.ClientSession
    client: AsyncWebClient
    began: float

    async def __call__(
        self, method: str, *, post_in: str = "", **given: Any
    ) -> Mapping[str, Any]:
        """Return Slack's answer.

        Args:
            method: As Slack writes it: chat.postMessage.
            post_in: The room whose next slot it takes: one post a second.
            given: The method's own arguments.

        Raises:
            SlackSaid: Slack says no.
            ChatDown: it is to be left alone, or gave no answer that is one.
        """
        await self._wait(method, post_in)
        ask = getattr(self.client, method.replace(".", "_"))
        try:
            answer = await ask(**given)
        except SlackApiError as error:
            raise self._said(method, error.response) from error
        except NO_ANSWER as error:
            raise ChatDown(f"{method}: that is no answer of Slack") from error
        finally:
            if post_in:
                self.api.pace.posted(post_in)
        data = answer.data
        return data if isinstance(data, Mapping) else {}

    async def upload(self, url: str, body: bytes) -> None:
        """Put a file where Slack said it may be put. Raises ChatDown, ChatRefused."""
        parts, own = urlsplit(url), urlsplit(self.api.url)
        ours = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        host = parts.hostname or ""
        if not ours and not (parts.scheme == "https" and host.endswith(UPLOADS)):
            raise ChatRefused(
                f"Slack wants the file at {visible(host, most=80)}, not its own"
            )
        async with self.session.post(url, data=body) as answer:
            if answer.status == 200:
                return
            words = f"the upload was answered with {answer.status}"
            if answer.status == 429 or answer.status >= 500:
                wait = asked_to_wait(answer.headers.get("Retry-After"))
                raise ChatDown(f"Slack: {words}", wait_seconds=wait)
            raise ChatRefused(f"Slack: {words}")

    async def _wait(self, method: str, post_in: str) -> None:
        held = self.api.pace.held(method)
        if held > 0:
            raise ChatDown(
                f"Slack asked to leave {method} alone for {math.ceil(held)} s more",
                wait_seconds=held,
            )
        if not post_in:
            return
        left = self.api.total_seconds - (self.api.clock() - self.began)
        wait = self.api.pace.slot(post_in, left)
        if wait > left:
            raise ChatDown(
                f"{math.ceil(wait)} posts wait for {post_in} already", wait_seconds=wait
            )
        if wait > 0:
            await self.api.sleep(wait)

    def _said(self, method: str, response: Any) -> Exception:
        status = int(getattr(response, "status_code", getattr(response, "status", 0)))
        data = getattr(response, "data", None)
        data = data if isinstance(data, Mapping) else {}
        code = str(data.get("error") or "")
        headers = getattr(response, "headers", {})
        if status == 429 or code in LIMITED:
            wait = asked_to_wait(headers.get("Retry-After"))
            self.api.pace.hold(method, wait)
            words = f"Slack asks to wait {wait:g} s before the next {method}"
            return ChatDown(words, wait_seconds=wait)
        if status >= 500 or code in PASSING:
            after = headers.get("Retry-After")
            wait = asked_to_wait(after) if after else 0.0
            self.api.pace.hold(method, wait)
            words = f"Slack answers {method} with {code or status}"
            return ChatDown(words, wait_seconds=wait)
        if not code:
            words = f"{method} was answered with {status}, and not by Slack"
            return ChatDown(words, lasting=status in (401, 403, 404, 407))
        return SlackSaid(method, visible(code, most=80), _detail(data))


def _detail(data: Mapping[str, Any]) -> str:
    """Return what Slack adds to its word: the scope, the block that is wrong."""
    if data.get("needed"):
        return visible(data["needed"], most=200)
    more = data.get("response_metadata")
    told = more.get("messages") if isinstance(more, Mapping) else None
    return visible(told[0], most=200) if isinstance(told, list) and told else ""


def _meant(said: SlackSaid, what: str) -> ChatDown | ChatRefused:
    more = f" ({said.detail})" if said.detail else ""
    told = f"Slack refused {what}: {said.code}{more}"
    if said.code in LASTING:
        return ChatDown(f"{told}; {LASTING[said.code]}", lasting=True)
    return ChatRefused(told)


async def _refuse_redirect(*_: object) -> None:
    raise aiohttp.ClientError("it leads to another address; write that one as the url")
