"""A channel as plain text, for tests and terminals. Called by: slack, page."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from chat.things import Channel, Json, Message
from chat.workspace import Workspace

USER: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
GROUP: Final = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")
SHOUT: Final = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>")
DATE: Final = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
LINK: Final = re.compile(r"<((?:https?|mailto):[^|>]*)(?:\|([^>]*))?>")


def transcript(workspace: Workspace, channel: Channel) -> str:
    """Return the channel as a reader sees it, threads below their first message.

    One line for each message's name, time and marks, then its text, blocks (buttons as
    "[Approve]"), reactions and files, indented.
    """
    head = f"#{channel.name}" if not channel.is_im else "direct messages"
    lines = [head + (f" ({channel.topic})" if channel.topic else "")]
    for message in in_order(channel):
        depth = "  " if message.is_reply else ""
        lines += [f"{depth}{line}" for line in message_lines(workspace, message)]
    return "\n".join(lines)


def in_order(channel: Channel) -> Iterable[Message]:
    """Yield the messages, each followed by its thread."""
    shown = [m for m in channel.messages if not m.deleted]
    roots = {m.ts for m in shown if not m.is_reply}
    for message in shown:
        if message.is_reply and message.thread_ts in roots:
            continue
        yield message
        if not message.is_reply:
            yield from (m for m in shown if m.is_reply and m.thread_ts == message.ts)


def message_lines(workspace: Workspace, message: Message) -> list[str]:
    """Return one message as lines."""
    name = name_of(workspace, message.user)
    marks = marks_of(workspace, message)
    lines = [" ".join([f"{name} {time_of(message)}", *marks])]
    lines += [f"  {line}" for line in shown_lines(workspace, message)]
    return lines


def marks_of(workspace: Workspace, message: Message) -> list[str]:
    """Return what Slack shows beside a name: edited, pinned, only for one."""
    pinned = any(p.ts == message.ts for p in workspace.channels[message.channel].pins)
    only = name_of(workspace, message.seen_by) if message.seen_by else ""
    return [
        *(["(edited)"] if message.edits else []),
        *(["(pinned)"] if pinned else []),
        *([f"(only {only} sees this)"] if only else []),
    ]


def shown_lines(workspace: Workspace, message: Message) -> list[str]:
    """Return what a message says: its blocks, or its text where it has none."""
    said = [line for block in message.blocks for line in block_lines(block)]
    for attachment in message.attachments:
        said += [line for block in attachment.get("blocks", [])
                 for line in block_lines(block)]  # fmt: skip
        said += [str(attachment.get("text") or attachment.get("fallback") or "")]
    said = said or message.text.splitlines()
    if message.files:
        if message.text and message.text not in said:
            said.append(message.text)
        said += [f"[file {f.name}, {len(f.content or b'')} bytes]"
                 for f in message.files]  # fmt: skip
    if message.reactions:
        said.append(" ".join(f":{name}: {len(users)}"
                             for name, users in message.reactions.items()))  # fmt: skip
    return [plain(workspace, line) for line in "\n".join(said).splitlines() if line]


def block_lines(block: Json) -> list[str]:
    """Return a block as lines of markup."""
    kind = block["type"]
    if kind == "divider":
        return ["---"]
    if kind == "rich_text":
        return rich_text(block).splitlines()
    lines = []
    if kind == "image":
        lines.append(f"[image: {block.get('alt_text', '')}]")
    for part in (block.get("text"), block.get("label"), block.get("title")):
        lines += text_of(part).splitlines()
    lines += [line for one in block.get("fields", []) for line in
              text_of(one).splitlines()]  # fmt: skip
    elements = [element_text(one) for one in block.get("elements", [])]
    if elements:
        lines.append(" ".join(elements))
    for one in (block.get("accessory"), block.get("element")):
        if one:
            lines.append(element_text(one))
    return lines


def element_text(element: Json) -> str:
    """Return a button as "[Approve]", a select as "[Choose v]", else its text."""
    kind = element["type"]
    if kind == "button":
        return f"[{text_of(element['text'])}]"
    if kind == "image":
        return f"[image: {element.get('alt_text', '')}]"
    if kind in ("plain_text", "mrkdwn"):
        return text_of(element)
    return f"[{text_of(element.get('placeholder')) or kind} v]"


def text_of(part: Any) -> str:
    """Return the text of a text object, or a text itself."""
    if isinstance(part, dict):
        return text_of(part.get("text", ""))
    return part if isinstance(part, str) else ""


def rich_text(block: Json) -> str:
    """Return a rich_text block as markup."""
    rows = []
    for section in block.get("elements", []):
        inner = section.get("elements", [])
        if section["type"] == "rich_text_list":
            rows += [f"- {_run(one.get('elements', []))}" for one in inner]
        else:
            rows.append(_run(inner))
    return "\n".join(rows)


def _run(parts: list[Json]) -> str:
    return "".join(_piece(part) for part in parts)


def _piece(part: Json) -> str:
    kind = part["type"]
    if kind == "user":
        return f"<@{part['user_id']}>"
    if kind == "usergroup":
        return f"<!subteam^{part['usergroup_id']}>"
    if kind == "broadcast":
        return f"<!{part['range']}>"
    if kind == "link":
        return f"<{part['url']}>"
    if kind == "emoji":
        return f":{part['name']}:"
    text = str(part.get("text", ""))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(workspace: Workspace, markup: str) -> str:
    """Return Slack's markup as people read it: names for mentions, no entities."""
    text = USER.sub(lambda found: f"@{name_of(workspace, found[1])}", markup)
    text = GROUP.sub(lambda found: f"@{group_of(workspace, found[1])}", text)
    text = SHOUT.sub(lambda found: f"@{found[1]}", text)
    text = DATE.sub(lambda found: found[1], text)
    text = LINK.sub(lambda found: found[2] or found[1], text)
    return decoded(text)


def decoded(text: str) -> str:
    """Return the text with Slack's three entities as characters."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def name_of(workspace: Workspace, user: str) -> str:
    """Return the display name of a user id."""
    person = workspace.people.get(user)
    return (person.shown_as or person.name) if person else user


def group_of(workspace: Workspace, group: str) -> str:
    """Return the handle of a user group's id."""
    known = workspace.groups.get(group)
    return known.handle if known else group


def time_of(message: Message) -> str:
    """Return when it was posted, as 14:03:07 UTC."""
    return datetime.fromtimestamp(float(message.ts), UTC).strftime("%H:%M:%S")
