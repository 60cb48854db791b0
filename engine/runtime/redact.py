"""Secrets taken out of whatever is about to be kept or shown.

What is here: the exact values of secrets in the forms in which they travel (as they
are, base64 at any offset, percent, JSON, HTML, hex), and patterns of credentials whose
value nobody told us. What is not: which values are secret (ports.Secrets), and where
text leaves the engine (the sinks call this).

It changes text for good: parameters that an undo still needs must not go through it.

Reach: a value of 2 or 3 characters is hidden only as a whole word, one of 4 in its
base64 only where it stands alone there; a single character is not hidden. Base64 that
is broken into lines inside the value is not seen.

Called by the driver (entries, outbox), the log and the doors.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, quote_plus

from ahocorasick_rs import AhoCorasick

MARK: Final = "[redacted]"
SHORTEST_ANYWHERE: Final = 4  # a shorter value is in half of all words
SHORTEST_WORD: Final = 2
SHORTEST_CORE: Final = 6  # of base64; a shorter piece is in ordinary words too
SHORTEST_LINE: Final = 8  # of a secret of several lines, such as a key
SMALLEST_NUMBER: Final = 1000  # a number that could be a secret of 4 characters
LEAVES: Final = frozenset({float, bool, type(None)})  # that hold no secret
BASE64: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
)
URL_SAFE: Final = str.maketrans("+/", "-_")

_VALUE: Final = r"""(?!\\*["']?\[redacted)(?:\\*"[^"\n]*"|'[^'\n]*'|[^\s,;&"'}\]]+)"""
PATTERNS: Final = (
    # (pieces of which one must be there; pattern; what is kept)
    (
        ("PRIVATE KEY-----",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        MARK,
    ),
    (
        ("uthoriz", "UTHORIZ"),
        re.compile(
            r"(?i)\b(authorization\\*[\"']?\s*[:=]\s*\\*[\"']?"
            r"(?:(?:bearer|basic|token|digest)\s+)?+)(?!\[redacted)[^\s\"',;\\]+"
        ),
        rf"\1{MARK}",
    ),
    (
        ("earer ", "EARER "),
        re.compile(r"(?i)\b(bearer\s+)(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}"),
        rf"\1{MARK}",
    ),
    (
        ("xox", "xapp-"),
        re.compile(r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9.-]{4,}"),
        MARK,
    ),
    (("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MARK),
    (
        ("assw", "ASSW", "assphrase", "ASSPHRASE", "pwd", "Pwd", "PWD"),
        re.compile(
            r"(?i)((?:password|passwd|passphrase|\bpwd)\\*[\"']?\s*[:=]\s*)" + _VALUE
        ),
        rf"\1{MARK}",
    ),
    (
        ("ecret", "ECRET", "oken", "OKEN", "ey=", "EY=", "ey =", "EY ="),
        re.compile(
            r"(?i)((?:secret|token|api[_-]?key|access[_-]?key)\s*=\s*)" + _VALUE
        ),
        rf"\1{MARK}",
    ),
    (
        ("://",),
        re.compile(r"(://[^\s/:@]{0,64}:)(?!\[redacted)[^\s/@]{1,256}@"),
        rf"\1{MARK}@",
    ),
)
LONGEST_KEPT: Final = 64  # characters of a text that is not searched twice
MOST_KEPT: Final = 4096
PIECES: Final = tuple(piece for pieces, _, _ in PATTERNS for piece in pieces)
PATTERN_OF: Final = tuple(
    number for number, (pieces, _, _) in enumerate(PATTERNS) for _ in pieces
)


SHORT: Final = 4  # a shorter secret is too like an ordinary word to be refused


class Form(NamedTuple):
    """One way to write a secret; its edges share a character with what is beside it."""

    text: str
    left: int = 0  # characters before it that hold a part of the secret
    right: int = 0  # and after it


class Redactor:
    """Takes secrets out of text and of values. Cheap while the secrets stay."""

    def __init__(self, values: Callable[[], Iterable[str]]) -> None:
        """Take the function that returns the secret values; it is asked each time."""
        self._values = values
        self._known: tuple[str, ...] = ()
        self._forms: list[Form] = []
        self._finder = AhoCorasick(PIECES)
        self._words: re.Pattern[str] | None = None
        self._clean: set[str] = set()  # short texts without secrets, such as keys

    def text(self, text: str) -> str:
        """Return the text without secrets; `[redacted]` stands in their place."""
        self._follow()
        return self._hidden(text)

    def _hidden(self, text: str) -> str:
        clean = self._clean
        if text in clean:
            return text
        changed = self._searched(text)
        if changed == text and len(text) <= LONGEST_KEPT:
            clean.add(text)
        if len(clean) > MOST_KEPT:
            self._clean = set()
        return changed

    def _searched(self, text: str) -> str:
        found = self._found(text)
        if found:
            text = self._without(text, found)
        if self._words is not None:
            text = self._words.sub(MARK, text)
        return text

    def holds_secret(self, text: str) -> bool:
        """Return whether a known secret stands in the text; patterns do not count."""
        self._follow()
        return any(secret in text for secret in self._known if len(secret) >= SHORT)

    def bytes(self, raw: bytes) -> bytes:
        """Return the bytes without secrets; what is no text stays as it is."""
        text = self.text(raw.decode("utf-8", errors="surrogateescape"))
        return text.encode("utf-8", errors="surrogateescape")

    def value(self, value: Any) -> Any:
        """Return a JSON-like value without secrets, keys of maps included."""
        self._follow()
        return self._tree(value)

    def _tree(self, value: Any) -> Any:
        kind = type(value)
        if kind is dict:
            return self._mapping(value)
        if kind is list:
            return [self._tree(item) for item in value]
        if kind in LEAVES:
            return value
        if kind is str or isinstance(value, str):
            return self._hidden(value)
        if kind is int:
            return self._number(value)
        if isinstance(value, list):
            return [self._tree(item) for item in value]
        if isinstance(value, tuple):
            changed = [self._tree(item) for item in value]
            return (
                type(value)(*changed) if hasattr(value, "_fields") else tuple(changed)
            )
        if isinstance(value, bytes):
            return self.bytes(value)
        return self._mapping(value) if isinstance(value, Mapping) else value

    def _number(self, value: int) -> int | str:
        if abs(value) < SMALLEST_NUMBER:
            return value
        shown = self._hidden(str(value))  # a PIN may come back as a number
        return value if shown == str(value) else shown

    def _mapping(self, value: Mapping[Any, Any]) -> dict[Any, Any]:
        changed: dict[Any, Any] = {}
        for key, item in value.items():
            name = self._tree(key)
            if name in changed:  # two keys that were both secret
                name = f"{name} ({len(changed)})"
            changed[name] = self._tree(item)
        return changed

    def _follow(self) -> None:
        """Build anew when the values are others than last time."""
        values = tuple(self._values())
        if values == self._known:
            return
        forms = {form for value in values for form in forms_of(value)}
        self._forms = sorted(forms)
        self._finder = AhoCorasick([*(form.text for form in self._forms), *PIECES])
        short = {v for v in values if SHORTEST_WORD <= len(v) < SHORTEST_ANYWHERE}
        alone = "|".join(re.escape(value) for value in sorted(short))
        self._words = re.compile(rf"(?<!\w)(?:{alone})(?!\w)") if short else None
        self._clean = set()  # a new one: who searches now adds to the old
        self._known = values

    def _found(self, text: str) -> list[tuple[int, int, int]]:
        """Return the hits as (number, begin, end): forms first, then pieces."""
        try:
            return self._finder.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # half a character; "?" keeps the positions
            plain = text.encode("utf-8", errors="replace").decode()
            return self._finder.find_matches_as_indexes(plain, overlapping=True)

    def _without(self, text: str, found: Iterable[tuple[int, int, int]]) -> str:
        """Return the text without the forms that were found, then without patterns."""
        kept, end, many = [], 0, len(self._forms)
        for first, last in _joined(self._spans(text, found)):
            kept += [text[end:first], MARK]
            end = last
        text = "".join([*kept, text[end:]])
        for number in sorted(
            {PATTERN_OF[hit[0] - many] for hit in found if hit[0] >= many}
        ):
            _, pattern, instead = PATTERNS[number]
            text = pattern.sub(instead, text)
        return text

    def _spans(
        self, text: str, found: Iterable[tuple[int, int, int]]
    ) -> Iterator[tuple[int, int]]:
        for number, first, last in found:
            if number >= len(self._forms):
                continue
            form = self._forms[number]
            more_left = form.left and text[first - 1 : first] in BASE64
            more_right = form.right and text[last : last + 1] in BASE64
            yield first - bool(more_left), last + bool(more_right)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order; those that overlap become one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def forms_of(secret: str) -> set[Form]:
    """Return every form of a secret that is hidden wherever it stands."""
    lines = [line.strip() for line in secret.splitlines()]
    parts = {line for line in lines if len(line) >= SHORTEST_LINE}
    forms: set[Form] = set()
    for part in {secret, secret.strip(), *parts}:
        if len(part) >= SHORTEST_ANYWHERE:
            forms |= _written(part) | _in_base64(part)
    return forms


def _written(secret: str) -> set[Form]:
    """Return the secret as it is, percent-encoded, in JSON, in HTML, in hex."""
    raw = secret.encode("utf-8", errors="surrogatepass")
    percent = {quote(raw, safe=safe) for safe in ("", "/", "/:@?&=+,;$!*'()~")}
    percent.add(quote_plus(raw))
    percent |= {_lower_percent(text) for text in percent}
    misread = raw.decode("latin-1")  # as a server reads a header that is UTF-8
    in_json = {
        json.dumps(text, ensure_ascii=ascii_)[1:-1]
        for text in (secret, misread)
        for ascii_ in (True, False)
    }
    in_json |= {text.replace("/", "\\/") for text in in_json}
    in_html = {html.escape(secret, quote=quoted) for quoted in (True, False)}
    in_hex = {raw.hex(), raw.hex().upper()}
    texts = {
        secret,
        secret.replace("\n", "\r\n"),
        *percent,
        *in_json,
        *in_html,
        *in_hex,
        misread,
    }
    return {Form(_encodable(text)) for text in texts}


def _lower_percent(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def _encodable(text: str) -> str:
    return text.encode("utf-8", errors="replace").decode()


def _in_base64(secret: str) -> set[Form]:
    """Return what base64 makes of the secret at each of the three offsets.

    The core is what depends on the secret alone. The characters at its edges also hold
    bits of what stands beside it.
    """
    raw = secret.encode("utf-8", errors="surrogatepass")
    whole = base64.b64encode(raw).decode()
    forms = {Form(whole), Form(whole.translate(URL_SAFE))}
    for offset in range(3):
        begin, end = 8 * offset, 8 * (offset + len(raw))  # in bits
        coded = base64.b64encode(bytes(offset) + raw).decode()
        core = coded[-(-begin // 6) : end // 6]
        if len(core) < SHORTEST_CORE:
            continue
        edges = int(begin % 6 > 0), int(end % 6 > 0)
        texts = {core, core.translate(URL_SAFE), quote(core, safe="")}
        texts |= {_lower_percent(quote(core, safe="")), core.replace("/", "\\/")}
        forms |= {Form(text, *edges) for text in texts}
    return forms
