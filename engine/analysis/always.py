"""What an `always` clause can be about, read from one event and what came of it.

Called by: proof.judging (on every path), runtime.invariants (on one run).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.core.record import Record
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


def as_held(record: Record) -> Record:
    """Return the record as a clause reads it: what a person took by name is not held.

    Somebody who cancels and keeps has taken over, by name, what was held.
    """
    if record.end != "cancelled" or not record.held:
        return record
    return msgspec.structs.replace(record, held=())
