"""Alerts on their way in: how they are read, silenced and kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.model.alert import Delivery, Receipt
from engine.model.decision import Decision
from engine.model.effects import Say
from engine.model.events import Event
from engine.model.silence import Silence


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
