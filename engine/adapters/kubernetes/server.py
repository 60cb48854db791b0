"""One API server for one call: its address and token, requests, and what answers mean.

What is here: GET and merge-patch through ports.Web inside the call's one limit, and
words for every answer that is none. What is not: what is looked for (looking), what is
changed (acting).

Called by the package, looking and acting.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.adapters.kubernetes.parameters import (
    Cluster,
    KubernetesAction,
    KubernetesCheck,
)
from engine.model.credentials import (
    Secretable,
    Unsealed,
    shown_problem,
    shown_url,
    with_query,
)
from engine.ports import TRY_AGAIN, Call, Web, WebAnswer, WebProblem, WebRequest

MERGE_PATCH: Final = "application/merge-patch+json"
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
MAY_HAVE_HAPPENED: Final = frozenset({500, 502, 503, 504})
PATCH_SHARE: Final = 0.6  # of what is left, so that a lost answer can be looked for
PAGE: Final = 500
PAGES: Final = 20
DETAIL_CHARACTERS: Final = 200

What = Literal["failed", "lost", "conflict"]


class Refused(Exception):
    """No answer to work with.

    `lost`: a change may have arrived all the same. `conflict`: the object was changed
    meanwhile, so surely not.
    """

    def __init__(
        self, why: str, *, what: What = "failed", retryable: bool = False
    ) -> None:
        super().__init__(why)
        self.why = why
        self.what = what
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Server:
    """An API server, until `ends_at` (monotonic seconds)."""

    web: Web
    base: Secretable
    address: str
    headers: Mapping[str, str]
    ca_file: str | None
    namespace: str
    unsealed: Unsealed
    ends_at: float

    @property
    def shown(self) -> str:
        """Its address for people."""
        return shown_url(self.base)

    def path(self, *parts: str, core: bool = False, whole: bool = False) -> str:
        """Return the path of a kind, or of one object; `whole`: of no namespace."""
        root = "/api/v1" if core else "/apis/apps/v1"
        place = "" if whole else f"/namespaces/{self.namespace}"
        return "/".join((root + place, *parts))

    def left(self) -> float:
        """Return the seconds that are left. Raises Refused: none."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise Refused("no time was left", retryable=True)
        return left

    async def get(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> tuple[dict[str, Any], WebAnswer]:
        """Return an object and the whole answer. Raises Refused."""
        answer = await self._ask("GET", path, with_query("", query or {}))
        return _object(answer, path), answer

    async def listed(
        self, path: str, query: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], WebAnswer]:
        """Return every object of a list, page by page. Raises Refused."""
        found: list[dict[str, Any]] = []
        more = ""
        for _ in range(PAGES):
            page = {**query, "limit": str(PAGE)} | ({"continue": more} if more else {})
            body, answer = await self.get(path, page)
            items = body.get("items")
            if not isinstance(items, list) or not all(
                isinstance(it, dict) for it in items
            ):
                raise Refused(f"the answer to {path} is no list")
            found += items
            more = str(body["metadata"].get("continue") or "")
            if not more:
                return found, answer
        raise Refused(f"more than {PAGE * PAGES:,} objects: name more labels")

    async def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change an object by a merge patch. Raises Refused."""
        raw = json.dumps(body).encode()
        return _object(await self._ask("PATCH", path, "", raw), path)

    async def _ask(
        self, method: str, path: str, query: str, body: bytes | None = None
    ) -> WebAnswer:
        changes = body is not None
        headers = {"accept": "application/json", **self.headers}
        headers |= {"content-type": MERGE_PATCH} if changes else {}
        limit = self.left() * (PATCH_SHARE if changes else 1)
        request = WebRequest(
            method,
            self.address + path + query,
            headers,
            body,
            timeout_seconds=limit,
            ca_file=self.ca_file,
        )
        try:
            answer = await self.web.request(request)
        except WebProblem as problem:
            raise Refused(
                shown_problem(self.base, problem.kind, problem.message),
                what="lost" if changes and problem.sent else "failed",
                retryable=problem.kind not in HOPELESS,
            ) from problem
        if 200 <= answer.status < 300:
            return answer
        raise _no_answer(answer, method, path)


def server_for(
    web: Web, cluster: Cluster, params: KubernetesCheck | KubernetesAction, call: Call
) -> Server:
    """Return the server that a call is about.

    Raises:
        Refused: no address, or no token for it.
        SecretMissing: the token has no value.
    """
    ends_at = time.monotonic() + call.timeout_seconds
    base = params.url if params.url is not None else cluster.url
    if base is None:
        raise Refused(
            "no cluster: write `url`, or set kubernetes.url in the configuration"
        )
    configured = params.url is None or params.url == cluster.url
    token = params.token or (cluster.token if configured else None)
    if token is None:
        raise Refused(
            "no token: write `token: {secret: NAME}`, or set kubernetes.token in the "
            "configuration for its own address"
        )
    unsealed = Unsealed(call.secret)
    return Server(
        web,
        base,
        unsealed.text(base).rstrip("/"),
        unsealed.authorization(bearer=token, basic=None),
        params.ca_file or (cluster.ca_file if configured else None),
        params.namespace or cluster.namespace,
        unsealed,
        ends_at,
    )


def _object(answer: WebAnswer, path: str) -> dict[str, Any]:
    try:
        found = json.loads(answer.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the answer to {path} is not JSON", retryable=True) from error
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
        raise Refused(f"the answer to {path} is no object of Kubernetes")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _no_answer(answer: WebAnswer, method: str, path: str) -> Refused:
    status = answer.status
    said = f"HTTP {status}: {_message(answer)}"
    if 300 <= status < 400:
        return Refused(f"HTTP {status}: redirects are not followed; mend `url`")
    if status == 401:
        return Refused(f"the token is not accepted ({said}); renew it")
    if status == 403:
        verb = {"GET": "get and list", "PATCH": "get and patch"}[method]
        return Refused(
            f"the token's account may not do this ({said}). Give its role the verbs "
            f"{verb} for {path}"
        )
    if status == 404:
        return Refused(
            f"{path} is not there ({said}); mend the name, the namespace or `url`"
        )
    if status == 409:
        return Refused(f"changed meanwhile ({said})", what="conflict", retryable=True)
    if method == "PATCH" and status in MAY_HAVE_HAPPENED:
        return Refused(said, what="lost", retryable=True)
    wait = answer.headers.get("retry-after", "")
    asks = f", asks to wait {wait} s" if wait.isascii() and wait.isdigit() else ""
    again = status >= 500 or status in TRY_AGAIN
    return Refused(said + asks, retryable=again)


def _message(answer: WebAnswer) -> str:
    """Return what the server says in its Status, or the beginning of the answer."""
    try:
        found = json.loads(answer.body)
        text = found["message"] if isinstance(found, dict) else ""
    except (ValueError, RecursionError, KeyError):
        text = answer.body[: 4 * DETAIL_CHARACTERS].decode("utf-8", "replace")
    words = " ".join(str(text).split())
    return "".join(sign for sign in words if sign.isprintable())[:DETAIL_CHARACTERS]
