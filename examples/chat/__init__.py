"""A Slack on 127.0.0.1, for tests and for the demo. Nothing here imports the engine.

    async with Slack(people=["ana", "bo"], channels=["incidents"]) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.base_url)
        slack.request_urls(events=url, interactivity=url, commands=url)
        await client.chat_postMessage(channel="#incidents", text="up", blocks=[...])
        pressed = await slack.press("ana", slack.last("incidents"), "approve")
        assert pressed.status == 200 and pressed.seconds < 0.5
        typed = await slack.command("bo", "incidents", "/runbook list")
        print(typed.shown)
        await slack.submit("bo", {"reason": "not now"})
        with slack.fail("chat.postMessage", status=429, retry_after="30"):
            ...
        await slack.until(lambda s: len(s.messages("incidents")) == 2)
        print(slack.transcript("incidents"))

Over Socket Mode: `Slack(socket_mode=True)`, and the app calls apps.connections.open
with `slack.app_token`. In a process of its own: `python -m chat`.

What it is strict about: Slack's sizes and counts of blocks and texts (`limits`), three
seconds for an acknowledgement and for a trigger_id, who is in a channel, ts that only
grow. What it does not have: scopes, several workspaces, Enterprise, scheduled messages,
search, huddles; `client_msg_id` twice is two messages, as in Slack.
"""

from chat.delivery import Attempt, Delivery
from chat.faults import Call, Fault, Rates
from chat.slack import Slack
from chat.things import Channel, File, Group, Message, Person, Refused
from chat.windows import Cannot
from chat.workspace import View

__all__ = [
    "Attempt", "Call", "Cannot", "Channel", "Delivery", "Fault", "File", "Group",
    "Message", "Person", "Rates", "Refused", "Slack", "View",
]  # fmt: skip
