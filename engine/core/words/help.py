"""The help of the grammar, made from its table.

Called by: runtime.chat.
"""

from typing import Final

from engine.core.words.commands import VERBS, Verb

MORE: Final = (
    "RUN may be left out in the run's thread. Names may be cut short; what stands in "
    '"quotes" is one word.'
)


def usage(verb: Verb) -> str:
    """Return how a verb is written: `cancel [RUN] [keep] [REASON]`."""
    return f"{verb} {VERBS[verb].words}".strip()


def help_lines(verb: str = "", *, before: str = "/runbook") -> list[str]:
    """Return a line for each verb, or for one: how it is written, and what it does.

    Args:
        before: What stands before the words.
    """
    verbs: list[Verb] = [one for one in VERBS if verb in ("", one)]
    lines = [f"{before} {usage(one)}: {VERBS[one].does}" for one in verbs]
    if verb:
        return lines
    return [*lines, MORE]
