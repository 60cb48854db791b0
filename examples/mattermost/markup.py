r"""What Markdown of a post does: whom it wakes, where it leads, which emoji it shows.

As Mattermost does: code is left out, then escapes and entities are taken away, and only
then names are looked for; so `\@channel` wakes everybody. Called by: tests, world.
"""

import html
import re

FENCE = re.compile(
    r"^( {0,3})(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\2[`~]*\s*$|\Z)", re.M | re.S
)
SPAN = re.compile(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", re.S)
ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
NAME = re.compile(r"(?<![A-Za-z0-9_@])@([A-Za-z0-9][A-Za-z0-9.\-_:]*)")
LINK = re.compile(r"(?<!\\)\[([^\]\n]*[^\]\\\n])\]\(([^)\s]*)\)")
BARE = re.compile(
    r"\b(?:https?|ftp|mattermost)://[^\s<>]+|\bmailto:[A-Za-z0-9%]\S*|\bwww\d{0,3}\.\S+"
    r"|\b[a-z0-9.\-]+\.[a-z]{2,4}/\S*|[\w.+-]+@[\w-]+\.\w+"
)
HASHTAG = re.compile(r"(?<!\S)#([A-Za-z]\w+)")
EMOJI = re.compile(r"(?<![\w:]):([a-z0-9_+-]+):")
HEADING = re.compile(r"^ {0,3}#{1,6} ", re.M)
QUOTE = re.compile(r"^ {0,3}>", re.M)
LIST = re.compile(r"^ {0,3}(?:[-+*]|\d{1,9}[.)]) ", re.M)
STRONG = re.compile(r"(?<![\\*])\*\*(?=\S)(.+?)(?<=[^\\\s])\*\*")


def without_code(text: str) -> str:
    """Return the text that Markdown works on."""
    return SPAN.sub(" ", FENCE.sub(" ", text))


def plain(text: str) -> str:
    """Return it as it is read: escapes and entities are gone."""
    return html.unescape(ESCAPE.sub(r"\1", without_code(text)))


def called(text: str) -> set[str]:
    """Return every name that it calls with `@`, in small letters."""
    return {one.rstrip(".-_:").lower() for one in NAME.findall(plain(text))}


def links(text: str) -> list[str]:
    """Return where it leads: what is written as a link, and what becomes one."""
    work = without_code(text)
    written = [url for _, url in LINK.findall(work)]
    return written + BARE.findall(plain(LINK.sub(" ", work)))


def formats(text: str) -> list[str]:
    """Return what else it does: hashtags, emoji, headings, quotes, lists, bold text."""
    work = without_code(text)
    found = [f"#{one}" for one in HASHTAG.findall(plain(work))]
    found += [f":{one}:" for one in EMOJI.findall(plain(work))]
    for name, pattern in (("heading", HEADING), ("quote", QUOTE), ("list", LIST)):
        found += [name] * len(pattern.findall(work))
    return found + [f"**{one}**" for one in STRONG.findall(work)]
