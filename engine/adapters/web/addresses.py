"""Which addresses may be reached, and connections that go to no other.

A host is resolved once, every address is checked, and the connection goes to that very
address.

Called by: the web.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

import httpcore

from engine.ports import WebProblem

Network = IPv4Network | IPv6Network
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

PUBLIC_V6: Final = ip_network("2000::/3")  # all that is given out; the rest is special
NEVER_PUBLIC: Final = (
    ip_network("2002::/16"),  # 6to4: a private v4 address may hide in it
    ip_network("3fff::/20"),  # documentation
    ip_network("192.88.99.0/24"),  # 6to4 relays
)
FIRST_TRY_SECONDS: Final = 2.0  # a silent address gives way to the next after this
LOOKUPS: Final = 16  # threads: a resolver that hangs must not stop the others


def may_reach(address: str, allow: Sequence[Network]) -> bool:
    """Return whether an address is public, or stands in an allowed network."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found.version == net.version and found in net for net in allow):
        return True
    if isinstance(found, IPv6Address) and found not in PUBLIC_V6:
        return False
    if any(found.version == net.version and found in net for net in NEVER_PUBLIC):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class SystemLookup:
    """Names to addresses as the operating system does it, odd forms included."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses in the system's order. Raises OSError, ValueError."""
        try:  # an address needs no resolver, and must work while there is none
            return self._ask(host, port, socket.AI_NUMERICHOST)
        except socket.gaierror:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._ask, host, port, 0)

    def close(self) -> None:
        """Let the threads end; does not wait for a lookup that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _ask(host: str, port: int, flags: int) -> list[str]:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        return list(dict.fromkeys(str(row[4][0]) for row in rows))


@dataclass(frozen=True, slots=True)
class Doorman:
    """Which addresses a host has, and whether all of them may be reached."""

    allow: tuple[Network, ...]
    lookup: Lookup

    async def reachable(self, host: str, port: int) -> list[str]:
        """Return its addresses, one at least. Raises WebProblem."""
        try:
            found = list(await self.lookup(host, port))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise WebProblem(
                "dns",
                f"'{host}' cannot be resolved: {reason or 'not a host name'}",
                sent=False,
            ) from error
        if not found:
            raise WebProblem("dns", f"'{host}' has no address", sent=False)
        for address in found:
            if not may_reach(address, self.allow):
                raise WebProblem(
                    "blocked",
                    f"'{host}' is at {address}, which is not a public address; allow "
                    "its network in the configuration if it may be reached",
                    sent=False,
                )
        return found


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to an address that was checked, never to a name."""

    def __init__(self, doorman: Doorman) -> None:
        self._doorman = doorman
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the first address that answers in time."""
        addresses = await self._doorman.reachable(host, port)
        for address in addresses[:-1]:
            try:
                return await self._tcp.connect_tcp(address, port, FIRST_TRY_SECONDS)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._tcp.connect_tcp(addresses[-1], port, timeout)
