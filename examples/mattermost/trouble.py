"""How this Mattermost fails on demand, and what was asked of it.

The faults are those of the Slack beside it; here an answer 429 has its limit's end in
X-RateLimit-Reset, too. Called by: routes.
"""

from dataclasses import dataclass

from chat.faults import Call, Fault, Trouble

__all__ = ["Call", "Failure", "Trouble"]


@dataclass
class Failure(Fault):
    """A fault; `reset` is the X-RateLimit-Reset of a 429 as it is, None: no header."""

    reset: str | None = None
