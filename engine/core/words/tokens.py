"""Text of a chat as words: blanks part them, quotes keep them together.

A quote counts at the beginning of a word, or behind the `=` of `key="two words"`; in a
word it is a letter, as in don't. Straight and curly quotes are known, since chats make
one of the other. Inside double quotes a backslash keeps the next sign. There is no
other syntax: `;`, `|`, `$`, `>` and backticks are letters.

Called by: grammar.
"""

import unicodedata
from typing import Final

import msgspec

LONGEST: Final = 4000  # characters of one command; the longest that chats let through
CLOSES: Final = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019",
                 "\u201e": "\u201c", "\u00ab": "\u00bb"}  # fmt: skip
ESCAPES: Final = ('"', "\u201d")  # closing quotes inside which a backslash counts
SHOWN: Final = 40  # characters of a word whose quote is not closed
BLANKS: Final = ("\t", "\n", "\r")
TURNS: Final = frozenset(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
)  # signs that turn the direction of text
HIDDEN: Final = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")


class Token(msgspec.Struct, frozen=True):
    """One word."""

    text: str  # without its quotes
    start: int  # where it begins in the text
    end: int  # behind its last sign
    quoted: bool = False  # as a whole

    def key_value(self) -> tuple[str, str] | None:
        """Return both sides of `key=value`, or None."""
        key, sign, value = self.text.partition("=")
        return (key, value) if sign and key and not self.quoted else None


def unfit(text: str) -> str:
    """Return why a text cannot be words at all, or an empty string."""
    if len(text) > LONGEST:
        return f"{len(text):,} characters are too long; at most {LONGEST:,} are read."
    for at, sign in enumerate(text):
        if sign in BLANKS or " " <= sign <= "~":
            continue
        if ord(sign) in TURNS or unicodedata.category(sign) in HIDDEN:
            name = f"U+{ord(sign):04X}"
            return f"Sign {at + 1} is {name}, which cannot be seen; leave it out."
    return ""


def tokens(text: str) -> list[Token] | str:
    """Return the words in order; or, as text, which quote is not closed."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token(text, at)
        if token is None:
            return f"A quote is not closed: {text[at : at + SHOWN]}"
        found.append(token)
        at = token.end
    return found


def _token(text: str, start: int) -> Token | None:
    """Return the word that begins here, or None: its quote is not closed."""
    parts: list[str] = []
    at, quoted = start, False
    while at < len(text) and not text[at].isspace():
        opens = at == start or text[at - 1] == "="
        if opens and text[at] in CLOSES:
            inside, behind = _quoted(text, at)
            if behind < 0:
                return None
            whole = behind == len(text) or text[behind].isspace()
            parts.append(inside)
            quoted = at == start and whole
            at = behind
        else:
            parts.append(text[at])
            at += 1
    return Token("".join(parts), start, at, quoted)


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Return what stands inside the quotes, and where they end; -1: nowhere."""
    closes = CLOSES[text[start]]
    parts: list[str] = []
    at = start + 1
    while at < len(text):
        if text[at] == closes:
            return "".join(parts), at + 1
        if text[at] == "\\" and closes in ESCAPES and at + 1 < len(text):
            at += 1
        parts.append(text[at])
        at += 1
    return "", -1
