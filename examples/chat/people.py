"""What persons do in Slack: say, react, press, fill in, command.

Each gesture changes the workspace, tells the app, and returns after the first try to
tell it. `Cannot` is raised for what Slack's own screen does not let a person do.
Called by: tests and the demo, through slack.Slack.
"""

import re
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any, Final
from uuid import uuid4

from chat import bodies
from chat.courier import Courier
from chat.delivery import Delivery, Sign
from chat.things import (
    Channel,
    File,
    Json,
    Message,
    Person,
    Refused,
    elements_of,
)
from chat.windows import Cannot, filled, option
from chat.workspace import View, Workspace

MARKUP: Final = re.compile(r"&lt;([@#!][^\s&<>]+)&gt;")
AT: Final = re.compile(r"(?<![\w<@])@([a-z0-9][a-z0-9._\-]*)")
LINK: Final = re.compile(r"(?<!\S)(https?://[^\s<>|]+)")


class People:
    """The gestures. A person or channel is a name or an id; "@runbook" is direct."""

    def __init__(self, workspace: Workspace, courier: Courier) -> None:
        self.workspace = workspace
        self.courier = courier

    async def say(
        self, user: str, channel: str, text: str, *, thread_ts: str = "",
        broadcast: bool = False, raw: bool = False, sign: Sign = "good",
    ) -> Message:  # fmt: skip
        """Post as a person; return the message.

        The text is changed as Slack's own box does: &, <, > are escaped, @name of a
        member becomes a mention, an address a link. `raw` leaves it alone.
        """
        person = self.workspace.person(user)
        place = self._place(person, channel)
        written = text if raw else typed(self.workspace, text)
        message = Message(
            place.id, self.workspace.new_ts(), person.id, written, self.workspace.team,
            thread_ts=thread_ts, broadcast=broadcast, client_msg_id=str(uuid4()),
            subtype="thread_broadcast" if broadcast else "",
            blocks=[rich(self.workspace, written)],
        )  # fmt: skip
        with self.courier.signing(sign):
            self.workspace.post(message)
        await self.courier.settled()
        return message

    async def edit(self, user: str, message: Message, text: str) -> None:
        """Change one's own message."""
        self._own(user, message)
        written = typed(self.workspace, text)
        self.workspace.edit(message, message.user, written,
                            [rich(self.workspace, written)])  # fmt: skip
        await self.courier.settled()

    async def delete(self, user: str, message: Message) -> None:
        """Delete one's own message."""
        self._own(user, message)
        self.workspace.delete(message)
        await self.courier.settled()

    async def react(self, user: str, message: Message, name: str, *,
                    sign: Sign = "good") -> None:  # fmt: skip
        """Add a reaction, "pushpin"."""
        with self.courier.signing(sign):
            self.workspace.react(message, self.workspace.person(user).id, name)
        await self.courier.settled()

    async def unreact(self, user: str, message: Message, name: str) -> None:
        """Take a reaction back."""
        self.workspace.unreact(message, self.workspace.person(user).id, name)
        await self.courier.settled()

    async def share(
        self, user: str, channel: str, name: str, content: bytes, *, text: str = "",
        thread_ts: str = "",
    ) -> Message:  # fmt: skip
        """Share a file in a channel; return its message."""
        person = self.workspace.person(user)
        place = self._place(person, channel)
        ts = self.workspace.new_ts()
        file = File(self.workspace.new_id("F"), name, len(content), token_urlsafe(12),
                    person.id, content=content, created=self.workspace.now(),
                    shares=[(place.id, ts)])  # fmt: skip
        self.workspace.files[file.id] = file
        message = self.workspace.post(Message(
            place.id, ts, person.id, typed(self.workspace, text), self.workspace.team,
            subtype="file_share", thread_ts=thread_ts, files=[file],
        ))  # fmt: skip
        self.workspace.emit({
            "type": "file_shared", "file_id": file.id, "user_id": person.id,
            "file": {"id": file.id}, "channel_id": place.id,
            "event_ts": self.workspace.new_ts(),
        })  # fmt: skip
        await self.courier.settled()
        return message

    async def press(
        self, user: str, message: Message, action_id: str, *, chosen: str = "",
        values: Mapping[str, Any] | None = None, stale: bool = False,
        sign: Sign = "good",
    ) -> Delivery:  # fmt: skip
        """Press a button of a message, or choose an option by its value.

        Args:
            user: who presses; must be in the channel.
            message: as in slack.last("incidents").
            action_id: of the element.
            chosen: the option's value, for selects and radio buttons.
            values: what other fields of the message hold, as in `submit`.
            stale: also what an earlier version of the message had, as a screen does
                that was not refreshed.
            sign: a good signature, or which kind of bad one.
        """
        person = self._sees(user, message)
        block_id, element = _element(message, action_id, stale=stale)
        picked = option(element, chosen) if chosen else None
        ts = self.workspace.new_ts()
        action = bodies.action_of(element, block_id, ts, picked)
        url = self.courier.response_url(message.channel, person.id, message)
        body = bodies.block_actions(self.workspace, person, message, action, url)
        held = dict(values or {}) | ({action_id: chosen} if chosen else {})
        body["state"] = {"values": filled(message.blocks, held, checked=False)}
        return await self._send("interactive", body, sign)

    async def message_shortcut(self, user: str, message: Message, callback_id: str, *,
                               sign: Sign = "good") -> Delivery:  # fmt: skip
        """Choose an entry of a message's context menu."""
        person = self._sees(user, message)
        url = self.courier.response_url(message.channel, person.id)
        body = bodies.message_action(self.workspace, person, message, callback_id, url)
        return await self._send("interactive", body, sign)

    async def shortcut(self, user: str, callback_id: str, *,
                       sign: Sign = "good") -> Delivery:  # fmt: skip
        """Choose a global shortcut."""
        person = self.workspace.person(user)
        body = bodies.shortcut(self.workspace, person, callback_id)
        return await self._send("interactive", body, sign)

    async def command(self, user: str, channel: str, line: str, *,
                      sign: Sign = "good") -> Delivery:  # fmt: skip
        """Type a slash command: "/runbook list"; what came back is `.shown`."""
        person = self.workspace.person(user)
        place = self._place(person, channel)
        name, _, text = line.partition(" ")
        url = self.courier.response_url(place.id, person.id)
        body = bodies.command(self.workspace, person, place, name, text, url)
        return await self._send("slash_commands", body, sign)

    async def submit(
        self, user: str, values: Mapping[str, Any], *, view: View | None = None,
        sign: Sign = "good",
    ) -> Delivery:  # fmt: skip
        """Fill in the open window and send it; `.errors` is what came back.

        Args:
            user: whose window.
            values: block_id or action_id -> text, number, option's value, list of
                them, "2026-03-01", "14:05"; what is left out keeps its initial value.
            view: another window than the one on top.
            sign: a good signature, or which kind of bad one.
        """
        person, window = self._window(user, view)
        state = filled(window.body["blocks"], values)
        body = bodies.view_submission(self.workspace, person, window, state)
        return await self._send("interactive", body, sign)

    async def choose(self, user: str, action_id: str, chosen: Any = None, *,
                     view: View | None = None) -> Delivery:  # fmt: skip
        """Press a button or choose an option in the open window, without sending it."""
        person, window = self._window(user, view)
        for block_id, element in elements_of(window.body["blocks"]):
            if element["action_id"] == action_id:
                picked = option(element, chosen) if "options" in element else chosen
                ts = self.workspace.new_ts()
                action = bodies.action_of(element, block_id, ts, picked)
                body = bodies.view_actions(self.workspace, person, window, action)
                return await self._send("interactive", body, "good")
        raise Cannot(f"the window has no '{action_id}'")

    async def close_view(self, user: str, *, view: View | None = None) -> None:
        """Close the window on top; the app hears of it where it wanted to."""
        person, window = self._window(user, view)
        window.gone = True
        if window.body["notify_on_close"]:
            body = bodies.view_closed(self.workspace, person, window)
            await self._send("interactive", body, "good")

    async def _send(self, kind: Any, body: Json, sign: Sign) -> Delivery:
        with self.courier.signing(sign):
            delivery = self.courier.start(kind, body)
        await delivery.tried.wait()
        return delivery

    def _place(self, person: Person, channel: str) -> Channel:
        if channel == f"@{self.workspace.bot.name}":
            return self.workspace.direct(person.id)
        place = self.workspace.channel(channel)
        if person.id not in place.members:
            raise Cannot(f"{person.name} is not in #{place.name}")
        if place.is_archived:
            raise Cannot(f"#{place.name} is archived")
        return place

    def _own(self, user: str, message: Message) -> None:
        if self.workspace.person(user).id != message.user:
            raise Cannot(f"{user} did not write this message")

    def _sees(self, user: str, message: Message) -> Person:
        person = self.workspace.person(user)
        self._place(person, message.channel)
        if message.deleted or message.seen_by not in ("", person.id):
            raise Cannot(f"{person.name} does not see this message")
        return person

    def _window(self, user: str, view: View | None) -> tuple[Person, View]:
        person = self.workspace.person(user)
        window = view or self.workspace.top_view(person.id)
        if window is None or window.gone or window.user != person.id:
            raise Cannot(f"{person.name} has no window open")
        return person, window


def _element(message: Message, action_id: str, *, stale: bool) -> tuple[str, Json]:
    versions = [message.blocks + message.attachments]
    versions += reversed(message.earlier) if stale else []
    for blocks in versions:
        for block_id, element in elements_of(blocks):
            if element["action_id"] == action_id:
                return block_id, element
    known = ", ".join(e["action_id"] for _, e in elements_of(versions[0])) or "none"
    raise Cannot(f"the message has no '{action_id}'; it has: {known}")


def typed(workspace: Workspace, text: str) -> str:
    """Return what Slack makes of a text typed into its box."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = MARKUP.sub(r"<\1>", escaped)
    escaped = LINK.sub(r"<\1>", escaped)
    return AT.sub(lambda found: _mention(workspace, found[1]), escaped)


def _mention(workspace: Workspace, name: str) -> str:
    if name in ("here", "channel", "everyone"):
        return f"<!{name}>"
    try:
        return f"<@{workspace.person(name).id}>"
    except Refused:
        pass
    try:
        return f"<!subteam^{workspace.group(name).id}|@{name}>"
    except Refused:
        return f"@{name}"


def rich(workspace: Workspace, written: str) -> Json:
    """Return the rich_text block that Slack makes of a person's message."""
    parts: list[Json] = []
    for piece in re.split(r"(<[^>]*>)", written):
        if piece.startswith("<@"):
            parts.append({"type": "user", "user_id": piece[2:-1].partition("|")[0]})
        elif piece.startswith("<!subteam^"):
            group = piece[10:-1].partition("|")[0]
            parts.append({"type": "usergroup", "usergroup_id": group})
        elif piece.startswith("<!"):
            parts.append({"type": "broadcast", "range": piece[2:-1]})
        elif piece.startswith("<http"):
            parts.append({"type": "link", "url": piece[1:-1].partition("|")[0]})
        elif piece:
            plain = piece.replace("&lt;", "<").replace("&gt;", ">")
            parts.append({"type": "text", "text": plain.replace("&amp;", "&")})
    section = {"type": "rich_text_section", "elements": parts}
    return {"type": "rich_text", "elements": [section]}
