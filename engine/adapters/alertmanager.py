"""Alertmanager silences: the action kind `silence`, which gives itself back.

What is here: creating a silence (API v2) and, for the undo, expiring it. Each silence
carries a mark made from the act's key in its comment; the mark is looked for before
creating, so the same act never makes two, and before expiring, so nobody else's silence
is touched. What is not: alerts coming in (the webhook is a door of its own).

Registered by bootstrap with the default address.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from pydantic import Field, model_validator

from engine.model.credentials import (
    Basic,
    Secretable,
    Unsealed,
    shown_problem,
    shown_url,
)
from engine.model.values import Duration, Model
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

PATH: Final = "/api/v2/silences"
ONE_PATH: Final = "/api/v2/silence"
MAY_HAVE_HAPPENED: Final = frozenset({502, 503, 504})
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
EVERYTHING: Final = frozenset({".*", ".+", "^.*$", "^.+$", ""})


class Matcher(Model):
    """One matcher, in Alertmanager's own words."""

    name: str = Field(min_length=1, description="The label.")
    value: str = Field(description="What it must be.")
    is_regex: bool = Field(False, description="The value is a regular expression.")
    is_equal: bool = Field(True, description="False: it must not match.")


class Silence(Model):
    """A silence: alerts that match everything here send nothing for a while."""

    matchers: dict[str, str] | list[Matcher] = Field(
        min_length=1,
        description="Label to value, or to `/regex/`; or a list of name, value, "
        "is_regex, is_equal.",
    )
    duration: Duration = Field(description="How long; it ends by itself then.")
    comment: str = Field(
        "Silenced by a runbook", description="For the people who find it."
    )
    created_by: str = Field("runbook", description="Shown as its author.")
    url: Secretable | None = Field(
        None, description="Alertmanager's address; left out: the configured one."
    )
    bearer: Secretable | None = Field(
        None, description="A bearer token; `{secret: NAME}`."
    )
    basic: Basic | None = Field(None, description="User and password.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        positive = [it for it in self.listed() if it.is_equal]
        if all(it.is_regex and it.value in EVERYTHING for it in positive):
            raise ValueError("this would silence everything: name one label's value")
        if self.duration < timedelta(seconds=1):
            raise ValueError("a silence lasts at least 1s")
        if self.bearer is not None and self.basic is not None:
            raise ValueError("a silence has `bearer` or `basic`, not both")
        return self

    def listed(self) -> list[Matcher]:
        """Return the matchers as a list."""
        if isinstance(self.matchers, list):
            return self.matchers
        return [_matcher(name, value) for name, value in self.matchers.items()]


def _matcher(name: str, value: str) -> Matcher:
    if len(value) > 2 and value.startswith("/") and value.endswith("/"):
        return Matcher(name=name, value=value[1:-1], is_regex=True)
    return Matcher(name=name, value=value)


class _Ended(Exception):
    """The act ends here, with this result."""

    def __init__(self, result: ActResult) -> None:
        super().__init__(result.detail)
        self.result = result


@dataclass(frozen=True, slots=True)
class _Server:
    """One Alertmanager for one call: asks, and ends the act where it cannot."""

    web: Web
    base: Secretable
    address: str
    headers: dict[str, str]
    unsealed: Unsealed
    ends_at: float  # monotonic

    async def ask(
        self, method: str, path: str, body: Any = None, *, changes: bool = False
    ) -> WebAnswer:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise self.ended("failed", "no time was left")
        raw = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **self.headers}
        request = WebRequest(
            method, self.address + path, headers, raw, timeout_seconds=left
        )
        try:
            answer = await self.web.request(request)
        except WebProblem as problem:
            lost = changes and problem.sent
            raise self.ended(
                "unknown" if lost else "failed",
                shown_problem(self.base, problem.kind, problem.message),
                retryable=problem.kind not in HOPELESS,
            ) from problem
        return answer

    def ended(self, outcome: Any, why: str, *, retryable: bool = True) -> _Ended:
        detail = self.unsealed.hide(f"{shown_url(self.base)}: {why}")
        return _Ended(ActResult(outcome, detail, retryable))

    def refused(self, answer: WebAnswer, *, changes: bool) -> _Ended:
        """Return the end for an answer that is not 2xx."""
        text = " ".join(answer.body[:400].decode("utf-8", "replace").split())[:160]
        why = f"HTTP {answer.status}: {text}"
        if changes and answer.status in MAY_HAVE_HAPPENED:
            return self.ended("unknown", why)
        again = answer.status >= 500 or answer.status in TRY_AGAIN
        return self.ended("failed", why, retryable=again)


@dataclass(frozen=True, slots=True)
class SilenceKind:
    """The code of the kind."""

    web: Web
    default_url: str | None = None
    clock: Callable[[], float] = field(default=time.time, kw_only=True)  # epoch seconds

    async def __call__(self, params: Silence, call: Call) -> ActResult:
        """Create the silence, or with `call.undo` expire it; both can be repeated."""
        base = params.url if params.url is not None else self.default_url
        if base is None:
            words = (
                "no Alertmanager: write `url`, or set a default in the configuration"
            )
            return ActResult("failed", words, retryable=False)
        unsealed = Unsealed(call.secret)
        server = _Server(
            self.web,
            base,
            unsealed.text(base).rstrip("/"),
            unsealed.authorization(bearer=params.bearer, basic=params.basic),
            unsealed,
            time.monotonic() + call.timeout_seconds,
        )
        try:
            if call.undo:
                return await self._expire(server, params, call)
            return await self._create(server, params, call)
        except _Ended as ended:
            return ended.result

    async def _create(self, server: _Server, params: Silence, call: Call) -> ActResult:
        ours = _with_key(await _living(server), call)
        if ours:
            return ActResult("ok", f"silence {ours[0]['id']} is there already")
        starts = datetime.fromtimestamp(self.clock(), UTC)
        body = {
            "matchers": _wire(params),
            "startsAt": _stamp(starts),
            "endsAt": _stamp(starts + params.duration),
            "createdBy": params.created_by,
            "comment": f"{params.comment} {_mark(call)}",
        }
        answer = await server.ask("POST", PATH, body, changes=True)
        if not 200 <= answer.status < 300:
            raise server.refused(answer, changes=True)
        told = _json(answer)
        name = told.get("silenceID") if isinstance(told, dict) else None
        if not isinstance(name, str):
            raise server.ended("unknown", "the answer names no silence")
        return ActResult("ok", f"silence {name} until {body['endsAt']}")

    async def _expire(self, server: _Server, params: Silence, call: Call) -> ActResult:
        living = await _living(server)
        ours = _with_key(living, call) or _same_in_run(living, params, call)
        for silence in ours:
            name = silence["id"]
            answer = await server.ask("DELETE", f"{ONE_PATH}/{name}", changes=True)
            gone = answer.status in (404, 410) or 200 <= answer.status < 300
            if not gone and await self._lives(server, name):
                raise server.refused(answer, changes=True)
        if not ours:
            return ActResult("ok", "no silence of ours is active: it is over already")
        return ActResult("ok", "expired " + ", ".join(it["id"] for it in ours))

    @staticmethod
    async def _lives(server: _Server, name: str) -> bool:
        return any(it["id"] == name for it in await _living(server))


async def _living(server: _Server) -> list[dict[str, Any]]:
    """Return the silences that are active or pending."""
    answer = await server.ask("GET", PATH)
    if answer.status != 200:
        raise server.refused(answer, changes=False)
    found = _json(answer)
    if not isinstance(found, list):
        raise server.ended("failed", "the answer is not a list of silences")
    return [it for it in found if isinstance(it, dict) and _is_living(it)]


def _is_living(silence: dict[str, Any]) -> bool:
    status = silence.get("status")
    state = status.get("state") if isinstance(status, dict) else None
    named = isinstance(silence.get("id"), str)
    return named and state in ("active", "pending")


def _json(answer: WebAnswer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _mark(call: Call) -> str:
    return f"[runbook run={call.run} key={call.key}]"


def _with_key(silences: list[dict[str, Any]], call: Call) -> list[dict[str, Any]]:
    return [it for it in silences if f" key={call.key}]" in str(it.get("comment"))]


def _same_in_run(
    silences: list[dict[str, Any]], params: Silence, call: Call
) -> list[dict[str, Any]]:
    """Return those of this run with the same matchers: an undo may have its own key."""
    if not call.run:
        return []
    wanted = sorted(map(_matcher_key, _wire(params)))
    return [
        it
        for it in silences
        if f"[runbook run={call.run} " in str(it.get("comment"))
        and sorted(map(_matcher_key, it.get("matchers") or [])) == wanted
    ]


def _matcher_key(wire: dict[str, Any]) -> tuple[str, str, bool, bool]:
    return (
        str(wire.get("name")),
        str(wire.get("value")),
        bool(wire.get("isRegex")),
        bool(wire.get("isEqual", True)),
    )


def _wire(params: Silence) -> list[dict[str, Any]]:
    return [
        {
            "name": it.name,
            "value": it.value,
            "isRegex": it.is_regex,
            "isEqual": it.is_equal,
        }
        for it in params.listed()
    ]


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def register(registry: Registry, web: Web, default_url: str | None = None) -> None:
    """Add the action kind `silence`; `default_url` stands for a left out `url`."""
    registry.add_action(
        "silence",
        Silence,
        SilenceKind(web, default_url),
        built_in_undo=True,
        places={"url": "url", "bearer": "header"},
    )
