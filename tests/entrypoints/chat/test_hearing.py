"""Events are taken at once and heard once, in tasks that end."""

import asyncio

from engine.entrypoints.chat.hearing import Hearing
from engine.model.chat import Account, Inbound, Place, Said


def said(number: int) -> Said:
    """Return the event of that number."""
    return Said(f"e{number}", Account("slack", "U1"), Place("slack", "C1"), "list")


async def test_f61_an_event_is_heard_once() -> None:
    """
    The same id is taken again, and heard no more.
    """
    heard: list[Inbound] = []

    async def hear(event: Inbound) -> None:
        heard.append(event)

    one = Hearing(hear)
    told = [one.take(said(number)) for number in (1, 2, 1, 1)]
    await one.close()

    assert ([True] * 4, [said(1), said(2)]) == (told, heard)


async def test_what_failed_may_come_again() -> None:
    """
    Its id is forgotten, so the next delivery is heard.
    """
    heard: list[Inbound] = []

    async def hear(event: Inbound) -> None:
        heard.append(event)
        if len(heard) == 1:
            raise RuntimeError("the store is away")

    one = Hearing(hear)
    for _ in range(3):
        assert one.take(said(1))
        await one.close()

    assert [said(1)] * 2 == heard


async def test_too_much_is_not_taken_and_the_end_waits_only_so_long() -> None:
    """
    What is over the bound has to come again; what hangs is cut at the end.
    """
    cut: list[str] = []

    async def hear(event: Inbound) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cut.append(event.id)
            raise

    one = Hearing(hear, most=2)
    told = [one.take(said(number)) for number in range(3)]
    await one.close(within=0.01)

    assert ([True, True, False], ["e0", "e1"]) == (told, sorted(cut))


async def test_ids_are_bounded() -> None:
    """
    The oldest id is forgotten; the store of the desk still knows it.
    """
    heard: list[str] = []

    async def hear(event: Inbound) -> None:
        heard.append(event.id)

    one = Hearing(hear, remembered=2)
    for number in (1, 2, 3, 3, 1):
        one.take(said(number))
    await one.close()

    assert ["e1", "e2", "e3", "e1"] == heard
