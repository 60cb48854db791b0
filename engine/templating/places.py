"""How a value may stand at a place: inside PromQL, a URL, an argument, a header.

Only values are escaped, never the author's text. `outside` means that the value may
come from somebody nobody vouches for: it may name no host and begin no argument, and
in a PromQL matcher with `=~` it is matched as it is, while a trusted value may be a
regular expression. Called by: rendering.
"""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from engine.model.kinds import Place
from engine.templating.filters import text_of
from engine.templating.queries import datadog_fault, nrql_fault

PROMQL: Final = re.compile(
    r"""\#[^\n]*|(?P<q>["'])(?:\\.|(?!(?P=q)).)*(?P<end>(?P=q)?)"""
    r"""|(?P<tick>`)[^`]*(?P<tock>`?)""",
    re.DOTALL,
)
MATCHES: Final = re.compile(r"[=!]~\s*$")
REGEX_SIGNS: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
BARE: Final = re.compile(r"[A-Za-z0-9_:.]+")  # a metric, a label, a number, 5m
BACKSLASHES: Final = re.compile(r"\\*$")
ESCAPES: Final = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\0": r"\x00"}
AUTHORITY: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?:/{2})?[^/?#\\]*")
HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]*")
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
WORDED: Final[tuple[Place, ...]] = (
    "promql", "datadog", "nrql", "url", "argv", "host", "header",
)  # fmt: skip


class NotHere(Exception):
    """A value may not stand where it would stand; the text completes "'x' ..."."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value on its way into a text."""

    raw: Any
    outside: bool

    @property
    def number(self) -> bool:
        """Whether it is a number: it cannot leave the place it is put in."""
        return isinstance(self.raw, int | float) and not isinstance(self.raw, bool)


def placed(value: Value, place: Place, before: str) -> str:
    """Return the value as text that stays inside its place.

    Args:
        value: What is put in.
        place: Where the whole text stands.
        before: The text up to here, values in place.

    Raises:
        NotHere: it may not stand here.
    """
    if value.raw is None:
        raise NotHere("has no value here")
    if place == "promql":
        return _promql(value, before)
    if place in WORDED and isinstance(value.raw, dict | list | tuple):
        kind = "map" if isinstance(value.raw, dict) else "list"
        raise NotHere(f"is a {kind}, which cannot stand inside {ARTICLES[place]}")
    if place == "url":
        return _url(value, before)
    if place == "host":
        return _host(value, before)
    text = text_of(value.raw)
    if place in ("datadog", "nrql"):
        return _query(text, value, place, before)
    if place == "header" and CONTROL.search(text):
        raise NotHere("holds a line break or control character: not in a header")
    if place == "argv" and "\0" in text:
        raise NotHere("holds a NUL character: not in an argument")
    return text


ARTICLES: Final = {
    "promql": "PromQL",
    "datadog": "a Datadog query",
    "nrql": "NRQL",
    "url": "a URL",
    "argv": "an argument",
    "host": "a host",
    "header": "a header",
}


def _query(text: str, value: Value, place: Place, before: str) -> str:
    if value.outside and not value.number:
        fault = (datadog_fault if place == "datadog" else nrql_fault)(text, before)
        if fault:
            raise NotHere(fault)
    return text


def _promql(value: Value, before: str) -> str:
    opened = _open_quote(before)
    if isinstance(value.raw, dict):
        raise NotHere("is a map, which cannot stand inside PromQL")
    if opened is None:
        return _bare(value)
    sign, at = opened
    pattern = MATCHES.search(before, 0, at) is not None
    if isinstance(value.raw, list | tuple):
        if not pattern:
            raise NotHere('is a list; write it into a matcher with =~ ("{{ hosts }}")')
        if not value.raw:
            raise NotHere("is an empty list, which would match what has no such label")
        text = "|".join(_literal(text_of(one)) for one in value.raw)
    else:
        text = text_of(value.raw)
        text = _literal(text) if pattern and value.outside else text
    return _quoted(text, sign, before)


def _open_quote(text: str) -> tuple[str, int] | None:
    for found in PROMQL.finditer(text):
        if (found["q"] and not found["end"]) or (found["tick"] and not found["tock"]):
            return found["q"] or found["tick"], found.start()
    return None


def _bare(value: Value) -> str:
    if isinstance(value.raw, list | tuple):
        raise NotHere("is a list, which cannot stand outside quotes in PromQL")
    text = text_of(value.raw)
    if value.outside and not value.number and not BARE.fullmatch(text):
        raise NotHere(
            "stands outside quotes in PromQL, where only a word or a number may come "
            "from outside. Put it in quotes, or give the input a pattern"
        )
    return text


def _literal(text: str) -> str:
    return REGEX_SIGNS.sub(lambda found: "\\" + found[0], text)


def _quoted(text: str, sign: str, before: str) -> str:
    if sign == "`":
        if "`" in text:
            raise NotHere("holds a backtick, which would end the PromQL string")
        return text
    if len(BACKSLASHES.findall(before)[0]) % 2:
        raise NotHere("stands behind a backslash in a PromQL string. Take it out")
    return "".join(
        "\\" + char if char == sign else ESCAPES.get(char, char) for char in text
    )


def _url(value: Value, before: str) -> str:
    text = text_of(value.raw)
    if AUTHORITY.fullmatch(before) is None:
        if not text and "?" not in before and "#" not in before:
            raise NotHere("is empty here, in the path of a URL")
        return quote(text, safe="")
    if before == "" and not value.outside:
        return text  # the base address, vouched for
    return _host(value, before.rpartition("//")[2])


def _host(value: Value, before: str) -> str:
    text = text_of(value.raw)
    if value.outside and not (value.number and before):
        raise NotHere(
            "would name a host, and it may come from outside. Give the input a "
            "pattern, or make it a choice"
        )
    if HOST.fullmatch(text) is None:
        raise NotHere(f"is {text[:40]!r}, which cannot be part of a host")
    return text


def climbs(url: str) -> bool:
    """Return whether the path of a URL has a segment `.` or `..`, in any spelling."""
    path = re.split(r"[?#]", url, maxsplit=1)[0].partition("://")[2] or url
    segments = re.split(r"[/\\]", re.split(r"[?#]", path, maxsplit=1)[0])
    return any(unquote(segment) in (".", "..") for segment in segments)
