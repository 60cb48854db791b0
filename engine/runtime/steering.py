"""What people say to a run beside its questions, the same from every door.

Hold it, let it go on, make the next try now, take a role in it, set its severity, page
a group for it. What it does, and whether it counts, is the core's to say; texts are
freed of secrets here.

Called by the API, the commands of the terminal, the words of a chat.
"""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from engine.errors import DoesNotApply, NotFound
from engine.model.events import GroupPaged, RetryAsked, RoleTaken, RunHeld, SeveritySet
from engine.model.people import Actor, RunRole
from engine.model.values import Severity
from engine.runtime.on_call import OnCall
from engine.runtime.service import Service, groups_of

MOST_NAMED: Final = 20  # groups that a refusal lists


@dataclass(frozen=True, slots=True)
class Steering:
    """What may be said to one run.

    Args:
        on_call: Who is on call of each group; None: it is not known.
        groups: Those that are known beside the ones of people and runbooks.
    """

    service: Service
    on_call: OnCall | None = None
    groups: Collection[str] = ()

    async def hold(self, run: str, by: Actor, reason: str) -> None:
        """Let no further act of this run begin; giving back goes on.

        Raises:
            NotFound: no such run. DoesNotApply: it has ended, or no reason is given.
        """
        told = self.service.clean(reason).strip()
        if not told:
            raise DoesNotApply("say why: the reason is what everybody sees")
        await self.service.steer(run, RunHeld(by=by, on=True, reason=told))

    async def go_on(self, run: str, by: Actor, reason: str = "") -> None:
        """Let acts of this run begin again. Raises NotFound, DoesNotApply: ended."""
        told = self.service.clean(reason)
        await self.service.steer(run, RunHeld(by=by, on=False, reason=told))

    async def retry(self, run: str, by: Actor) -> None:
        """Make the next try that is waited for now. Raises NotFound, DoesNotApply."""
        await self.service.steer(run, RetryAsked(by=by))

    async def take_role(self, run: str, by: Actor, role: RunRole) -> None:
        """Write down who has a role in this run. Raises NotFound, DoesNotApply."""
        await self.service.steer(run, RoleTaken(by=by, role=role))

    async def severity(
        self, run: str, by: Actor, to: Severity, reason: str = ""
    ) -> None:
        """Set the severity of this run. Raises NotFound, DoesNotApply: ended."""
        told = self.service.clean(reason)
        await self.service.steer(run, SeveritySet(by=by, to=to, reason=told))

    async def page(self, run: str, by: Actor, group: str, text: str = "") -> None:
        """Page a group for this run, with the names of who is on call.

        Raises:
            NotFound: no such run, or no such group. DoesNotApply: it has ended.
        """
        await self._refuse_unknown(run, group)
        told = self.service.clean(text).strip()
        names = await self.on_call.of(group) if self.on_call is not None else ()
        on_call = f"on call: {', '.join(names)}" if names else ""
        told = f"{told} ({on_call})" if told and on_call else told or on_call
        await self.service.steer(run, GroupPaged(by=by, group=group, text=told))

    async def _refuse_unknown(self, run: str, group: str) -> None:
        service = self.service
        summary = await service.summary(run)
        code = await service.driver.ports.compiled(summary.revision)
        known = {*self.groups, *groups_of(code.runbook)}
        for mine in service.people.values():
            known |= set(mine)
        for runbook in service.library.runbooks.values():
            known |= set(groups_of(runbook))
        if group in known:
            return
        near = get_close_matches(group[:64], sorted(known), n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        listed = ", ".join(sorted(known)[:MOST_NAMED])
        raise NotFound(f"'{group[:64]}' is no group.{hint} Known: {listed}")
