"""Channels as one HTML page that looks like a chat, with nothing from elsewhere.

Every text of a message is escaped; addresses become links only with http and https;
pictures are in the page as data. Called by: slack (`page`).
"""

import base64
import html
import re
from collections.abc import Iterable
from typing import Any, Final

from chat import picture
from chat.picture import BOLD, ITALIC, STRIKE
from chat.things import MIME, Channel, File, Json, Message
from chat.workspace import Workspace

STYLE: Final = """
body{margin:0;font:15px/1.46 Lato,system-ui,sans-serif;color:#1d1c1d;background:#fff}
nav{position:fixed;top:0;bottom:0;width:220px;background:#3f0e40;color:#cfc3cf}
nav h1{font-size:18px;color:#fff;margin:18px 16px}
nav a{display:block;padding:3px 16px;color:inherit;text-decoration:none}
main{margin-left:220px;max-width:860px;padding:0 20px 40px}
h2{border-bottom:1px solid #ddd;padding:14px 0 10px;margin:0}
h2 small{font-weight:normal;color:#616061;font-size:13px;margin-left:8px}
.m{display:flex;gap:9px;padding:7px 0}.m.r{margin-left:46px}
.a{flex:0 0 36px;height:36px;border-radius:5px;color:#fff;font-weight:bold;
text-align:center;line-height:36px}.b{flex:1;min-width:0;overflow-wrap:anywhere}
.n{font-weight:900}.t,.k{color:#616061;font-size:12px;margin-left:6px}
.app{background:#ddd;border-radius:2px;font-size:10px;padding:1px 3px;margin-left:4px}
.e{background:#fff8e1}.h{font-size:18px;font-weight:900}
pre,code{background:#f6f6f6;border:1px solid #ddd;border-radius:3px;font-size:12px}
pre{padding:8px;white-space:pre-wrap}code{padding:1px 3px;color:#c01343}
button{border:1px solid #bbb;border-radius:4px;background:#fff;padding:5px 12px;
margin:4px 6px 2px 0;font:bold 13px inherit}
button.primary{background:#007a5a;color:#fff}
button.danger{background:#e01e5a;color:#fff}.c{color:#616061;font-size:13px}
.f{display:grid;grid-template-columns:1fr 1fr;gap:4px 16px}
.x span{border:1px solid #ddd;border-radius:12px;padding:1px 8px;margin-right:4px;
font-size:12px;background:#f6f6f6}.u{color:#1264a3;background:#e8f5fa}
blockquote{border-left:4px solid #ddd;margin:2px 0;padding-left:10px}
img{max-width:100%;max-height:460px;border:1px solid #ddd;border-radius:6px}hr{border:0;
border-top:1px solid #ddd}
"""
COLOURS: Final = ("#4a154b", "#1264a3", "#2bac76", "#e8912d", "#cd2553", "#616061")
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
HELD: Final = re.compile("\x00([^\x00\x01]*)\x01")
TOKEN: Final = re.compile(r"<([^<>]*)>")
FENCED: Final = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
CODE: Final = re.compile(r"`([^`\n]+)`")
QUOTE: Final = re.compile(r"^&gt; ?(.*)$", re.MULTILINE)


def html_page(workspace: Workspace, channels: Iterable[Channel]) -> str:
    """Return one page with these channels, each with its messages and threads.

    Those in which nothing was said are left out, unless that is so of all.
    """
    every = list(channels)
    shown = [one for one in every if one.messages] or every
    links = "".join(
        f'<a href="#{c.id}">{html.escape(_title(workspace, c))}</a>' for c in shown
    )
    rooms = "".join(_channel(workspace, channel) for channel in shown)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{html.escape(workspace.domain)}</title><style>{STYLE}</style>"
        f"<nav><h1>{html.escape(workspace.domain)}</h1>{links}</nav>"
        f"<main>{rooms}</main></html>"
    )


def _title(workspace: Workspace, channel: Channel) -> str:
    if not channel.is_im:
        return f"# {channel.name}"
    return ", ".join(picture.name_of(workspace, one) for one in channel.members)


def _channel(workspace: Workspace, channel: Channel) -> str:
    head = f"{html.escape(_title(workspace, channel))}"
    topic = f"<small>{html.escape(channel.topic)}</small>" if channel.topic else ""
    rows = [_message(workspace, one) for one in picture.in_order(channel)]
    return f'<h2 id="{channel.id}">{head}{topic}</h2>{"".join(rows)}'


def _message(workspace: Workspace, message: Message) -> str:
    name = picture.name_of(workspace, message.user)
    colour = COLOURS[sum(map(ord, message.user)) % len(COLOURS)]
    kinds = ["m", *(["r"] if message.is_reply else []),
             *(["e"] if message.seen_by else [])]  # fmt: skip
    app = '<span class="app">APP</span>' if message.bot_id else ""
    marks = " ".join(picture.marks_of(workspace, message))
    return (
        f'<div class="{" ".join(kinds)}" id="{message.channel}-{message.ts}">'
        f'<div class="a" style="background:{colour}">{html.escape(name[:1].upper())}'
        f'</div><div class="b"><span class="n">{html.escape(name)}</span>{app}'
        f'<span class="t">{picture.time_of(message)}</span>'
        f'<span class="k">{html.escape(marks)}</span>{_said(workspace, message)}'
        "</div></div>"
    )


def _said(workspace: Workspace, message: Message) -> str:
    blocks = list(message.blocks)
    for attachment in message.attachments:
        blocks += attachment.get("blocks", [])
        if attachment.get("text"):
            blocks.append({"type": "section", "text": attachment["text"]})
    parts = [_block(workspace, block) for block in blocks]
    if not message.blocks and message.text:
        parts.insert(0, f"<div>{markup(workspace, message.text)}</div>")
    parts += [_file(file) for file in message.files]
    if message.reactions:
        chips = "".join(f"<span>:{html.escape(name)}: {len(users)}</span>"
                        for name, users in message.reactions.items())  # fmt: skip
        parts.append(f'<div class="x">{chips}</div>')
    return "".join(parts)


def _block(workspace: Workspace, block: Json) -> str:
    kind = block["type"]
    if kind == "divider":
        return "<hr>"
    if kind == "header":
        return f'<div class="h">{_plain(block["text"])}</div>'
    if kind == "rich_text":
        return f"<div>{markup(workspace, picture.rich_text(block))}</div>"
    if kind == "image":
        return f'<div class="c">[image: {html.escape(block.get("alt_text", ""))}]</div>'
    parts = [f"<div>{_text(workspace, block[key])}</div>"
             for key in ("text", "label") if block.get(key)]  # fmt: skip
    if block.get("fields"):
        fields = "".join(f"<div>{_text(workspace, f)}</div>" for f in block["fields"])
        parts.append(f'<div class="f">{fields}</div>')
    inner = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    row = " ".join(_element(workspace, one) for one in inner if one)
    if row:
        parts.append(f'<div class="{"c" if kind == "context" else "d"}">{row}</div>')
    return "".join(parts)


def _element(workspace: Workspace, element: Json) -> str:
    if element["type"] in ("plain_text", "mrkdwn"):
        return _text(workspace, element)
    label = html.escape(picture.element_text(element, picture.text_of).strip("[]"))
    style = element.get("style", "")
    kind = style if style in ("primary", "danger") else ""
    return f'<button class="{kind}" disabled>{label}</button>'


def _text(workspace: Workspace, part: Any) -> str:
    if isinstance(part, dict) and part.get("type") == "plain_text":
        return _plain(part).replace("\n", "<br>")
    return markup(workspace, picture.text_of(part))


def _plain(part: Any) -> str:
    """Return a plain text: Slack's three entities are read in it, and no markup."""
    return html.escape(picture.decoded(picture.text_of(part)))


def _file(file: File) -> str:
    kind = MIME.get(file.name.rpartition(".")[2], "")
    name = html.escape(f"{file.title or file.name} ({len(file.content or b'')} bytes)")
    if kind.startswith("image/") and file.content:
        data = base64.b64encode(file.content).decode()
        alt = html.escape(file.alt_text or file.name)
        return (f'<div class="c">{name}</div>'
                f'<img alt="{alt}" src="data:{kind};base64,{data}">')  # fmt: skip
    return f'<div class="c">{name}</div>'


def markup(workspace: Workspace, text: str) -> str:
    """Return Slack's markup as HTML; what is no markup is escaped.

    Code is left alone inside; the pieces that are done stand aside meanwhile, under a
    mark that no escaped text can hold.
    """
    done: list[str] = []

    def aside(piece: str) -> str:
        done.append(piece)
        return f"<{len(done) - 1}>"

    held = CONTROLS.sub("", text)
    held = TOKEN.sub(lambda m: f"\x00{m[1]}\x01", held)
    held = html.escape(picture.decoded(held))
    held = FENCED.sub(lambda m: aside(f"<pre>{_bare(m[1])}</pre>"), held)
    held = CODE.sub(lambda m: aside(f"<code>{_bare(m[1])}</code>"), held)
    held = HELD.sub(lambda m: aside(_token(workspace, html.unescape(m[1]))), held)
    held = BOLD.sub(r"<b>\1</b>", held)
    held = ITALIC.sub(r"<i>\1</i>", held)
    held = STRIKE.sub(r"<s>\1</s>", held)
    held = QUOTE.sub(r"<blockquote>\1</blockquote>", held)
    held = held.replace("\n", "<br>").replace("</blockquote><br>", "</blockquote>")
    return re.sub(r"<(\d+)>", lambda m: done[int(m[1])], held)


def _bare(text: str) -> str:
    return text.replace("\x00", "&lt;").replace("\x01", "&gt;")


def _token(workspace: Workspace, inner: str) -> str:
    if inner[:1] in ("@", "!", "#"):
        name = html.escape(picture.plain(workspace, f"<{inner}>"))
        return f'<span class="u">{name}</span>'
    address, _, label = inner.partition("|")
    if not address.startswith(("https://", "http://")):
        return html.escape(f"<{inner}>")
    return f'<a href="{html.escape(address)}">{html.escape(label or address)}</a>'
