"""The Slack stand-in answers slack_sdk's real client as Slack does."""

import re
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from chat import Slack
from chat_world import client
from slack_sdk.errors import SlackApiError


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(number: int = 0, **more: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Go"}
    return {"type": "button", "action_id": f"go{number}", "text": text, **more}


def actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons)}


async def test_a_message_is_posted_edited_pinned_and_found_again() -> None:
    """What the client posts is what history gives back, with its metadata."""
    metadata = {"event_type": "runbook", "event_payload": {"id": "m1"}}
    async with Slack() as slack:
        app = client(slack)
        channel = slack.channel("incidents").id
        posted = await app.chat_postMessage(
            channel="#incidents", text="up", blocks=[section("up")], metadata=metadata
        )
        ts = posted["ts"]
        await app.chat_postMessage(channel=channel, text="below", thread_ts=ts)
        await app.chat_update(channel=channel, ts=ts, text="down")
        await app.pins_add(channel=channel, timestamp=ts)
        await app.reactions_add(channel=channel, timestamp=ts, name="eyes")
        found = await app.conversations_history(
            channel=channel, include_all_metadata=True
        )
        without = await app.conversations_history(channel=channel)
        below = await app.conversations_replies(channel=channel, ts=ts)

        first = found["messages"][0]
        assert (first["text"], first.get("blocks"), first["metadata"]) == (
            "down",
            None,
            metadata,
        )
        assert (first["reply_count"], first["reactions"], first["pinned_to"]) == (
            1,
            [{"name": "eyes", "users": [slack.bot.id], "count": 1}],
            [channel],
        )
        assert [len(found["messages"]), "metadata" in without["messages"][0]] == [
            1,
            False,
        ]
        assert [m["text"] for m in below["messages"]] == ["down", "below"]
        assert slack.message("incidents", ts).edits == 1


async def test_ts_only_grow_when_the_clock_stands() -> None:
    """Two messages of one moment have two ts, the later the larger."""
    async with Slack(clock=lambda: 1_700_000_000.0) as slack:
        app = client(slack)
        found = [
            (await app.chat_postMessage(channel="incidents", text=str(n)))["ts"]
            for n in range(3)
        ]

        assert [
            "1700000000.000000",
            "1700000000.000100",
            "1700000000.000200",
        ] == found


async def test_the_same_client_msg_id_twice_is_two_messages() -> None:
    """Slack does not deduplicate, and so does not this one."""
    async with Slack() as slack:
        app = client(slack)
        for _ in range(2):
            await app.api_call(
                "chat.postMessage",
                json={"channel": "incidents", "text": "a", "client_msg_id": "one"},
            )

        assert ["a", "a"] == [m.text for m in slack.messages("incidents")]


REFUSED = [
    ("no_text", {}),
    ("msg_too_long", {"text": "x" * 40_001}),
    ("too_many_attachments", {"attachments": [{"text": "a"}] * 101}),
    ("invalid_blocks", {"blocks": [section("x")] * 51}),
    ("invalid_blocks", {"blocks": [section("x" * 3001)]}),
    ("invalid_blocks", {"blocks": [section("")]}),
    ("invalid_blocks", {"blocks": [actions(*map(button, range(26)))]}),
    ("invalid_blocks", {"blocks": [actions()]}),
    ("invalid_blocks", {"blocks": [actions(button(value="v" * 2001))]}),
    ("invalid_blocks", {"blocks": [actions(button(action_id="a" * 256))]}),
    ("invalid_blocks", {"blocks": [actions(button(), button())]}),
    (
        "invalid_blocks",
        {"blocks": [actions(button(text={"type": "plain_text", "text": "t" * 76}))]},
    ),
    (
        "invalid_blocks",
        {
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "h" * 151}}
            ]
        },
    ),
    ("invalid_blocks_format", {"blocks": {"type": "section"}}),
    ("msg_blocks_too_long", {"blocks": [section("x" * 2700)] * 5}),
    ("invalid_metadata_format", {"text": "a", "metadata": {"event_type": "a"}}),
]


@pytest.mark.parametrize(("code", "given"), REFUSED, ids=lambda v: str(v)[:40])
async def test_what_slack_refuses_is_refused(code: str, given: dict[str, Any]) -> None:
    """A message beyond Slack's limits has Slack's error, and is not posted."""
    async with Slack() as slack:
        with pytest.raises(SlackApiError) as refused:
            await client(slack).api_call(
                "chat.postMessage", json={"channel": "incidents", **given}
            )

        assert code == refused.value.response["error"]
        assert slack.messages("incidents") == []


async def test_the_largest_message_slack_takes_is_taken() -> None:
    """40,000 characters, 50 blocks, a section of 3,000, 25 buttons."""
    async with Slack() as slack:
        app = client(slack)
        blocks = [section("x" * 3000), actions(*map(button, range(25)))]
        blocks += [section("y")] * 48
        await app.chat_postMessage(
            channel="incidents", text="t" * 40_000, blocks=blocks
        )

        assert 50 == len(slack.last("incidents").blocks)


async def test_a_refusal_says_where() -> None:
    """The pointer of what is too long is in response_metadata, as in Slack."""
    async with Slack() as slack:
        with pytest.raises(SlackApiError) as refused:
            await client(slack).chat_postMessage(
                channel="incidents", text="a", blocks=[section("x" * 3001)]
            )

        assert refused.value.response["response_metadata"]["messages"] == [
            "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
        ]


async def code_of(slack: Slack, method: str, token: str = "", **given: Any) -> str:
    try:
        await client(slack, token).api_call(method, json=given)
    except SlackApiError as refused:
        return str(refused.response["error"])
    return ""


async def test_places_people_and_tokens_that_are_wrong_have_slacks_codes() -> None:
    """Each wrong call has the code that Slack gives it."""
    async with Slack() as slack:
        where = slack.channel("incidents").id
        slack.add_channel("elsewhere", ["ana"], app=False)
        slack.add_channel("secret", ["ana"], app=False, private=True)
        slack.add_channel("old").is_archived = True
        ana = slack.workspace.person("ana").id
        said = await slack.say("ana", "incidents", "mine")
        post = "chat.postMessage"
        found = {
            "unknown": await code_of(slack, post, channel="nowhere", text="a"),
            "outside": await code_of(slack, post, channel="elsewhere", text="a"),
            "private": await code_of(slack, post, channel="secret", text="a"),
            "archived": await code_of(slack, post, channel="old", text="a"),
            "token": await code_of(slack, "auth.test", "xoxb-other"),
            "kind": await code_of(slack, "apps.connections.open"),
            "method": await code_of(slack, "chat.shout"),
            "gone": await code_of(
                slack, "chat.update", channel=where, ts="1.2", text="a"
            ),
            "hers": await code_of(
                slack, "chat.update", channel=where, ts=said.ts, text="a"
            ),
            "taken": await code_of(slack, "conversations.create", name="incidents"),
            "name": await code_of(slack, "conversations.create", name="A b"),
            "in": await code_of(
                slack, "conversations.invite", channel=where, users=ana
            ),
            "trigger": await code_of(
                slack, "views.open", trigger_id="1.2.3", view=window()
            ),
        }
        slack.revoke()
        found["revoked"] = await code_of(slack, "auth.test")

        assert found == {
            "unknown": "channel_not_found",
            "outside": "not_in_channel",
            "private": "channel_not_found",
            "archived": "is_archived",
            "token": "invalid_auth",
            "kind": "not_allowed_token_type",
            "method": "unknown_method",
            "gone": "message_not_found",
            "hers": "cant_update_message",
            "taken": "name_taken",
            "name": "invalid_name_specials",
            "in": "already_in_channel",
            "trigger": "invalid_trigger_id",
            "revoked": "token_revoked",
        }


def window() -> dict[str, Any]:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Why"},
        "blocks": [],
    }


async def test_a_channel_of_its_own_is_made_and_filled() -> None:
    """create, setTopic, setPurpose, invite, info, list and join say what they did."""
    async with Slack(people=["ana", "bo"]) as slack:
        app = client(slack)
        group = slack.workspace.add_group("messaging-oncall", ["ana", "bo"])
        made = await app.conversations_create(name="inc-2026-03-01-delay")
        channel = made["channel"]["id"]
        await app.conversations_setTopic(channel=channel, topic="sev1")
        await app.conversations_setPurpose(channel=channel, purpose="delay")
        users = (await app.usergroups_users_list(usergroup=group.id))["users"]
        await app.conversations_invite(channel=channel, users=users)
        info = (await app.conversations_info(channel=channel))["channel"]
        every = (await app.conversations_list(types="public_channel"))["channels"]
        again = await app.conversations_join(channel=channel)

        assert (info["topic"]["value"], info["purpose"]["value"]) == ("sev1", "delay")
        assert info["num_members"] == 3
        assert [one["name"] for one in every] == ["incidents", "inc-2026-03-01-delay"]
        assert again["warning"] == "already_in_channel"
        assert (await app.usergroups_list())["usergroups"][0]["handle"] == (
            "messaging-oncall"
        )


async def test_a_picture_is_uploaded_into_a_thread() -> None:
    """files_upload_v2 puts the bytes where it says, with comment and title."""
    async with Slack() as slack:
        app = client(slack)
        root = await app.chat_postMessage(channel="incidents", text="phase")
        await app.files_upload_v2(
            channel=root["channel"],
            thread_ts=root["ts"],
            filename="machine.png",
            content=b"\x89PNG",
            title="The machine",
            initial_comment="path taken",
        )
        message = slack.last("incidents")

        assert (message.thread_ts, message.text) == (root["ts"], "path taken")
        assert [(f.name, f.title, f.content) for f in message.files] == [
            ("machine.png", "The machine", b"\x89PNG")
        ]


async def test_history_comes_in_pages() -> None:
    """A cursor leads through everything once, the newest first."""
    async with Slack() as slack:
        app = client(slack)
        for number in range(5):
            await app.chat_postMessage(channel="incidents", text=str(number))
        channel = slack.channel("incidents").id
        texts, cursor = [], ""
        for _ in range(3):
            page = await app.conversations_history(
                channel=channel, limit=2, cursor=cursor
            )
            texts.append([m["text"] for m in page["messages"]])
            cursor = page.get("response_metadata", {}).get("next_cursor", "")

        assert ([["4", "3"], ["2", "1"], ["0"]], "") == (texts, cursor)


async def test_a_query_a_form_and_json_are_the_same_call() -> None:
    """GET with a query, POST with a form and POST with JSON all post."""
    async with Slack() as slack:
        app = client(slack)
        given = {"channel": "incidents", "text": "a"}
        await app.api_call("chat.postMessage", http_verb="GET", params=given)
        await app.api_call("chat.postMessage", data=given)
        await app.api_call("chat.postMessage", json=given)

        assert ["a", "a", "a"] == [m.text for m in slack.messages("incidents")]


async def test_direct_messages_and_ephemeral_ones() -> None:
    """An ephemeral message is one person's, and is not in history; a user is a place."""
    async with Slack() as slack:
        app = client(slack)
        ana = slack.workspace.person("ana").id
        channel = slack.channel("incidents").id
        await app.chat_postEphemeral(channel=channel, user=ana, text="psst")
        opened = await app.conversations_open(users=ana)
        await app.chat_postMessage(channel=ana, text="hello")

        assert [m.text for m in slack.ephemerals("incidents", "ana")] == ["psst"]
        assert (await app.conversations_history(channel=channel))["messages"] == []
        assert [m.text for m in slack.messages(opened["channel"]["id"])] == ["hello"]


async def test_an_edit_takes_less_text_than_a_post() -> None:
    """Above 4,000 characters chat.update says msg_too_long, and changes nothing."""
    async with Slack() as slack:
        app = client(slack)
        posted = await app.chat_postMessage(channel="incidents", text="a" * 5000)
        where = {"channel": posted["channel"], "ts": posted["ts"]}
        code = await code_of(slack, "chat.update", text="b" * 4001, **where)
        await app.chat_update(text="c" * 4000, **where)

        assert (code, slack.last("incidents").edits) == ("msg_too_long", 1)


async def test_the_lines_of_its_page_work(capsys: pytest.CaptureFixture[str]) -> None:
    """What the README shows prints the channel as it says."""
    page = Path(__file__).parents[2] / "examples" / "chat" / "README.md"
    found = re.search(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert found is not None
    place: dict[str, Any] = {}
    exec("async def shown():\n" + indent(found[1], "    "), place)
    await place["shown"]()

    assert capsys.readouterr().out.splitlines()[-1] == "  down"


async def test_a_shared_file_says_where_it_stands() -> None:
    """files.info has the ts of the message that a file was shared with."""
    async with Slack() as slack:
        channel = slack.channel("incidents").id
        made = await client(slack).files_upload_v2(
            channel=channel, filename="a.txt", content="b"
        )
        info = await client(slack).files_info(file=made["file"]["id"])

        assert info["file"]["shares"]["public"][channel][0]["ts"] == (
            slack.last("incidents").ts
        )
