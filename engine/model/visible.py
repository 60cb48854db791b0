"""Text from outside on one line, with nothing in it that hides or moves text.

What a terminal or an eye cannot show honestly (control characters, ANSI, line breaks,
text that runs the other way) stands as its escape. What is not here: the mark-up of a
place (views.escape for pages and reports, each chat adapter for its own).

Read by: views.escape, adapters that show values.
"""

import unicodedata
from typing import Final

SHOWN_MOST: Final = 2000  # characters of one value; a body may be a megabyte
UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode categories
BY_NAME: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(value: object, *, most: int = SHOWN_MOST) -> str:
    """Return the value as one line without any character that hides or moves text.

    Args:
        value: Anything; what is not text is shown as `str` gives it.
        most: Characters kept; what is cut is counted.
    """
    text = str(value)
    cut = len(text) - most
    text = text[:most] if cut > 0 else text
    shown = text if text.isascii() and text.isprintable() else _shown(text)
    return f"{shown}… ({cut} more)" if cut > 0 else shown


def _shown(text: str) -> str:
    return "".join(
        _escape(char) if unicodedata.category(char) in UNSEEN else char for char in text
    )


def _escape(char: str) -> str:
    code = ord(char)
    if char in BY_NAME:
        return BY_NAME[char]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
