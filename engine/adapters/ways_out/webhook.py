"""A way out that posts JSON to a URL: `{"title": …, "text": …}`."""

import json
from collections.abc import Callable
from typing import Final

from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.ports import Web, WebProblem, WebRequest

MOST: Final = 20_000  # characters
LIMIT_SECONDS: Final = 10.0
OK: Final = range(200, 300)
LATER: Final = (408, 425, 429)  # beside 5xx: the same request may be taken later


class WebhookWay:
    """Posts to one URL; whatever it answers below 300 has taken it.

    Args:
        name: How the configuration calls it.
        url: Returns the URL, read anew for each message; it may be a secret.
        web: The one door to HTTP.
    """

    def __init__(self, name: str, url: Callable[[], str], web: Web) -> None:
        self.name, self._url, self._web = name, url, web

    async def send(self, title: str, text: str, /) -> None:
        """Post. Raises ChatDown (may be taken later) or ChatRefused."""
        try:
            url = self._url()
        except SecretMissing as error:
            raise ChatDown(f"'{self.name}': {error}", lasting=True) from error
        body = json.dumps({"title": title, "text": text[:MOST]}).encode()
        asked = WebRequest(
            "POST", url, {"content-type": "application/json"}, body,
            timeout_seconds=LIMIT_SECONDS,
        )  # fmt: skip
        try:
            answer = await self._web.request(asked)
        except WebProblem as problem:
            # Its kind, not its words: they hold the URL.
            raise ChatDown(f"'{self.name}' failed: {problem.kind}") from None
        if answer.status in OK:
            return
        told = f"'{self.name}' answered {answer.status}"
        if answer.status >= 500 or answer.status in LATER:
            raise ChatDown(told)
        raise ChatRefused(told)
