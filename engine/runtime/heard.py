"""What came of a person's word to a run: what was written of it, and whether it counts.

A word that does not count is written down too, with its reason, beside the event; so it
is read from the timeline, in whatever process the run is driven.

Called by: entrypoints.
"""

from collections.abc import Sequence
from typing import Final

from engine.model.people import Actor
from engine.model.timeline import Entry

NOT_COUNTED: Final = "refused"  # the kind of the entry that says so


def heard(entries: Sequence[Entry], by: Actor) -> list[Entry]:
    """Return the person's first event in the entries and what the core said of it.

    Empty: nothing of theirs was written.
    """
    for index, entry in enumerate(entries):
        if entry.event is not None and getattr(entry.event, "by", None) == by:
            rest = entries[index + 1 :]
            ends = [n for n, one in enumerate(rest) if one.event is not None]
            return [entry, *rest[: ends[0] if ends else len(rest)]]
    return []


def why_not_counted(entries: Sequence[Entry], by: Actor) -> str:
    """Return why the person's word does not count, or "" where it does."""
    refused = [one for one in heard(entries, by) if one.kind == NOT_COUNTED]
    return "; ".join(one.why or one.what for one in refused)
