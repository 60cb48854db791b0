"""One person doing one thing in a chat: who, where, with which rights.

What the parts of the desk share: whose rights count, which run is meant, and what the
run wrote down of it. Called by desk and its parts.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from engine.core.words import Known, Verb
from engine.errors import DoesNotApply, NotAllowed
from engine.model.chat import Account, Place, Reply
from engine.model.people import Actor
from engine.model.runbook import Runbook
from engine.ports import ChatProvider, ChatStore, Clock, HoldSwitch
from engine.runtime.chat import replies
from engine.runtime.chat.people import People, Person
from engine.runtime.chat.story import Stories, Story
from engine.runtime.heard import NOT_COUNTED, came_of, why_not_counted
from engine.runtime.library import Bundle
from engine.runtime.on_call import OnCall
from engine.runtime.once import Claims, NoClaims
from engine.runtime.rights import Right
from engine.runtime.service import Service, groups_of
from engine.runtime.steering import Steering

MOST_OPEN: Final = 200  # runs that can be named by the beginning of their id
MOST_GROUPS: Final = 200
RIGHTS: Final[Mapping[Verb, Right]] = {
    "list": "look", "show": "look", "status": "look", "why": "look", "report": "look",
    "help": "look", "run": "start", "dry-run": "start", "approve": "answer",
    "reject": "answer", "answer": "answer", "note": "note", "retry": "steer",
    "take": "take", "sev": "steer", "page": "steer", "hold": "steer",
    "cancel": "cancel",
}  # fmt: skip


DryRun = Callable[[Bundle, Mapping[str, Any], str], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Around:
    """What a desk works with.

    Args:
        claims: Which runs this process drives.
        dry_run: Plays a runbook without acting; returns the lines of its plan.
        pin: The reaction that keeps a message.
    """

    service: Service
    kept: ChatStore
    stories: Stories
    people: People
    providers: Mapping[str, ChatProvider]
    clock: Clock
    switch: HoldSwitch | None = None
    on_call: OnCall | None = None
    claims: Claims = field(default_factory=NoClaims)
    dry_run: DryRun | None = None
    pin: str = "pushpin"
    strangers: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def steering(self) -> Steering:
        """What may be said to a run beside its questions."""
        return Steering(self.service, self.on_call, self.people.groups)


@dataclass(frozen=True, slots=True)
class Asking:
    """One person, doing one thing."""

    around: Around
    account: Account
    person: Person
    event: str  # the provider's id of what they did
    place: Place | None = None
    trigger: str = ""
    here: str = ""  # the run that is shown there
    said_at: float = 0.0  # epoch seconds; 0: now

    # Rights

    def may(self, verb: Verb) -> None:
        """Let them go on where their role may.

        Raises:
            NotAllowed: with both roles.
        """
        self.person.need(RIGHTS[verb])

    def actor(self, runbook: Runbook | None = None) -> Actor:
        """Return them as the core knows them, with all their groups."""
        service, people = self.around.service, self.around.people
        by = service.actor(self.person.name, self.account.provider, runbook)
        if not service.people:
            return by
        groups = dict.fromkeys([*by.groups, *people.groups_of(self.person)])
        return msgspec.structs.replace(by, groups=tuple(groups))

    def may_start(self, runbook: Runbook) -> None:
        """Let them start a runbook, where it says who may from chat.

        Raises:
            NotAllowed: it names others.
        """
        doors = [one.chat for one in runbook.trigger if one.chat is not None]
        who = {group for door in doors for group in door.who}
        by = self.actor(runbook)
        if who and not who & {by.id, *by.groups}:
            asked = " or ".join(sorted(who))
            raise NotAllowed(f"'{runbook.runbook}' is started from chat by {asked}")

    # The run

    async def story(self, run: str) -> Story:
        """Return a run as it is now. Raises NotFound."""
        return await self.around.stories.of(run)

    async def tell(self, run: str, do: Callable[[Actor], Awaitable[Any]]) -> Reply:
        """Do something to a run, and return what the run wrote down of it.

        Where another process drives the run, it is waited for.

        Raises:
            DoesNotApply: it does not count; the text says why.
        """
        story = await self.story(run)
        by, before = self.actor(story.runbook), story.last
        await do(by)
        mine = await came_of(self.around.service.store, run, by, after=before)
        if why := why_not_counted(mine, by):
            raise DoesNotApply(f"it does not count: {why}")
        notes = [one for one in mine if one.event is None and one.kind != NOT_COUNTED]
        return replies.done(run, notes or mine[:1])

    async def known(self) -> Known:
        """Return what can be named here."""
        service = self.around.service
        found = await service.store.runs(open_only=True, limit=MOST_OPEN)
        runbooks = service.library.runbooks
        groups = set(self.around.people.groups)
        for runbook in runbooks.values():
            groups |= set(groups_of(runbook))
        return Known(
            {name: one.inputs for name, one in sorted(runbooks.items())},
            tuple(one.run for one in found),
            tuple(sorted(groups)[:MOST_GROUPS]),
            self.here,
        )
