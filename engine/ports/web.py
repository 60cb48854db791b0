"""The one door to HTTP and addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

TRY_AGAIN: Final = frozenset({408, 425, 429})  # statuses below 500 that may pass


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One HTTP request, secrets already in it: it is never shown as it is."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout_seconds: float = 10.0  # total: connect, send, wait, read
    max_bytes: int = 8 * 1024 * 1024  # of the body, after decompression
    redirects: int = 0  # how many to follow; each hop is checked anew
    ca_file: str | None = None  # trust this file instead of the system's authorities
    patient: bool = False  # held back, unsent, while the server asks to wait


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    took_seconds: float


WebProblemKind = Literal[
    "refused", "reset", "timeout", "dns", "tls", "too_large", "blocked", "protocol",
    "held",
]  # fmt: skip


class WebProblem(Exception):
    """No complete answer. `sent` is False where the request surely never left."""

    def __init__(
        self,
        kind: WebProblemKind,
        message: str,
        *,
        sent: bool,
        wait_seconds: float = 0.0,  # `held`: how long still
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.sent = sent
        self.wait_seconds = wait_seconds


class Web(Protocol):
    """The only door to HTTP and addresses: deadlines, caps and SSRF rules."""

    async def request(self, request: WebRequest, /) -> WebAnswer:
        """Return the complete answer, whatever its status. Raises WebProblem."""
        ...

    async def addresses(self, host: str, port: int, /) -> Sequence[str]:
        """Return the addresses of a host that may be reached, resolved once.

        Raises:
            WebProblem: `dns` (cannot be resolved) or `blocked` (not allowed).
        """
        ...
