"""Which silences are in force: Alertmanager's API v2, asked now and then.

What is here: ports.Silences over one Alertmanager; an answer is used for some seconds,
so that a storm asks once. What is not: which alerts a silence covers (core.intake),
making one (alertmanager).

Unknown is not silenced: whatever goes wrong here gives None and a line in the log.
Called by bootstrap.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec

from engine.model.silence import Matcher, Silence
from engine.ports import Web, WebProblem, WebRequest

log = logging.getLogger(__name__)

PATH: Final = "/api/v2/silences"
FRESH_SECONDS: Final = 5.0
TIMEOUT_SECONDS: Final = 3.0  # a start waits for this answer


class AskedSilences:
    """The silences of one Alertmanager."""

    def __init__(self, web: Web, url: str, monotonic: Callable[[], float]) -> None:
        self._web, self._url = web, url.rstrip("/") + PATH
        self._monotonic = monotonic
        self._asked_at = float("-inf")
        self._last: tuple[Silence, ...] | None = None

    async def active(self) -> tuple[Silence, ...] | None:
        """Return those in force now; None: it could not be asked. Never raises."""
        if self._monotonic() - self._asked_at >= FRESH_SECONDS:
            self._last = await self._ask()
            self._asked_at = self._monotonic()
        return self._last

    async def _ask(self) -> tuple[Silence, ...] | None:
        request = WebRequest("GET", self._url, timeout_seconds=TIMEOUT_SECONDS)
        try:
            answer = await self._web.request(request)
            if answer.status != 200:
                log.warning("silences unknown status=%d", answer.status)
                return None
            return tuple(_silences(msgspec.json.decode(answer.body)))
        except WebProblem as problem:
            log.warning("silences unknown error=%s", problem.message)
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as error:
            log.warning("silences unknown: no answer of Alertmanager: %r", error)
        return None


def _silences(found: list[dict[str, Any]]) -> list[Silence]:
    return [
        Silence(
            str(one["id"]),
            tuple(
                Matcher(
                    str(part["name"]),
                    str(part["value"]),
                    bool(part.get("isRegex", False)),
                    bool(part.get("isEqual", True)),
                )
                for part in one["matchers"]
            ),
            str(one.get("createdBy", "")),
            str(one.get("comment", "")),
            str(one.get("endsAt", "")),
        )
        for one in found
        if one["status"]["state"] == "active"
    ]
