"""What a Mattermost is made of: users, channels, posts, files, groups.

Each knows its own shape on the wire (`body`). Nothing here decides anything.
"""

import copy
import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
CHANNEL_NAME = re.compile(r"[a-z0-9]+([a-z\-_0-9]+|(__)?)[a-z0-9]*")


class Problem(Exception):
    """Mattermost says no: an HTTP status, its id for the reason, words."""

    def __init__(self, status: int, error_id: str, message: str = "") -> None:
        super().__init__(error_id)
        self.status = status
        self.error_id = error_id
        self.message = message or "You do not have the appropriate permissions."

    def body(self) -> Json:
        """Return the body of the answer."""
        return {
            "id": self.error_id,
            "message": self.message,
            "detailed_error": "",
            "request_id": "o3mfd5eoc7yexpyyefxhqqkejr",
            "status_code": self.status,
        }


def forbidden() -> Problem:
    """Return the answer to whoever may not."""
    return Problem(403, "api.context.permissions.app_error")


@dataclass
class User:
    """Somebody; `shown_as` is the nickname, which proves nothing."""

    id: str
    name: str
    is_bot: bool = False
    shown_as: str = ""
    in_team: bool = True

    def body(self) -> Json:
        """Return the user object."""
        return {
            "id": self.id,
            "create_at": 1,
            "update_at": 1,
            "delete_at": 0,
            "username": self.name,
            "auth_service": "",
            "email": f"{self.name}@example.com",
            "nickname": self.shown_as,
            "first_name": "",
            "last_name": "",
            "position": "",
            "roles": "system_user",
            "is_bot": self.is_bot,
            "locale": "en",
        }


@dataclass
class Reaction:
    """An emoji under a post."""

    user: str
    post: str
    channel: str
    emoji: str
    at: int
    gone_at: int = 0

    def body(self) -> Json:
        """Return the reaction object."""
        return {
            "user_id": self.user,
            "post_id": self.post,
            "emoji_name": self.emoji,
            "create_at": self.at,
            "update_at": max(self.at, self.gone_at),
            "delete_at": self.gone_at,
            "remote_id": "",
            "channel_id": self.channel,
        }


@dataclass
class Post:
    """One post; times are epoch milliseconds. `seen_by`: an ephemeral one's reader."""

    id: str
    user: str
    channel: str
    message: str
    at: int
    root: str = ""
    props: Json = field(default_factory=dict)
    type: str = ""
    files: list[str] = field(default_factory=list)
    pending: str = ""
    updated_at: int = 0
    edited_at: int = 0
    deleted_at: int = 0
    pinned: bool = False
    seen_by: str = ""
    reactions: list[Reaction] = field(default_factory=list)
    edits: int = 0

    def __post_init__(self) -> None:
        self.updated_at = self.updated_at or self.at

    @property
    def attachments(self) -> list[Json]:
        """Return its attachments, with what no client sees."""
        given = self.props.get("attachments")
        return given if isinstance(given, list) else []

    @property
    def actions(self) -> list[Json]:
        """Return its buttons, in order."""
        return [one for part in self.attachments for one in part.get("actions", [])]

    @property
    def said(self) -> str:
        """Return everything a reader sees as text, in Markdown."""
        texts = [part.get("text", "") for part in self.attachments]
        return "\n".join([self.message, *texts])

    def body(self) -> Json:
        """Return the post object: integrations are taken out of it."""
        props = copy.deepcopy(self.props)
        for part in props.get("attachments", []):
            for action in part.get("actions", []):
                action.pop("integration", None)
        return {
            "id": self.id,
            "create_at": self.at,
            "update_at": self.updated_at,
            "edit_at": self.edited_at,
            "delete_at": self.deleted_at,
            "is_pinned": self.pinned,
            "user_id": self.user,
            "channel_id": self.channel,
            "root_id": self.root,
            "original_id": "",
            "message": self.message,
            "type": "system_ephemeral" if self.seen_by else self.type,
            "props": props,
            "hashtags": "",
            "file_ids": list(self.files),
            "pending_post_id": self.pending,
            "has_reactions": bool(self.reactions),
            "reply_count": 0,
            "last_reply_at": 0,
            "participants": None,
            "metadata": {"reactions": [one.body() for one in self.reactions]},
        }


@dataclass
class Channel:
    """A channel: O public, P private, D direct."""

    id: str
    name: str
    team: str
    type: str
    creator: str
    at: int
    shown_as: str = ""
    header: str = ""
    purpose: str = ""
    deleted_at: int = 0
    last_post_at: int = 0
    members: list[str] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    def body(self) -> Json:
        """Return the channel object."""
        return {
            "id": self.id,
            "create_at": self.at,
            "update_at": self.at,
            "delete_at": self.deleted_at,
            "team_id": "" if self.type == "D" else self.team,
            "type": self.type,
            "display_name": self.shown_as,
            "name": self.name,
            "header": self.header,
            "purpose": self.purpose,
            "last_post_at": self.last_post_at,
            "total_msg_count": len(self.posts),
            "extra_update_at": 0,
            "creator_id": self.creator,
            "props": None,
        }


@dataclass
class File:
    """An uploaded file."""

    id: str
    name: str
    by: str
    channel: str
    at: int
    content: bytes

    def body(self) -> Json:
        """Return the file info object."""
        return {
            "id": self.id,
            "user_id": self.by,
            "channel_id": self.channel,
            "create_at": self.at,
            "update_at": self.at,
            "delete_at": 0,
            "name": self.name,
            "extension": self.name.rpartition(".")[2],
            "size": len(self.content),
            "mime_type": "image/png" if self.name.endswith(".png") else "",
            "has_preview_image": False,
        }


@dataclass
class Group:
    """A group; `name` is how it is mentioned."""

    id: str
    name: str
    members: list[str]
    mentionable: bool = True

    def body(self) -> Json:
        """Return the group object."""
        return {
            "id": self.id,
            "name": self.name,
            "display_name": self.name,
            "description": "",
            "source": "custom",
            "remote_id": None,
            "create_at": 1,
            "update_at": 1,
            "delete_at": 0,
            "has_syncables": False,
            "member_count": len(self.members),
            "allow_reference": self.mentionable,
        }
