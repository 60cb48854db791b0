"""Pages through the Events API v2 of PagerDuty and what speaks its form: kind `page`.

What is here: one trigger event. Its `dedup_key` is the act's key, so a page that is
sent again joins the incident that it opened. Without a routing key of its own it goes
to the service that the configuration names for its group, else for all. What is not:
who is on call, and pages of the engine itself (pager).

Registered by bootstrap.
"""

import json
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from engine.adapters.pagerduty.events import (
    LONGEST_SUMMARY,
    OUR_WORDS,
    short_key,
)
from engine.adapters.pagerduty.pager import Services
from engine.model.credentials import Secretable, Unsealed, shown_problem, shown_url
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

NO_KEY: Final = (
    "nobody can be paged: give the act a `routing_key`, or the configuration "
    "`pagerduty.routing_key` or `groups.NAME.pagerduty`"
)
MAY_HAVE_HAPPENED: Final = frozenset({502, 503, 504})
HOPELESS: Final = frozenset({"blocked", "too_large", "tls"})


class PageAct(Model):
    """A page to whoever the routing key leads to."""

    routing_key: Secretable | None = Field(
        None,
        description="The integration's key; `{secret: NAME}`. Left out: the group's "
        "in the configuration.",
    )
    summary: str | None = Field(
        None, min_length=1, description="What is wrong; cut at 1,024 characters."
    )
    text: str | None = Field(None, min_length=1, description="Another word for it.")
    severity: Literal[
        "critical", "error", "warning", "info", "sev1", "sev2", "sev3", "sev4", "sev5"
    ] = Field("critical", description="How bad: PagerDuty's words, or sev1 to sev5.")
    source: str = Field("runbook", min_length=1, description="What is affected.")
    dedup_key: str | None = Field(
        None,
        description="Pages with one key are one incident; left out: the act's key.",
    )
    component: str | None = Field(None, description="The part that is broken.")
    group: str | None = Field(
        None, description="The group that is paged, or that the parts belong to."
    )
    details: dict[str, Any] = Field(
        default_factory=dict, description="Further values, shown with the incident."
    )
    links: list[str] = Field(
        default_factory=list, description="URLs shown with the incident."
    )
    url: Secretable | None = Field(
        None, description="Where events are taken; left out: the configured place."
    )

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.summary is None) == (self.text is None):
            raise ValueError("write what is wrong: `summary` or `text`, one of them")
        return self

    @property
    def words(self) -> str:
        """What is wrong."""
        return self.summary or self.text or ""


class PageKind:
    """The code of the kind."""

    def __init__(self, web: Web, services: Services) -> None:
        """Page through `web`, groups through their services."""
        self._web, self._services = web, services

    async def __call__(self, params: PageAct, call: Call) -> ActResult:
        """Send the event once; it is `ok` when it was taken in."""
        unsealed = Unsealed(call.secret)
        routing = params.routing_key or self._services.of(params.group)
        if routing is None:
            return ActResult("failed", NO_KEY, retryable=False)
        url = params.url or self._services.url
        shown = shown_url(url)
        request = WebRequest(
            "POST",
            unsealed.text(url),
            {"content-type": "application/json", "accept": "application/json"},
            json.dumps(_event(params, routing, call, unsealed)).encode(),
            timeout_seconds=call.timeout_seconds,
        )
        try:
            answer = await self._web.request(request)
        except WebProblem as problem:
            words = shown_problem(url, problem.kind, problem.message)
            return ActResult(
                "unknown" if problem.sent else "failed",
                unsealed.hide(f"{shown}: {words}"),
                retryable=problem.kind not in HOPELESS,
            )
        return _outcome(answer, shown, unsealed)


def _event(
    params: PageAct, routing: Secretable, call: Call, unsealed: Unsealed
) -> dict[str, Any]:
    wanted = {
        "summary": params.words[:LONGEST_SUMMARY],
        "source": params.source,
        "severity": OUR_WORDS.get(params.severity, params.severity),
        "component": params.component,
        "group": params.group,
        "custom_details": unsealed.tree(params.details) or None,
    }
    event: dict[str, Any] = {
        "routing_key": unsealed.text(routing),
        "event_action": "trigger",
        "dedup_key": short_key(params.dedup_key or call.key),
        "client": "incident-runbook",
        "payload": {key: value for key, value in wanted.items() if value is not None},
    }
    if params.links:
        event["links"] = [{"href": link, "text": link} for link in params.links]
    return event


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


def register(registry: Registry, web: Web, services: Services | None = None) -> None:
    """Add the action kind `page`; a page leaves nothing to give back."""
    registry.add_action(
        "page",
        PageAct,
        PageKind(web, services or Services()),
        leaves_nothing=True,
        places={"url": "url", "details": "json"},
    )
