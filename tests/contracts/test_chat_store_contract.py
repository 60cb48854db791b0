"""The law of ports.ChatStore, over every store there is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.adapters.memory_chat import MemoryChat
from engine.adapters.sqlite import SqliteStore
from engine.adapters.sqlite.chat import SqliteChat
from engine.model.chat import Place, Shown

AnyChat = SqliteChat | MemoryChat
ROOM = Place("slack", "C1")
THREAD = Place("slack", "C1", "17.1")


@pytest.fixture(params=["sqlite", "memory"])
async def chat(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AnyChat]:
    if request.param == "memory":
        yield MemoryChat()
        return
    store = await SqliteStore.open(tmp_path / "journal.db")
    yield store.chat
    await store.close()


async def test_what_is_kept_comes_back_and_is_replaced(chat: AnyChat) -> None:
    """
    One row for each provider and run: the last one that was kept.
    """
    full = Shown(
        "slack", "r-1", THREAD, "17.2", "d", 5, "r-1:6", {"q": "17.3"}, {"q": "e"},
        {"17.4": 4}, 1.5,
    )  # fmt: skip
    await chat.keep(Shown("slack", "r-1"))
    await chat.keep(full)
    await chat.keep(Shown("mattermost", "r-1"))

    assert full == await chat.shown("slack", "r-1")
    assert Shown("mattermost", "r-1") == await chat.shown("mattermost", "r-1")
    assert None is await chat.shown("slack", "r-2")


async def test_what_is_over_is_not_showing(chat: AnyChat) -> None:
    """
    Oldest first, of one provider, without what is over.
    """
    for run in ("r-1", "r-2", "r-3"):
        await chat.keep(Shown("slack", run))
    await chat.keep(Shown("slack", "r-2", over=True))
    await chat.keep(Shown("mattermost", "r-4"))

    assert ["r-1", "r-3"] == [one.run for one in await chat.showing("slack")]


async def test_a_run_is_found_by_its_thread_and_by_its_room(chat: AnyChat) -> None:
    """
    A thread is one run's; where a run has the room, every thread in it is that run's.
    """
    await chat.keep(Shown("slack", "r-1", THREAD))
    await chat.keep(Shown("slack", "r-2", Place("slack", "C2")))
    found = [
        await chat.at(place)
        for place in (
            THREAD, ROOM, Place("slack", "C2"), Place("slack", "C2", "18.1"),
            Place("mattermost", "C1", "17.1"),
        )
    ]  # fmt: skip

    assert ["r-1", None, "r-2", "r-2", None] == [one and one.run for one in found]


async def test_f61_an_event_is_first_once(chat: AnyChat) -> None:
    """
    The same id is taken once, however often it is delivered.
    """
    told = [
        await chat.first(one, at=float(at))
        for at, one in enumerate(["a", "a", "b", "a"])
    ]

    assert [True, False, True, False] == told
