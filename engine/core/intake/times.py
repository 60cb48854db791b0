"""When an alert began, as its source wrote it: to be compared, and nothing else.

Anything may stand there: nothing, year 0001 for "not known", a leap second, the year
2999. What is no time of its own compares as unknown. Read by: book, deciding.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

LEAP: Final = re.compile(r":60(?=[.Z+\-]|$)")
FIRST: Final = 86_400.0  # epoch seconds; a beginning before 1970-01-02 is not known


@lru_cache(maxsize=4096)
def seconds_of(text: str) -> float | None:
    """Return epoch seconds, or None: not known."""
    try:
        at = datetime.fromisoformat(LEAP.sub(":59", text.strip()))
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        found = at.timestamp()
    except (ValueError, OverflowError):
        return None
    return found if found >= FIRST else None


def later(first: str, second: str) -> bool | None:
    """Return whether `second` is later than `first`; None: it cannot be told."""
    one, other = seconds_of(first), seconds_of(second)
    if one is None or other is None:
        return None
    return other > one


def moment(at: float) -> str:
    """Return a time for people, to the second, whatever it is."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "an unknown time"


def span(seconds: float) -> str:
    """Return a length for people: 45 s, 15 min, 2 h."""
    if seconds < 120:
        return f"{max(0.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
