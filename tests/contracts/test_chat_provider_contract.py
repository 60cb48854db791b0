"""The law of ports.ChatProvider, over every provider there is (chat_providers)."""

from collections.abc import AsyncIterator

import pytest

from engine.errors import ChatDown, ChatRefused
from engine.model.chat import (
    Button,
    Buttons,
    Card,
    Code,
    Field,
    Form,
    Lines,
    Link,
    NewRoom,
    Place,
    Rows,
    Small,
)
from tests.contracts.chat_providers import PROVIDERS, Tried

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
EVIL = (
    "<!channel> @here @channel @all <@U1> ~no~ *bold* `code` ```fence``` "
    "<http://evil|good> [good](http://evil) \u202egnp.exe\x00\x1b[31m\nnext"
)
FULL = Card(
    "orders are late",
    (
        Lines(("users see: late orders",)),
        Rows((("phase", "isolate"), ("held", "drain (edge-1)"))),
        Code("kubectl drain edge-1\n# and wait"),
        Buttons((Button("Approve", "approve", "q1 h1", "good"),)),
        Link("the run", "https://runbook.example.com/runs/r-1?a=1&b=2"),
        Small("hash 12ab"),
    ),
)


@pytest.fixture(params=PROVIDERS)
async def tried(request: pytest.FixtureRequest) -> AsyncIterator[Tried]:
    async with PROVIDERS[request.param]() as one:
        yield one


async def test_a_card_is_seen_with_all_its_parts(tried: Tried) -> None:
    """
    Everything a card says can be read in one message, and its buttons are there.
    """
    ref = await tried.chat.post(tried.place, FULL, key="r-1:1")
    (seen,) = tried.seen(tried.room)
    wanted = (
        "orders are late", "users see: late orders", "phase", "isolate", "held",
        "drain (edge-1)", "kubectl drain edge-1\n# and wait", "the run", "hash 12ab",
        "https://runbook.example.com/runs/r-1?a=1&b=2",
    )  # fmt: skip

    assert [] == [one for one in wanted if one not in seen.text]
    assert (ref, ("approve",), "") == (seen.ref, seen.buttons, seen.thread)


async def test_what_stands_in_a_thread_hangs_on_its_message(tried: Tried) -> None:
    """
    A place with a thread is that thread.
    """
    root = await tried.chat.post(tried.place, Card("the run"), key="r-1:1")
    thread = Place(tried.chat.name, tried.room, root)
    await tried.chat.post(thread, Card("a step"), key="r-1:2")

    assert root == tried.seen(tried.room)[1].thread


async def test_a_message_is_found_by_its_key(tried: Tried) -> None:
    """
    In a room and in a thread the newest with the key; None where none arrived.
    """
    root = await tried.chat.post(tried.place, Card("the run"), key="r-1:1")
    thread = Place(tried.chat.name, tried.room, root)
    first = await tried.chat.post(thread, Card("a step"), key="r-1:2")
    again = await tried.chat.post(thread, Card("a step"), key="r-1:2")
    found = [
        await tried.chat.find(place, key)
        for place, key in (
            (tried.place, "r-1:1"), (thread, "r-1:2"), (thread, "r-1:3"),
            (tried.place, "r-1:"),
        )
    ]  # fmt: skip

    assert first != again
    assert [root, again, None, None] == found


async def test_an_edit_replaces_what_is_shown_and_keeps_the_key(tried: Tried) -> None:
    """
    The message shows the new card, without the old one's buttons, under the old key.
    """
    ref = await tried.chat.post(tried.place, FULL, key="r-1:1")
    await tried.chat.edit(tried.place, ref, Card("over", (Lines(("all is well",)),)))
    (seen,) = tried.seen(tried.room)

    assert ("all is well" in seen.text, "late" in seen.text) == (True, False)
    assert ((), ref) == (seen.buttons, seen.ref)
    assert ref == await tried.chat.find(tried.place, "r-1:1")


async def test_an_edit_of_what_is_not_there_is_refused(tried: Tried) -> None:
    """
    Whoever shows it then posts it anew.
    """
    ref = await tried.say("mine")
    for one in (ref, "1700000000.000001"):
        with pytest.raises(ChatRefused):
            await tried.chat.edit(tried.place, one, FULL)


async def test_pinning_twice_is_pinning(tried: Tried) -> None:
    """
    Pinned already is well.
    """
    ref = await tried.chat.post(tried.place, FULL, key="r-1:1")
    await tried.chat.pin(tried.place, ref)
    await tried.chat.pin(tried.place, ref)

    assert [ref] == tried.pinned(tried.room)


async def test_a_topic_is_set(tried: Tried) -> None:
    """
    The room's topic is the text.
    """
    await tried.chat.topic(tried.place, "sev1: orders are late")

    assert "sev1: orders are late" == tried.topic(tried.room)


async def test_a_picture_arrives_whole_and_is_found(tried: Tried) -> None:
    """
    Its bytes are there, in its thread, and its key finds it.
    """
    root = await tried.chat.post(tried.place, Card("the run"), key="r-1:1")
    thread = Place(tried.chat.name, tried.room, root)
    ref = await tried.chat.picture(
        thread, PNG, name="isolate.png", text="isolate: done", key="r-1:9"
    )
    found = await tried.chat.find(thread, "r-1:9")

    assert ("", True) != (ref, found is None)
    assert [PNG] == tried.uploaded()
    assert root == tried.seen(tried.room)[-1].thread


async def test_a_message_has_a_link(tried: Tried) -> None:
    """
    People get to it by a web address.
    """
    ref = await tried.chat.post(tried.place, FULL, key="r-1:1")

    assert (await tried.chat.link(tried.place, ref)).startswith(tried.links)


async def test_a_whisper_is_seen_by_one(tried: Tried) -> None:
    """
    One account sees it; the room does not.
    """
    await tried.chat.whisper(tried.place, tried.ana, Card("not you"))
    (whispered,) = tried.whispered("ana")

    assert "not you" in whispered
    assert ([], []) == (tried.seen(tried.room), tried.whispered("bo"))


async def test_a_form_opens_for_whoever_asked(tried: Tried) -> None:
    """
    Every kind of field is taken.
    """
    form = Form(
        "Start message-delivery-delay in production", "run message-delivery-delay",
        (
            Field("region", "Region", "choice", ("eu", "us"), "eu"),
            Field("share", "Share", "number", value="0.5", hint="0 to 1"),
            Field("sure", "Sure", "yes_no", value="true"),
            Field("hosts", "Hosts", "list", value="edge-1\nedge-2"),
            Field("why", "Why", "long", optional=True),
            Field("who", "Who"),
        ),
        ("It drains a region.",),
    )  # fmt: skip
    await tried.chat.form(await tried.trigger(), form)

    assert tried.form() is not None


async def test_a_form_that_comes_too_late_is_refused(tried: Tried) -> None:
    """
    A trigger is over after a moment, and the words say to ask again.
    """
    with pytest.raises(ChatRefused, match="ask again"):
        await tried.chat.form("1.2.gone", Form("t", "v", (Field("a", "A"),)))


async def test_a_room_is_found_by_its_name_and_by_its_id(tried: Tried) -> None:
    """
    With or without #; a room that is not there lasts until somebody makes it.
    """
    names = ["incidents", "#incidents", tried.room]
    with pytest.raises(ChatDown) as gone:
        await tried.chat.room("#no-such-room")

    assert [tried.room] * 3 == [await tried.chat.room(one) for one in names]
    assert gone.value.lasting


async def test_a_room_of_its_own_is_made_once(tried: Tried) -> None:
    """
    The same name is the same room; who is in it, or cannot be, is no failure.
    """
    room = NewRoom(
        "Inc-2026-11-24 Orders late/7kq3xm", "sev1: orders are late",
        (tried.ana, "nobody"), (tried.group, "nogroup"),
    )  # fmt: skip
    made = [await tried.chat.new_room(room) for _ in range(2)]

    assert made[0] == made[1] != tried.room
    assert "sev1: orders are late" == tried.topic(made[0])
    assert tried.ana in tried.members(made[0])
    assert set(await tried.chat.members(tried.group)) <= set(tried.members(made[0]))


async def test_a_persons_message_is_read_as_it_is_now(tried: Tried) -> None:
    """
    Its text as it was typed, who wrote it and when; None where there is none.
    """
    ref = await tried.say("look at edge-1 <now> & here")
    found = await tried.chat.message(tried.place, ref)

    assert found is not None
    assert ("look at edge-1 <now> & here", tried.ana) == (found.text, found.by)
    assert found.at > 0
    assert found.link == await tried.chat.link(tried.place, ref)
    assert None is await tried.chat.message(tried.place, "1700000000.000001")


async def test_f53_no_value_mentions_links_or_formats(tried: Tried) -> None:
    """
    Whatever stands in any part of a card, nobody is called and no sign is hidden.
    """
    evil = Card(
        EVIL,
        (
            Lines((EVIL,)), Rows(((EVIL, EVIL),)), Code(EVIL), Small(EVIL),
            Buttons((Button(EVIL, "approve", EVIL, sure=EVIL),)), Link(EVIL, EVIL),
        ),
        mark="[REHEARSAL]",
        loud=("nobody-knows",),
    )  # fmt: skip
    ref = await tried.chat.post(tried.place, evil, key="r-1:1")
    await tried.chat.edit(tried.place, ref, evil)
    await tried.chat.topic(tried.place, EVIL)
    (seen,) = [one for one in tried.seen(tried.room) if one.ref == ref]

    assert [] == list(tried.mentions(tried.room))
    assert [] == [one for one in "\u202e\x00\x1b" if one in seen.text]
    assert "[REHEARSAL]" in seen.text


async def test_f53_a_value_of_64_kb_is_shortened_and_says_so(tried: Tried) -> None:
    """
    One message, with its buttons, and how much more there is.
    """
    long = "x" * 65_536
    card = Card(
        long,
        (
            Lines((long, "y\n" * 30_000)), Code("z" * 65_536), Code("line\n" * 9_000),
            Rows(tuple((f"target {n}", long) for n in range(60))),
            Buttons((Button(long, "approve", "q1"),)), Small(long),
        ),
    )  # fmt: skip
    await tried.chat.post(tried.place, card, key="r-1:1")
    (seen,) = tried.seen(tried.room)

    assert ("approve",) == seen.buttons
    assert "more" in seen.text


async def test_groups_that_are_loud_are_called(tried: Tried) -> None:
    """
    A group that the chat knows is mentioned; another is left out.
    """
    await tried.chat.post(
        tried.place, Card("a question", loud=("sre", "dba")), key="r-1:1"
    )

    assert [tried.group] == list(tried.mentions(tried.room))


async def test_f57_a_chat_that_is_gone_is_down_and_comes_back(tried: Tried) -> None:
    """
    Not lasting: it may mend by itself, and does.
    """
    async with tried.away():
        with pytest.raises(ChatDown) as down:
            await tried.chat.post(tried.place, FULL, key="r-1:1")
    await tried.chat.post(tried.place, FULL, key="r-1:1")

    assert not down.value.lasting


async def test_f60_a_token_that_was_revoked_lasts(tried: Tried) -> None:
    """
    Nothing mends it but somebody.
    """
    tried.revoke()
    with pytest.raises(ChatDown) as down:
        await tried.chat.post(tried.place, FULL, key="r-1:1")

    assert down.value.lasting
