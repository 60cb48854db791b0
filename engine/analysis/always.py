"""What an `always` clause can be about, read from one event and what came of it.

Called by: proof.judging (on every path), runtime.invariants (on one run).
"""

from collections.abc import Sequence
from typing import Final

from engine.model.effects import Effect, Note
from engine.model.events import Event, Looked

KINDS: Final = {"approved": "approve", "intent": "act"}


def happened(event: Event, effects: Sequence[Effect]) -> list[str]:
    """Return looks, approvals that opened their gate, and intents, in order."""
    looked = event.evidence if isinstance(event, Looked) else ()
    return [f"check {one.check}" for one in looked] + [
        f"{KINDS[one.kind]} {one.subject}"
        for one in effects
        if isinstance(one, Note)
        and one.kind in KINDS
        and (one.kind != "approved" or one.refs.get("opened"))
    ]
