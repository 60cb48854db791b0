"""A channel as plain text, for tests and terminals. Called by: slack, page."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from chat.things import Channel, Json, Message
from chat.workspace import Workspace

USER: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
GROUP: Final = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")
SHOUT: Final = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>")
DATE: Final = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
LINK: Final = re.compile(r"<((?:https?|mailto):[^|>]*)(?:\|([^>]*))?>")
BOLD: Final = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")
ITALIC: Final = re.compile(r"(?<![\w_])_([^_\n]+)_(?![\w_])")
STRIKE: Final = re.compile(r"(?<![\w~])~([^~\n]+)~(?![\w~])")
ALONE: Final = re.compile(  # in code and in tokens a star is a star
    r"```\n?(?P<fenced>.*?)\n?```|`(?P<code>[^`\n]+)`|(?P<token><[^<>]*>)", re.DOTALL
)
Read = Callable[[Any], str]  # a text object, or a text, as text


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
    """Return one message as lines, its mark-up as it was sent."""
    return _lines(workspace, message, text_of)


def plain_lines(workspace: Workspace, message: Message) -> list[str]:
    """Return one message as lines of plain text: no stars, no fences."""
    return _lines(workspace, message, bare_text)


def _lines(workspace: Workspace, message: Message, read: Read) -> list[str]:
    name = name_of(workspace, message.user)
    marks = marks_of(workspace, message)
    lines = [" ".join([f"{name} {time_of(message)}", *marks])]
    lines += [f"  {line}" for line in shown_lines(workspace, message, read)]
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


def shown_lines(workspace: Workspace, message: Message, read: Read) -> list[str]:
    """Return what a message says: its blocks, or its text where it has none."""
    said = [line for block in message.blocks for line in block_lines(block, read)]
    for attachment in message.attachments:
        said += [line for block in attachment.get("blocks", [])
                 for line in block_lines(block, read)]  # fmt: skip
        said += [str(attachment.get("text") or attachment.get("fallback") or "")]
    said = said or read({"type": "mrkdwn", "text": message.text}).splitlines()
    if message.files:
        if message.text and message.text not in said:
            said.append(message.text)
        said += [f"[file {f.name}, {len(f.content or b'')} bytes]"
                 for f in message.files]  # fmt: skip
    if message.reactions:
        said.append(" ".join(f":{name}: {len(users)}"
                             for name, users in message.reactions.items()))  # fmt: skip
    return [plain(workspace, line) for line in "\n".join(said).splitlines() if line]


def block_lines(block: Json, read: Read) -> list[str]:
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
        lines += read(part).splitlines()
    lines += [line for one in block.get("fields", []) for line in
              read(one).splitlines()]  # fmt: skip
    elements = [element_text(one, read) for one in block.get("elements", [])]
    if elements:
        lines.append(" ".join(elements))
    for one in (block.get("accessory"), block.get("element")):
        if one:
            lines.append(element_text(one, read))
    return lines


def element_text(element: Json, read: Read) -> str:
    """Return a button as "[Approve]", a select as "[Choose v]", else its text."""
    kind = element["type"]
    if kind == "button":
        return f"[{read(element['text'])}]"
    if kind == "image":
        return f"[image: {element.get('alt_text', '')}]"
    if kind in ("plain_text", "mrkdwn"):
        return read(element)
    return f"[{read(element.get('placeholder')) or kind} v]"


def bare_text(part: Any) -> str:
    """Return a text object, or a text, as people read it: without its mark-up."""
    marked = isinstance(part, dict) and part.get("type") == "mrkdwn"
    return unmarked(text_of(part)) if marked else text_of(part)


def unmarked(text: str) -> str:
    """Return Slack's mark-up without bold, italic, struck and code marks."""
    found, at = "", 0
    for one in ALONE.finditer(text):
        inner = one["fenced"] if one["fenced"] is not None else one["code"]
        found += _bare(text[at : one.start()])
        found += one["token"] if inner is None else inner
        at = one.end()
    return found + _bare(text[at:])


def _bare(text: str) -> str:
    for mark in (BOLD, ITALIC, STRIKE):
        text = mark.sub(r"\1", text)
    return text


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
