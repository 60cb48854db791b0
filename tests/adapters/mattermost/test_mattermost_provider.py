"""The Mattermost provider over a server with real HTTP: what it asks, and when."""

import re
from collections.abc import AsyncIterator

import pytest
from mattermost import Mattermost

from engine.adapters.mattermost.rooms import header, legal
from engine.errors import ChatDown, ChatRefused
from engine.model.chat import Button, Buttons, Card, Field, Form, NewRoom, Place
from tests.adapters.mattermost.mattermost_world import Side, talking

CARD = Card("Message delay", (Buttons((Button("Approve", "approve", "v"),)),))


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    async with Mattermost() as server, talking(server) as one:
        yield one


async def test_an_edit_keeps_the_key_and_what_the_server_added(side: Side) -> None:
    """
    Also by an engine that has just been started, and remembers nothing.
    """
    ref = await side.chat.post(side.place(), CARD, key="r-1:1")
    async with talking(side.server) as later:
        await later.chat.edit(side.place(), ref, Card("over"))
        found = await later.chat.find(side.place(), "r-1:1")

    (post,) = side.server.posts("incidents")
    assert (ref, "**over**", []) == (found, post.message, post.attachments)
    assert {"runbook_key": "r-1:1", "from_bot": "true", "attachments": []} == post.props


async def test_posts_to_a_room_are_a_second_apart(side: Side) -> None:
    """
    One room waits, another does not; edits and whispers do not wait.
    """
    side.server.add_channel("other")
    for key in "abc":
        await side.chat.post(side.place(), CARD, key=key)
    await side.chat.post(side.place("other"), CARD, key="d")

    assert [1.0, 1.0] == side.clock.slept


async def test_a_post_that_would_wait_too_long_is_not_begun(side: Side) -> None:
    """
    Ten seconds are the total: the eleventh post at once says when to come again.
    """
    side.chat._next[side.place().room] = side.clock() + 12

    with pytest.raises(ChatDown) as down:
        await side.chat.post(side.place(), CARD, key="a")

    assert (12.0, False) == (down.value.wait_seconds, down.value.lasting)
    assert [] == side.server.calls_of("POST /posts")


async def test_a_key_is_found_however_much_was_said_since(side: Side) -> None:
    """
    Page by page; of somebody else's post with the same props nothing is believed.
    """
    ref = await side.chat.post(side.place(), CARD, key="r-1:1")
    ana = side.server.world.user("ana")
    room = side.place().room
    for number in range(450):
        props = {"runbook_key": "r-1:1"} if number == 449 else {}
        given = {"channel_id": room, "message": "x", "props": props}
        side.server.world.post(ana, given)

    assert ref == await side.chat.find(side.place(), "r-1:1")
    assert 3 == len(side.server.calls_of("GET /channels/{channel}/posts"))


async def test_a_thread_that_is_gone_has_no_message(side: Side) -> None:
    """
    What hung on it is gone, too; a post into it will never do: lasting.
    """
    post = await side.server.say("ana", "incidents", "root")
    await side.server.delete("ana", post)
    place = side.place(thread=post.id)

    assert None is await side.chat.find(place, "r-1:1")
    with pytest.raises(ChatDown) as down:
        await side.chat.post(place, CARD, key="r-1:1")
    assert down.value.lasting


async def test_a_public_room_is_joined_and_a_private_one_is_named(side: Side) -> None:
    """
    Where anybody may be the bot goes in by itself; else the words say who must act.
    """
    open_room = side.server.add_channel("open-room", ["ana"], bot=False)
    side.server.add_channel("secret-room", ["ana"], bot=False, private=True)

    assert open_room.id == await side.chat.room("~open-room")
    assert side.server.bot.id in open_room.members
    with pytest.raises(ChatDown, match="'secret-room' in team 'ops' that the bot can"):
        await side.chat.room("secret-room")


async def test_a_bot_that_was_thrown_out_of_a_public_room_comes_back(
    side: Side,
) -> None:
    """
    A post that is refused for that is sent once more.
    """
    side.server.world.channel("incidents").members.remove(side.server.bot.id)

    ref = await side.chat.post(side.place(), CARD, key="a")

    assert ref == side.server.last("incidents").id


async def test_an_archived_room_of_that_name_is_said(side: Side) -> None:
    """
    It is not silently another room.
    """
    channel = side.server.add_channel("inc-old")
    channel.deleted_at = 5

    with pytest.raises(ChatDown) as found:
        await side.chat.room("inc-old")
    with pytest.raises(ChatRefused):
        await side.chat.new_room(NewRoom("inc-old", "topic"))
    assert (True, "archived" in str(found.value)) == (found.value.lasting, True)


async def test_who_cannot_be_invited_is_left_out(side: Side) -> None:
    """
    Who is not in the team, whom nobody knows; and only the others are asked about.
    """
    world = side.server.world
    stranger = world.add_user("cy", in_team=False)
    ana, bo = world.user("ana").id, world.user("bo").id
    group = world.add_group("sre", ["bo"]).id
    room = NewRoom("inc-1", "topic", (ana, stranger.id, "nobody"), (group, "nogroup"))
    made = [await side.chat.new_room(room) for _ in range(2)]

    assert made[0] == made[1]
    assert [side.server.bot.id, ana, bo] == sorted(world.channel(made[0]).members)
    invited = [c.arguments["user_id"] for c in
               side.server.calls_of("POST /channels/{channel}/members")]  # fmt: skip
    assert (1, 1, 2) == tuple(invited.count(one) for one in (ana, bo, "nobody"))


async def test_a_group_of_many_is_read_page_by_page(side: Side) -> None:
    """
    Every account of it; without a licence for groups it is refused.
    """
    world = side.server.world
    names = [world.add_user(f"u{number}").name for number in range(450)]
    group = world.add_group("all-of-us", names)

    assert group.members == list(await side.chat.members(group.id))
    world.licensed = False
    with pytest.raises(ChatRefused):
        await side.chat.members(group.id)


async def test_a_whisper_goes_by_direct_message_where_it_is_not_allowed(
    side: Side,
) -> None:
    """
    Most bots may not post ephemeral messages: the person reads it all the same.
    """
    side.server.world.may_whisper = False
    ana = side.server.world.user("ana").id
    for text in ("one", "two"):
        await side.chat.whisper(side.place(), ana, Card(text))
    direct = side.server.world.direct("ana", "runbook")

    assert ["**one**", "**two**"] == [one.message for one in direct.posts]
    assert 1 == len(side.server.calls_of("POST /posts/ephemeral"))


async def test_a_form_needs_a_way_back(side: Side) -> None:
    """
    Without `callback` there is no form, and the words name the key.
    """
    async with talking(side.server, callback=None) as other:
        with pytest.raises(ChatRefused, match=r"chat\.mattermost\.callback"):
            await other.chat.form("t", Form("t", "v", (Field("a", "A"),)))


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(side: Side) -> None:
    """
    Sent again, it has the same pending id, and Mattermost gives the post that it has.
    """
    with side.server.fail("POST /posts", drop="after"), pytest.raises(ChatDown):
        await side.chat.post(side.place(), CARD, key="r-1:1")
    again = await side.chat.post(side.place(), CARD, key="r-1:1")

    assert [again] == [one.id for one in side.server.posts("incidents")]


async def test_an_error_never_shows_the_token(side: Side) -> None:
    """
    An error of the server that repeats the token is shown without it.
    """
    words = f"no {side.server.token} here"
    fault = side.server.fail("GET /posts/{post}", status=400, error=words)
    with fault, pytest.raises(ChatRefused) as refused:
        await side.chat.message(side.place(), "p")

    assert side.server.token not in str(refused.value)
    assert "no [hidden] here" in str(refused.value)


@pytest.mark.parametrize(
    "name",
    ["Inc-2026-11-24 Orders late/7kq3xm", "x" * 200, "ß", "", "a" * 40, "_-_", "a__b"],
    ids=["spaces", "long", "other", "empty", "hash", "lines", "direct"],
)
def test_names_are_made_legal_and_stay_apart(name: str) -> None:
    """
    Letters, digits, - and _ up to 64; the same name gives the same one.
    """
    made = legal(name)

    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{1,63}", made)
    assert made == legal(name)
    assert legal("y" * 200) != legal("y" * 199 + "z")


def test_a_header_is_never_longer_than_it_may_be() -> None:
    """
    Escapes count.
    """
    made = [len(header(text)) for text in ("x", "*" * 900, "@here " * 400, "é" * 3000)]

    assert [] == [one for one in made if one > 1024]


async def test_f57_dns_gone_and_refused_connections_are_down(side: Side) -> None:
    """
    Not lasting: it may mend by itself. Nothing is posted twice by it.
    """
    await side.server.go_away()
    with pytest.raises(ChatDown) as refused:
        await side.chat.post(side.place(), CARD, key="a")
    side.asks.url = "http://no-such-host.invalid"
    with pytest.raises(ChatDown) as unknown:
        await side.chat.post(side.place(), CARD, key="a")

    assert (False, False) == (refused.value.lasting, unknown.value.lasting)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_f57_a_server_in_trouble_is_down(side: Side, status: int) -> None:
    """
    Whatever its proxy answers, it is tried again later.
    """
    with (
        side.server.fail("POST /posts", status=status),
        pytest.raises(ChatDown) as down,
    ):
        await side.chat.post(side.place(), CARD, key="a")

    assert not down.value.lasting


@pytest.mark.parametrize(
    ("retry_after", "reset", "wait"),
    [
        ("30", None, 30.0), (None, None, 1.0), ("soon", None, 1.0), ("-1", None, 1.0),
        ("99999", None, 300.0), (None, "7", 7.0), ("soon", "7", 7.0),
        ("nan", "inf", 1.0),
    ],
    ids=["30", "none", "soon", "minus", "long", "reset", "soon-reset", "nan"],
)  # fmt: skip
async def test_f58_the_server_is_left_alone_as_long_as_it_asks(
    side: Side, retry_after: str | None, reset: str | None, wait: float
) -> None:
    """
    No request goes out before; after it, the next one does.
    """
    await side.chat.post(side.place(), CARD, key="first")
    fault = side.server.fail(
        "POST /posts", status=429, retry_after=retry_after, reset=reset
    )
    with fault, pytest.raises(ChatDown) as limited:
        await side.chat.post(side.place(), CARD, key="a")
    asked = len(side.server.trouble.calls)
    side.clock.now += wait - 0.25
    with pytest.raises(ChatDown) as early:
        await side.chat.topic(side.place(), "t")
    assert asked == len(side.server.trouble.calls)
    side.clock.now += 0.5
    await side.chat.topic(side.place(), "t")

    assert (wait, 0.25) == (limited.value.wait_seconds, early.value.wait_seconds)


@pytest.mark.parametrize("what", ["token", "room gone", "no member"])
async def test_f60_what_will_not_mend_by_itself_lasts(side: Side, what: str) -> None:
    """
    A revoked token, a room that is gone, a room that it may not write in.
    """
    place = side.place()
    if what == "token":
        side.server.revoke()
    elif what == "room gone":
        place = Place("mattermost", "c" * 26)
    else:
        side.server.add_channel("secret-room", ["ana"], bot=False, private=True)
        place = side.place("secret-room")
    with pytest.raises(ChatDown) as down:
        await side.chat.post(place, CARD, key="a")

    assert down.value.lasting


async def test_f60_a_token_without_a_value_lasts(side: Side) -> None:
    """
    And the words name the secret.
    """
    side.secrets.held.clear()
    with pytest.raises(ChatDown, match="secret 'TOKEN' has no value") as down:
        await side.chat.topic(side.place(), "t")

    assert down.value.lasting


async def test_a_call_ends_in_its_time(side: Side) -> None:
    """
    What the server takes longer for is not waited for.
    """
    visit = side.asks.visit()
    late = type(visit)(side.asks, side.clock() + 0.1)
    fault = side.server.fail("GET /users/me", seconds=0.3, times=1)
    with fault, pytest.raises(ChatDown, match=r"no complete answer within 0\.1 s"):
        await late.get("/users/me")
