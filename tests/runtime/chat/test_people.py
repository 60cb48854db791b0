"""Who people are: their accounts, their groups, and who of them is on call."""

import asyncio
from collections.abc import Sequence
from typing import Any

from engine.adapters.in_process_chat import InProcessChat
from engine.core.oncall import Schedule, Shift
from engine.errors import ChatDown
from engine.model.people import Question
from engine.runtime.chat.people import People, Person, UserGroup
from engine.runtime.on_call import OnCall
from engine.runtime.virtual_time import START, VirtualClock, run_virtual

ANA = Person("ana", groups=("ops",), accounts=(("local", "U1"), ("other", "X1")))
BO = Person("bo", accounts=(("local", "U2"), ("local", "U3")))
GROUP = UserGroup("bosses", "local", "S1")


def test_groups_are_those_of_the_configuration_and_of_the_chat() -> None:
    """
    Every door sees the same groups, as they stand; accounts of a group are found.
    """

    async def story() -> list[object]:
        clock = VirtualClock()
        chat = InProcessChat(clock.now, groups={"S1": ("U3", "U9")})
        people = People((ANA, BO), (GROUP,), {"local": chat}, clock)
        before = dict(people.grouped)
        await people.refresh()
        return [
            before, dict(people.grouped), people.accounts_of("bosses", "local"),
            people.accounts_of("ops", "other"), sorted(people.groups),
        ]  # fmt: skip

    assert run_virtual(story()) == [
        {"ana": ("ops",), "bo": ()},
        {"ana": ("ops",), "bo": ("bosses",)},
        ("U2",),
        ("X1",),
        ["bosses", "ops"],
    ]


def test_a_user_group_is_read_again_after_a_minute_and_not_waited_for() -> None:
    """
    Who left it is out a minute later; a chat that hangs keeps nobody waiting.
    """

    async def story() -> list[object]:
        clock = VirtualClock()
        chat = InProcessChat(clock.now, groups={"S1": ("U3",)})
        people = People((ANA, BO), (GROUP,), {"local": chat}, clock)
        await people.refresh()
        chat.groups["S1"] = ()
        await people.refresh()
        fresh = people.groups_of(BO)
        await asyncio.sleep(61)
        await people.refresh()
        await asyncio.sleep(0.1)
        left = people.groups_of(BO)
        chat.groups["S1"] = ("U3",)
        hangs = Hanging()
        people._providers = {"local": hangs}  # type: ignore[dict-item]
        await asyncio.sleep(61)
        began = asyncio.get_running_loop().time()
        await people.refresh()
        waited = asyncio.get_running_loop().time() - began
        await people.stop()
        return [fresh, left, waited]

    assert run_virtual(story()) == [("bosses",), (), 0.0]


class Hanging:
    """A provider that never answers."""

    async def members(self, group: str, /) -> Sequence[str]:
        """Never return."""
        await asyncio.sleep(1e6)
        return ()


class Theirs:
    """A schedule that somebody else keeps."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    async def on_call(self) -> Sequence[str]:
        """Return who is on call; nobody is named: it fails."""
        if not self.ids:
            raise ChatDown("503")
        return self.ids


def test_on_call_is_a_schedule_of_ours_or_of_others() -> None:
    """
    Ids of others become names; what cannot be told is nobody.
    """

    async def story() -> list[tuple[str, ...]]:
        ours = {"ops": Schedule(Shift(("ana", "bo"), START - 5, 3600.0))}
        theirs = {"db": Theirs("P2", "P9", "P1"), "web": Theirs()}
        known = OnCall(VirtualClock(), ours, theirs, {"P1": "ana", "P2": "bo"})
        return [await known.of(group) for group in ("ops", "db", "web", "none")]

    assert run_virtual(story()) == [("ana",), ("bo", "ana"), (), ()]


DEE = Person("dee", "commander", (), (("local", "U4"), ("local", "U5")))
VIC = Person("vic", "viewer", ("bosses", "ops"), (("local", "U6"),))
EVA = Person("eva", "responder", ("ops",), (("local", "U5"), ("local", "U7")))
FOLK = (ANA, BO, DEE, VIC, EVA)


def gate(**more: object) -> Question:
    """Return a question to the bosses."""
    fields: dict[str, Any] = {"who": (("bosses", 1),)} | more
    return Question("k", "approve", "gate", "Take it?", **fields)


def test_whose_answer_would_count_is_judged_by_all_that_the_core_looks_at() -> None:
    """
    Groups of the chat count, a viewer's word does not, and who asked for the run may
    be left out: only to whom an answer is open a link is sent.
    """

    async def story() -> list[bool]:
        clock = VirtualClock()
        chat = InProcessChat(clock.now, groups={"S1": ("U3", "U6", "U9")})
        people = People(FOLK, (GROUP,), {"local": chat}, clock)
        before = people.may_answer("bo", gate(), "ana")
        await people.refresh()
        barred = gate(not_by=("requester", "ops"))
        return [
            before,
            people.may_answer("bo", gate(), "ana"),  # by the chat's own group
            people.may_answer("bo", barred, "bo"),  # asked for the run
            people.may_answer("bo", barred, "ana"),
            people.may_answer("bo", gate(not_by=("bosses",)), "ana"),
            people.may_answer("vic", gate(), "ana"),  # looks on
            people.may_answer("eva", gate(), "ana"),  # not asked
            people.may_answer("eva", gate(who=(("eva", 1),)), "ana"),  # by name
            people.may_answer("nobody", gate(), "ana"),
            People((), (), {}, clock).may_answer("bo", gate(), "ana"),
        ]

    assert run_virtual(story()) == [
        False, True, False, True, False, False, False, True, False, True,
    ]  # fmt: skip


def test_who_is_called_in_is_who_can_respond_by_any_account_of_theirs() -> None:
    """
    People of the groups, by an account that is theirs alone; members of the chat's
    group whom nobody knows; no viewer; a group that cannot be read is left to the chat.
    """

    async def story() -> list[object]:
        clock = VirtualClock()
        chat = InProcessChat(clock.now, groups={"S1": ("U3", "U6", "U9")})
        people = People(FOLK, (GROUP,), {"local": chat}, clock)
        found = [
            await people.invited(names, "local")
            for names in ({"ops"}, {"bosses"}, {"dee"}, {"strangers"})
        ]
        fresh = People(FOLK, (GROUP,), {}, clock)
        return [*found, await fresh.invited({"bosses"}, "local")]

    assert run_virtual(story()) == [
        (("U1", "U7"), ()),
        (("U2", "U9"), ()),
        (("U4",), ()),
        ((), ()),
        ((), ("S1",)),
    ]
