"""Who is on call by a schedule of PagerDuty: its REST API, `GET /oncalls`.

Called by bootstrap.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.ports import TRY_AGAIN, Web, WebProblem, WebRequest

API: Final = "https://api.pagerduty.com"
ACCEPT: Final = "application/vnd.pagerduty+json;version=2"
TIMEOUT_SECONDS: Final = 5.0
MOST_PEOPLE: Final = 20


@dataclass(frozen=True, slots=True)
class PagerDutyOnCall:
    """ports.OnCallSchedule over one schedule.

    Args:
        secret: Returns a secret's value by its name.
        token: The name of the secret that holds a token of the REST API.
    """

    web: Web
    secret: Callable[[str], str]
    schedule: str
    token: str
    url: str = API

    async def on_call(self) -> Sequence[str]:
        """Return the PagerDuty ids of who is on call now, lowest level first.

        Raises:
            ChatDown: it cannot be asked now. ChatRefused: it says no.
        """
        answer = await self._answer()
        try:
            found = json.loads(answer)["oncalls"]
            ours = [one for one in found if _is(one, self.schedule)]
            ours.sort(key=lambda one: one.get("escalation_level") or 0)
            ids = dict.fromkeys(str(one["user"]["id"]) for one in ours)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as no:
            raise ChatDown("PagerDuty: its answer is no list of who is on call") from no
        return list(ids)[:MOST_PEOPLE]

    async def _answer(self) -> bytes:
        query = urlencode({"schedule_ids[]": self.schedule, "limit": "100"})
        try:
            token = self.secret(self.token)
        except SecretMissing as missing:
            raise ChatDown(f"PagerDuty: {missing}", lasting=True) from missing
        request = WebRequest(
            "GET",
            f"{self.url.rstrip('/')}/oncalls?{query}",
            {"authorization": f"Token token={token}", "accept": ACCEPT},
            timeout_seconds=TIMEOUT_SECONDS,
        )
        try:
            answer = await self.web.request(request)
        except WebProblem as problem:
            raise ChatDown(f"PagerDuty: {problem.message}") from problem
        if answer.status == 200:
            return answer.body
        told = f"PagerDuty answered HTTP {answer.status} for schedule '{self.schedule}'"
        if answer.status >= 500 or answer.status in TRY_AGAIN:
            raise ChatDown(told)
        raise ChatRefused(f"{told}: look at its token")


def _is(one: Any, schedule: str) -> bool:
    """An answer for several schedules is read for ours alone."""
    return (one.get("schedule") or {}).get("id") == schedule
