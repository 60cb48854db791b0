"""Who of a group is on call now: a schedule of our own, or one that others keep.

What others say counts for a minute, also where they say nothing. Called by steering,
chat.story.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.core.oncall import Schedule, on_call
from engine.errors import EngineError
from engine.ports import Clock, OnCallSchedule

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class OnCall:
    """The schedules of all groups.

    Args:
        ours: Group to a schedule of our own.
        theirs: Group to a schedule that somebody else keeps.
        people: The id that they are known by there, to their name.
    """

    clock: Clock
    ours: Mapping[str, Schedule] = field(default_factory=dict)
    theirs: Mapping[str, OnCallSchedule] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    _known: dict[str, tuple[float, tuple[str, ...]]] = field(default_factory=dict)

    async def of(self, group: str) -> tuple[str, ...]:
        """Return the names of who is on call; nobody where it cannot be told."""
        if (schedule := self.ours.get(group)) is not None:
            name = on_call(schedule, self.clock.now())
            return (name,) if name else ()
        if (asked := self.theirs.get(group)) is None:
            return ()
        now = self.clock.monotonic()
        known = self._known.get(group)
        if known is not None and now - known[0] < FRESH_SECONDS:
            return known[1]
        names = known[1] if known is not None else ()
        try:
            found = await asked.on_call()
            names = tuple(self.people[one] for one in found if one in self.people)
        except EngineError as error:
            log.warning("on call not known group=%s error=%s", group, error)
        self._known[group] = (now, names)
        return names

    async def of_all(self, groups: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return who is on call of each of the groups that has somebody."""
        found = {group: await self.of(group) for group in dict.fromkeys(groups)}
        return {group: names for group, names in found.items() if names}
