"""What our acts leave on an object: one annotation, so that it can be found again.

Each act stands there under its key with the value before and after, its run and its
fence. From that: the same act is done once; an undo knows what to restore, and whether
someone else changed it since; an engine that was replaced and wakes up is refused.
A mark stays after the undo, so that a late act does not come back.

Fences are compared inside one run only: two engines with two databases count apart.

Called by acting.
"""

from typing import Any, Final

import msgspec

from engine.adapters.kubernetes.server import Refused
from engine.ports import Call

ANNOTATION: Final = "incident-runbook/acts"
KEPT: Final = 40  # acts on one object; those that were undone are forgotten first


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One act."""

    key: str
    verb: str
    before: Any = None
    after: Any = None
    run: str = ""
    fence: int = 0
    undone: bool = False


DECODER: Final = msgspec.json.Decoder(list[Mark])


def marks_of(found: dict[str, Any]) -> list[Mark]:
    """Return the acts on an object, oldest first. Raises Refused: not readable."""
    notes = found["metadata"].get("annotations")
    text = notes.get(ANNOTATION) if isinstance(notes, dict) else None
    if text is None:
        return []
    try:
        return DECODER.decode(text)
    except (msgspec.DecodeError, TypeError) as error:
        raise Refused(
            f"the annotation {ANNOTATION} is damaged, so it cannot be told what was "
            "done before; repair or remove it"
        ) from error


def act_key(call: Call) -> str:
    """Return the key of the act; a built-in undo has that of its act, and a tail."""
    return call.key.removesuffix("/undo") if call.built_in else call.key


def found_by(marks: list[Mark], key: str) -> Mark | None:
    """Return the act with this key."""
    return next((mark for mark in marks if mark.key == key), None)


def refuse_older(marks: list[Mark], call: Call) -> None:
    """Raise Refused where a newer owner of this run has acted on the object."""
    newest = max((one.fence for one in marks if one.run == call.run), default=0)
    if newest > call.fence:
        raise Refused(
            f"a newer engine (fence {newest}, ours is {call.fence}) has taken over run "
            f"{call.run}; nothing was done"
        )


def is_full(marks: list[Mark]) -> bool:
    """Whether an act may have been forgotten here."""
    return len(marks) >= KEPT


def with_mark(marks: list[Mark], mark: Mark) -> dict[str, str]:
    """Return the annotation with this act added, or put in place of itself."""
    kept = [one for one in marks if one.key != mark.key]
    while len(kept) >= KEPT:
        kept.remove(next((one for one in kept if one.undone), kept[0]))
    return {ANNOTATION: msgspec.json.encode([*kept, mark]).decode()}
