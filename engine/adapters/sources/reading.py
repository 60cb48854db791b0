"""From the bytes of a body to plain values, and the small readings all sources share.

Any bytes give plain values or BadBody. What comes out can be stored: lone surrogates
and NUL are replaced, numbers fit into 64 bits or are floats. Nothing here knows a
source. The signature of SNS is judged on the same reading: what was signed and what is
believed are one.

Read by: every source of this package, sns.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from engine.adapters.sources.forms import unwrapped
from engine.ports import BadBody, Posted

DEEPEST: Final = 64  # levels of a body
MOST_ALERTS: Final = 10_000  # of one body
CHARSET: Final = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._-]+)", re.IGNORECASE)
UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})  # ASCII is a part
KNOWN_CHARSETS: Final = frozenset(
    {"latin-1", "latin1", "koi8-r", "koi8-u", "shift_jis", "euc-jp", "euc-kr"}
    | {"gb2312", "gbk", "gb18030", "big5", "utf-16", "utf-16le", "utf-16be"}
    | {f"iso-8859-{number}" for number in range(1, 17) if number != 12}
    | {f"windows-125{number}" for number in range(9)}
)
EPOCH: Final = re.compile(r"-?[0-9]{1,30}|[0-9]{9,20}\.[0-9]{1,20}", re.ASCII)
LONGEST_MOMENT: Final = 64  # characters
SMALLEST: Final = 2**63  # below zero; a store takes no number over 64 bits
Status = Literal["firing", "resolved"]
Body = Mapping[str, Any]


def body_of(posted: Posted) -> Any:
    """Return the values of a JSON body.

    Raises:
        BadBody: no JSON, another charset than it says, too deep, a number too long.
    """
    declared = posted.headers.get("content-type", "")
    raw = unwrapped(posted.body.removeprefix(b"\xef\xbb\xbf"), declared)
    if not raw.strip():
        raise BadBody("the body is empty")
    charset = CHARSET.search(declared)
    if charset is not None and charset[1].lower() not in UTF_8:
        raw = _recoded(raw, charset[1].lower())
    return _decoded(raw)


def body_inside(written: str) -> Any:
    """Return the values of JSON that stands in a text; None: it is no JSON."""
    try:
        return body_of(Posted(written.encode("utf-8", "replace"), {}, 0.0))
    except BadBody:
        return None


def _recoded(raw: bytes, charset: str) -> bytes:
    if charset not in KNOWN_CHARSETS:
        raise BadBody(f"the body's charset '{charset[:40]}' is not read; send UTF-8")
    try:
        return raw.decode(charset).encode("utf-8", "surrogatepass")
    except UnicodeError as error:
        raise BadBody(f"the body is not {charset}, as its header says") from error


def _decoded(raw: bytes) -> Any:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError) as strict:
        found = _forgiving(raw, strict)
    return _clean(found, 0)


def _forgiving(raw: bytes, strict: Exception) -> Any:
    """Read what some senders write: line breaks inside texts, NaN, odd escapes."""
    try:
        text = raw.decode("utf-8")
        return json.loads(text, strict=False, parse_constant=lambda _: None)
    except UnicodeDecodeError as error:
        raise BadBody(f"the body is not UTF-8: byte {error.start + 1}") from error
    except RecursionError as error:
        raise BadBody(f"the body is nested more than {DEEPEST} deep") from error
    except ValueError as error:
        raise BadBody(f"the body is no JSON: {_one_line(str(strict))}") from error


def _clean(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise BadBody(f"the body is nested more than {DEEPEST} deep")
    kind = type(value)  # no subclasses come out of JSON; the common ones first
    if kind is str:
        return plain(value)
    if kind is dict:
        return {plain(key): _clean(one, depth + 1) for key, one in value.items()}
    if kind is list:
        return [_clean(one, depth + 1) for one in value]
    if kind is float and not math.isfinite(value):
        return None
    if kind is int and not -SMALLEST <= value < 2 * SMALLEST:
        return float(value) if value.bit_length() < 1000 else None
    return value


def plain(text: str) -> str:
    """Return a text that can be stored: without NUL and lone surrogates."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\0", "\ufffd")


def _one_line(text: str, most: int = 160) -> str:
    return " ".join(text.split())[:most]


def map_of(value: Any, what: str) -> Body:
    """Return a map. Raises BadBody, which says what should have been one."""
    if not isinstance(value, Mapping):
        raise BadBody(f"{what} is {kind_of(value)}; it must be a map of keys")
    return value


def part(body: Body, *keys: str) -> Body:
    """Return a map inside a map, or an empty one."""
    value: Any = body
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def members(value: Any, what: str) -> list[Any]:
    """Return a list of alerts. Raises BadBody: no list, or too long."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadBody(f"{what} is {kind_of(value)}; it must be a list")
    if len(value) > MOST_ALERTS:
        raise BadBody(
            f"{what} has {len(value):,} members, at most {MOST_ALERTS:,} are taken; "
            "let the source send fewer at once (Alertmanager: `max_alerts`)"
        )
    return value


def kind_of(value: Any) -> str:
    """Return what a value is, for people."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "a map")


def text(value: Any) -> str:
    """Return a single value as text; a map, a list and nothing are empty."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def first(body: Body, *keys: str) -> str:
    """Return the first of these keys that has a text which is not empty."""
    return next((found for key in keys if (found := text(body.get(key)))), "")


def texts(value: Any) -> dict[str, str]:
    """Return the single values of a map as texts; what is nested is left out."""
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): text(one)
        for key, one in value.items()
        if one is not None and not isinstance(one, Mapping | list)
    }


def without_empty(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that say something."""
    return {key: value for key, value in labels.items() if key and value != ""}


def pairs(value: Any) -> dict[str, str]:
    """Return tags as labels: "a:b,c:d", ["a:b"], [["a", "b"]] or [{name, value}].

    A tag without a colon is a label whose value is "true".
    """
    return {key: said for key, said in _pairs(value) if key}


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    tags: Sequence[Any] = value.split(",") if isinstance(value, str) else value or ()
    if isinstance(tags, Mapping):
        yield from texts(tags).items()
        return
    if not isinstance(tags, list):
        return
    for tag in tags:
        if isinstance(tag, str) and tag.strip():
            key, colon, said = tag.strip().partition(":")
            yield key, said if colon else "true"
        elif isinstance(tag, list) and len(tag) == 2:
            yield text(tag[0]), text(tag[1])
        elif isinstance(tag, Mapping):
            key = first(tag, "key", "name", "tag")
            if key:
                yield key, text(tag.get("value"))


def moment(value: Any) -> str:
    """Return a time as ISO 8601, UTC: from seconds, milli- or nanoseconds, or as it is.

    Zero, what is no time, and what is longer than any time are empty.
    """
    if isinstance(value, str):
        value = value.strip()
        if EPOCH.fullmatch(value) is None:
            return value if len(value) <= LONGEST_MOMENT else ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    number = float(value) if isinstance(value, str) else value
    if not 0 < number < 1e20:  # nanoseconds of this century have nineteen digits
        return ""
    while number >= 1e11:  # a time in seconds of this century has ten
        number /= 1000
    at = datetime.fromtimestamp(number, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def identity(*parts: object) -> str:
    """Return a fingerprint of what stays the same while an alert fires and ends."""
    told = json.dumps([str(one) for one in parts], ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def of_labels(labels: Mapping[str, str]) -> str:
    """Return a fingerprint of a set of labels."""
    return identity(*(f"{key}={labels[key]}" for key in sorted(labels)))


def links_of(**links: Any) -> dict[str, str]:
    """Return the links that are there, by what they lead to."""
    return without_empty({name: text(link) for name, link in links.items()})


def split(value: Any) -> str:
    """Return a list of names as one label: a, b."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(text, value)))
    return text(value)
