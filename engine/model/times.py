"""Times and durations: as machines write them, and as people read them.

Read with care, since anything may stand there: year 0001 for "not known", a leap
second, the year 9999 for "never". Told in UTC, without false precision. No clock is
read here.
"""

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

DAY: Final = 86_400.0  # seconds
NOT_KNOWN: Final = "not known"
EARLIEST: Final = 1971  # years of a time that is one
LATEST: Final = 9000
LEAP: Final = re.compile(r"(\d\d:\d\d:)60(\D.*|$)")


def epoch_seconds(text: object, zone: tzinfo | None = None) -> float | None:
    """Return epoch seconds of an ISO 8601 time, or None: it is none, or not known.

    The zero time that some sources send for "not yet" is no time, nor is the far end of
    the calendar for "never". A leap second is the first second after it.

    Args:
        text: As a machine wrote it.
        zone: What is meant where no zone stands. None: such a time is not known.
    """
    return _read(text.strip(), zone) if isinstance(text, str) else None


@lru_cache(maxsize=4096)
def _read(text: str, zone: tzinfo | None) -> float | None:
    plain = LEAP.sub(r"\g<1>59\g<2>", text)
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if moment.tzinfo is None or not EARLIEST <= moment.year <= LATEST:
        return None
    return moment.timestamp() + (plain != text)


def age_text(seconds: float) -> str:
    """Return how long ago something was: `31 d`, or as `length_text` below two days."""
    return f"{seconds / DAY:.0f} d" if seconds >= 2 * DAY else length_text(seconds)


def length_text(seconds: float | None) -> str:
    """Return a duration: `0.4 s`, `12 s`, `2 min 5 s`, `1 h 30 min`, or `not known`."""
    if seconds is None:
        return NOT_KNOWN
    if seconds < 0:
        return f"-{length_text(-seconds)}"
    if 0 < seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    hours, left = divmod(round(seconds), 3600)
    minutes, left = divmod(left, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    return f"{left} s"


def offset_text(tick: float) -> str:
    """Return run seconds as `+mm:ss`; the minutes go on past an hour."""
    minutes, seconds = divmod(int(max(tick, 0.0)), 60)
    return f"+{minutes:02d}:{seconds:02d}"


def utc(at: float | None) -> datetime | None:
    """Return the moment, or None where the number is no time a calendar has."""
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def time_text(at: float | None) -> str:
    """Return the time of day in UTC: `14:03:07`."""
    moment = utc(at)
    return f"{moment:%H:%M:%S}" if moment else NOT_KNOWN


def date_text(at: float | None) -> str:
    """Return the date in UTC: `2026-03-14`."""
    moment = utc(at)
    return f"{moment:%Y-%m-%d}" if moment else NOT_KNOWN


def moment_text(at: float | None) -> str:
    """Return date and time: `2026-03-14 02:10:00 UTC`."""
    moment = utc(at)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else NOT_KNOWN


def count_text(count: float) -> str:
    """Return a count with thin groups: `12 400`; below ten, one decimal place."""
    if count != int(count) and abs(count) < 10:
        return f"{count:.1f}"
    return f"{count:,.0f}".replace(",", " ")


def times_text(count: int) -> str:
    """Return how often: `once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"
