"""The Mattermost of the tests, by itself: it refuses what Mattermost refuses."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from mattermost import Cannot, Mattermost, markup


@pytest.fixture
async def server() -> AsyncIterator[Mattermost]:
    async with Mattermost() as one:
        yield one


async def ask(
    server: Mattermost, method: str, path: str, body: Any = None, *, token: str = ""
) -> tuple[int, Any]:
    """Return status and JSON of a call of the REST API."""
    headers = {"Authorization": f"Bearer {token or server.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{server.url}/api/v4{path}", json=body) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


def room(server: Mattermost) -> str:
    """Return the id of the channel."""
    return server.world.channel("incidents").id


async def test_a_post_comes_back_without_what_no_client_sees(
    server: Mattermost,
) -> None:
    """
    201, the bot's mark in its props, and no integration in its buttons.
    """
    action = {
        "id": "b1", "type": "button", "name": "Go",
        "integration": {"url": "http://x/y", "context": {"code": "secret"}},
    }  # fmt: skip
    body = {
        "channel_id": room(server), "message": "m",
        "props": {"attachments": [{"text": "t", "actions": [action]}]},
    }  # fmt: skip
    status, post = await ask(server, "POST", "/posts", body)
    _, again = await ask(server, "GET", f"/posts/{post['id']}")

    assert (201, "true") == (status, post["props"]["from_bot"])
    assert post["props"]["attachments"][0]["actions"] == [
        {"id": "b1", "type": "button", "name": "Go"}
    ]
    assert "secret" not in json.dumps([post, again])
    assert "secret" == server.last("incidents").actions[0]["integration"]["context"][
        "code"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"message": "x" * 16_384}, "model.post.is_valid.message_length.app_error"),
        ({"root_id": "p" * 26}, "api.post.create_post.root_id.app_error"),
        ({"channel_id": "c" * 26}, "app.channel.get.existing.app_error"),
        (
            {"props": {"attachments": [{"actions": [{"id": "b_1", "name": "x"}]}]}},
            "model.post.is_valid.props.app_error",
        ),
    ],
    ids=["long", "no thread", "no channel", "action id"],
)
async def test_what_mattermost_refuses_is_refused(
    server: Mattermost, change: dict[str, Any], error: str
) -> None:
    """
    With its ids for the reasons.
    """
    body = {"channel_id": room(server), "message": "m"} | change
    status, told = await ask(server, "POST", "/posts", body)

    assert (error, status) == (told["id"], told["status_code"])
    assert 400 <= status < 500


async def test_a_token_that_is_no_good_is_401(server: Mattermost) -> None:
    """
    As a session that has ended.
    """
    status, told = await ask(server, "GET", "/users/me", token="bad")

    assert (401, "api.context.session_expired.app_error") == (status, told["id"])


async def test_the_same_pending_id_is_the_same_post(server: Mattermost) -> None:
    """
    For half a minute.
    """
    body = {"channel_id": room(server), "message": "m", "pending_post_id": "u:1"}
    first = await ask(server, "POST", "/posts", body)
    second = await ask(server, "POST", "/posts", body)

    assert first == second
    assert 1 == len(server.posts("incidents"))


@pytest.mark.parametrize("trouble", ["late", "forged", "none", "long", "twice"])
async def test_a_dialog_is_refused_late_forged_and_too_long(
    server: Mattermost, trouble: str
) -> None:
    """
    Trigger ids last three seconds and are sealed; lengths are bytes.
    """
    ana, world = server.world.user("ana"), server.world
    late = world.new_trigger(ana, at=world.now() - 3_100)
    good = world.new_trigger(ana)
    other = base64.b64decode(good).decode().replace(ana.id, world.user("bo").id)
    forged = base64.b64encode(other.encode()).decode()
    trigger = {"late": late, "forged": forged, "none": "1.2"}.get(trouble, good)
    element = {"display_name": "A", "name": "a", "type": "text"}
    dialog = {
        "title": "ä" * 13 if trouble == "long" else "t",
        "elements": [element] * (2 if trouble == "twice" else 1),
    }
    body = {"trigger_id": trigger, "url": "http://x", "dialog": dialog}
    status, _ = await ask(server, "POST", "/actions/dialogs/open", body)

    assert (400, None) == (status, server.dialog("ana"))


async def test_a_field_that_must_be_filled_is_asked_for(server: Mattermost) -> None:
    """
    A box that must be filled can only be ticked: as Mattermost's own screen does.
    """
    ana = server.world.user("ana")
    element = {"display_name": "A", "name": "a", "type": "bool"}
    body = {
        "trigger_id": server.world.new_trigger(ana), "url": f"{server.url}/none",
        "dialog": {"title": "t", "elements": [element]},
    }  # fmt: skip
    await ask(server, "POST", "/actions/dialogs/open", body)

    with pytest.raises(Cannot, match="to be filled: a"):
        await server.submit("ana", {"a": False})


async def test_since_gives_what_changed_and_what_is_gone(server: Mattermost) -> None:
    """
    New, edited, marked and deleted posts; nothing else.
    """
    old, edited, marked, gone = [
        await server.say("ana", "incidents", text) for text in "abcd"
    ]
    since = server.world.now()
    await server.edit("ana", edited, "B")
    await server.react("bo", marked, "pushpin")
    await server.delete("ana", gone)
    new = await server.say("bo", "incidents", "e")
    _, listing = await ask(
        server, "GET", f"/channels/{room(server)}/posts?since={since}"
    )

    assert {edited.id, marked.id, gone.id, new.id} == set(listing["posts"])
    assert old.id not in listing["posts"]


async def test_the_websocket_lets_in_numbers_and_tells(server: Mattermost) -> None:
    """
    After the challenge: hello, then events with rising numbers, where the bot is.
    """
    secret = server.add_channel("elsewhere", ["ana"], bot=False)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/api/v4/websocket") as socket,
    ):
        data = {"token": server.token}
        challenge = {"seq": 1, "action": "authentication_challenge", "data": data}
        await socket.send_json(challenge)
        told = [await socket.receive_json() for _ in range(2)]
        await server.say("ana", secret.id, "@runbook unheard")
        await server.say("ana", "incidents", "hello @runbook")
        told.append(await socket.receive_json())
    posted = told[2]

    assert {"status": "OK", "seq_reply": 1} == told[0]
    assert [("hello", 0), ("posted", 1)] == [(o["event"], o["seq"]) for o in told[1:]]
    assert [server.bot.id] == json.loads(posted["data"]["mentions"])
    assert "hello @runbook" == json.loads(posted["data"]["post"])["message"]


async def test_a_websocket_with_another_token_is_closed(server: Mattermost) -> None:
    """
    Without a word.
    """
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/api/v4/websocket") as socket,
    ):
        data = {"token": "bad"}
        challenge = {"seq": 1, "action": "authentication_challenge", "data": data}
        await socket.send_json(challenge)
        async with asyncio.timeout(10):
            message = await socket.receive()

    assert aiohttp.WSMsgType.CLOSE == message.type


@pytest.mark.parametrize(
    ("text", "names", "links"),
    [
        ("@channel", {"channel"}, []), ("\\@channel", {"channel"}, []),
        ("&#64;all", {"all"}, []), ("`@channel`", set(), []),
        ("```\n@channel\n```", set(), []), ("````\n```\n@here\n````", set(), []),
        ("```\nx\n```\n@here", {"here"}, []), ("a@channel", set(), []),
        ("@ana.", {"ana"}, []), ("@\u2060channel", set(), []),
        ("[a](http://x)", set(), ["http://x"]), ("http://x.y", set(), ["http://x.y"]),
        ("www.x.y", set(), ["www.x.y"]), ("x.com/y", set(), ["x.com/y"]),
    ],
    ids=range(14),
)  # fmt: skip
def test_markdown_calls_and_leads_as_mattermosts_does(
    text: str, names: set[str], links: list[str]
) -> None:
    """
    No escape stops a mention; code does, and a sign in between.
    """
    assert (names, links) == (markup.called(text), markup.links(text))
