"""Pages through the Events API v2 of PagerDuty and what speaks its form: kind `page`.

What is here: one trigger event. Its `dedup_key` is the act's key, so a page that is
sent again joins the incident that it opened. What is not: who is on call, and pages of
the engine itself (ports.Pager).

Registered by bootstrap.
"""

import hashlib
import json
from typing import Any, Final, Literal

from pydantic import Field

from engine.model.credentials import Secretable, Unsealed, shown_problem, shown_url
from engine.model.values import Model
from engine.ports import ActResult, Call, Web, WebAnswer, WebProblem, WebRequest
from engine.registry import Registry

EVENTS_URL: Final = "https://events.pagerduty.com/v2/enqueue"
LONGEST_SUMMARY: Final = 1024  # the API's own limit, in characters
LONGEST_KEY: Final = 255
TRY_AGAIN: Final = frozenset({408, 425, 429})
MAY_HAVE_HAPPENED: Final = frozenset({502, 503, 504})
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})
OUR_WORDS: Final = {
    "sev1": "critical",
    "sev2": "critical",
    "sev3": "error",
    "sev4": "warning",
    "sev5": "info",
}


class PageAct(Model):
    """A page to whoever the routing key leads to."""

    routing_key: Secretable = Field(
        description="The integration's key; `{secret: NAME}`."
    )
    summary: str = Field(
        min_length=1, description="What is wrong; cut at 1,024 characters."
    )
    severity: Literal[
        "critical", "error", "warning", "info", "sev1", "sev2", "sev3", "sev4", "sev5"
    ] = Field("critical", description="How bad: PagerDuty's words, or sev1 to sev5.")
    source: str = Field("runbook", min_length=1, description="What is affected.")
    dedup_key: str | None = Field(
        None,
        description="Pages with one key are one incident; left out: the act's key.",
    )
    component: str | None = Field(None, description="The part that is broken.")
    group: str | None = Field(None, description="The group of parts it belongs to.")
    details: dict[str, Any] = Field(
        default_factory=dict, description="Further values, shown with the incident."
    )
    links: list[str] = Field(
        default_factory=list, description="URLs shown with the incident."
    )
    url: Secretable = Field(EVENTS_URL, description="Where events are taken.")


class PageKind:
    """The code of the kind."""

    def __init__(self, web: Web) -> None:
        """Page through `web`."""
        self._web = web

    async def __call__(self, params: PageAct, call: Call) -> ActResult:
        """Send the event once; it is `ok` when it was taken in."""
        unsealed = Unsealed(call.secret)
        shown = shown_url(params.url)
        request = WebRequest(
            "POST",
            unsealed.text(params.url),
            {"content-type": "application/json", "accept": "application/json"},
            json.dumps(_event(params, call, unsealed)).encode(),
            timeout_seconds=call.timeout_seconds,
        )
        try:
            answer = await self._web.request(request)
        except WebProblem as problem:
            words = shown_problem(params.url, problem.kind, problem.message)
            return ActResult(
                "unknown" if problem.sent else "failed",
                unsealed.hide(f"{shown}: {words}"),
                retryable=problem.kind not in HOPELESS,
            )
        return _outcome(answer, shown, unsealed)


def _event(params: PageAct, call: Call, unsealed: Unsealed) -> dict[str, Any]:
    wanted = {
        "summary": params.summary[:LONGEST_SUMMARY],
        "source": params.source,
        "severity": OUR_WORDS.get(params.severity, params.severity),
        "component": params.component,
        "group": params.group,
        "custom_details": unsealed.tree(params.details) or None,
    }
    event: dict[str, Any] = {
        "routing_key": unsealed.text(params.routing_key),
        "event_action": "trigger",
        "dedup_key": _short(params.dedup_key or call.key),
        "client": "incident-runbook",
        "payload": {key: value for key, value in wanted.items() if value is not None},
    }
    if params.links:
        event["links"] = [{"href": link, "text": link} for link in params.links]
    return event


def _short(key: str) -> str:
    """Return the key, or its hash where the API would refuse the key as too long."""
    if len(key) <= LONGEST_KEY:
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def _outcome(answer: WebAnswer, shown: str, unsealed: Unsealed) -> ActResult:
    if 200 <= answer.status < 300:
        return ActResult("ok", f"{shown}: paged (HTTP {answer.status})")
    raw = unsealed.hide_in(answer.body)[:400].decode("utf-8", "replace")
    text = "".join(sign for sign in " ".join(raw.split()) if sign.isprintable())
    told = f"{shown}: HTTP {answer.status}: {text[:160]}"
    if answer.status in MAY_HAVE_HAPPENED:
        return ActResult("unknown", told)
    again = answer.status >= 500 or answer.status in TRY_AGAIN
    return ActResult("failed", told, retryable=again)


def register(registry: Registry, web: Web) -> None:
    """Add the action kind `page`; a page leaves nothing to give back."""
    registry.add_action(
        "page",
        PageAct,
        PageKind(web),
        leaves_nothing=True,
        places={"url": "url", "details": "json"},
    )
