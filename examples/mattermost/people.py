"""What persons do in Mattermost: say, edit, react, press, fill in, command.

Called by: tests and the demo, through mattermost.Mattermost.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from mattermost.dialogs import required_left_out
from mattermost.things import Channel, Json, Post, User
from mattermost.world import World


class Cannot(Exception):
    """Mattermost's own screen does not let a person do it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered; `status` 0: nothing within the time."""

    status: int
    seconds: float
    body: Any
    sent: bytes = b""
    kind: str = ""


class People:
    """The gestures. A person or channel is a name or an id; "@runbook" is direct."""

    def __init__(self, world: World, *, answer_seconds: float) -> None:
        self.world = world
        self.answer_seconds = answer_seconds
        self.command_url = ""
        self.command_token = "command-token"

    async def settled(self) -> None:
        """Return once everything was told."""

    async def say(self, user: str, where: str, text: str, *, root: str = "") -> Post:
        """Post as a person."""
        person = self.world.user(user)
        channel = self.place(person, where)
        post = self.world.post(
            person, {"channel_id": channel.id, "message": text, "root_id": root}
        )
        await self.settled()
        return post

    async def edit(self, user: str, post: Post, text: str) -> None:
        """Change one's own post."""
        self.world.patch(self.world.user(user), post, {"message": text})
        await self.settled()

    async def delete(self, user: str, post: Post) -> None:
        """Delete one's own post."""
        if self.world.user(user).id != post.user:
            raise Cannot("it is somebody else's")
        self.world.delete(post)
        await self.settled()

    async def react(self, user: str, post: Post, emoji: str) -> None:
        """Put an emoji under a post."""
        self.world.react(self.world.user(user), post, emoji)
        await self.settled()

    async def unreact(self, user: str, post: Post, emoji: str) -> None:
        """Take it away."""
        self.world.unreact(self.world.user(user), post, emoji)
        await self.settled()

    async def command(
        self, user: str, where: str, text: str, *, root: str = "", token: str = ""
    ) -> Answer:
        """Type a slash command: "/runbook list"."""
        person = self.world.user(user)
        channel = self.place(person, where)
        command, _, rest = text.partition(" ")
        fields = {
            "channel_id": channel.id, "channel_name": channel.name, "command": command,
            "response_url": "http://127.0.0.1/hooks/commands/x", "root_id": root,
            "team_domain": self.world.team_name, "team_id": self.world.team,
            "text": rest, "token": token or self.command_token,
            "trigger_id": self.world.new_trigger(person), "user_id": person.id,
            "user_name": person.name,
        }  # fmt: skip
        kind = "application/x-www-form-urlencoded"
        return await self.tell(self.command_url, urlencode(fields).encode(), kind)

    def button(self, post: Post, label: str) -> Json:
        """Return a button of a post by its label; Cannot: there is none."""
        for one in post.actions:
            if label in (one["name"], one["id"]):
                return one
        labels = ", ".join(one["name"] for one in post.actions)
        raise Cannot(f"no button '{label}'; there are: {labels}")

    def press_body(self, user: str, post: Post, label: str) -> bytes:
        """Return the body that a press posts."""
        person, action = self.world.user(user), self.button(post, label)
        channel = self.world.channels[post.channel]
        if person.id not in channel.members:
            raise Cannot("not in the channel")
        return json.dumps({
            "user_id": person.id, "user_name": person.name, "channel_id": channel.id,
            "channel_name": channel.name, "team_id": self.world.team,
            "team_domain": self.world.team_name, "post_id": post.id,
            "trigger_id": self.world.new_trigger(person), "type": "button",
            "data_source": "", "context": action["integration"]["context"],
        }).encode()  # fmt: skip

    async def press(self, user: str, post: Post, label: str) -> Answer:
        """Press a button."""
        url = self.button(post, label)["integration"]["url"]
        body = self.press_body(user, post, label)
        return await self.tell(url, body, "application/json")

    async def submit(
        self, user: str, values: Mapping[str, Any] | None = None, *, by: str = "",
        cancelled: bool = False, where: str = "",
    ) -> Answer:  # fmt: skip
        """Send the dialog that a person has before them; `by`: somebody else does."""
        person = self.world.user(user)
        opened = self.world.dialogs.get(person.id)
        if opened is None:
            raise Cannot("no dialog is open")
        dialog = opened["dialog"]
        filled = {one["name"]: one.get("default") for one in dialog["elements"]}
        filled |= dict(values or {})
        if left := required_left_out(dialog, filled):
            raise Cannot(f"to be filled: {', '.join(left)}")
        sender = self.world.user(by) if by else person
        channel = next(iter(self.world.channels.values()))
        room = self.place(person, where).id if where else channel.id
        body = json.dumps({
            "type": "dialog_submission", "callback_id": dialog.get("callback_id", ""),
            "state": dialog.get("state", ""), "user_id": sender.id, "channel_id": room,
            "team_id": self.world.team, "submission": filled, "cancelled": cancelled,
        }).encode()  # fmt: skip
        answer = await self.tell(opened["url"], body, "application/json")
        if answer.status == 200 and not by:
            del self.world.dialogs[person.id]
        return answer

    def place(self, person: User, where: str) -> Channel:
        """Return where a person is when they say where."""
        if where.startswith("@"):
            return self.world.direct(person.name, where[1:])
        return self.world.channel(where)

    async def tell(self, url: str, body: bytes, kind: str) -> Answer:
        """Post to the app as Mattermost does; return what came back."""
        began = time.monotonic()
        headers = {"Content-Type": kind, "Accept": "application/json"}
        limit = aiohttp.ClientTimeout(total=self.answer_seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(url, data=body, headers=headers) as answer,
            ):
                raw, status = await answer.read(), answer.status
        except (TimeoutError, aiohttp.ClientError):
            return Answer(0, time.monotonic() - began, None, body, kind)
        try:
            found = json.loads(raw) if raw else None
        except ValueError:
            found = raw.decode("utf-8", "replace")
        return Answer(status, time.monotonic() - began, found, body, kind)
