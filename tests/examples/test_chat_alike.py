"""The stand-in and emulate, which nobody here wrote, answer the same calls alike.

Where they differ the difference stands below with its reason. emulate does not know
more of Slack than Slack's own pages say; two readings of them are better than one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chat import Slack
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.real_slack import emulated_slack

HERE = "the channel"  # stands for ids that each Slack makes itself
ANA = "ana's id"
TS = "the message"
METADATA = {"event_type": "a", "event_payload": {"id": "m1"}}
WINDOW = {"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": []}
COURSE: list[tuple[str, dict[str, Any]]] = [
    ("auth.test", {}),
    ("conversations.create", {"name": "inc-1"}),
    ("conversations.create", {"name": "inc-1"}),
    ("users.list", {}),
    ("users.info", {"user": ANA}),
    ("users.info", {"user": "U404"}),
    ("users.lookupByEmail", {"email": "ana@example.com"}),
    ("conversations.invite", {"channel": HERE, "users": ANA}),
    ("conversations.invite", {"channel": HERE, "users": ANA}),
    ("conversations.setTopic", {"channel": HERE, "topic": "t"}),
    ("conversations.setPurpose", {"channel": HERE, "purpose": "p"}),
    ("conversations.info", {"channel": HERE}),
    ("conversations.members", {"channel": HERE}),
    ("conversations.join", {"channel": HERE}),
    ("conversations.list", {}),
    ("chat.postMessage", {"channel": HERE, "text": "up", "metadata": METADATA}),
    ("chat.postMessage", {"channel": HERE, "text": "below", "thread_ts": TS}),
    ("chat.update", {"channel": HERE, "ts": TS, "text": "down"}),
    ("chat.update", {"channel": HERE, "ts": "1.2", "text": "down"}),
    ("chat.postMessage", {"channel": "C404", "text": "a"}),
    ("chat.postMessage", {"channel": HERE}),
    ("chat.postEphemeral", {"channel": HERE, "user": ANA, "text": "a"}),
    ("chat.getPermalink", {"channel": HERE, "message_ts": TS}),
    ("pins.add", {"channel": HERE, "timestamp": TS}),
    ("pins.add", {"channel": HERE, "timestamp": TS}),
    ("pins.list", {"channel": HERE}),
    ("reactions.add", {"channel": HERE, "timestamp": TS, "name": "eyes"}),
    ("reactions.add", {"channel": HERE, "timestamp": TS, "name": "eyes"}),
    ("reactions.get", {"channel": HERE, "timestamp": TS}),
    ("conversations.history", {"channel": HERE, "include_all_metadata": True}),
    ("conversations.replies", {"channel": HERE, "ts": TS}),
    ("conversations.open", {"users": ANA}),
    ("reactions.remove", {"channel": HERE, "timestamp": TS, "name": "eyes"}),
    ("reactions.remove", {"channel": HERE, "timestamp": TS, "name": "eyes"}),
    ("pins.remove", {"channel": HERE, "timestamp": TS}),
    ("pins.remove", {"channel": HERE, "timestamp": TS}),
    ("views.open", {"trigger_id": "1.2.3", "view": WINDOW}),
    ("chat.delete", {"channel": HERE, "ts": TS}),
    ("chat.delete", {"channel": HERE, "ts": TS}),
    ("conversations.archive", {"channel": HERE}),
    ("conversations.archive", {"channel": HERE}),
    ("chat.postMessage", {"channel": HERE, "text": "a"}),
    ("conversations.rename", {"channel": HERE, "name": "inc-2"}),
]
# What emulate gives beyond Slack's pages, or gives where Slack has it only on request.
ONLY_THERE = {
    "is_open", "last_read", "reply_count", "reply_users", "permalink", "pinned_to",
    "metadata", "event_type", "event_payload", "next_cursor", "response_metadata",
}  # fmt: skip


async def course(base_url: str, token: str) -> list[dict[str, Any]]:
    """Return the answers to the course."""
    app = AsyncWebClient(token, base_url=base_url, retry_handlers=[])
    known: dict[str, str] = {}
    answers = []
    for method, given in COURSE:
        asked = {key: known.get(str(one), one) for key, one in given.items()}
        try:
            answer: Any = (await app.api_call(method, json=asked)).data
        except SlackApiError as refused:
            answer = refused.response.data
        answers.append(answer)
        if method == "conversations.create" and answer["ok"]:
            known[HERE] = answer["channel"]["id"]
        if method == "users.list":
            names = {one["name"]: one["id"] for one in answer["members"]}
            known[ANA] = names["ana"]
        if method == "chat.postMessage" and answer["ok"]:
            known.setdefault(TS, answer["ts"])
    return answers


def shape(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key's path with its value's type; profiles are left out."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key not in ONLY_THERE and key != "profile":
                yield f"{at}.{key}", type(one).__name__
                yield from shape(one, f"{at}.{key}")
    elif isinstance(value, list):
        for one in value:
            yield from shape(one, f"{at}[]")


async def test_both_slacks_answer_the_same_calls_alike(tmp_path: Path) -> None:
    """The same calls succeed and fail with the same codes and the same fields."""
    async with emulated_slack(tmp_path) as other:
        theirs = await course(other.base_url, other.bot_token)
    async with Slack() as slack:
        ours = await course(slack.base_url, slack.bot_token)
    codes = [[one.get("error", "ok") for one in answers] for answers in (theirs, ours)]
    missing = {
        (method, place)
        for (method, _), their, our in zip(COURSE, theirs, ours, strict=True)
        for place in set(shape(their)) - set(shape(our))
    }

    assert codes[0] == codes[1]
    assert (set(), 28) == (missing, codes[1].count("ok"))
