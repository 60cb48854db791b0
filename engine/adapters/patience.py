"""Looks wait as long as a server asks: a door in front of the only door to HTTP.

What is here: after an answer that asks to wait (429, or 503 with Retry-After), further
patient requests of the same account end at once, unsent, until the time is over. An
account is an address with its credentials. What is not: waiting and trying again (the
runtime, within the limits of the check); acts, which are never held back: giving back
must not hang on somebody's limit.

Called by bootstrap, around the web that kinds of checks ask through.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from engine.model.rate_limits import wait_asked
from engine.ports import Web, WebAnswer, WebProblem, WebRequest

CREDENTIALS: Final = ("authorization", "dd-api-key", "api-key", "x-scope-orgid")
MOST_ACCOUNTS: Final = 1000

Account = tuple[str, ...]


class PatientWeb:
    """ports.Web, which remembers who asked to be left alone, and until when."""

    def __init__(
        self,
        web: Web,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask through `web`; the clocks are for tests."""
        self._web = web
        self._clock, self._wall_clock = clock, wall_clock
        self._until: dict[Account, float] = {}

    async def request(self, request: WebRequest, /) -> WebAnswer:
        """Return the complete answer; a patient request may be held back.

        Raises:
            WebProblem: `held` with the seconds that are left, or why there is none.
        """
        if not request.patient:
            return await self._web.request(request)
        account = _account(request)
        left = self._until.get(account, 0.0) - self._clock()
        if left > 0:
            words = (
                f"not asked: the server wants to be left alone for {math.ceil(left)} s"
            )
            raise WebProblem("held", words, sent=False, wait_seconds=left)
        answer = await self._web.request(request)
        self._remember(account, request, answer)
        return answer

    async def addresses(self, host: str, port: int, /) -> Sequence[str]:
        """Return the addresses of a host that may be reached. Raises WebProblem."""
        return await self._web.addresses(host, port)

    def _remember(
        self, account: Account, request: WebRequest, answer: WebAnswer
    ) -> None:
        wait = wait_asked(
            answer.status,
            answer.headers,
            self._wall_clock(),
            otherwise=request.timeout_seconds,
        )
        if not wait:
            return
        now = self._clock()
        if len(self._until) >= MOST_ACCOUNTS:
            self._until = {who: end for who, end in self._until.items() if end > now}
        self._until[account] = max(now + wait, self._until.get(account, 0.0))


def _account(request: WebRequest) -> Account:
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return (
        parts.scheme,
        parts.netloc,
        *(headers.get(name, "") for name in CREDENTIALS),
    )
