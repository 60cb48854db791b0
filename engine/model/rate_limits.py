"""How long a server asks to be left alone, read from the headers of its answer.

What is here: `Retry-After` (seconds, or a date) and `X-RateLimit-Reset` (seconds, as
Datadog counts; where it is larger than any wait, epoch seconds, as others count). What
is not: waiting. Read by adapters, for the observation, and by adapters.patience, which
holds further looks back.
"""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

TOO_MANY: Final = frozenset({420, 429})  # 420: Statuspage
BUSY: Final = 503  # its Retry-After counts, too
LONGEST_SECONDS: Final = 3600.0  # a server that asks for more is asked again after this
EPOCH: Final = 1e9  # no wait is so long, so it is a moment


def wait_asked(
    status: int, headers: Mapping[str, str], at: float, *, otherwise: float = 0.0
) -> float:
    """Return how long to ask nothing more, in seconds up to an hour; 0: not asked.

    Args:
        status: Of the answer; only 420, 429 and 503 ask to wait.
        headers: Of the answer, with lower-case names.
        at: Epoch seconds of the answer.
        otherwise: The wait after 420 or 429 where the server names none.
    """
    asked = _named(status, headers, at)
    if asked is None:
        asked = otherwise if status in TOO_MANY else 0.0
    return min(max(asked, 0.0), LONGEST_SECONDS)


def wait_words(status: int, headers: Mapping[str, str], at: float) -> str:
    """Return what the server said of its limit, for people; nothing where it did not.

    Numbers only: no other word of a header is shown.
    """
    most, period = headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-period")
    words = ""
    if status in TOO_MANY and _is_whole(most) and _is_whole(period):
        words = f": {most} requests in {period} s are used up"
    if _named(status, headers, at) is not None:
        words += f", asks to wait {math.ceil(wait_asked(status, headers, at))} s"
    return words


def _named(status: int, headers: Mapping[str, str], at: float) -> float | None:
    if status not in TOO_MANY and status != BUSY:
        return None
    asked = _seconds(headers.get("retry-after", ""), at)
    if asked is None and status in TOO_MANY:
        asked = _seconds(headers.get("x-ratelimit-reset", ""), at)
    return asked


def _is_whole(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit() and len(text) < 10


def _seconds(text: str, at: float) -> float | None:
    try:
        asked = float(text)
    except ValueError:
        return _until(text, at)
    if not math.isfinite(asked):
        return None
    return asked - at if asked > EPOCH else asked


def _until(text: str, at: float) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - at
    except (ValueError, OverflowError, TypeError, OSError):
        return None
