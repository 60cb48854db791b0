"""Cards that tests of Slack show, posted by the adapter itself."""

from chat import Message, Slack

from engine.adapters.slack import SlackApi, SlackChat
from engine.model.chat import Button, Buttons, Card, Lines, Place

QUESTION = Card(
    "a question",
    (
        Lines(("restart edge-1?",)),
        Buttons(
            (
                Button("Approve", "approve", "q1 h1", "good", "Really?"),
                Button("Reject", "reject", "q1 h1", "danger"),
            )
        ),
    ),
)


def place(slack: Slack, thread: str = "") -> Place:
    """Return the channel `incidents`, or a thread in it."""
    return Place("slack", slack.channel("incidents").id, thread)


def provider(slack: Slack) -> SlackChat:
    """Return the adapter on this Slack, with a real clock."""
    return SlackChat(SlackApi(slack.base_url, lambda: slack.bot_token))


async def post_question(slack: Slack) -> Message:
    """Post a card with two buttons; return its message."""
    ref = await provider(slack).post(place(slack), QUESTION, key="r-1:1")
    return slack.message("incidents", ref)
