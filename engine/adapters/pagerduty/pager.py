"""The engine's own pages through PagerDuty: ports.Pager.

A page goes to the service of its group, else to the one for all. Its key is the
engine's, so a page that is sent again joins the incident that it opened. Every page is
written to the terminal as well. A group without a service is paged there alone, which
`doctor` says.

Called by bootstrap.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.adapters.pagerduty.events import (
    EVENTS_URL,
    LONGEST_SUMMARY,
    OUR_WORDS,
    short_key,
)
from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.model.effects import Page
from engine.model.values import SecretRef
from engine.ports import (
    TRY_AGAIN,
    Pager,
    Web,
    WebProblem,
    WebRequest,
)

log = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Services:
    """Which service of PagerDuty each group is paged through."""

    default: SecretRef | None = None
    groups: Mapping[str, SecretRef] = field(default_factory=dict)
    url: str = EVENTS_URL

    def of(self, group: str | None) -> SecretRef | None:
        """Return the routing key for a group, or None: there is none."""
        return self.groups.get(group or "", self.default)


class PagerDutyPager:
    """Pages groups, and writes each page down."""

    def __init__(
        self,
        web: Web,
        services: Services,
        secret: Callable[[str], str],
        beside: Pager,
    ) -> None:
        self._web, self._services = web, services
        self._secret, self._beside = secret, beside

    async def page(self, run: str, page: Page, /) -> None:
        """Page once for each key.

        Raises:
            ChatDown: it could not be sent. ChatRefused: it is not taken as it is.
        """
        await self._beside.page(run, page)
        routing = self._services.of(page.group)
        if routing is None:
            return
        request = WebRequest(
            "POST",
            self._services.url,
            {"content-type": "application/json", "accept": "application/json"},
            json.dumps(self._event(run, page, routing)).encode(),
            timeout_seconds=TIMEOUT_SECONDS,
        )
        try:
            answer = await self._web.request(request)
        except WebProblem as problem:
            raise ChatDown(f"PagerDuty: {problem.message}") from problem
        if 200 <= answer.status < 300:
            return
        told = f"PagerDuty answered HTTP {answer.status} for group '{page.group}'"
        if answer.status >= 500 or answer.status in TRY_AGAIN:
            raise ChatDown(told)
        raise ChatRefused(f"{told}: look at its routing key")

    def _event(self, run: str, page: Page, routing: SecretRef) -> dict[str, object]:
        try:
            key = self._secret(routing.secret)
        except SecretMissing as missing:
            raise ChatDown(f"PagerDuty: {missing}", lasting=True) from missing
        return {
            "routing_key": key,
            "event_action": "trigger",
            "dedup_key": short_key(f"{run}:{page.key}"),
            "client": "incident-runbook",
            "payload": {
                "summary": page.text[:LONGEST_SUMMARY],
                "source": run,
                "severity": OUR_WORDS.get(page.severity, "critical"),
                "group": page.group,
            },
        }
