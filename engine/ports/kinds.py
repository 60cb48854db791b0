"""What the code of a kind of check or action is given, and gives back.

A plug-in implements LookCode or ActCode. Called by: runtime.perform.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from engine.model.evidence import Observation


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
