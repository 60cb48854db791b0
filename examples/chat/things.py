"""What a workspace is made of: people, channels, messages, files, groups.

Each knows its own shape on the wire (`body`), as Slack's answers and events have it.
Nothing here decides anything; `workspace` changes these, tests read them.
"""

import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
SHOUTS = re.compile(r"<!(channel|here|everyone)(?:\|[^>]*)?>")
NAMED = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
TEAMED = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")


class Refused(Exception):
    """Slack says `ok: false`; `code` is its word, `messages` what it adds.

    `more` are further fields of the answer.
    """

    def __init__(self, code: str, *messages: str, more: Json | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages
        self.more = more or {}


@dataclass
class Person:
    """A member of the workspace; `name` is the handle, `shown_as` the display name."""

    id: str
    name: str
    team: str
    real_name: str
    email: str
    shown_as: str = ""
    is_bot: bool = False
    deleted: bool = False

    def body(self) -> Json:
        """Return the user object of users.info and users.list."""
        profile = {
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.shown_as or self.name,
            "display_name_normalized": self.shown_as or self.name,
            "email": self.email,
            "team": self.team,
        }
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
            "real_name": self.real_name,
            "tz": "Etc/UTC",
            "tz_label": "UTC",
            "tz_offset": 0,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 0,
        }


@dataclass
class File:
    """An uploaded file; `content` is None until its bytes have come."""

    id: str
    name: str
    length: int
    ticket: str  # the last part of its upload URL
    by: str
    title: str = ""
    alt_text: str = ""
    content: bytes | None = None
    created: int = 0
    shares: list[tuple[str, str]] = field(default_factory=list)  # channel id, ts

    def body(self, base: str) -> Json:
        """Return the file object of files.info; `base` is the server's address."""
        suffix = self.name.rpartition(".")[2] if "." in self.name else "txt"
        url = f"{base}/files-pri/{self.id}/{self.name}"
        where: dict[str, list[Json]] = {}
        for channel, ts in self.shares:
            where.setdefault(channel, []).append({"ts": ts, "share_user_id": self.by})
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": MIME.get(suffix, "application/octet-stream"),
            "filetype": suffix,
            "user": self.by,
            "editable": False,
            "size": len(self.content or b""),
            "mode": "hosted",
            "is_external": False,
            "is_public": False,
            "url_private": url,
            "url_private_download": url,
            "permalink": url,
            "alt_txt": self.alt_text,
            "channels": list(where),
            "shares": {"public": where} if where else {},
        }


MIME = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "json": "application/json",
    "html": "text/html",
    "pdf": "application/pdf",
    "log": "text/plain",
}


@dataclass
class Message:
    """One message of a channel.

    `edits` counts how often its text was changed, `history` keeps the earlier texts,
    `seen_by` is the one person an ephemeral message is shown to.
    """

    channel: str
    ts: str
    user: str
    text: str
    team: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    subtype: str = ""
    bot_id: str = ""
    app_id: str = ""
    client_msg_id: str = ""
    metadata: Json | None = None
    broadcast: bool = False
    seen_by: str = ""
    deleted: bool = False
    edited_at: str = ""
    edited_by: str = ""
    reactions: dict[str, list[str]] = field(default_factory=dict)  # name -> user ids
    files: list[File] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    earlier: list[list[Json]] = field(default_factory=list)  # blocks before each edit
    more: Json = field(default_factory=dict)  # topic, name, purpose of a notice

    @property
    def edits(self) -> int:
        """Return how often it was edited."""
        return len(self.history)

    @property
    def is_reply(self) -> bool:
        """Return whether it stands in a thread, below its first message."""
        return self.thread_ts not in ("", self.ts)

    @property
    def said(self) -> str:
        """Return everything a reader sees as text: the text and all blocks."""
        parts = list(texts_of(self.blocks)) + list(texts_of(self.attachments))
        return "\n".join([self.text, *parts])

    @property
    def pings(self) -> set[str]:
        """Return whom it wakes: "channel", "here", "everyone", user and group ids."""
        found = self.said
        return {
            *SHOUTS.findall(found),
            *NAMED.findall(found),
            *TEAMED.findall(found),
        }

    @property
    def buttons(self) -> dict[str, Json]:
        """Return its buttons by action_id, as Slack has them."""
        found = elements_of(self.blocks + self.attachments)
        return {e["action_id"]: e for _, e in found if e.get("type") == "button"}

    def body(self, base: str = "", *, metadata: bool = False) -> Json:
        """Return the message object of history, answers and events."""
        body: Json = {
            "type": "message",
            "user": self.user,
            "text": self.text,
            "ts": self.ts,
            "team": self.team,
        }
        optional: Json = {
            "subtype": self.subtype,
            "client_msg_id": self.client_msg_id,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "thread_ts": self.thread_ts,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "files": [file.body(base) for file in self.files],
            "reactions": [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
            ],
            "metadata": self.metadata if metadata else None,
        }
        body |= {key: value for key, value in optional.items() if value}
        if self.edited_at:
            body["edited"] = {"user": self.edited_by, "ts": self.edited_at}
        return body | self.more


@dataclass
class Pin:
    """A pinned message."""

    ts: str
    by: str
    at: int


@dataclass
class Channel:
    """A channel or a direct message; `messages` are in the order they came."""

    id: str
    name: str
    creator: str
    created: int
    team: str
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    topic: str = ""
    purpose: str = ""
    members: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)

    def find(self, ts: str) -> Message:
        """Return the message with this ts; Refused: message_not_found."""
        for message in self.messages:
            if message.ts == ts and not message.deleted and not message.seen_by:
                return message
        raise Refused("message_not_found")

    def replies(self, ts: str) -> list[Message]:
        """Return what stands below a message in its thread, oldest first."""
        return [m for m in self.shown() if m.is_reply and m.thread_ts == ts]

    def shown(self) -> list[Message]:
        """Return what is there for everybody: not deleted, not ephemeral."""
        return [m for m in self.messages if not m.deleted and not m.seen_by]

    def body(self, *, member: str = "") -> Json:
        """Return the channel object; `member` is whose `is_member` it says."""
        said = {"creator": self.creator, "last_set": self.created}
        body: Json = {
            "id": self.id,
            "created": self.created,
            "is_archived": self.is_archived,
            "is_im": self.is_im,
            "is_org_shared": False,
            "context_team_id": self.team,
        }
        if self.is_im:
            return body | {"user": self.members[-1], "is_open": True}
        return body | {
            "name": self.name,
            "name_normalized": self.name,
            "creator": self.creator,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_general": False,
            "is_shared": False,
            "is_ext_shared": False,
            "is_pending_ext_shared": False,
            "is_member": member in self.members,
            "num_members": len(self.members),
            "topic": {"value": self.topic, **said},
            "purpose": {"value": self.purpose, **said},
            "previous_names": [],
        }


@dataclass
class Group:
    """A user group, called as @handle."""

    id: str
    handle: str
    team: str
    members: list[str]
    created: int

    def body(self, *, users: bool) -> Json:
        """Return the usergroup object, with its users where asked for."""
        body: Json = {
            "id": self.id,
            "team_id": self.team,
            "is_usergroup": True,
            "name": self.handle,
            "description": "",
            "handle": self.handle,
            "is_external": False,
            "date_create": self.created,
            "date_update": self.created,
            "date_delete": 0,
            "auto_type": None,
            "user_count": len(self.members),
            "prefs": {"channels": [], "groups": []},
        }
        return body | ({"users": list(self.members)} if users else {})


def elements_of(part: Any) -> list[tuple[str, Json]]:
    """Return each interactive element with the block_id it stands in."""
    found: list[tuple[str, Json]] = []
    for block in part:
        inner = [*block.get("elements", []), block.get("accessory"),
                 block.get("element")]  # fmt: skip
        found += [
            (block.get("block_id", ""), one)
            for one in inner
            if isinstance(one, dict) and "action_id" in one
        ]
        found += elements_of(block.get("blocks", []))
    return found


def texts_of(part: Any) -> list[str]:
    """Return every text that stands in blocks, in reading order."""
    if isinstance(part, list):
        return [text for one in part for text in texts_of(one)]
    if not isinstance(part, dict):
        return []
    found = []
    for key in ("text", "fallback", "pretext", "title", "label"):
        value = part.get(key)
        found += [value] if isinstance(value, str) else texts_of(value)
    kind = part.get("type")
    if kind == "user":
        found.append(f"<@{part.get('user_id', '')}>")
    if kind == "broadcast":
        found.append(f"<!{part.get('range', '')}>")
    if kind == "usergroup":
        found.append(f"<!subteam^{part.get('usergroup_id', '')}>")
    for key in ("fields", "elements", "accessory", "element", "blocks", "options"):
        found += texts_of(part.get(key))
    return found
