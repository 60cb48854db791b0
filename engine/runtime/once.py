"""A run that is asked for once: who asks again in the same words gets the same run.

A chat delivers an event again, a caller sends a request again: the id of the run is
made of what they said, so that both find what they began.

Called by the API and by chat.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from engine.errors import EngineError
from engine.model.alert import Alert
from engine.model.events import Adopted
from engine.model.people import Actor
from engine.runtime.library import Bundle
from engine.runtime.service import Service


class Claims(Protocol):
    """Which runs this process drives."""

    @property
    def ours(self) -> Collection[str]:
        """Return them."""
        ...

    def begins(self, run: str, /) -> object:
        """Take note of one that is about to begin here."""
        ...

    def ended(self, run: str, /) -> None:
        """Take note of one that is over, or did not begin."""
        ...


class NoClaims:
    """Nobody else could drive them."""

    ours: tuple[str, ...] = ()

    def begins(self, run: str, /) -> None:
        """Take no note."""

    def ended(self, run: str, /) -> None:
        """Take no note."""


def run_for(*said: str) -> str:
    """Return the id of the run that is asked for in these words."""
    made = "\n".join(said).encode("utf-8", "replace")
    return "r-" + hashlib.sha256(made).hexdigest()[:10]


async def start_once(
    service: Service,
    claims: Claims,
    bundle: Bundle,
    given: Mapping[str, Any],
    by: Actor,
    *,
    run: str,
    alert: Alert | None = None,
    did: Sequence[Adopted] = (),
) -> None:
    """Begin a run under this id; nobody has one of it yet.

    Raises:
        DoesNotApply: an input is missing or wrong; the message names each.
    """
    fresh = run not in claims.ours  # the same may be on its way already
    claims.begins(run)
    try:
        await service.start(bundle, given, by, alert=alert, run=run, did=did)
    except EngineError:
        if fresh:
            claims.ended(run)
        raise
