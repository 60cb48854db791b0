"""The workspace: who and what is there, and every change that can be made to it.

Changes refuse as Slack does (`Refused`), make the events that Slack would send to the
app (`outgoing` takes them) and wake whoever waits (`changed`). It knows no HTTP; time
is the clock it was given.

Read by: the methods (what an app asks), people (what persons do), picture, tests.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final

from chat.things import Channel, File, Group, Json, Message, Person, Pin, Refused

TRIGGER_SECONDS: Final = 3.0
CHANNEL_NAME: Final = re.compile(r"[a-z0-9_\-]+")
MOST_NAME: Final = 80


@dataclass
class View:
    """An open window (modal) of one person; `state` is filled when it is sent."""

    id: str
    user: str
    body: Json
    root: str
    previous: str | None
    gone: bool = False


@dataclass
class Trigger:
    """What a gesture lets the app do once, for three seconds."""

    user: str
    at: float  # monotonic seconds
    used: bool = False
    view: str = ""  # the window it came from


@dataclass
class Workspace:
    """Everything Slack remembers. `clock` is Unix seconds, `ticks` monotonic ones."""

    clock: Callable[[], float]
    ticks: Callable[[], float]
    domain: str = "example"
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    outgoing: Callable[[Json], None] = lambda event: None
    base: str = ""  # the server's address, for links to files
    trigger_seconds: float = TRIGGER_SECONDS

    def __post_init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._last_micros = 0
        self._waiting: list[asyncio.Future[None]] = []
        self.team = self.new_id("T")
        self.app_id = self.new_id("A")
        self.bot_id = self.new_id("B")
        self.bot = self.add_person("runbook", is_bot=True)

    # ids, time, waking

    def new_id(self, kind: str) -> str:
        """Return the next id of a kind: C0RB000001, U0RB000002 …"""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}0RB{self._numbers[kind]:06d}"

    def new_ts(self) -> str:
        """Return a time stamp later than every earlier one, as "1700000000.000100"."""
        self._last_micros = max(int(self.clock() * 1e6), self._last_micros + 100)
        return f"{self._last_micros // 10**6}.{self._last_micros % 10**6:06d}"

    def now(self) -> int:
        """Return Unix seconds."""
        return int(self.clock())

    def changed(self) -> None:
        """Wake everybody who waits for a change."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def next_change(self, within: float) -> None:
        """Return after the next change, or after these seconds without one."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await asyncio.wait([future], timeout=within)
        if not future.done():
            self._waiting.remove(future)

    def emit(self, event: Json) -> None:
        """Tell the app of an event, and wake whoever waits."""
        self.outgoing(event)
        self.changed()

    # who and where

    def add_person(
        self, name: str, *, email: str = "", shown_as: str = "", is_bot: bool = False
    ) -> Person:
        """Return a new member; `shown_as` is the display name, which proves nothing."""
        person = Person(self.new_id("U"), name, self.team, name.title(),
                        email or f"{name}@example.com", shown_as, is_bot)  # fmt: skip
        self.people[person.id] = person
        return person

    def person(self, who: str) -> Person:
        """Return a member by id or name; Refused: user_not_found."""
        for one in self.people.values():
            if who in (one.id, one.name):
                return one
        raise Refused("user_not_found")

    def add_group(self, handle: str, members: Iterable[str]) -> Group:
        """Return a new user group of these members (names or ids)."""
        ids = [self.person(one).id for one in members]
        group = Group(self.new_id("S"), handle, self.team, ids, self.now())
        self.groups[group.id] = group
        return group

    def group(self, handle: str) -> Group:
        """Return a user group by id or handle; Refused: no_such_subteam."""
        for one in self.groups.values():
            if handle in (one.id, one.handle):
                return one
        raise Refused("no_such_subteam")

    def add_channel(
        self, name: str, members: Iterable[str], *, creator: str, private: bool = False
    ) -> Channel:
        """Return a new channel; Refused for a name that Slack does not take."""
        check_channel_name(name)
        if any(one.name == name for one in self.channels.values() if not one.is_im):
            raise Refused("name_taken")
        channel = Channel(self.new_id("C"), name, creator, self.now(), self.team,
                          is_private=private)  # fmt: skip
        ids = [self.person(one).id for one in members]
        channel.members = list(dict.fromkeys(ids))
        self.channels[channel.id] = channel
        self.changed()
        return channel

    def channel(self, where: str) -> Channel:
        """Return a channel by id, name or #name; Refused: channel_not_found."""
        name = where.removeprefix("#")
        for one in self.channels.values():
            if where == one.id or (name == one.name and not one.is_im):
                return one
        raise Refused("channel_not_found")

    def direct(self, user: str, other: str = "") -> Channel:
        """Return the direct messages of two members (the bot is one of them)."""
        pair = [other or self.bot.id, self.person(user).id]
        for one in self.channels.values():
            if one.is_im and set(one.members) == set(pair):
                return one
        channel = Channel(self.new_id("D"), "directmessage", pair[0], self.now(),
                          self.team, is_im=True, members=pair)  # fmt: skip
        self.channels[channel.id] = channel
        return channel

    # messages

    def post(self, message: Message) -> Message:
        """Return the message, now in its channel, and told to the app."""
        channel = self.channels[message.channel]
        name_blocks(message.blocks)
        for attachment in message.attachments:
            name_blocks(attachment.get("blocks", []))
        channel.messages.append(message)
        if message.seen_by:
            self.changed()
        else:
            kind = channel_type(channel)
            self.emit(message.body(self.base) | {
                "channel": channel.id, "channel_type": kind, "event_ts": message.ts,
            })  # fmt: skip
        return message

    def notice(self, channel: Channel, subtype: str, user: str, text: str,
               **more: Any) -> Message:  # fmt: skip
        """Return a line that Slack itself writes: a topic set, somebody joined."""
        return self.post(Message(channel.id, self.new_ts(), user, text, self.team,
                                 subtype=subtype, more=more))  # fmt: skip

    def edit(self, message: Message, by: str, text: str, blocks: list[Json],
             attachments: list[Json] | None = None) -> None:  # fmt: skip
        """Change a message in place."""
        before = message.body(self.base)
        name_blocks(blocks)
        message.history.append(message.text)
        message.earlier.append(message.blocks)
        message.text, message.blocks = text, blocks
        if attachments is not None:
            message.attachments = attachments
        message.edited_at, message.edited_by = self.new_ts(), by
        self._told_again(message, "message_changed", before,
                         {"message": message.body(self.base)})  # fmt: skip

    def delete(self, message: Message) -> None:
        """Take a message away."""
        before = message.body(self.base)
        message.deleted = True
        self._told_again(message, "message_deleted", before,
                         {"deleted_ts": message.ts})  # fmt: skip

    def _told_again(self, message: Message, subtype: str, before: Json,
                    more: Json) -> None:  # fmt: skip
        channel = self.channels[message.channel]
        ts = self.new_ts()
        self.emit({
            "type": "message", "subtype": subtype, "hidden": True, "ts": ts,
            "channel": channel.id, "channel_type": channel_type(channel),
            "event_ts": ts, "previous_message": before, **more,
        })  # fmt: skip

    def react(self, message: Message, user: str, name: str) -> None:
        """Add a reaction; Refused: already_reacted."""
        users = message.reactions.setdefault(name, [])
        if user in users:
            raise Refused("already_reacted")
        users.append(user)
        self._told_reaction("reaction_added", message, user, name)

    def unreact(self, message: Message, user: str, name: str) -> None:
        """Take a reaction back; Refused: no_reaction."""
        users = message.reactions.get(name, [])
        if user not in users:
            raise Refused("no_reaction")
        users.remove(user)
        if not users:
            del message.reactions[name]
        self._told_reaction("reaction_removed", message, user, name)

    def _told_reaction(self, kind: str, message: Message, user: str, name: str) -> None:
        self.emit({
            "type": kind, "user": user, "reaction": name,
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            "item_user": message.user, "event_ts": self.new_ts(),
        })  # fmt: skip

    def pin(self, channel: Channel, message: Message, by: str) -> None:
        """Pin a message; Refused: already_pinned."""
        if any(pin.ts == message.ts for pin in channel.pins):
            raise Refused("already_pinned")
        channel.pins.insert(0, Pin(message.ts, by, self.now()))
        self.changed()

    # windows and triggers

    def new_trigger(self, user: str, view: str = "") -> str:
        """Return a trigger_id, good once within `trigger_seconds`."""
        text = f"{self.now()}.{len(self.triggers) + 1}.{token_hex(8)}"
        self.triggers[text] = Trigger(user, self.ticks(), view=view)
        return text

    def take_trigger(self, text: str) -> Trigger:
        """Return a trigger, spent now; Refused: invalid, exchanged, expired."""
        trigger = self.triggers.get(text)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if self.ticks() - trigger.at > self.trigger_seconds:
            raise Refused("expired_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        trigger.used = True
        return trigger

    def open_view(self, user: str, body: Json, below: View | None = None) -> View:
        """Return a new window of a person, on top of `below`."""
        view_id = self.new_id("V")
        root = below.root if below else view_id
        view = View(view_id, user, {}, root, below.id if below else None)
        view.body = self.view_body(view, body)
        self.views[view_id] = view
        self.changed()
        return view

    def view_body(self, view: View, given: Json) -> Json:
        """Return the view object Slack makes of what an app gave."""
        blocks = [dict(block) for block in given.get("blocks", [])]
        name_blocks(blocks)
        return {
            "id": view.id,
            "team_id": self.team,
            "type": given.get("type", "modal"),
            "blocks": blocks,
            "private_metadata": given.get("private_metadata", ""),
            "callback_id": given.get("callback_id", ""),
            "state": {"values": {}},
            "hash": f"{self.now()}.{token_hex(4)}",
            "title": given.get("title"),
            "clear_on_close": bool(given.get("clear_on_close", False)),
            "notify_on_close": bool(given.get("notify_on_close", False)),
            "close": given.get("close"),
            "submit": given.get("submit"),
            "previous_view_id": view.previous,
            "root_view_id": view.root,
            "app_id": self.app_id,
            "external_id": given.get("external_id", ""),
            "app_installed_team_id": self.team,
            "bot_id": self.bot_id,
        }

    def top_view(self, user: str) -> View | None:
        """Return the window a person sees, or None."""
        mine = [v for v in self.views.values() if v.user == user and not v.gone]
        return mine[-1] if mine else None


def channel_type(channel: Channel) -> str:
    """Return what an event calls this kind of channel."""
    if channel.is_im:
        return "im"
    return "group" if channel.is_private else "channel"


def check_channel_name(name: str) -> None:
    """Return if Slack takes the name of a channel; else Refused."""
    if not name:
        raise Refused("invalid_name_required")
    if len(name) > MOST_NAME:
        raise Refused("invalid_name_maxlength")
    if not CHANNEL_NAME.fullmatch(name):
        raise Refused("invalid_name_specials")


def name_blocks(blocks: list[Json]) -> None:
    """Give each block and element without an id one of Slack's own making."""
    for block in blocks:
        block.setdefault("block_id", token_hex(3)[:5])
        for text in (block.get("text"), block.get("label"), block.get("title")):
            _complete(text)
        elements = [*block.get("elements", []), block.get("accessory"),
                    block.get("element")]  # fmt: skip
        for one in elements:
            if isinstance(one, dict) and one.get("type") in INTERACTIVE:
                one.setdefault("action_id", token_hex(3)[:5])
                _complete(one.get("text"))


INTERACTIVE: Final = frozenset({
    "button", "channels_select", "checkboxes", "conversations_select", "datepicker",
    "datetimepicker", "email_text_input", "multi_static_select", "multi_users_select",
    "number_input", "overflow", "plain_text_input", "radio_buttons", "static_select",
    "timepicker", "url_text_input", "users_select",
})  # fmt: skip


def _complete(text: Any) -> None:
    if isinstance(text, dict) and text.get("type") == "plain_text":
        text.setdefault("emoji", True)
    if isinstance(text, dict) and text.get("type") == "mrkdwn":
        text.setdefault("verbatim", False)
