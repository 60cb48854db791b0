"""Where people read, are paged, and keep what only they may know or set."""

from collections.abc import Sequence
from typing import Protocol

from engine.model.effects import Page, Say
from engine.model.people import Question


class Chat(Protocol):
    """Where people read. It may lose or delay; the run never waits for it."""

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Post. Raises ChatDown when it could not; it is tried again.

        `key` is the same for each try of the same message.
        """
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


class OnCallSchedule(Protocol):
    """A schedule that somebody else keeps."""

    async def on_call(self) -> Sequence[str]:
        """Return the ids of who is on call now. Raises ChatDown or ChatRefused."""
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


class HoldSwitch(GlobalHold, Protocol):
    """The same switch in the hands of whoever may set and lift it."""

    def set(self, by: str, why: str, /) -> None:
        """Set it, or say a new reason. Raises OSError: it could not be kept."""
        ...

    def lift(self) -> None:
        """Lift it. Raises OSError: it is still on."""
        ...
