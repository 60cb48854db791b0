"""Slack that is slow, gone, strict or wrong: what the adapter makes of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chat import Slack

from engine.adapters.slack import SlackApi, SlackChat
from engine.adapters.slack.pacing import Pace, asked_to_wait
from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.model.chat import Card, Code, Form, Lines, NewRoom, Place
from tests.adapters import loopback
from tests.adapters.slack.cards import QUESTION, place, post_question, provider
from tests.contracts.chat_providers import Ticks


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack() as one:
        yield one


def paced(slack: Slack) -> tuple[SlackChat, Ticks]:
    """Return the adapter on a clock that only sleeping moves."""
    ticks = Ticks()
    api = SlackApi(slack.base_url, lambda: slack.bot_token, ticks.now, ticks.sleep)
    return SlackChat(api), ticks


async def failure(chat: SlackChat, where: Place) -> ChatDown | ChatRefused:
    """Return what posting raises."""
    with pytest.raises((ChatDown, ChatRefused)) as raised:
        await chat.post(where, QUESTION, key="r-1:1")
    assert isinstance(raised.value, ChatDown | ChatRefused)
    return raised.value


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("30", 30.0), (None, 1.0), ("", 1.0), ("soon", 1.0), ("-1", 1.0), ("0", 0.0),
        ("99999", 300.0), ("2.5", 2.5), ("nan", 1.0), ("inf", 300.0),
        ("Tue, 24 Nov 2026 13:00:00 GMT", 1.0),
    ],
)  # fmt: skip
def test_f58_a_retry_after_is_honoured_in_every_form(
    said: str | None, seconds: float
) -> None:
    """
    Seconds as they are, 1 s where it says nothing usable, never more than 300 s.
    """
    assert seconds == asked_to_wait(said)


@pytest.mark.parametrize(
    ("said", "seconds"), [("30", 30.0), (None, 1.0), ("soon", 1.0), ("99999", 300.0)]
)
async def test_f58_a_method_is_left_alone_for_so_long(
    slack: Slack, said: str | None, seconds: float
) -> None:
    """
    Until then nothing of that method is sent; other methods are; then it works.
    """
    chat, ticks = paced(slack)
    where = place(slack)
    with slack.fail("chat.postMessage", status=429, retry_after=said):
        first = await failure(chat, where)
    ticks.at += 0.5
    second = await failure(chat, where)
    await chat.topic(where, "still asked")
    asked = len(slack.calls_of("chat.postMessage"))
    ticks.at += seconds - 0.5
    await chat.post(where, QUESTION, key="r-1:1")

    assert isinstance(first, ChatDown) and isinstance(second, ChatDown)
    assert (seconds, seconds - 0.5) == (first.wait_seconds, second.wait_seconds)
    assert (False, False, 1) == (first.lasting, second.lasting, asked)


async def test_f57_one_post_a_second_and_room(slack: Slack) -> None:
    """
    Each room has its own second; a Slack that holds to it refuses nothing.
    """
    slack.add_channel("other", ["ana"])
    chat, ticks = paced(slack)
    rooms = [place(slack), Place("slack", slack.channel("other").id)]
    for number in range(3):
        for room in rooms:
            await chat.post(room, QUESTION, key=f"r-1:{number}")

    assert ([1.0, 1.0], 102.0) == (ticks.slept, ticks.at)


async def test_f57_many_posts_at_once_are_told_to_wait(slack: Slack) -> None:
    """
    What would not be its turn within ten seconds is not sent, and how long it is.
    """
    pace = Pace(lambda: 100.0)
    waits = [pace.slot("C1", within=3.0) for _ in range(6)]

    assert [0.0, 1.0, 2.0, 3.0, 4.0, 4.0] == waits


async def test_f57_real_seconds_lie_between_posts(slack: Slack) -> None:
    """
    On the real clock Slack's own limit of one a second is never met.
    """
    slack.rates.post_seconds = 1.0
    chat = provider(slack)
    for number in range(2):
        await chat.post(place(slack), QUESTION, key=f"r-1:{number}")

    assert [200] * 2 == [one.status for one in slack.calls_of("chat.postMessage")]


LASTING = [
    "invalid_auth", "token_revoked", "account_inactive", "not_in_channel",
    "channel_not_found", "is_archived", "missing_scope",
]  # fmt: skip


@pytest.mark.parametrize("error", LASTING)
async def test_f60_what_only_people_mend_lasts(slack: Slack, error: str) -> None:
    """
    200 with ok: false is a failure, told with what to do about it.
    """
    slack.fail("chat.postMessage", error=error)
    down = await failure(provider(slack), place(slack))

    assert isinstance(down, ChatDown) and down.lasting
    assert str(down).startswith(
        f"Slack refused posting in {place(slack).room}: {error}"
    )
    assert "; " in str(down)


@pytest.mark.parametrize("error", ["internal_error", "fatal_error"])
async def test_f60_what_passes_does_not_last(slack: Slack, error: str) -> None:
    """
    Slack's own trouble is worth another try.
    """
    slack.fail("chat.postMessage", error=error)
    down = await failure(provider(slack), place(slack))

    assert isinstance(down, ChatDown) and not down.lasting


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_f57_a_server_in_trouble_passes(slack: Slack, status: int) -> None:
    """
    5xx is down for now.
    """
    slack.fail("chat.postMessage", status=status)
    down = await failure(provider(slack), place(slack))

    assert isinstance(down, ChatDown) and not down.lasting


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_f57_a_cut_connection_passes_and_find_tells(
    slack: Slack, drop: Any
) -> None:
    """
    Whether it arrived is asked for by its key, so nothing is doubled or lost.
    """
    with slack.fail("chat.postMessage", drop=drop):
        down = await failure(provider(slack), place(slack))
    found = await provider(slack).find(place(slack), "r-1:1")

    assert isinstance(down, ChatDown) and not down.lasting
    assert (drop == "after") == (found is not None)


@pytest.mark.timed
async def test_f57_a_server_that_hangs_ends_within_the_total() -> None:
    """
    The time is for the whole call, not for each read; it is down, not lasting.
    """
    for serve in (loopback.hang, loopback.drip):
        async with loopback.serving(serve) as server:
            api = SlackApi(f"{server.url}/api/", lambda: "xoxb", total_seconds=0.3)
            began = time.monotonic()
            down = await failure(SlackChat(api), Place("slack", "C1"))
            assert time.monotonic() - began < 2
        assert isinstance(down, ChatDown) and not down.lasting


async def test_f57_a_name_that_is_gone_passes() -> None:
    """
    No DNS is down for now, in words.
    """
    api = SlackApi("http://slack.invalid/api/", lambda: "xoxb")
    down = await failure(SlackChat(api), Place("slack", "C1"))

    assert isinstance(down, ChatDown) and not down.lasting
    assert str(down).startswith("Slack cannot be reached for posting in C1: ")


@pytest.mark.parametrize(
    "answer",
    [
        loopback.reply("upstream timed out", headers={"content-type": "text/plain"}),
        loopback.reply("<html>", headers={"content-type": "text/html"}),
        loopback.reply("{", headers={"content-type": "application/json"}),
        loopback.as_json([1, 2]),
        loopback.as_json(None),
        loopback.reply(b"\xff\xfe", headers={"content-type": "application/json"}),
        loopback.reply(b"["*100_000, headers={"content-type": "application/json"}),
        loopback.reply("{}", of_length=100,
                       headers={"content-type": "application/json"}),
    ],
    ids=["text", "html", "torn", "list", "null", "binary", "nested", "cut"],
)  # fmt: skip
async def test_f57_an_answer_that_is_none_of_slack_passes(answer: bytes) -> None:
    """
    A proxy's page or a torn body is down, never a traceback.
    """

    async def once(asked: loopback.Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with loopback.serving(once) as server:
        api = SlackApi(f"{server.url}/api/", lambda: "xoxb")
        down = await failure(SlackChat(api), Place("slack", "C1"))

    assert isinstance(down, ChatDown)


async def test_f93_no_redirect_is_followed() -> None:
    """
    The token goes to the configured address alone.
    """
    async with loopback.serving(loopback.always(loopback.as_json({"ok": True}))) as to:
        leads = loopback.reply(status=307, headers={"location": f"{to.url}/api/x"})
        async with loopback.serving(loopback.always(leads)) as server:
            api = SlackApi(f"{server.url}/api/", lambda: "xoxb")
            down = await failure(SlackChat(api), Place("slack", "C1"))

    assert "another address" in str(down)
    assert [] == to.asked


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/up", "https://evil.example.com/up", "https://x.slack.com.evil/",
     "http://files.slack.com/up", "file:///etc/passwd", ""],
)  # fmt: skip
async def test_f93_a_file_goes_to_slack_alone(url: str) -> None:
    """
    An upload address elsewhere is refused, and nothing is sent.
    """
    answer = loopback.as_json({"ok": True, "upload_url": url, "file_id": "F1"})
    async with loopback.serving(loopback.always(answer)) as server:
        api = SlackApi(f"{server.url}/api/", lambda: "xoxb")
        with pytest.raises(ChatRefused, match="not its own"):
            await SlackChat(api).picture(
                Place("slack", "C1"), b"png", name="a.png", text="t", key="k"
            )

    assert 1 == len(server.asked)


async def test_f59_msg_blocks_too_long_is_tried_with_less(slack: Slack) -> None:
    """
    Where Slack refuses the length all the same, less is shown, and the buttons stay.
    """
    slack.fail("chat.postMessage", error="msg_blocks_too_long", times=2)
    card = Card("t", (Code("line\n" * 900), *QUESTION.parts))
    chat, _ = paced(slack)
    ref = await chat.post(place(slack), card, key="r-1:1")
    found = slack.message("incidents", ref)

    assert ["approve", "reject"] == list(found.buttons)
    assert "more, see timeline" in found.said


async def test_f59_60_parts_and_64_kb_are_one_message(slack: Slack) -> None:
    """
    Slack's own limits refuse nothing of it.
    """
    chat, _ = paced(slack)
    parts = tuple(Lines((f"part {n}", "x" * 3000)) for n in range(60))
    await chat.post(place(slack), Card("t" * 500, parts), key="r-1:1")

    assert [""] == [one.error for one in slack.calls_of("chat.postMessage")]


@pytest.mark.parametrize(
    "error", ["message_not_found", "cant_update_message", "edit_window_closed"]
)
async def test_an_edit_that_slack_refuses_is_posted_anew(
    slack: Slack, error: str
) -> None:
    """
    It is refused, not down: whoever shows it does it otherwise.
    """
    message = await post_question(slack)
    slack.fail("chat.update", error=error)
    with pytest.raises(ChatRefused, match=error):
        await provider(slack).edit(place(slack), message.ts, QUESTION)


async def test_a_whisper_goes_directly_where_it_cannot_be_shown(slack: Slack) -> None:
    """
    In a room without the app, and from a shortcut that has no room.
    """
    ana = slack.workspace.person("ana").id
    away = slack.add_channel("away", ["ana"], app=False)
    chat, _ = paced(slack)
    for room in (away.id, ""):
        await chat.whisper(Place("slack", room), ana, Card(f"from {room or 'nowhere'}"))
    found = [one.said for one in slack.direct("ana").messages]

    assert [True, True] == [
        f"from {name}" in said for name, said in zip((away.id, "nowhere"), found, strict=True)
    ]  # fmt: skip


async def test_a_room_of_many_pages_is_found_and_kept() -> None:
    """
    The list is asked for page by page, and what was found for ten minutes no more.
    """
    more = {"response_metadata": {"next_cursor": "c2"}}
    pages = loopback.in_turn(
        loopback.as_json({"ok": True, "channels": [{"id": "C1", "name": "a"}], **more}),
        loopback.as_json({"ok": True, "channels": [{"id": "C2", "name": "b"}]}),
    )
    async with loopback.serving(pages) as server:
        ticks = Ticks()
        api = SlackApi(f"{server.url}/api/", lambda: "xoxb", ticks.now, ticks.sleep)
        chat = SlackChat(api)
        found = [await chat.room("#b") for _ in range(3)]
        asked = len(server.asked)
        ticks.at += 601
        await chat.room("b")

    assert (["C2"] * 3, 2, 3) == (found, asked, len(server.asked))
    assert ["cursor=c2" in one.target for one in server.asked] == [False, True, False]


async def test_a_room_that_is_archived_or_hidden_is_not_taken(slack: Slack) -> None:
    """
    A name that is taken where the app cannot go is refused in words.
    """
    slack.add_channel("inc-old").is_archived = True
    slack.add_channel("inc-hidden", ["ana"], private=True, app=False)
    chat, _ = paced(slack)
    told = []
    for name in ("inc-old", "inc-hidden"):
        with pytest.raises(ChatRefused) as refused:
            await chat.new_room(NewRoom(name, "t"))
        told.append(str(refused.value))

    assert told == [
        "the channel #inc-old is there, and archived",
        "the channel #inc-hidden is there, but the app is not in it",
    ]


async def test_f95_no_token_is_told(slack: Slack) -> None:
    """
    Neither a missing secret nor a refusal shows what the token is.
    """

    def missing() -> str:
        raise SecretMissing("secret 'slack_bot' has no value")

    slack.fail("views.open", error="invalid_auth")
    told = []
    for token in (missing, lambda: "xoxb-canary"):
        api = SlackApi(slack.base_url, token)
        with pytest.raises(ChatDown) as down:
            await SlackChat(api).form("1.2", Form("t", "v", ()))
        told.append(str(down.value))
        assert down.value.lasting

    assert "Slack: secret 'slack_bot' has no value" == told[0]
    assert "canary" not in told[1]


async def test_f57_a_token_that_was_changed_counts_at_once(slack: Slack) -> None:
    """
    Each call reads it anew.
    """
    tokens = iter(["xoxb-old", slack.bot_token])
    chat = SlackChat(SlackApi(slack.base_url, lambda: next(tokens)))
    down = await failure(chat, place(slack))
    await chat.pin(place(slack), (await slack.say("ana", "incidents", "x")).ts)

    assert isinstance(down, ChatDown) and down.lasting
