"""The stand-in fails as it is told to, and says what had its effect."""

import asyncio
import time

import aiohttp
import pytest
from chat import Slack
from chat_world import client
from slack_sdk.errors import SlackApiError


async def post(slack: Slack, text: str = "a", channel: str = "incidents") -> str:
    """Return what became of a post: "", Slack's code, or the error's name."""
    try:
        await client(slack).chat_postMessage(channel=channel, text=text)
    except SlackApiError as refused:
        given = refused.response
        return str(given["error"]) if isinstance(given.data, dict) else "no json"
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__
    return ""


async def test_an_error_is_met_as_often_as_asked() -> None:
    """`times` calls meet it, the next one works; nothing was posted meanwhile."""
    async with Slack() as slack:
        slack.fail("chat.postMessage", error="channel_not_found", times=2)
        codes = [await post(slack) for _ in range(3)]

        assert codes == ["channel_not_found", "channel_not_found", ""]
        assert [(c.status, c.error, c.effect) for c in slack.calls] == [
            (200, "channel_not_found", False),
            (200, "channel_not_found", False),
            (200, "", True),
        ]
        assert len(slack.messages("incidents")) == 1


@pytest.mark.parametrize("retry_after", [None, "30", "soon", "-1", "99999"])
async def test_429_has_the_header_it_was_given(retry_after: str | None) -> None:
    """HTTP 429 with ratelimited, and Retry-After as it is or none."""
    async with Slack() as slack:
        with (
            slack.fail(status=429, retry_after=retry_after),
            pytest.raises(SlackApiError) as refused,
        ):
            await client(slack).chat_postMessage(channel="incidents", text="a")
        answer = refused.value.response

        assert (answer.status_code, answer["error"]) == (429, "ratelimited")
        assert retry_after == answer.headers.get("Retry-After")
        assert await post(slack) == ""


@pytest.mark.parametrize(
    ("drop", "posted"), [("before", []), ("after", ["a"])], ids=["before", "after"]
)
async def test_a_cut_connection_before_or_after_the_effect(
    drop: str, posted: list[str]
) -> None:
    """No answer comes; whether the message stands is what was asked for."""
    async with Slack() as slack:
        slack.fail("chat.postMessage", drop=drop, times=1)  # type: ignore[arg-type]
        what = await post(slack)

        assert what == "ServerDisconnectedError"
        assert posted == [m.text for m in slack.messages("incidents")]
        assert [(c.status, c.effect) for c in slack.calls] == [(0, bool(posted))]


@pytest.mark.parametrize("effect", [False, True])
async def test_a_500_may_have_had_its_effect(effect: bool) -> None:
    """An upstream error is no proof that nothing was posted."""
    async with Slack() as slack:
        slack.fail(status=503, effect=effect, times=1)
        with pytest.raises(SlackApiError) as refused:
            await client(slack).chat_postMessage(channel="incidents", text="a")

        assert refused.value.response.status_code == 503
        assert len(slack.messages("incidents")) == int(effect)


async def test_a_slow_answer_is_slow_and_its_effect_is_not() -> None:
    """The message stands while the answer is still awaited."""
    async with Slack() as slack:
        slack.fail("chat.postMessage", seconds=0.3)
        began = time.monotonic()
        task = asyncio.create_task(post(slack))
        await slack.until(lambda s: s.messages("incidents"))
        shown = time.monotonic() - began
        await task

        assert (shown < 0.3, time.monotonic() - began >= 0.3) == (True, True)


async def test_a_slack_that_is_gone_refuses_connections_and_comes_back() -> None:
    """Nothing listens, open connections are cut; afterwards all is as it was."""
    async with Slack() as slack:
        await post(slack, "before")
        await slack.go_away()
        away = await post(slack)
        await slack.come_back()
        back = await post(slack, "after")

        assert (away, back) == ("ClientConnectorError", "")
        assert ["before", "after"] == [m.text for m in slack.messages("incidents")]


async def test_one_channel_can_fail_alone() -> None:
    """A fault of one channel leaves the others alone."""
    async with Slack(channels=["incidents", "other"]) as slack:
        where = slack.channel("incidents").id
        slack.fail(error="is_archived", channel="incidents")

        assert await post(slack, channel=where) == "is_archived"
        assert await post(slack, channel="#incidents") == "is_archived"
        assert await post(slack, channel="other") == ""


async def test_one_message_a_second_and_channel_is_kept() -> None:
    """Faster is 429 with Retry-After; another channel has its own second."""
    async with Slack(channels=["incidents", "other"]) as slack:
        slack.rates.post_seconds = 0.3
        same = slack.channel("incidents").id
        codes = [await post(slack), await post(slack, channel=same)]
        codes.append(await post(slack, channel="other"))
        await asyncio.sleep(0.3)
        codes.append(await post(slack))

        assert ["", "ratelimited", "", ""] == codes


async def test_calls_in_a_minute_are_counted() -> None:
    """A method's tier is kept for all channels together."""
    async with Slack() as slack:
        slack.rates.per_minute["chat.postMessage"] = 2

        assert ["", "", "ratelimited"] == [await post(slack) for _ in range(3)]


async def test_slacks_own_rates_are_a_table_away() -> None:
    """One message a second and channel, fifty edits a minute."""
    async with Slack() as slack:
        slack.rates.as_slack()
        posted = await client(slack).chat_postMessage(channel="incidents", text="a")
        second = await post(slack)
        codes = []
        for number in range(51):
            try:
                await client(slack).chat_update(
                    channel=posted["channel"], ts=posted["ts"], text=str(number)
                )
                codes.append("")
            except SlackApiError as refused:
                codes.append(refused.response["error"])

        assert (second, codes.index("ratelimited")) == ("ratelimited", 50)


async def test_an_upload_can_fail_between_its_steps() -> None:
    """The bytes may not arrive; the file is then not there to be completed."""
    async with Slack() as slack:
        app = client(slack)
        slack.fail("upload", status=500, times=1)
        with pytest.raises(Exception, match="Failed to upload"):
            await app.files_upload_v2(
                channel=slack.channel("incidents").id, filename="a", content="b"
            )

        assert slack.messages("incidents") == []
        assert [c.method for c in slack.calls] == [
            "files.getUploadURLExternal",
            "upload",
        ]
