"""A run as chat shows it: cards from timeline, summary and runbook. Pure.

Nothing here escapes for a provider: an adapter does that for all text. Values from
outside are made visible and cut, so no card is longer than a chat takes.

Called by: runtime.chat, the demo.
"""

from engine.views.chat.asked import Asked, asked_of
from engine.views.chat.forms import (
    answers_form,
    inputs_form,
    note_form,
    reason_form,
    retype_form,
)
from engine.views.chat.pinned import (
    Seen,
    ended,
    links_of,
    pinned,
    update,
    users_words,
)
from engine.views.chat.posts import merged, posts
from engine.views.chat.questions import decided, question
from engine.views.chat.values import (
    NO_VALUE,
    Value,
    parse_value,
    value_of,
    value_text,
)

__all__ = [
    "NO_VALUE",
    "Asked",
    "Seen",
    "Value",
    "answers_form",
    "asked_of",
    "decided",
    "ended",
    "inputs_form",
    "links_of",
    "merged",
    "note_form",
    "parse_value",
    "pinned",
    "posts",
    "question",
    "reason_form",
    "retype_form",
    "update",
    "users_words",
    "value_of",
    "value_text",
]
