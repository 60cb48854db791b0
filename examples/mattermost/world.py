"""The team: who and what is there, and every change that can be made to it.

Changes refuse as Mattermost does (`Problem`) and make the events that its websocket
sends. It knows no HTTP. Read by: routes, people, tests.
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

from mattermost.markup import called
from mattermost.things import (
    CHANNEL_NAME,
    Channel,
    File,
    Group,
    Json,
    Post,
    Problem,
    Reaction,
    User,
    forbidden,
)

MESSAGE: Final = 16_383
PROPS: Final = 800_000
HEADER: Final = 1_024
PENDING_MS: Final = 30_000
TRIGGER_MS: Final = 3_000
EVERYBODY: Final = frozenset({"all", "channel", "here"})

Emit = Callable[[str, Json, Channel], None]


@dataclass
class World:
    """Everything that is remembered. `clock` is epoch seconds."""

    clock: Callable[[], float]
    team_name: str = "ops"
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    dialogs: dict[str, Json] = field(default_factory=dict)  # by user, the last one
    licensed: bool = True  # groups need a licence
    may_whisper: bool = True
    may_restore: bool = False
    emit: Emit = lambda event, data, channel: None

    def __post_init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._last = 0
        self._pending: dict[str, tuple[str, int]] = {}
        self.team = self.new_id("t")
        self.bot = self.add_user("runbook", is_bot=True)

    # ids and time

    def new_id(self, kind: str) -> str:
        """Return the next id of a kind: 26 letters and digits."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}{self._numbers[kind]:025d}"

    def now(self) -> int:
        """Return epoch milliseconds, later than every earlier answer."""
        self._last = max(int(self.clock() * 1000), self._last + 1)
        return self._last

    # who and where

    def add_user(
        self, name: str, *, is_bot: bool = False, in_team: bool = True
    ) -> User:
        """Return a new user."""
        user = User(self.new_id("u"), name, is_bot, in_team=in_team)
        self.users[user.id] = user
        return user

    def user(self, who: str) -> User:
        """Return a user by id or name; Problem 404."""
        for one in self.users.values():
            if who in (one.id, one.name):
                return one
        raise Problem(404, "app.user.missing_account.const", "Unable to find the user.")

    def add_group(self, name: str, members: Iterable[str]) -> Group:
        """Return a new group."""
        ids = [self.user(one).id for one in members]
        group = Group(self.new_id("g"), name, ids)
        self.groups[group.id] = group
        return group

    def group(self, group_id: str) -> Group:
        """Return a group by id; Problem 501 without a licence, 404."""
        if not self.licensed:
            raise Problem(501, "api.ldap_groups.license_error", "Needs a licence.")
        if group_id not in self.groups:
            raise Problem(404, "app.group.no_rows", "No matching group.")
        return self.groups[group_id]

    def add_channel(
        self, name: str, members: Iterable[str], *, creator: str, kind: str = "O",
        shown_as: str = "", header: str = "", purpose: str = "",
    ) -> Channel:  # fmt: skip
        """Return a new channel; Problem 400 for a name that is taken or not legal."""
        if kind != "D" and (len(name) > 64 or not CHANNEL_NAME.fullmatch(name)):
            raise Problem(400, "model.channel.is_valid.1_or_more.app_error",
                          "Invalid channel name.")  # fmt: skip
        if any(one.name == name for one in self.channels.values()):
            raise Problem(400, "store.sql_channel.save_channel.exists.app_error",
                          "A channel with that name already exists.")  # fmt: skip
        _short(header, HEADER, "header")
        _short(purpose, 250, "purpose")
        _short(shown_as, 64, "display_name")
        channel = Channel(self.new_id("c"), name, self.team, kind, creator, self.now(),
                          shown_as or name, header, purpose)  # fmt: skip
        channel.members = list(dict.fromkeys(self.user(one).id for one in members))
        self.channels[channel.id] = channel
        return channel

    def channel(self, where: str) -> Channel:
        """Return a channel by id or name; Problem 404."""
        for one in self.channels.values():
            if where in (one.id, one.name):
                return one
        raise Problem(404, "app.channel.get.existing.app_error",
                      "Unable to find the channel.")  # fmt: skip

    def direct(self, one: str, other: str) -> Channel:
        """Return the direct messages of two users."""
        pair = sorted([self.user(one).id, self.user(other).id])
        name = "__".join(pair)
        for channel in self.channels.values():
            if channel.name == name:
                return channel
        return self.add_channel(name, pair, creator=pair[0], kind="D")

    def join(self, channel: Channel, user: User) -> None:
        """Make somebody a member; Problem 404 for who is not in the team."""
        if not user.in_team:
            raise Problem(404, "app.team.get_member.missing.app_error",
                          "No team member found for that user ID.")  # fmt: skip
        if user.id not in channel.members:
            channel.members.append(user.id)
            self.notice(channel, user, "system_add_to_channel", "added to the channel")

    def notice(self, channel: Channel, user: User, kind: str, text: str) -> None:
        """Post what Mattermost itself posts."""
        self._put(channel, Post(self.new_id("p"), user.id, channel.id, text, self.now(),
                                type=kind))  # fmt: skip

    # posts

    def post(self, user: User, given: Json) -> Post:
        """Return a new post, or the one that came with the same pending id."""
        channel = self.channel(str(given.get("channel_id", "")))
        self.member(channel, user)
        pending = str(given.get("pending_post_id", "") or "")
        known, at = self._pending.get(pending, ("", 0))
        if pending and known and self.now() - at < PENDING_MS:
            return self.find(known)
        if channel.deleted_at:
            raise Problem(400, "api.post.create_post.can_not_post_to_deleted.error",
                          "Can not post to deleted channel.")  # fmt: skip
        self._check(channel, given)
        post = Post(
            self.new_id("p"), user.id, channel.id, given.get("message", ""), self.now(),
            given.get("root_id", ""), dict(given.get("props") or {}), "",
            list(given.get("file_ids") or []), pending,
        )  # fmt: skip
        if user.is_bot:
            post.props["from_bot"] = "true"
        if pending:
            self._pending[pending] = (post.id, post.at)
        self._put(channel, post)
        return post

    def whisper(self, given: Json) -> Post:
        """Return an ephemeral post; Problem 403 where the bot may not."""
        if not self.may_whisper:
            raise forbidden()
        inner = given.get("post") or {}
        reader = self.user(str(given.get("user_id", "")))
        channel = self.channel(str(inner.get("channel_id", "")))
        if reader.id not in channel.members:
            raise Problem(400, "api.post.create_ephemeral.app_error")
        self._check(channel, inner)
        post = Post(self.new_id("p"), self.bot.id, channel.id, inner.get("message", ""),
                    self.now(), inner.get("root_id", ""),
                    dict(inner.get("props") or {}), seen_by=reader.id)  # fmt: skip
        channel.posts.append(post)
        return post

    def patch(self, user: User, post: Post, given: Json) -> None:
        """Change a post: what is named is replaced as a whole."""
        if post.user != user.id:
            raise forbidden()
        self._check(self.channels[post.channel], given)
        if "props" in given:
            post.props = dict(given["props"])
        if given.get("message", post.message) != post.message:
            post.edited_at = self.now()
        post.message = given.get("message", post.message)
        post.updated_at = self.now()
        post.edits += 1
        self._tell("post_edited", post)

    def delete(self, post: Post) -> None:
        """Take a post away; what hangs on it goes, too."""
        for one in self.channels[post.channel].posts:
            if post.id in {one.id, one.root}:
                one.deleted_at = one.updated_at = self.now()
        self._tell("post_deleted", post)

    def pin(self, post: Post) -> None:
        """Pin a post."""
        post.pinned, post.updated_at = True, self.now()
        self._tell("post_edited", post)

    def react(self, user: User, post: Post, emoji: str) -> Reaction:
        """Put an emoji under a post."""
        one = Reaction(user.id, post.id, post.channel, emoji, self.now())
        post.reactions.append(one)
        post.updated_at = one.at
        self._reaction("reaction_added", one)
        return one

    def unreact(self, user: User, post: Post, emoji: str) -> None:
        """Take an emoji away."""
        for one in [r for r in post.reactions if (r.user, r.emoji) == (user.id, emoji)]:
            post.reactions.remove(one)
            one.gone_at = post.updated_at = self.now()
            one.at = 0  # what is taken away was built from a path: it has no beginning
            self._reaction("reaction_removed", one)

    def find(self, ref: str) -> Post:
        """Return a post that is there; Problem 404."""
        for channel in self.channels.values():
            for post in channel.posts:
                if post.id == ref and not post.deleted_at and not post.seen_by:
                    return post
        raise Problem(404, "app.post.get.app_error", "Unable to get the post.")

    def member(self, channel: Channel, user: User) -> None:
        """Return if the user is in the channel; else Problem 403."""
        if user.id not in channel.members:
            raise forbidden()

    # triggers

    def new_trigger(self, user: User, at: int | None = None) -> str:
        """Return what lets the app open a dialog for somebody for three seconds."""
        said = f"{token_hex(13)}:{user.id}:{at or self.now()}:"
        return base64.b64encode(f"{said}{self._sealed(said)}".encode()).decode()

    def opener(self, trigger: str) -> User:
        """Return whose trigger it is; Problem 400 when it is none, or too old."""
        try:
            client, user, at, seal = base64.b64decode(trigger).decode().split(":")
        except ValueError:
            raise Problem(
                400, "interactive_message.decode_trigger_id.base64_decode_failed"
            ) from None
        if seal != self._sealed(f"{client}:{user}:{at}:"):
            raise Problem(
                400, "interactive_message.decode_trigger_id.verify_signature_failed"
            )
        if self.now() - int(at) > TRIGGER_MS:
            raise Problem(400, "interactive_message.decode_trigger_id.expired")
        return self.user(user)

    def _sealed(self, said: str) -> str:
        return base64.b64encode(f"sealed {hash(said)}".encode()).decode()

    def _check(self, channel: Channel, given: Json) -> None:
        if len(given.get("message", "")) > MESSAGE:
            words = "Post Message property is longer than the maximum."
            raise Problem(400, "model.post.is_valid.message_length.app_error", words)
        props = given.get("props") or {}
        if len(json.dumps(props)) > PROPS:
            raise Problem(400, "model.post.is_valid.props.app_error", "Invalid props.")
        root = given.get("root_id", "")
        roots = [p.id for p in channel.posts if not p.root and not p.deleted_at]
        if root and root not in roots:
            raise Problem(400, "api.post.create_post.root_id.app_error",
                          "Invalid RootId parameter.")  # fmt: skip
        for part in props.get("attachments", []):
            for action in part.get("actions", []):
                _action(action)

    def _put(self, channel: Channel, post: Post) -> None:
        channel.posts.append(post)
        channel.last_post_at = post.at
        self._tell("posted", post)

    def _tell(self, event: str, post: Post) -> None:
        channel = self.channels[post.channel]
        data: Json = {"post": json.dumps(post.body())}
        if event == "posted":
            sender = self.users[post.user].name
            data |= {
                "channel_display_name": channel.shown_as, "channel_name": channel.name,
                "channel_type": channel.type, "sender_name": f"@{sender}",
                "team_id": self.team, "set_online": True,
            }  # fmt: skip
            names = called(post.said)
            if self.bot.name in names or names & EVERYBODY or channel.type == "D":
                data["mentions"] = json.dumps([self.bot.id])
        if event == "post_deleted":
            data["delete_by"] = post.user
        self.emit(event, data, channel)

    def _reaction(self, event: str, one: Reaction) -> None:
        data = {"reaction": json.dumps(one.body())}
        self.emit(event, data, self.channels[one.channel])


def _short(text: str, most: int, name: str) -> None:
    if len(text) > most:
        raise Problem(400, f"model.channel.is_valid.{name}.app_error")


def _action(action: Json) -> None:
    where = action.get("integration", {}).get("url", "")
    name = str(action.get("id", "x"))
    good = name.isascii() and name.isalnum() and action.get("name")
    if not good or not where.startswith(("http://", "https://")):
        raise Problem(400, "model.post.is_valid.props.app_error", "Invalid action.")
