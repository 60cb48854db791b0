"""A Mattermost on 127.0.0.1, for tests and for the demo. It imports no engine.

    async with Mattermost(people=["ana", "bo"], channels=["incidents"]) as server:
        server.callback("http://127.0.0.1:8080")       # where commands are posted
        post = await server.say("ana", "incidents", "@runbook status")
        answer = await server.press("ana", server.last("incidents"), "Approve")
        assert answer.status == 200 and answer.seconds < 0.5
        await server.command("bo", "incidents", "/runbook list")
        await server.submit("bo", {"reason": "not now"})
        with server.fail("POST /posts", status=429, retry_after="30"):
            ...
        await server.until(lambda s: len(s.posts("incidents")) == 2)

It answers the REST API v4 under `server.url` to `server.token`, and holds its websocket
open. Shapes, limits and error ids are those of Mattermost's API reference and of its
server's public source: 16,383 characters a message, dialogs measured in bytes, action
ids of letters and digits, trigger ids that expire, integrations that no client sees,
`pending_post_id` for half a minute, mentions that no escape of Markdown stops.

What it does not have: plugins, several teams, guests, permissions schemes, search,
threads as Mattermost follows them, reliable websockets.
"""

from mattermost import markup
from mattermost.mattermost import Mattermost
from mattermost.people import Answer, Cannot
from mattermost.things import Channel, Group, Post, Problem, User
from mattermost.trouble import Failure

__all__ = [
    "Answer", "Cannot", "Channel", "Failure", "Group", "Mattermost", "Post", "Problem",
    "User", "markup",
]  # fmt: skip
