"""The journal, the mail between processes, the place of the one engine, and time."""

from collections.abc import Sequence
from typing import Protocol

from engine.model.effects import Page, Say
from engine.model.events import Event
from engine.model.run import RunSummary
from engine.model.timeline import Entry


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

    async def unsent(
        self, *, limit: int = 100, after: int = 0
    ) -> list[tuple[int, str, Say | Page]]:
        """Return (id, run, message) of what is to be sent after an id, in order."""
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


class Ownership(Protocol):
    """Whether this process may still act: asked right before every act."""

    @property
    def fence(self) -> int:
        """Return this process's token; 0 before it has one."""
        ...

    async def may_act(self) -> bool:
        """Return True while nobody took our place; False: we never act again."""
        ...
