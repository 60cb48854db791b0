"""NerdGraph for one look: a query, and asking again until its result is there.

What is here: GraphQL with variables (nothing is put into its text), the one limit of
the call, the wait that the server names while a query still runs. What is not: what
the rows mean (answers). Called by the package.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.model.credentials import Secretable, Unsealed, shown_problem
from engine.model.rate_limits import wait_asked, wait_words
from engine.model.samples import Unseen
from engine.ports import TRY_AGAIN, Web, WebAnswer, WebProblem, WebRequest

FOUND: Final = """{
        results
        metadata { facets messages timeWindow { begin end } }
        queryProgress { queryId completed retryAfter retryDeadline resultExpiration }
      }"""
ASK: Final = f"""query ($account: Int!, $nrql: Nrql!) {{
  actor {{
    account(id: $account) {{
      nrql(query: $nrql, async: true) {FOUND}
    }}
  }}
}}"""
AGAIN: Final = f"""query ($account: Int!, $id: ID!) {{
  actor {{
    account(id: $account) {{
      nrqlQueryProgress(queryId: $id) {FOUND}
    }}
  }}
}}"""
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
OUR_FAULT: Final = ("SYNTAX", "INVALID", "BAD_USER_INPUT", "VALIDATION")
NOT_ALLOWED: Final = ("DENIED", "FORBIDDEN", "UNAUTHORIZED", "UNAUTHENTICATED")
SHORTEST_WAIT_SECONDS: Final = 0.2  # a server that names no wait is not hammered


@dataclass(frozen=True, slots=True)
class NerdGraph:
    """One look's way to NerdGraph, until `ends_at` (monotonic seconds)."""

    web: Web
    base: Secretable
    address: str
    headers: Mapping[str, str]
    account: int
    unsealed: Unsealed
    ends_at: float
    limit_seconds: float
    clock: Callable[[], float]

    async def results(self, nrql: str) -> tuple[dict[str, Any], WebAnswer]:
        """Return the finished part of the answer, and the whole. Raises Unseen."""
        limit = f"{self.limit_seconds:g} s"
        late = f"no complete answer within {limit}"
        found, answer = await self._ask(ASK, "nrql", {"nrql": nrql}, late)
        late = (
            f"the query still runs after {limit}; a longer `timeout` of the check "
            "waits for it"
        )
        while (progress := _pending(found)) is not None:
            wait = max(_seconds(progress.get("retryAfter")), SHORTEST_WAIT_SECONDS)
            if wait >= self.ends_at - time.monotonic():
                raise Unseen(late)
            await asyncio.sleep(wait)
            asked = {"id": str(progress["queryId"])}
            found, answer = await self._ask(AGAIN, "nrqlQueryProgress", asked, late)
        return found, answer

    async def _ask(
        self, query: str, field: str, asked: Mapping[str, Any], late: str
    ) -> tuple[dict[str, Any], WebAnswer]:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise Unseen(late)
        body = {"query": query, "variables": {"account": self.account, **asked}}
        request = WebRequest(
            "POST",
            self.address,
            {"content-type": "application/json", **self.headers},
            json.dumps(body).encode(),
            timeout_seconds=left,
            patient=True,
        )
        try:
            answer = await self.web.request(request)
        except WebProblem as problem:
            words = shown_problem(self.base, problem.kind, problem.message)
            words = late if problem.kind == "timeout" else words
            raise Unseen(
                words,
                retryable=problem.kind not in HOPELESS,
                wait_seconds=problem.wait_seconds,
            ) from problem
        answer = replace(answer, body=self.unsealed.hide_in(answer.body))
        told = _json(answer)
        self._refuse(answer, told)
        return _inside(told, field), answer

    def _refuse(self, answer: WebAnswer, told: Any) -> None:
        status, (words, where) = answer.status, _error(told)
        if status == 200 and not words:
            if isinstance(told, dict):
                return
            kind = answer.headers.get("content-type", "no content type")
            start = " ".join(answer.body[:60].decode("utf-8", "replace").split())
            raise Unseen(f"not an answer in JSON ({kind}): {start!r}")
        if status >= 500 or status in TRY_AGAIN or (status == 200 and not where):
            at, limit = self.clock(), self.limit_seconds
            wait = wait_asked(status, answer.headers, at, otherwise=limit)
            asked = wait_words(status, answer.headers, at)
            raise Unseen(f"HTTP {status}{words}{asked}", wait_seconds=wait)
        where = where or {401: "`api_key`", 403: "`api_key`", 400: "`query`"}.get(
            status, "`url`"
        )
        raise Unseen(
            f"CONFIGURATION ERROR, HTTP {status}{words}; correct {where}",
            retryable=False,
        )


def _json(answer: WebAnswer) -> Any:
    try:
        return json.loads(answer.body, parse_constant=str)  # NaN stays a text
    except (ValueError, RecursionError):
        return None


def _error(told: Any) -> tuple[str, str]:
    """Return the first error in an answer for people, and which key it is about.

    GraphQL gives errors with status 200, also beside data: nothing is taken then.
    """
    errors = told.get("errors") if isinstance(told, dict) else None
    if not errors:
        return "", ""
    first = errors[0] if isinstance(errors, list) else errors
    found = first if isinstance(first, dict) else {"message": first}
    said = " ".join(str(found.get("message")).split())[:200]
    words = "".join(sign for sign in said if sign.isprintable())
    more = found.get("extensions")
    more = more if isinstance(more, dict) else {}
    kind = str(more.get("errorClass") or more.get("code") or "").upper()
    where = ""
    if any(sign in kind for sign in NOT_ALLOWED):
        where = "`api_key` or `account`"
    elif any(sign in kind for sign in OUR_FAULT) or words.startswith("NRQL Syntax"):
        where = "`query`"
    return f": {words}", where


def _inside(told: dict[str, Any], field: str) -> dict[str, Any]:
    found: Any = told.get("data")
    for step in ("actor", "account", field):
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise Unseen("the answer holds no result; is this NerdGraph?")
    return found


def _pending(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the progress of a query that still runs; results alone end it.

    Raises:
        Unseen: it still runs, and has no number to ask with.
    """
    progress = found.get("queryProgress")
    progress = progress if isinstance(progress, dict) else {}
    running = progress.get("completed") is False
    if not running and isinstance(found.get("results"), list):
        return None
    if progress.get("queryId") in (None, ""):
        raise Unseen("pending: the answer holds no results")
    return progress


def _seconds(raw: object) -> float:
    if isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw < 1e6:
        return float(raw)
    return 0.0
