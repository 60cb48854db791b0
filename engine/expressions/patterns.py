"""Patterns of inputs and triggers: RE2, anchored, in linear time for every text.

The engine of CEL's `matches` is the only one at hand that cannot be made to run for
hours. Read by: core.inputs, language (patterns, defaults).
"""

from functools import lru_cache
from typing import Final

from engine.expressions.compiling import compile_expression
from engine.expressions.values import UNKNOWN

LONGEST: Final = 1024  # characters of a pattern
TYPES: Final = {"text": "string", "pattern": "string"}
SOURCE: Final = "text.matches(pattern)"


def matches(pattern: str, text: str) -> bool:
    """Return whether the whole text fits; a pattern that RE2 cannot read fits none."""
    return _found(pattern, text) is True


@lru_cache(maxsize=1024)
def is_pattern(pattern: str) -> bool:
    """Return whether RE2 can read the pattern (no look-around, no back-references)."""
    return len(pattern) <= LONGEST and _found(pattern, "") is not UNKNOWN


def _found(pattern: str, text: str) -> object:
    anchored = rf"\A(?:{pattern})\z"
    return compile_expression(SOURCE, TYPES).evaluate(
        {"text": text, "pattern": anchored}
    )
