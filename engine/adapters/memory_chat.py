"""MemoryChat: ports.ChatStore without a disk, for tests and rehearsals.

The same contract as the journal's, except that nothing outlives the process.

Called by engine.testing, tests/contracts.
"""

from engine.model.chat import Place, Shown


class MemoryChat:
    """What chat shows, in a few maps."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], Shown] = {}
        self._events: set[str] = set()

    async def shown(self, provider: str, run: str) -> Shown | None:
        """Return what a provider shows of a run."""
        return self._shown.get((provider, run))

    async def showing(self, provider: str) -> list[Shown]:
        """Return what is not over, oldest first."""
        return [
            one
            for one in self._shown.values()
            if one.provider == provider and not one.over
        ]

    async def at(self, place: Place) -> Shown | None:
        """Return what is shown in a thread, or in a room of its own."""
        there = [
            one
            for one in reversed(self._shown.values())
            if one.place is not None
            and (one.place.provider, one.place.room) == (place.provider, place.room)
        ]
        for thread in (place.thread, ""):
            for one in there:
                if one.place is not None and one.place.thread == thread:
                    return one
        return None

    async def keep(self, shown: Shown) -> None:
        """Keep it, in place of what was kept for its provider and run."""
        self._shown[(shown.provider, shown.run)] = shown

    async def first(self, event: str, *, at: float) -> bool:
        """Return True the first time an event's id is told, False ever after."""
        known = event in self._events
        self._events.add(event)
        return not known
