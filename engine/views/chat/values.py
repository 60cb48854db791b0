"""What a button or a form carries: what is meant, bound to exactly what was shown.

The value goes out to the chat and comes back from there; whoever reads it holds it
against what stands now. Nothing in it is a right, and nothing in it is believed.

Called by: cards and forms (write it), runtime.chat (reads it).
"""

from typing import Final

import msgspec

from engine.model.chat import LONGEST_VALUE
from engine.model.people import Question

NO_VALUE: Final = (
    "This button is not one of ours, or of another version. Say it in words: "
    "/runbook help"
)


class Value(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What is meant."""

    verb: str
    run: str = ""
    key: str = ""  # of the question
    plan: str = ""  # the hash of the plan that was shown
    round: int = 0  # of the question: the circle of people that was asked
    name: str = ""  # a runbook, a role; the answer that a button stands for
    text: str = ""  # a command, to be read again


def value_of(verb: str, run: str, question: Question, *, name: str = "") -> Value:
    """Return a value that is bound to a question as it is shown."""
    plan = question.plan.hash if question.plan is not None else ""
    return Value(verb, run, question.key, plan, question.round, name)


def value_text(value: Value) -> str:
    """Return the value as compact JSON, at most LONGEST_VALUE characters.

    Raises:
        ValueError: it is longer; no question of a run is.
    """
    text = msgspec.json.encode(value).decode()
    if len(text) > LONGEST_VALUE:
        raise ValueError(f"a value of {len(text)} characters is too long for a button")
    return text


def parse_value(text: str) -> Value | None:
    """Return what `value_text` wrote; None: it was not written there."""
    if len(text) > LONGEST_VALUE:
        return None
    try:
        return msgspec.json.decode(text, type=Value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
