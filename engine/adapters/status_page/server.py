"""The server of a status page for one act: requests, and what answers mean for it.

What is here: one limit for all requests of the act; honest ends (`failed` where nothing
was changed, `unknown` where it may have been). What is not: what is asked (statuspage,
plain). Called by the package.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.adapters.status_page.parameters import (
    STATUSPAGE_URL,
    Account,
    StatusPageAct,
    base_for,
)
from engine.model.credentials import Secretable, Unsealed, shown_problem, shown_url
from engine.model.rate_limits import wait_words
from engine.ports import (
    TRY_AGAIN,
    ActResult,
    Call,
    Web,
    WebAnswer,
    WebProblem,
    WebRequest,
)

PASSING: Final = TRY_AGAIN | {420}  # Statuspage's own
MAY_HAVE_HAPPENED: Final = frozenset({500, 502, 503, 504})
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
WRONG: Final = {401: "`token`", 403: "`token`", 404: "`page`, `components` or `url`"}


class Ended(Exception):
    """The act ends here, with this result."""

    def __init__(self, result: ActResult) -> None:
        super().__init__(result.detail)
        self.result = result


@dataclass(frozen=True, slots=True)
class Server:
    """One status page, until `ends_at` (monotonic seconds)."""

    web: Web
    base: Secretable
    page: str | None
    address: str
    headers: Mapping[str, str]
    unsealed: Unsealed
    ends_at: float
    limit_seconds: float

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> WebAnswer:
        """Return the complete answer, whatever its status. Raises Ended: none."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise self.ended("failed", "no time was left")
        raw = None if body is None else json.dumps(body).encode()
        own = {"accept": "application/json", **self.headers, **(headers or {})}
        own |= {} if raw is None else {"content-type": "application/json"}
        request = WebRequest(
            method, self.address + path, own, raw, timeout_seconds=left
        )
        try:
            return await self.web.request(request)
        except WebProblem as problem:
            lost = body is not None and problem.sent
            words = shown_problem(self.base, problem.kind, problem.message)
            if problem.kind == "timeout":
                words = f"no complete answer within {self.limit_seconds:g} s"
            raise self.ended(
                "unknown" if lost else "failed",
                words,
                retryable=problem.kind not in HOPELESS,
            ) from problem

    async def json(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the JSON of a 2xx. Raises Ended: everything else."""
        answer = await self.ask(method, path, body)
        if not 200 <= answer.status < 300:
            raise self.refused(answer, changes=body is not None)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            why = "the answer is not JSON"
            if body is None:
                raise self.ended("failed", why) from error
            raise self.ended("unknown", why) from error

    def ended(
        self,
        outcome: Literal["ok", "failed", "unknown"],
        why: str,
        *,
        retryable: bool = True,
    ) -> Ended:
        """Return the end of the act, in words without secrets."""
        detail = self.unsealed.hide(f"{shown_url(self.base)}: {why}")
        return Ended(ActResult(outcome, detail, retryable))

    def refused(self, answer: WebAnswer, *, changes: bool) -> Ended:
        """Return the end for an answer that is not 2xx."""
        status = answer.status
        raw = self.unsealed.hide_in(answer.body)[:400].decode("utf-8", "replace")
        text = "".join(sign for sign in " ".join(raw.split()) if sign.isprintable())
        asked = wait_words(status, answer.headers, time.time())
        where = f" (correct {WRONG[status]})" if status in WRONG else ""
        why = f"HTTP {status}{where}{asked}: {text[:160]}"
        if changes and status in MAY_HAVE_HAPPENED:
            return self.ended("unknown", why)
        again = status >= 500 or status in PASSING
        return self.ended("failed", why, retryable=again)


def server_for(web: Web, account: Account, params: StatusPageAct, call: Call) -> Server:
    """Return the server that an act is about.

    Raises:
        Ended: no address.
        SecretMissing: the token has no value.
    """
    page = params.page or (account.page if params.url is None else None)
    base: Secretable | None = params.url or base_for(account)
    if base is None and page is not None:
        base = STATUSPAGE_URL
    unsealed = Unsealed(call.secret)
    if base is None:
        words = "no status page: write `page` or `url`, or set status_page in the "
        raise Ended(ActResult("failed", f"{words}configuration", retryable=False))
    token = params.token or (account.token if base == base_for(account) else None)
    if page is not None and token is None:
        words = (
            "no token: write `token: {secret: NAME}`, or set status_page.token in the "
            "configuration for its own address"
        )
        raise Ended(ActResult("failed", words, retryable=False))
    headers = unsealed.texts(params.headers)
    if token is not None:
        scheme = "OAuth" if page is not None else "Bearer"
        headers["authorization"] = f"{scheme} {unsealed.text(token)}"
    return Server(
        web,
        base,
        page,
        unsealed.text(base).rstrip("/"),
        headers,
        unsealed,
        time.monotonic() + call.timeout_seconds,
        call.timeout_seconds,
    )


def act_key(call: Call) -> str:
    """Return the key of the act; its undo has the same, and a tail."""
    return call.key.removesuffix("/undo") if call.undo else call.key


def incident_key(params: StatusPageAct, call: Call) -> str:
    """Return what an incident is found by: of the run, never of another one."""
    return f"{call.run}/{params.key}" if params.key is not None else act_key(call)
