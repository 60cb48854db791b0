"""A channel as text and as a page says what stands in it, and nothing more."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp
from chat import Slack
from chat.picture import plain_lines
from chat_world import client

EXAMPLES = Path(__file__).parents[2] / "examples"
HOSTILE = "<script>alert(1)</script> *b* `a<b` <!channel> & \x1b[31m <javascript:x|y>"


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def filled(slack: Slack) -> None:
    app = client(slack)
    slack.channel("incidents").topic = "sev1"
    root = await app.chat_postMessage(
        channel="incidents",
        text="Roll back?",
        blocks=[
            section("*Roll back?* <https://x.example/r|report>"),
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "action_id": "approve",
                        "style": "primary",
                        "text": {"type": "plain_text", "text": "Approve"},
                    }
                ],
            },
        ],
    )
    channel, ts = root["channel"], root["ts"]
    await slack.say("ana", "incidents", "@bo what is a<b?")
    await app.chat_postMessage(channel=channel, thread_ts=ts, text="started")
    await app.files_upload_v2(
        channel=channel, thread_ts=ts, filename="m.png", content=b"\x89PNG"
    )
    await app.pins_add(channel=channel, timestamp=ts)
    await app.reactions_add(channel=channel, timestamp=ts, name="eyes")
    await app.chat_postEphemeral(
        channel=channel, user=slack.workspace.person("bo").id, text="psst"
    )


async def test_the_transcript_of_a_channel() -> None:
    """Threads stand below their message, with marks, buttons, reactions and files."""
    async with Slack(clock=lambda: 1_700_000_000.0) as slack:
        await filled(slack)

        assert slack.transcript("incidents").splitlines() == [
            "#incidents (sev1)",
            "runbook 22:13:20 (pinned)",
            "  *Roll back?* report",
            "  [Approve]",
            "  :eyes: 1",
            "  runbook 22:13:20",
            "    started",
            "  runbook 22:13:20",
            "    [file m.png, 4 bytes]",
            "ana 22:13:20",
            "  @bo what is a<b?",
            "runbook 22:13:20 (only bo sees this)",
            "  psst",
        ]


async def test_the_page_of_a_channel() -> None:
    """One page without anything from elsewhere, with markup, buttons and the picture."""
    async with Slack() as slack:
        await filled(slack)
        page = slack.page()

        assert '<b>Roll back?</b> <a href="https://x.example/r">report</a>' in page
        assert '<button class="primary" disabled>Approve</button>' in page
        assert 'src="data:image/png;base64,iVBORw=="' in page
        assert re.findall(r'(?:src|href)="(?!data:|#|https://x\.example)', page) == []


async def test_the_page_escapes_what_comes_from_outside() -> None:
    """No tag, no script address, no control character of a message is in the page."""
    async with Slack() as slack:
        app = client(slack)
        slack.workspace.person("ana").shown_as = "<img src=x>"
        for text in (HOSTILE, "```\n<b>&amp;\n```", "> &lt;i&gt;"):
            await app.chat_postMessage(channel="incidents", text=text)
            await app.chat_postMessage(
                channel="incidents", text="a", blocks=[section(text)]
            )
        await slack.say("ana", "incidents", "<u>hello</u> @runbook", raw=True)
        page = slack.page("incidents").partition("</style>")[2]

        assert re.findall(r"<(?:script|img|u|i)\b|javascript:[^|]*\"|\x1b", page) == []
        assert (
            "&lt;script&gt;alert(1)&lt;/script&gt; <b>b</b> <code>a&lt;b</code>" in page
        )
        assert '<span class="u">@channel</span>' in page
        assert "<pre>&lt;b&gt;&amp;</pre>" in page
        assert "<blockquote>&lt;i&gt;</blockquote>" in page


async def test_the_page_reads_entities_in_plain_text_and_leaves_silence_out() -> None:
    """A plain text shows `a < b`, once escaped; a channel without words is not there."""
    async with Slack() as slack:
        text = {"type": "plain_text", "text": "a &lt; <b>b</b>"}
        await client(slack).chat_postMessage(
            channel="incidents", text="a", blocks=[{"type": "section", "text": text}]
        )
        page = slack.page()

        assert "<div>a &lt; &lt;b&gt;b&lt;/b&gt;</div>" in page
        assert ["# incidents"] == re.findall(r"<h2[^>]*>([^<]*)", page)


async def test_whom_a_message_wakes() -> None:
    """A ping in the text or in any block is seen, an escaped one is none."""
    async with Slack() as slack:
        app = client(slack)
        ana = slack.workspace.person("ana").id
        for text in ("<!channel> a", f"<@{ana}> b", "&lt;!here&gt; @here c"):
            await app.chat_postMessage(channel="incidents", text=text)
        await app.chat_postMessage(
            channel="incidents", text="d", blocks=[section("<!here>")]
        )

        assert [m.pings for m in slack.messages("incidents")] == [
            {"channel"},
            {ana},
            set(),
            {"here"},
        ]


async def test_it_runs_in_a_process_of_its_own() -> None:
    """`python -m chat` says where it is, is steered over HTTP, and ends when told."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chat", "--leash", cwd=EXAMPLES,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    said = json.loads(await process.stdout.readline())
    async with aiohttp.ClientSession(said["control"]) as web:

        async def do(name: str, **given: Any) -> tuple[int, Any]:
            async with web.post(f"/do/{name}", json=given) as answer:
                return answer.status, await answer.json()

        await do("say", user="ana", channel="incidents", text="hello")
        wrong = await do("press", user="ana", channel="incidents", action_id="no")
        typed = await do("command", user="bo", channel="incidents", line="/runbook x")
        async with web.get("/transcript?channel=incidents") as answer:
            transcript = await answer.text()
        async with web.get("/state") as answer:
            state = await answer.json()
        async with web.get("/") as answer:
            page = await answer.text()
    process.stdin.close()
    code = await process.wait()

    assert wrong == (400, {"error": "Cannot: the message has no 'no'; it has: none"})
    assert (typed[0], typed[1]["shown"]) == (200, "dispatch_failed")
    assert "  hello" in transcript.splitlines()
    assert state["channels"][0]["messages"][0]["text"] == "hello"
    assert (page.startswith("<!doctype html>"), code) == (True, 0)


async def test_a_message_in_a_terminal_has_no_marks_of_slack_in_it() -> None:
    """
    No stars, underscores, fences or tokens; what stands in code, in an address or in a
    plain text stays as it is.
    """
    async with Slack(clock=lambda: 1_700_000_000.0) as slack:
        text = "*Held* _now_: ~no~ `a*b*` of 2*3*4 <https://x.example/_a_|the *plan*>"
        await client(slack).chat_postMessage(
            channel="incidents",
            text="a",
            blocks=[
                section(text),
                section("```\nselect *, '_x_' &lt;1\n```"),
                {
                    "type": "header",
                    "text": {"type": "plain_text", "text": "*as it is*"},
                },
            ],
        )
        message = slack.channel("incidents").messages[0]

        assert plain_lines(slack.workspace, message) == [
            "runbook 22:13:20",
            "  Held now: no a*b* of 2*3*4 the *plan*",
            "  select *, '_x_' <1",
            "  *as it is*",
        ]
