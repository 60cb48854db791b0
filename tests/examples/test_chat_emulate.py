"""A Slack that nobody here wrote takes what the real client sends, and fails on demand.

What emulate lacks (Socket Mode, buttons, slash commands, user groups, 429, events) is
tried against the stand-in of examples/chat alone.
"""

from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.real_slack import Emulated, emulated_slack


def client(slack: Emulated) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.base_url, retry_handlers=[])


async def test_emulate_takes_a_run_of_calls(tmp_path: Path) -> None:
    """A channel, a message, its edit, its thread, pin, reaction and file are there."""
    async with emulated_slack(tmp_path) as slack:
        app = client(slack)
        who = await app.auth_test()
        made = await app.conversations_create(name="inc-2026-03-01")
        channel = made["channel"]["id"]
        metadata = {"event_type": "runbook", "event_payload": {"id": "m1"}}
        posted = await app.chat_postMessage(
            channel=channel, text="up", metadata=metadata
        )
        ts = posted["ts"]
        await app.chat_update(channel=channel, ts=ts, text="down")
        await app.chat_postMessage(channel=channel, thread_ts=ts, text="below")
        await app.pins_add(channel=channel, timestamp=ts)
        await app.reactions_add(channel=channel, timestamp=ts, name="eyes")
        await app.files_upload_v2(channel=channel, filename="a.txt", content="x")
        thread = await app.conversations_replies(channel=channel, ts=ts)
        pins = await app.pins_list(channel=channel)
        found = await app.conversations_history(
            channel=channel, include_all_metadata=True
        )
        first = next(m for m in found["messages"] if m["ts"] == ts)

        assert who["user_id"] == slack.bot_user
        assert [m["text"] for m in thread["messages"]] == ["down", "below"]
        assert [one["message"]["ts"] for one in pins["items"]] == [ts]
        assert (first["metadata"], first["reactions"][0]["name"]) == (metadata, "eyes")


async def test_emulate_fails_on_demand_behind_the_shim(tmp_path: Path) -> None:
    """429 with a header, a cut connection after the effect, and its own errors."""
    async with emulated_slack(tmp_path) as slack:
        app = client(slack)
        slack.fail("auth.test", status=429, retry_after="30", times=1)
        slack.fail("conversations.create", drop="after", times=1)
        with pytest.raises(SlackApiError) as limited:
            await app.auth_test()
        with pytest.raises(Exception, match="disconnected"):
            await app.conversations_create(name="made")
        with pytest.raises(SlackApiError) as taken:
            await app.conversations_create(name="made")

        assert limited.value.response.headers["Retry-After"] == "30"
        assert taken.value.response["error"] == "name_taken"
        assert [(c.method, c.status, c.effect) for c in slack.calls] == [
            ("auth.test", 429, False),
            ("conversations.create", 0, True),
            ("conversations.create", 200, True),
        ]
