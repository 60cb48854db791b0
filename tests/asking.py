"""One HTTP client a thread, for all who ask a server in a test.

The certificate authorities of the system are read once: it takes some 30 ms of the
processor, and `httpx.get` does it each time. No connection is kept: the servers that are
asked are killed and come back. Threads share no client: one closed what another read.
"""

import ssl
import threading
from typing import Any, Final

import httpx

AUTHORITIES: Final = ssl.create_default_context()


class _Web(threading.local):
    """What `httpx.Client` does, by a client of this thread's own."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(verify=AUTHORITIES, limits=limits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


web: Final = _Web()
