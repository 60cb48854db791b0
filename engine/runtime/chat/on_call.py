"""Who of a group is on call now: a schedule of our own, or one that others keep.

Called by desk.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.oncall import Schedule, on_call
from engine.errors import EngineError
from engine.ports import Clock, OnCallSchedule

log = logging.getLogger(__name__)


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

    async def of(self, group: str) -> tuple[str, ...]:
        """Return the names of who is on call; nobody where it cannot be told."""
        if (schedule := self.ours.get(group)) is not None:
            name = on_call(schedule, self.clock.now())
            return (name,) if name else ()
        if (asked := self.theirs.get(group)) is None:
            return ()
        try:
            found = await asked.on_call()
        except EngineError as error:
            log.warning("on call not known group=%s error=%s", group, error)
            return ()
        return tuple(self.people[one] for one in found if one in self.people)
