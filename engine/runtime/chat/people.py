"""Who people are: one identity with many accounts, their role, and their groups.

An account is found by the provider's id alone, never by a name that is shown. Groups
are those of the configuration and those of the provider's user groups; the latter are
read now and then, and kept as they were last seen while the chat is down.

Called by desk, and by whoever needs the accounts of a group.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.core.refusing import barred
from engine.errors import EngineError, NotAllowed
from engine.model.chat import Account
from engine.model.people import Actor, Question, Role
from engine.ports import ChatProvider, Clock
from engine.runtime.rights import Right, may, refuse

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 60.0  # how long the members of a user group count
AGAIN_SECONDS: Final = 300.0  # between two readings while nobody says anything
READ_SECONDS: Final = 10.0  # for reading all of them


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the configuration."""

    name: str
    role: Role = "responder"
    groups: tuple[str, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()  # provider and id

    def need(self, right: Right) -> None:
        """Let them go on where their role has this right. Raises NotAllowed."""
        refuse(self.name, self.role, right)


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A group of ours as a provider has it."""

    group: str
    provider: str
    id: str


class Grouped(Mapping[str, tuple[str, ...]]):
    """Each person's groups as they stand now, for the service and its other doors."""

    def __init__(self, people: "People") -> None:
        self._people = people

    def __getitem__(self, name: str) -> tuple[str, ...]:
        person = self._people.person(name)
        if person is None:
            raise KeyError(name)
        return self._people.groups_of(person)

    def __iter__(self) -> Iterator[str]:
        return iter(self._people.names)

    def __len__(self) -> int:
        return len(self._people.names)


class People:
    """The people of the configuration; without any, everybody is who they are."""

    def __init__(
        self,
        people: Sequence[Person],
        groups: Sequence[UserGroup],
        providers: Mapping[str, ChatProvider],
        clock: Clock,
    ) -> None:
        self._people = {one.name: one for one in people}
        self._user_groups, self._providers = groups, providers
        self._clock = clock
        self._accounts: dict[tuple[str, str], list[Person]] = {}
        for one in people:
            for account in one.accounts:
                self._accounts.setdefault(account, []).append(one)
        self._members: dict[UserGroup, frozenset[str]] = {}  # ids, as last seen
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None
        self._chore: asyncio.Task[None] | None = None

    def who(self, account: Account) -> Person:
        """Return whose account it is; where nobody is configured, whoever it is.

        Raises:
            NotAllowed: nobody's; the message says how they are added.
        """
        key = (account.provider, account.id)
        if not self._people:
            return Person(f"{account.provider}:{account.id}", "admin", (), (key,))
        found = self._accounts.get(key, [])
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(one.name for one in found)
            raise NotAllowed(
                f"the account {account.provider}:{account.id} stands under several "
                f"people ({names}), so it counts for none of them"
            )
        shown = f"{account.provider}:{account.id}"
        raise NotAllowed(
            f"nobody is known by the account {shown}. Add it to the configuration: "
            f"people.NAME.accounts: [{shown}]"
        )

    def named(self, account: Account) -> str:
        """Return a person's name, or the account where it is nobody's."""
        try:
            return self.who(account).name
        except NotAllowed:
            return f"{account.provider}:{account.id}"

    def person(self, name: str) -> Person | None:
        """Return a person by name."""
        return self._people.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody's name."""
        return tuple(self._people)

    @property
    def grouped(self) -> Grouped:
        """Each person's groups as they stand whenever they are looked at."""
        return Grouped(self)

    @property
    def groups(self) -> frozenset[str]:
        """Every group that somebody is in, or that a provider has."""
        mine = {group for one in self._people.values() for group in one.groups}
        return frozenset(mine | {one.group for one in self._user_groups})

    def groups_of(self, person: Person) -> tuple[str, ...]:
        """Return a person's groups, those of the configuration first."""
        theirs = [
            one.group
            for one in self._user_groups
            if any(
                where == one.provider and id_ in self._members.get(one, ())
                for where, id_ in person.accounts
            )
        ]
        return tuple(dict.fromkeys([*person.groups, *theirs]))

    def accounts_of(self, group: str, provider: str) -> tuple[str, ...]:
        """Return the accounts of a group's people at a provider."""
        found = [
            self.account_of(one, provider)
            for one in self._people.values()
            if group in self.groups_of(one)
        ]
        return tuple(account for account in found if account)

    def account_of(self, person: Person, provider: str) -> str:
        """Return a person's first account that is theirs alone, or an empty string."""
        mine = (one for one in person.accounts if one[0] == provider)
        return next((id_ for at, id_ in mine if len(self._accounts[at, id_]) == 1), "")

    def may_answer(self, name: str, question: Question, requester: str) -> bool:
        """Return whether a person's answer would count; of nobody known, anybody's."""
        person = self._people.get(name)
        if not self._people:
            return not barred(question, Actor(name, groups=_of(question)), requester)
        if person is None or not may(person.role, "answer"):
            return False
        by = Actor(name, groups=self.groups_of(person))
        return not barred(question, by, requester)

    async def invited(
        self, names: Collection[str], provider: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return whom to invite for groups and people: accounts, and user groups.

        A viewer looks on and is not called in, also where a user group has them. A user
        group that could never be read is left to the provider.
        """
        await self.refresh()
        mine = [
            self.account_of(one, provider)
            for one in self._people.values()
            if may(one.role, "answer")
            and not {one.name, *self.groups_of(one)}.isdisjoint(names)
        ]
        asked = [
            one
            for one in self._user_groups
            if one.provider == provider and one.group in names
        ]
        members = [id_ for one in asked for id_ in sorted(self._members.get(one, ()))]
        others = [id_ for id_ in members if (provider, id_) not in self._accounts]
        accounts = dict.fromkeys(id_ for id_ in [*mine, *others] if id_)
        unread = [one.id for one in asked if one not in self._members]
        return tuple(accounts), tuple(unread)

    # User groups

    async def refresh(self) -> None:
        """Read the user groups anew where they are old; what fails stays as it was.

        The first time it is waited for; later what is known counts until it is read.
        """
        if not self._user_groups or self._fresh():
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        if self._read_at is None:
            await asyncio.shield(self._reading)

    def _fresh(self) -> bool:
        if self._read_at is None:
            return False
        return self._clock.monotonic() - self._read_at < FRESH_SECONDS

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                await asyncio.gather(
                    *(self._read_one(one) for one in self._user_groups)
                )
        except TimeoutError:
            log.warning("user groups not read within=%.0fs", READ_SECONDS)
        self._read_at = self._clock.monotonic()

    async def _read_one(self, one: UserGroup) -> None:
        provider = self._providers.get(one.provider)
        if provider is None:
            return
        try:
            self._members[one] = frozenset(await provider.members(one.id))
        except EngineError as error:
            log.warning("user group not read group=%s error=%s", one.group, error)

    def begin(self) -> None:
        """Read the user groups now and then, for doors where nobody of a chat comes."""
        if self._user_groups and self._chore is None:
            self._chore = asyncio.create_task(self._keep_reading())

    async def _keep_reading(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(AGAIN_SECONDS)

    async def stop(self) -> None:
        """Read no more."""
        tasks = [one for one in (self._chore, self._reading) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _of(question: Question) -> tuple[str, ...]:
    return tuple(group for group, _ in question.who)
