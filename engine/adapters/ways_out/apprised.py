"""A way out through Apprise: one URL of it is an e-mail address, a phone, a room.

The URL is a secret, and Apprise writes it into its log: that log is closed here.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from engine.errors import ChatDown, ChatRefused, SecretMissing

LIMIT_SECONDS: Final = 10.0
MOST: Final = 20_000  # characters; each service shortens further by itself


class AppriseWay:
    """Sends through one Apprise URL.

    Args:
        name: How the configuration calls it.
        url: Returns the URL, read anew for each message.
    """

    def __init__(self, name: str, url: Callable[[], str]) -> None:
        self.name, self._url = name, url

    async def send(self, title: str, text: str, /) -> None:
        """Send. Raises ChatDown, or ChatRefused: it is no URL of Apprise."""
        try:
            url = self._url()
        except SecretMissing as error:
            raise ChatDown(f"'{self.name}': {error}", lasting=True) from error
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                # In a thread: it imports a hundred services, and blocks.
                sent = await asyncio.to_thread(self._notify, url, title, text[:MOST])
        except (ChatDown, ChatRefused):
            raise
        except TimeoutError as error:
            raise ChatDown(f"'{self.name}' did not answer in time") from error
        except Exception as error:
            told = type(error).__name__  # its words may hold the URL
            raise ChatDown(f"'{self.name}' failed: {told}") from error
        if not sent:
            raise ChatDown(f"'{self.name}' did not take the message")

    def _notify(self, url: str, title: str, text: str) -> bool:
        try:
            from apprise import Apprise
        except ImportError as error:
            raise ChatRefused(
                f"'{self.name}' needs more packages: pip install "
                "'incident-runbook[chat]'"
            ) from error
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        sender = Apprise()
        if not sender.add(url):
            raise ChatRefused(f"'{self.name}': its value is no URL that Apprise knows")
        return bool(sender.notify(body=text, title=title))
