"""What came of a person's word to a run: what was written of it, and whether it counts.

A word that does not count is written down too, with its reason, beside the event; so it
is read from the timeline, in whatever process the run is driven: it is waited for.

Called by: chat, entrypoints.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from engine.model.people import Actor
from engine.model.timeline import Entry
from engine.ports import Store

NOT_COUNTED: Final = "refused"  # the kind of the entry that says so
HEARD_SECONDS: Final = 5.0  # for another process that drives the run
POLL_SECONDS: Final = 0.1
Got = TypeVar("Got")


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


async def came_of(store: Store, run: str, by: Actor, *, after: int) -> list[Entry]:
    """Return what a run wrote of a person's word after an entry, as `heard` does.

    Where another process drives the run, it is waited for. Empty: it has not taken it
    yet; the word is in its mailbox.

    Raises:
        StoreUnavailable: it cannot be told.
    """

    async def look() -> list[Entry]:
        return heard(await store.entries(run, after=after), by)

    return await waited_for(look) or []


async def waited_for(
    look: Callable[[], Awaitable[Got]], *, within: float = HEARD_SECONDS
) -> Got | None:
    """Return what is seen as soon as something is; None: nothing in these seconds."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + within
    while not (found := await look()):
        if loop.time() >= ends:
            return None
        await asyncio.sleep(POLL_SECONDS)
    return found
