"""The Web API's conversations.* methods. Called by: methods."""

from typing import TypeVar

from chat.arguments import Arguments
from chat.things import Channel, Json, Message, Refused
from chat.workspace import Workspace, check_channel_name

MOST_TOPIC = 250
T = TypeVar("T")


def _channel(workspace: Workspace, arguments: Arguments, *, inside: bool) -> Channel:
    channel = workspace.channel(arguments.need("channel"))
    if channel.is_private and workspace.bot.id not in channel.members:
        raise Refused("channel_not_found")
    if inside and workspace.bot.id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _open(workspace: Workspace, arguments: Arguments) -> Channel:
    channel = _channel(workspace, arguments, inside=True)
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def _shown(workspace: Workspace, channel: Channel) -> Json:
    return {"channel": channel.body(member=workspace.bot.id)}


def create(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.create."""
    bot = workspace.bot.id
    channel = workspace.add_channel(arguments.text("name"), [bot], creator=bot,
                                    private=arguments.flag("is_private"))  # fmt: skip
    return _shown(workspace, channel)


def rename(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.rename."""
    channel = _open(workspace, arguments)
    name = arguments.text("name")
    check_channel_name(name)
    if any(one.name == name for one in workspace.channels.values()):
        raise Refused("name_taken")
    before, channel.name = channel.name, name
    workspace.notice(channel, "channel_name", workspace.bot.id,
                     f'has renamed the channel from "{before}" to "{name}"',
                     old_name=before, name=name)  # fmt: skip
    return _shown(workspace, channel)


def set_topic(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.setTopic."""
    channel = _open(workspace, arguments)
    channel.topic = _short(arguments.text("topic"))
    workspace.notice(channel, "channel_topic", workspace.bot.id,
                     f"set the channel topic: {channel.topic}",
                     topic=channel.topic)  # fmt: skip
    return _shown(workspace, channel)


def set_purpose(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.setPurpose."""
    channel = _open(workspace, arguments)
    channel.purpose = _short(arguments.text("purpose"))
    workspace.notice(channel, "channel_purpose", workspace.bot.id,
                     f"set the channel description: {channel.purpose}",
                     purpose=channel.purpose)  # fmt: skip
    return {"purpose": channel.purpose, **_shown(workspace, channel)}


def _short(text: str) -> str:
    if len(text) > MOST_TOPIC:
        raise Refused("too_long")
    return text


def invite(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.invite; with `force` those who can be invited are."""
    channel = _open(workspace, arguments)
    wanted = arguments.ids("users")
    if not wanted:
        raise Refused("no_user")
    errors = [
        {"user": user, "ok": False, "error": why}
        for user in wanted
        if (why := _why_not(workspace, channel, user))
    ]
    failed = {one["user"] for one in errors}
    if errors and not (arguments.flag("force") and len(failed) < len(wanted)):
        raise Refused(str(errors[0]["error"]), more={"errors": errors})
    for user in wanted:
        if user not in failed:
            join_channel(workspace, channel, user, inviter=workspace.bot.id)
    return _shown(workspace, channel) | ({"errors": errors} if errors else {})


def _why_not(workspace: Workspace, channel: Channel, user: str) -> str:
    if user == workspace.bot.id:
        return "cant_invite_self"
    if user not in workspace.people or workspace.people[user].deleted:
        return "user_not_found"
    return "already_in_channel" if user in channel.members else ""


def join_channel(workspace: Workspace, channel: Channel, user: str, *,
                 inviter: str = "") -> None:  # fmt: skip
    """Make somebody a member, with the notice and the event Slack has for it."""
    channel.members.append(user)
    more = {"inviter": inviter} if inviter else {}
    workspace.notice(channel, "channel_join", user,
                     f"<@{user}> has joined the channel", **more)  # fmt: skip
    workspace.emit({
        "type": "member_joined_channel", "user": user, "channel": channel.id,
        "channel_type": channel.id[0], "team": workspace.team,
        "event_ts": workspace.new_ts(), **more,
    })  # fmt: skip


def join(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.join, of public channels."""
    channel = workspace.channel(arguments.need("channel"))
    if channel.is_im:
        raise Refused("method_not_supported_for_channel_type")
    if channel.is_private:
        raise Refused("channel_not_found")
    if channel.is_archived:
        raise Refused("is_archived")
    if workspace.bot.id in channel.members:
        warned = {"warnings": ["already_in_channel"]}
        return _shown(workspace, channel) | {"warning": "already_in_channel",
                                             "response_metadata": warned}  # fmt: skip
    join_channel(workspace, channel, workspace.bot.id)
    return _shown(workspace, channel)


def leave(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.leave."""
    channel = _channel(workspace, arguments, inside=False)
    if workspace.bot.id not in channel.members:
        return {"not_in_channel": True}
    channel.members.remove(workspace.bot.id)
    return {}


def info(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.info."""
    return _shown(workspace, _channel(workspace, arguments, inside=False))


def members(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.members."""
    channel = _channel(workspace, arguments, inside=False)
    page, cursor = paged(list(channel.members), arguments, 100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def archive(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.archive."""
    channel = _channel(workspace, arguments, inside=True)
    if channel.is_archived:
        raise Refused("already_archived")
    channel.is_archived = True
    workspace.changed()
    return {}


def unarchive(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.unarchive."""
    channel = _channel(workspace, arguments, inside=False)
    if not channel.is_archived:
        raise Refused("not_archived")
    channel.is_archived = False
    return {}


def list_all(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.list; `types` as in Slack, public channels by default."""
    wanted = arguments.ids("types") or ["public_channel"]
    found = [
        channel.body(member=workspace.bot.id)
        for channel in workspace.channels.values()
        if _kind(channel) in wanted
        and not (channel.is_archived and arguments.flag("exclude_archived"))
        and (_kind(channel) == "public_channel" or workspace.bot.id in channel.members)
    ]
    page, cursor = paged(found, arguments, 100)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def open_direct(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.open with one user (direct messages of several are not here)."""
    if arguments.text("channel"):
        channel = _channel(workspace, arguments, inside=True)
        return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
    users = arguments.ids("users")
    if len(users) != 1:
        raise Refused("users_list_not_supplied" if not users else "too_many_users")
    if users[0] not in workspace.people:
        raise Refused("user_not_found")
    channel = workspace.direct(users[0])
    shown = channel.body() if arguments.flag("return_im") else {"id": channel.id}
    return {"channel": shown}


def history(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.history, the newest first; replies only where broadcast."""
    channel = _channel(workspace, arguments, inside=True)
    found = [m for m in channel.shown() if not m.is_reply or m.broadcast]
    found = [m for m in reversed(found) if _within(m, arguments)]
    page, cursor = paged(found, arguments, 100)
    shown = [shown_message(workspace, channel, m, arguments) for m in page]
    answer: Json = {"messages": shown, "has_more": bool(cursor),
                    "pin_count": len(channel.pins), "channel_actions_ts": None,
                    "channel_actions_count": 0}  # fmt: skip
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def replies(workspace: Workspace, arguments: Arguments) -> Json:
    """conversations.replies: the first message, then what is below it."""
    channel = _channel(workspace, arguments, inside=True)
    ts = arguments.need("ts")
    try:
        root = channel.find(ts)
    except Refused:
        raise Refused("thread_not_found") from None
    below = [m for m in channel.replies(ts) if _within(m, arguments)]
    page, cursor = paged([root, *below], arguments, 1000)
    answer: Json = {"messages": [shown_message(workspace, channel, m, arguments)
                                 for m in page], "has_more": bool(cursor)}  # fmt: skip
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _within(message: Message, arguments: Arguments) -> bool:
    at = _exact(message.ts)
    oldest = _exact(arguments.text("oldest") or "0")
    latest = _exact(arguments.text("latest") or "99999999999")
    if arguments.flag("inclusive"):
        return oldest <= at <= latest
    return oldest < at < latest


def _exact(ts: str) -> tuple[int, int]:
    seconds, _, rest = ts.partition(".")
    try:
        return int(seconds or 0), int((rest + "000000")[:6])
    except ValueError:
        raise Refused("invalid_ts_oldest") from None


def shown_message(workspace: Workspace, channel: Channel, message: Message,
                  arguments: Arguments) -> Json:  # fmt: skip
    """Return a message as history and replies have it."""
    every = arguments.flag("include_all_metadata")
    body = message.body(workspace.base, metadata=every)
    below = [] if message.is_reply else channel.replies(message.ts)
    if below:
        users = list(dict.fromkeys(one.user for one in below))
        body |= {
            "thread_ts": message.ts, "reply_count": len(below),
            "reply_users_count": len(users), "latest_reply": below[-1].ts,
            "reply_users": users, "is_locked": False, "subscribed": False,
        }  # fmt: skip
    if any(pin.ts == message.ts for pin in channel.pins):
        body["pinned_to"] = [channel.id]
    return body


def paged(found: list[T], arguments: Arguments, default: int) -> tuple[list[T], str]:
    """Return one page of a list, and the cursor of the next ("" at the end)."""
    size = min(max(arguments.number("limit", default) or default, 1), 1000)
    cursor = arguments.text("cursor")
    if cursor and not cursor.startswith("next:"):
        raise Refused("invalid_cursor")
    start = int(cursor.removeprefix("next:") or 0) if cursor else 0
    more = len(found) > start + size
    return found[start : start + size], f"next:{start + size}" if more else ""
