"""What waits in the outbox is sent in order, and what cannot be keeps nothing else."""

import asyncio

import pytest

from engine.adapters.memory_store import MemoryStore
from engine.errors import ChatDown, ChatRefused
from engine.hosts.outbox import Outbox
from engine.model.effects import Page, Say
from engine.model.people import Question
from engine.model.run import RunSummary
from engine.model.timeline import Entry


class People:
    """A chat and a pager, each of which can be down or refuse."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.chat_down = self.pager_down = False
        self.never = ""

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Take a message."""
        self._take(message.text, down=self.chat_down)

    async def page(self, run: str, page: Page, /) -> None:
        """Take a page."""
        self._take(page.text, down=self.pager_down)

    async def ask(self, run: str, question: Question, /) -> None:
        """Take nothing."""

    async def close(self, run: str, key: str, outcome: str, /) -> None:
        """Take nothing."""

    def _take(self, text: str, *, down: bool) -> None:
        if down:
            raise ChatDown("down")
        if text == self.never:
            raise ChatRefused("never")
        self.got.append(text)


async def waiting() -> MemoryStore:
    """Return a store with two messages and two pages, by turns."""
    store = MemoryStore()
    messages = [
        Say("s1"), Page("ops", "p1", "sev1", "k1"), Say("s2"),
        Page("ops", "p2", "sev1", "k2"),
    ]  # fmt: skip
    summary = RunSummary(
        "r-1", "delay", "f", "Delay", "sev2", "running", "isolate", "", "live", 1.0, 2.0
    )
    entry = Entry("r-1", 1, 1.0, 1.0, "note", "something")
    await store.append([entry], summary, outbox=messages)
    return store


async def test_g14_a_chat_that_is_down_keeps_no_page() -> None:
    """
    Pages go out while chat is down; what was said comes later, once, in order.
    """
    store, people = await waiting(), People()
    outbox = Outbox(store, people, people)
    people.chat_down = True
    await outbox.send()
    during, people.chat_down = list(people.got), False
    await outbox.send()
    await outbox.send()

    assert ["p1", "p2"] == during
    assert ["p1", "p2", "s1", "s2"] == people.got


async def test_what_is_never_taken_keeps_nothing_behind_it() -> None:
    """
    A message that is refused for ever is left to the timeline; the next one goes out.
    """
    store, people = await waiting(), People()
    people.never = "s1"
    sent = await Outbox(store, people, people).send()

    assert sent
    assert ["p1", "s2", "p2"] == people.got
    assert [] == await store.unsent()


async def test_f84_a_drill_pages_nobody() -> None:
    """
    Its page is done with, and nobody got it; what it says is said.
    """
    store, people = MemoryStore(), People()
    summary = RunSummary(
        "r-1", "delay", "f", "Delay", "sev2", "running", "isolate", "", "rehearsal",
        1.0, 2.0,
    )  # fmt: skip
    entry = Entry("r-1", 1, 1.0, 0.0, "note", "begun")
    page = Page("ops", "wake up", "sev1", "k1")
    await store.append([entry], summary, outbox=[page, Say("a drill")])
    await Outbox(store, people, people).send()

    assert ["a drill"] == people.got
    assert [] == await store.unsent()


class Groups(People):
    """A pager with a service for each group; some cannot be reached, for a reason."""

    def __init__(self, **why: str) -> None:
        super().__init__()
        self.why = why

    async def page(self, run: str, page: Page, /) -> None:
        """Take a page of a group that can be reached."""
        if why := self.why.get(page.group, ""):
            raise ChatDown(why, lasting=True)
        self.got.append(page.text)


async def paging(*pages: tuple[str, str]) -> MemoryStore:
    """Return a store with one page for each group and text."""
    store = MemoryStore()
    summary = RunSummary(
        "r-1", "delay", "f", "Delay", "sev2", "running", "isolate", "", "live", 1.0, 2.0
    )
    entry = Entry("r-1", 1, 1.0, 1.0, "note", "something")
    made = [Page(group, text, "sev1", text) for group, text in pages]
    await store.append([entry], summary, outbox=made)
    return store


async def test_g14_a_group_that_cannot_be_paged_holds_back_its_own_pages_alone() -> (
    None
):
    """
    A service without a key for one group: every other group is paged at once, also
    behind more such pages than are read at a time; its own go out in order once it has.
    """
    many = [("dba", f"d{number}") for number in range(250)]
    store, people = await paging(*many, ("ops", "o1"), ("sre", "s1")), Groups()
    outbox = Outbox(store, people, people)
    people.why = {"dba": "no key"}
    await outbox.send()
    await outbox.send()
    during, people.why, people.got = list(people.got), {}, []
    while await outbox.send():
        pass

    assert ["o1", "s1"] == during
    assert [text for _, text in many] == people.got
    assert [] == await store.unsent()


async def test_what_holds_a_group_back_is_said_once_for_each_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    Not at each try: when it begins, when the reason changes, and when it is over.
    """
    store = await paging(("dba", "d1"), ("dba", "d2"), ("ops", "o1"))
    people = Groups(dba="no key")
    outbox = Outbox(store, people, people)
    for why in ("no key", "no key", "refused", "refused", ""):
        people.why = {"dba": why}
        await outbox.send()

    assert [
        "not sent run=r-1 to=group dba error=no key",
        "not sent run=r-1 to=group dba error=refused",
        "sent again run=r-1 to=group dba",
    ] == [one.getMessage() for one in caplog.records]


async def test_pages_that_cannot_be_sent_now_are_tried_side_by_side() -> None:
    """
    A service that answers nobody costs one wait, however many groups it has.
    """
    store = await paging(*((f"g{number}", f"p{number}") for number in range(20)))
    people, asked = People(), []
    all_asked = asyncio.Event()

    async def page(run: str, page: Page, /) -> None:
        asked.append(page.group)
        if len(asked) == 1:
            raise ChatDown("no answer")
        if len(asked) == 20:
            all_asked.set()
        await asyncio.wait_for(all_asked.wait(), 5.0)
        raise ChatDown("no answer")

    people.page = page  # type: ignore[method-assign]
    sent = await Outbox(store, people, people).send()

    assert not sent
    assert {f"g{number}" for number in range(20)} == set(asked)


async def test_f57_one_chat_that_is_down_keeps_nothing_from_the_other_one() -> None:
    """
    What is said goes to every chat, to each in order and once; one that is down gets it
    when it is back, and pages and the terminal wait for neither.
    """
    store, terminal = await waiting(), People()
    slack, mattermost = People(), People()
    outbox = Outbox(
        store, terminal, terminal, {"slack": slack, "mattermost": mattermost}
    )
    slack.chat_down = True
    await outbox.send()
    await outbox.send()
    during = [list(one.got) for one in (terminal, slack, mattermost)]
    kept = [number for number, _, _ in await store.unsent()]
    slack.chat_down = False
    await outbox.send()

    assert [["s1", "p1", "s2", "p2"], [], ["s1", "s2"]] == during
    assert 2 == len(kept)
    assert ["s1", "s2"] == slack.got == mattermost.got
    assert ["s1", "p1", "s2", "p2"] == terminal.got
    assert [] == await store.unsent()
