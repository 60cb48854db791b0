"""Plain HTTP: the kind `http`, as a check and as an action.

What is here: one request, with its outcome told honestly. What is not: deadlines, caps
and address rules (web), retries (the runbook's, each an entry), judging (`pass`).

A check reads: get, head, options, or a post that queries. A complete answer is seen,
whatever its status; no complete answer is unknown.

An action writes: `ok` for 2xx (or `ok_status`); `failed` where the server says no, or
where nothing was sent; `unknown` where it may have happened: a time-out or a reset
after sending, and 502, 503 and 504, which a proxy gives while the server behind it
works on.

Registered by bootstrap.
"""

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field, model_validator

from engine.model.credentials import (
    Basic,
    Secretable,
    Unsealed,
    shown_problem,
    shown_url,
    with_query,
)
from engine.model.evidence import Observation
from engine.model.kinds import Place
from engine.model.rate_limits import wait_asked
from engine.model.values import Model
from engine.ports import (
    TRY_AGAIN,
    ActResult,
    Call,
    Web,
    WebAnswer,
    WebProblem,
    WebRequest,
)
from engine.registry import Registry

SEEN_BYTES: Final = 64 * 1024  # of the body as text; `json` is made of the whole
DETAIL_CHARACTERS: Final = 200
MAY_HAVE_HAPPENED: Final = frozenset({502, 503, 504})
GONE: Final = frozenset({404, 410})
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
READS: Final = ("get", "head", "options", "post")
WRITES: Final = ("get", "post", "put", "patch", "delete")
PLACES: Final[Mapping[str, Place]] = {
    **dict.fromkeys((*READS, *WRITES), "url"),
    "headers": "header",
    "bearer": "header",
    "json": "json",
}


def _text(raw: Any) -> Any:
    if (isinstance(raw, dict) and raw.keys() != {"secret"}) or isinstance(raw, list):
        raise ValueError("`body` is text; write what is to be sent as JSON in `json`")
    return raw


class _Asking(Model):
    """What a check and an action share."""

    query: dict[str, Secretable] = Field(
        default_factory=dict, description="Added to the URL's query, escaped."
    )
    headers: dict[str, Secretable] = Field(
        default_factory=dict, description="Headers; a value may be `{secret: NAME}`."
    )
    json_: Any = Field(
        None,
        alias="json",
        description="The body as JSON; a map `{secret: NAME}` in it is that secret.",
    )
    form: dict[str, Secretable | int | float] | None = Field(
        None, description="The body as a web form."
    )
    body: Annotated[Secretable | None, BeforeValidator(_text)] = Field(
        None, description="The body as text."
    )
    bearer: Secretable | None = Field(
        None, description="A bearer token; `{secret: NAME}`."
    )
    basic: Basic | None = Field(None, description="User and password.")
    ca_file: str | None = Field(
        None, description="Trust the authorities in this file, not the system's."
    )

    def _check_rest(self, verbs: tuple[str, ...]) -> None:
        given = [verb for verb in verbs if getattr(self, verb) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"write exactly one of {', '.join(verbs)}, not {found}")
        bodies = {"json", "form", "body"} & {
            _key(name) for name in self.model_fields_set
        }
        if len(bodies) > 1:
            raise ValueError(f"a request has one body: {' or '.join(sorted(bodies))}")
        if bodies and given[0] in ("get", "head", "options"):
            raise ValueError(f"a {given[0]} has no body")
        if self.bearer is not None and self.basic is not None:
            raise ValueError("a request has `bearer` or `basic`, not both")


def _key(name: str) -> str:
    return name.rstrip("_")


class HttpLook(_Asking):
    """A request that changes nothing."""

    get: Secretable | None = Field(None, description="The URL to get.")
    head: Secretable | None = Field(None, description="The URL to ask for its head.")
    options: Secretable | None = Field(None, description="The URL to ask for options.")
    post: Secretable | None = Field(
        None, description="The URL to post a query to; it must change nothing."
    )
    redirects: int = Field(
        0, ge=0, le=10, description="How many redirects to follow; each is checked."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_rest(READS)
        return self


class HttpAct(_Asking):
    """A request that changes something."""

    get: Secretable | None = Field(
        None, description="The URL to get, where a get does something."
    )
    post: Secretable | None = Field(None, description="The URL to post to.")
    put: Secretable | None = Field(None, description="The URL to put to.")
    patch: Secretable | None = Field(None, description="The URL to patch.")
    delete: Secretable | None = Field(None, description="The URL to delete.")
    ok_status: list[int] | None = Field(
        None, min_length=1, description="Statuses that mean done; left out: 200 to 299."
    )
    gone_is_ok: bool | None = Field(
        None,
        description="404 and 410 mean done: it is gone already. Left out: true for "
        "a delete in an `undo`, else false.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_rest(WRITES)
        return self


class HttpCheck:
    """The code of the check."""

    def __init__(self, web: Web) -> None:
        """Ask through `web`."""
        self._web = web

    async def __call__(self, params: HttpLook, call: Call) -> Observation:
        """Return the complete answer, or unknown and why."""
        unsealed = Unsealed(call.secret)
        method, url = _target(params, READS)
        shown = f"{method} {unsealed.hide(shown_url(url))}"
        request = _request(params, method, url, unsealed, call, params.redirects)
        try:
            answer = await self._web.request(request)
        except WebProblem as problem:
            words = shown_problem(url, problem.kind, problem.message)
            return Observation(
                unknown=unsealed.hide(f"{shown}: {words}"),
                retryable=problem.kind not in HOPELESS,
                source=shown,
            )
        return _observed(answer, unsealed, shown)


class HttpAction:
    """The code of the action."""

    def __init__(self, web: Web) -> None:
        """Act through `web`."""
        self._web = web

    async def __call__(self, params: HttpAct, call: Call) -> ActResult:
        """Send once, under the act's key; say what is known of it."""
        unsealed = Unsealed(call.secret)
        method, url = _target(params, WRITES)
        shown = f"{method} {shown_url(url)}"
        request = _request(params, method, url, unsealed, call, 0)
        try:
            answer = await self._web.request(request)
        except WebProblem as problem:
            words = shown_problem(url, problem.kind, problem.message)
            return ActResult(
                "unknown" if problem.sent else "failed",
                unsealed.hide(f"{shown}: {words}"),
                retryable=problem.kind not in HOPELESS,
            )
        gone_is_ok = params.gone_is_ok
        if gone_is_ok is None:
            gone_is_ok = call.undo and method == "DELETE"
        return _outcome(answer, params.ok_status, gone_is_ok, shown, unsealed)


def _target(params: _Asking, verbs: tuple[str, ...]) -> tuple[str, Secretable]:
    for verb in verbs:
        url = getattr(params, verb)
        if url is not None:
            return verb.upper(), url
    raise ValueError("no verb")  # the model lets none through


def _request(
    params: _Asking,
    method: str,
    url: Secretable,
    unsealed: Unsealed,
    call: Call,
    redirects: int,
) -> WebRequest:
    kind, body = _body(params, unsealed)
    headers = {"accept": "application/json, */*;q=0.5"}
    headers |= {"content-type": kind} if kind else {}
    if isinstance(params, HttpAct):
        headers["idempotency-key"] = call.key
        headers |= {"x-fencing-token": str(call.fence)} if call.fence else {}
    own = unsealed.texts(params.headers)
    headers |= {name.lower(): value for name, value in own.items()}
    headers |= unsealed.authorization(bearer=params.bearer, basic=params.basic)
    return WebRequest(
        method,
        with_query(unsealed.text(url), unsealed.texts(params.query)),
        headers,
        body,
        timeout_seconds=call.timeout_seconds,
        redirects=redirects,
        ca_file=params.ca_file,
    )


def _body(params: _Asking, unsealed: Unsealed) -> tuple[str, bytes | None]:
    if params.form is not None:
        pairs = {
            name: str(value) if isinstance(value, int | float) else unsealed.text(value)
            for name, value in params.form.items()
        }
        return "application/x-www-form-urlencoded", urlencode(pairs).encode()
    if params.body is not None:
        return "text/plain; charset=utf-8", unsealed.text(params.body).encode()
    if "json_" in params.model_fields_set:
        return "application/json", json.dumps(unsealed.tree(params.json_)).encode()
    return "", None


def _observed(answer: WebAnswer, unsealed: Unsealed, shown: str) -> Observation:
    body = unsealed.hide_in(answer.body)
    text = body[:SEEN_BYTES].decode("utf-8", "replace")
    seen: dict[str, Any] = {
        "response": {"status": answer.status, "body": text},
        "latency_seconds": answer.took_seconds,
    }
    parsed, value = _json(body)
    if parsed:
        seen["json"] = value
    return Observation(
        seen=seen,
        retryable=answer.status < 400
        or answer.status >= 500
        or answer.status in TRY_AGAIN,
        summary=f"HTTP {answer.status} in {answer.took_seconds:.2f} s{_wait(answer)}",
        source=shown,
        wait_seconds=wait_asked(answer.status, answer.headers, time.time()),
    )


def _json(body: bytes) -> tuple[bool, Any]:
    """Return whether the body is JSON, whatever it calls itself, and its value."""
    try:
        return True, json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False, None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _wait(answer: WebAnswer) -> str:
    asked = answer.headers.get("retry-after", "")
    return f", asks to wait {asked} s" if asked.isascii() and asked.isdigit() else ""


def _outcome(
    answer: WebAnswer,
    ok_status: list[int] | None,
    gone_is_ok: bool,
    shown: str,
    unsealed: Unsealed,
) -> ActResult:
    status = answer.status
    told = f"{shown}: HTTP {status} in {answer.took_seconds:.2f} s"
    done = status in ok_status if ok_status else 200 <= status < 300
    if done:
        return ActResult("ok", told)
    if gone_is_ok and status in GONE:
        return ActResult("ok", f"{told}, gone already")
    told = f"{told}{_wait(answer)}{_start(answer, unsealed)}"
    if status in MAY_HAVE_HAPPENED:
        return ActResult("unknown", told)
    return ActResult("failed", told, retryable=status >= 500 or status in TRY_AGAIN)


def _start(answer: WebAnswer, unsealed: Unsealed) -> str:
    """Return the beginning of the answer on one line, printable, without secrets."""
    if 300 <= answer.status < 400:
        return "; redirects are not followed: write the new address"
    raw = unsealed.hide_in(answer.body)[: 4 * DETAIL_CHARACTERS]
    text = " ".join(raw.decode("utf-8", "replace").split())
    text = "".join(sign for sign in text if sign.isprintable())[:DETAIL_CHARACTERS]
    return f": {text}" if text else ""


def register(registry: Registry, web: Web) -> None:
    """Add the kind `http` as a check and as an action."""
    sees = ("response", "json", "latency_seconds")
    places = {key: place for key, place in PLACES.items() if key in _keys(HttpLook)}
    registry.add_check("http", HttpLook, HttpCheck(web), places=places, sees=sees)
    places = {key: place for key, place in PLACES.items() if key in _keys(HttpAct)}
    registry.add_action("http", HttpAct, HttpAction(web), places=places)


def _keys(model: type[_Asking]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}
