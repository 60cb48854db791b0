"""The address half of ports.Web, as the operating system resolves.

Used by the tests of tcp, tls and dns; it refuses what the test tells it to refuse.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from engine.ports import WebAnswer, WebProblem, WebRequest


@dataclass(frozen=True, slots=True)
class PlainWeb:
    """Resolves with getaddrinfo; `blocked` names addresses that may not be reached."""

    blocked: tuple[str, ...] = ()
    known: tuple[tuple[str, tuple[str, ...]], ...] = ()  # names that it knows itself
    hangs: bool = False

    async def addresses(self, host: str, port: int, /) -> Sequence[str]:
        """Return the addresses of a host. Raises WebProblem."""
        if self.hangs:
            await asyncio.sleep(60)
        found = dict(self.known).get(host)
        if found is None:
            loop = asyncio.get_running_loop()
            try:
                rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as error:
                words = f"'{host}' cannot be resolved"
                raise WebProblem("dns", words, sent=False) from error
            found = tuple(str(row[4][0]) for row in rows)
        for address in found:
            if address in self.blocked:
                words = f"'{host}' is at {address}, which is not a public address"
                raise WebProblem("blocked", words, sent=False)
        return found

    async def request(self, request: WebRequest, /) -> WebAnswer:
        """Is not asked here."""
        raise WebProblem("protocol", f"{request.method} is not asked", sent=False)
