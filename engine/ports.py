"""What the engine asks of the outside world: one Protocol for each kind of system.

The law for every port: methods are async; a check or an action never raises for what
the world does to it, but says `unknown` or `failed` and why; it ends within
`call.timeout_seconds` as a total, not per read; the same `call.key` is the same
request; secret values are fetched by `call.secret(name)` at the last moment and never
returned.

One suite in tests/contracts runs over all adapters of a port.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.model.alert import Delivery, Receipt
from engine.model.decision import Decision
from engine.model.effects import Page, Say
from engine.model.events import Event
from engine.model.evidence import Observation
from engine.model.people import Question
from engine.model.run import RunSummary
from engine.model.silence import Silence
from engine.model.timeline import Entry


@dataclass(frozen=True, slots=True)
class Call:
    """Who is asking, for how long, and with which secrets."""

    key: str  # the same for every try of the same act
    timeout_seconds: float
    secret: Callable[[str], str]  # raises SecretMissing
    run: str = ""
    undo: bool = False  # this gives back what an act took
    fence: int = 0  # grows with every owner of the database; a target may refuse older
    built_in: bool = False  # an undo with the act's own parameters: none is written


@dataclass(frozen=True, slots=True)
class ActResult:
    """What is known of an act: done, not done, or cannot be told."""

    outcome: Literal["ok", "failed", "unknown"]
    detail: str = ""  # one line for people, no secrets
    retryable: bool = True


class LookCode(Protocol):
    """The code of a kind of check."""

    def __call__(self, params: Any, call: Call, /) -> Awaitable[Observation]:
        """Return what is seen; `params` is the kind's own model, rendered."""
        ...


class ActCode(Protocol):
    """The code of a kind of action."""

    def __call__(self, params: Any, call: Call, /) -> Awaitable[ActResult]:
        """Act once, or find by `call.key` that it was done. Cancelled: stop at once."""
        ...


EndLeft = Callable[[str], Awaitable[int]]
"""End what an engine that died left in flight under an act's key; say how many."""


class Clock(Protocol):
    """Wall time and a time that never goes back; waiting is the event loop's."""

    def now(self) -> float:
        """Return epoch seconds, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, never going back."""
        ...


class Store(Protocol):
    """The journal: every run's entries, and what can be rebuilt from them.

    An append is one durable transaction: when it returns, it survives power loss.
    """

    async def append(
        self,
        entries: Sequence[Entry],
        summary: RunSummary,
        *,
        outbox: Sequence[Say | Page] = (),
    ) -> list[Entry]:
        """Seal and store the entries of one run, all or none; return them sealed.

        `entries` have no hashes yet; their `seq` must follow what is stored.

        Raises:
            StoreConflict: `seq` does not follow (another engine wrote).
            StoreUnavailable: full, locked, read-only or gone; nothing was stored.
        """
        ...

    async def entries(self, run: str, *, after: int = 0) -> list[Entry]:
        """Return the run's entries with seq > after, in order; unknown run: none."""
        ...

    async def runs(
        self, *, open_only: bool = False, limit: int = 100
    ) -> list[RunSummary]:
        """Return summaries, newest first."""
        ...

    async def summary(self, run: str) -> RunSummary | None:
        """Return one run's summary."""
        ...

    async def put_revision(self, revision: str, name: str, text: str) -> None:
        """Keep the text of a runbook under its hash."""
        ...

    async def revision(self, revision: str) -> str | None:
        """Return the text kept under the hash."""
        ...

    async def unsent(self, *, limit: int = 100) -> list[tuple[int, str, Say | Page]]:
        """Return (id, run, message) of what is still to be sent, in order."""
        ...

    async def sent(self, ids: Sequence[int]) -> None:
        """Mark messages as sent."""
        ...

    async def lock(self, run: str, paths: Sequence[str]) -> str | None:
        """Take all paths for the run, or none; return the run in the way, or None.

        A path conflicts with itself, its parents and its children.
        """
        ...

    async def unlock(self, run: str) -> None:
        """Give back every path of the run."""
        ...

    async def put_secret(self, run: str, name: str, secret: str) -> None:
        """Keep the value of a secret input, outside the timeline."""
        ...

    async def secret(self, run: str, name: str) -> str | None:
        """Return a secret input's value."""
        ...

    async def forget_secrets(self, run: str) -> None:
        """Delete the values of a run's secret inputs: it has ended."""
        ...


class Chat(Protocol):
    """Where people read. It may lose or delay; the run never waits for it."""

    async def say(self, run: str, message: Say, /) -> None:
        """Post. Raises ChatDown when it could not; it is tried again."""
        ...

    async def ask(self, run: str, question: Question, /) -> None:
        """Show a question; answers come back through the service."""
        ...

    async def close(self, run: str, key: str, outcome: str, /) -> None:
        """Show that a question is over."""
        ...


class Pager(Protocol):
    """Where groups are paged."""

    async def page(self, run: str, page: Page, /) -> None:
        """Page once for each key. Raises ChatDown when it could not."""
        ...


class Secrets(Protocol):
    """Named secrets."""

    def get(self, name: str) -> str:
        """Return the value, read anew. Raises SecretMissing."""
        ...

    def values(self) -> list[str]:
        """Return every value read so far, for redaction."""
        ...


class GlobalHold(Protocol):
    """The big red switch: while it is on, no new act begins."""

    def reason(self) -> str | None:
        """Return who set it and why, or None while it is off."""
        ...


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


class Mailbox(Protocol):
    """Events that another process of this machine has for a run."""

    async def post(self, run: str, event: Event) -> int:
        """Leave an event for whoever drives the run; return its number."""
        ...

    async def mail(self, runs: Sequence[str]) -> list[tuple[int, str, Event]]:
        """Return what waits for these runs, in order: (number, run, event)."""
        ...

    async def delivered(self, number: int) -> None:
        """Mark one as delivered."""
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """One request that a source sent: the raw bytes are what was signed."""

    body: bytes
    headers: Mapping[str, str]  # lower-case names; the last of each counts
    at: float  # epoch seconds, when it had arrived
    path: str = ""


class BadBody(Exception):
    """It is no body of that source: one line says what is missing, and where."""


class SourceCode(Protocol):
    """Reads the bodies of one monitoring system. Pure, and fast: it runs in a thread.

    Any bytes give a Delivery or BadBody, nothing else: not JSON, wrong charset, deep
    nesting, huge numbers, missing fields included.
    """

    def __call__(self, posted: Posted, source: str, /) -> Delivery:
        """Return what it brought; `source` is the name the configuration gives it."""
        ...


class Silences(Protocol):
    """Where silences are asked for: Alertmanager."""

    async def active(self) -> tuple[Silence, ...] | None:
        """Return those in force now; None: it could not be asked. Never raises."""
        ...


class AlertStore(Protocol):
    """Deliveries of alerts and the decisions about them, beside the runs."""

    async def keep(self, delivery: Delivery, raw: bytes, *, at: float) -> Receipt:
        """Store a delivery against power loss. Raises StoreUnavailable: nothing was."""
        ...

    async def undecided(self, *, limit: int = 100) -> list[tuple[int, float, Delivery]]:
        """Return (number, when it came, what it brought) of what waits, in order."""
        ...

    async def backlog(self) -> int:
        """Return how many deliveries wait for decisions."""
        ...

    async def decide(
        self,
        deliveries: Sequence[int],
        decisions: Sequence[Decision],
        *,
        carried: Sequence[int] = (),
        mail: Sequence[tuple[str, Event]] = (),
        notices: Sequence[tuple[str, Say]] = (),
    ) -> list[int]:
        """Store decisions and what comes of them, in one transaction; number them.

        `deliveries` are decided and `carried` starts done with by it; `mail` is left
        as Mailbox.post does, `notices` (run or "", message) as Store.append does.
        """
        ...

    async def to_carry_out(self) -> list[tuple[int, Decision]]:
        """Return the starts that are not known to be carried out, in order."""
        ...

    async def moving(
        self, *, after: int = 0, limit: int = 10_000
    ) -> list[tuple[int, Decision]]:
        """Return (number, decision) of those not in decision.IDLE, oldest first.

        What is deleted here is forgotten: the intake's book is made of these.
        """
        ...

    async def carried_out(self, numbers: Sequence[int]) -> None:
        """Mark what was decided as done."""
        ...

    async def decisions(
        self,
        *,
        about: str = "",
        outcome: str = "",
        since: float = 0.0,
        limit: int = 1000,
    ) -> list[Decision]:
        """Return decisions, oldest first; at most the newest `limit` of them.

        Args:
            about: A fingerprint, an alertname, a run's id or a delivery's number.
            outcome: Only these.
            since: Epoch seconds; only later ones.
            limit: At most so many.
        """
        ...

    async def alert(self, delivery: int, position: int) -> Delivery | None:
        """Return a delivery with the one alert at a position (from 1), or None."""
        ...


class Ownership(Protocol):
    """Whether this process may still act: asked right before every act."""

    @property
    def fence(self) -> int:
        """Return this process's token; 0 before it has one."""
        ...

    async def may_act(self) -> bool:
        """Return True while nobody took our place; False: we never act again."""
        ...
