"""The Web API's chat.*, pins.* and reactions.* methods.

Each takes the workspace and the arguments, and returns the answer's fields beside
`ok`, or raises Refused. Called by: methods.
"""

from typing import Any

from chat.arguments import Arguments
from chat.limits import UPDATED_TEXT, check_message
from chat.things import Channel, Json, Message, Refused
from chat.workspace import Workspace

Given = tuple[str, list[Json], list[Json], Json | None]


def channel_to_post(workspace: Workspace, where: str) -> Channel:
    """Return where a post goes; a user's id means direct messages."""
    if where in workspace.people:
        return workspace.direct(where)
    channel = workspace.channel(where)
    if channel.is_archived:
        raise Refused("is_archived")
    if workspace.bot.id not in channel.members:
        raise Refused("channel_not_found" if channel.is_private else "not_in_channel")
    return channel


def given_message(arguments: Arguments) -> Given:
    """Return text, blocks, attachments and metadata of a call, found good."""
    text = arguments.text("text") or arguments.text("markdown_text")
    blocks = arguments.structure("blocks", "invalid_blocks_format") or []
    attachments = arguments.structure("attachments", "invalid_attachments") or []
    metadata = arguments.structure("metadata", "invalid_metadata_format") or None
    if isinstance(attachments, list):
        attachments = [{"id": n, **one} for n, one in enumerate(attachments, 1)]
    check_message(text, blocks, attachments, metadata)
    return text, blocks, attachments, metadata


def bot_message(workspace: Workspace, channel: Channel, given: Given,
                **more: Any) -> Message:  # fmt: skip
    """Return a message of the app, not yet posted."""
    text, blocks, attachments, metadata = given
    return Message(
        channel.id, workspace.new_ts(), workspace.bot.id, text, workspace.team,
        blocks=blocks, attachments=attachments, metadata=metadata,
        bot_id=workspace.bot_id, app_id=workspace.app_id, **more,
    )  # fmt: skip


def post_message(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.postMessage. The same client_msg_id twice is two messages, as in Slack."""
    channel = channel_to_post(workspace, arguments.need("channel"))
    given = given_message(arguments)
    message = bot_message(workspace, channel, given)
    message.client_msg_id = arguments.text("client_msg_id")
    message.thread_ts = arguments.text("thread_ts")
    message.broadcast = arguments.flag("reply_broadcast")
    if message.broadcast and message.thread_ts:
        message.subtype = "thread_broadcast"
    if arguments.text("username"):
        message.more["username"] = arguments.text("username")
    workspace.post(message)
    shown = message.body(workspace.base, metadata=True)
    profile = {
        "id": workspace.bot_id, "app_id": workspace.app_id, "deleted": False,
        "name": workspace.bot.name, "updated": 0, "team_id": workspace.team,
    }  # fmt: skip
    return {"channel": channel.id, "ts": message.ts,
            "message": shown | {"bot_profile": profile}}  # fmt: skip


def post_ephemeral(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.postEphemeral: one person of the channel sees it, history does not."""
    channel = channel_to_post(workspace, arguments.need("channel"))
    user = arguments.need("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    message = bot_message(workspace, channel, given_message(arguments), seen_by=user)
    message.thread_ts = arguments.text("thread_ts")
    workspace.post(message)
    return {"message_ts": message.ts}


def update(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.update: what is left out of text, blocks, attachments stays or goes.

    As in Slack: blocks stay when neither text nor blocks are given, and go when only
    text is; a text above 4,000 characters is msg_too_long, though it can be posted.
    """
    channel = workspace.channel(arguments.need("channel"))
    message = channel.find(arguments.need("ts"))
    if message.user != workspace.bot.id:
        raise Refused("cant_update_message")
    if channel.is_archived:
        raise Refused("is_archived")
    given = {"text": message.text, "blocks": message.blocks} | {"attachments": []}
    if "text" in arguments.given or "blocks" in arguments.given:
        given = {"text": "", "blocks": []}
    text, blocks, attachments, metadata = given_message(
        Arguments(given | arguments.given)
    )
    if "text" in arguments.given and len(text) > UPDATED_TEXT:
        raise Refused("msg_too_long")
    kept = attachments if "attachments" in arguments.given else None
    if metadata is not None:
        message.metadata = metadata
    workspace.edit(message, workspace.bot.id, text, blocks, kept)
    return {"channel": channel.id, "ts": message.ts, "text": text,
            "message": message.body(workspace.base, metadata=True)}  # fmt: skip


def delete(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.delete, of the app's own messages."""
    channel = workspace.channel(arguments.need("channel"))
    message = channel.find(arguments.need("ts"))
    if message.user != workspace.bot.id:
        raise Refused("cant_delete_message")
    workspace.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(workspace: Workspace, arguments: Arguments) -> Json:
    """chat.getPermalink."""
    channel = workspace.channel(arguments.need("channel"))
    message = channel.find(arguments.need("message_ts"))
    return {"channel": channel.id, "permalink": permalink(workspace, message)}


def permalink(workspace: Workspace, message: Message) -> str:
    """Return the address of a message."""
    where = f"https://{workspace.domain}.slack.com/archives/{message.channel}"
    link = f"{where}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={message.channel}"
    return link


def _pointed(workspace: Workspace, arguments: Arguments) -> tuple[Channel, Message]:
    channel = workspace.channel(arguments.need("channel"))
    if workspace.bot.id not in channel.members:
        raise Refused("not_in_channel")
    return channel, channel.find(arguments.need("timestamp"))


def pins_add(workspace: Workspace, arguments: Arguments) -> Json:
    """pins.add."""
    channel, message = _pointed(workspace, arguments)
    workspace.pin(channel, message, workspace.bot.id)
    return {}


def pins_remove(workspace: Workspace, arguments: Arguments) -> Json:
    """pins.remove; Refused: no_pin."""
    channel, message = _pointed(workspace, arguments)
    if all(pin.ts != message.ts for pin in channel.pins):
        raise Refused("no_pin")
    channel.pins = [pin for pin in channel.pins if pin.ts != message.ts]
    workspace.changed()
    return {}


def pins_list(workspace: Workspace, arguments: Arguments) -> Json:
    """pins.list, the newest first."""
    channel = workspace.channel(arguments.need("channel"))
    shown = {message.ts: message for message in channel.shown()}
    items = [
        {
            "type": "message", "created": pin.at, "created_by": pin.by,
            "channel": channel.id, "message": shown[pin.ts].body(workspace.base),
        }
        for pin in channel.pins if pin.ts in shown
    ]  # fmt: skip
    return {"items": items}


def reactions_add(workspace: Workspace, arguments: Arguments) -> Json:
    """reactions.add."""
    _, message = _pointed(workspace, arguments)
    workspace.react(message, workspace.bot.id, _emoji(arguments))
    return {}


def reactions_remove(workspace: Workspace, arguments: Arguments) -> Json:
    """reactions.remove."""
    _, message = _pointed(workspace, arguments)
    workspace.unreact(message, workspace.bot.id, _emoji(arguments))
    return {}


def reactions_get(workspace: Workspace, arguments: Arguments) -> Json:
    """reactions.get of a message."""
    channel, message = _pointed(workspace, arguments)
    return {"type": "message", "channel": channel.id,
            "message": message.body(workspace.base)}  # fmt: skip


def _emoji(arguments: Arguments) -> str:
    name = arguments.need("name").strip(":")
    if not name.replace("_", "").replace("-", "").replace("+", "").isalnum():
        raise Refused("invalid_name")
    return name
