"""The Events API v2 of PagerDuty, and of what speaks its form: its limits and words.

Read by acting (the kind `page`) and pager (the engine's own pages).
"""

import hashlib
from typing import Final

EVENTS_URL: Final = "https://events.pagerduty.com/v2/enqueue"
LONGEST_SUMMARY: Final = 1024  # the API's own limit, in characters
LONGEST_KEY: Final = 255
OUR_WORDS: Final = {
    "sev1": "critical",
    "sev2": "critical",
    "sev3": "error",
    "sev4": "warning",
    "sev5": "info",
}


def short_key(key: str) -> str:
    """Return the key, or its hash where the API would refuse the key as too long."""
    if len(key) <= LONGEST_KEY:
        return key
    return hashlib.sha256(key.encode()).hexdigest()
