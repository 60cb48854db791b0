"""Text from outside as text that can be kept: half characters are replaced.

A byte that is no UTF-8 comes in from a command line as half a character, and JSON may
write one too. No journal can store it, and a run must not end over it.

Called by the service, for all that people and alerts bring.
"""

from collections.abc import Mapping
from typing import Any, Final

REPLACED: Final = "\ufffd"


def kept_text(text: str) -> str:
    """Return the text with every half character replaced by U+FFFD."""
    if text.isascii():
        return text
    return "".join(REPLACED if "\ud800" <= sign <= "\udfff" else sign for sign in text)


def kept_value(value: Any) -> Any:
    """Return a JSON-like value, keys included, as `kept_text` does it."""
    if isinstance(value, str):
        return kept_text(value)
    if isinstance(value, Mapping):
        return {kept_value(key): kept_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [kept_value(item) for item in value]
    return value
