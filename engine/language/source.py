"""From bytes to text that a person can see: size, encoding, invisible characters.

Judged before YAML is looked at, so that nothing later has to defend itself against a
10 MB scalar, a NUL, or a character that makes a file read otherwise than it runs.

Read by: tree.
"""

import re
from typing import Final

from engine.language.problems import LINE_BREAK, Problem

MAX_BYTES: Final = 256 * 1024
BOM: Final = "\ufeff"
FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufeff\ufffe\uffff]"
)
NAMES: Final = {
    "\x00": "a NUL character",
    "\x85": "an invisible line break",
    "\u2028": "an invisible line break",
    "\u2029": "an invisible line break",
    BOM: "a byte order mark",
}
DIRECTIONS: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def decode(raw: str | bytes, file: str) -> tuple[str, list[Problem]]:
    """Return the text, and why it may not be read any further (no problem: it may)."""
    size = len(raw) if isinstance(raw, bytes) else _size(raw)
    if size > MAX_BYTES:
        message = f"the file has {size:,} bytes; the most is {MAX_BYTES:,} (256 KiB)"
        hint = "Split it: a runbook may take another one with `run`."
        return "", [Problem(file, 1, 1, "error", "too-large", message, hint)]
    text, problem = _text(raw, file)
    if problem:
        return text, [problem]
    return text, _invisible(text, file)


def _size(text: str) -> int:
    if len(text) > MAX_BYTES:
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))


def _text(raw: str | bytes, file: str) -> tuple[str, Problem | None]:
    if isinstance(raw, str):
        return raw, None
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        hint = "Save the file as UTF-8 without BOM."
        line, column = place_of(before, len(before))
        text = raw.decode("utf-8", "replace")
        return text, Problem(file, line, column, "error", "encoding", message, hint)


def _invisible(text: str, file: str) -> list[Problem]:
    found = FORBIDDEN.search(text)
    if found is None:
        return []
    character = found[0]
    line, column = place_of(text, found.start())
    if character == BOM and found.start() == 0:
        message = "the file begins with a byte order mark (BOM)"
        return [_encoding(file, 1, 1, message, "Save the file as UTF-8 without BOM.")]
    what = NAMES.get(character, f"the control character U+{ord(character):04X}")
    if character in DIRECTIONS:
        what = f"the direction mark U+{ord(character):04X}, which hides what is read"
    message = f"the text holds {what}"
    hint = "Remove it; inside double quotes it can be written as an escape."
    return [_encoding(file, line, column, message, hint)]


def _encoding(file: str, line: int, column: int, message: str, hint: str) -> Problem:
    return Problem(file, line, column, "error", "encoding", message, hint)


def place_of(text: str, index: int) -> tuple[int, int]:
    """Return line and column, counted from 1, of a character of the text."""
    line, start = 1, 0
    for found in LINE_BREAK.finditer(text, 0, index):
        line, start = line + 1, found.end()
    return line, index - start + 1
