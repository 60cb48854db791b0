"""Bounded words for cards: every value from outside goes through here.

Called by: the other modules of this package.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from engine.model.chat import Card, Code, Lines, Part, Rows, Small
from engine.model.run import ENDS, Held, RunSummary
from engine.model.times import time_text
from engine.views.escape import visible
from engine.views.messages import mark_of

TITLE_MOST: Final = 150  # characters; what the smallest header takes
LINE_MOST: Final = 300
CODE_MOST: Final = 2400
ROWS_MOST: Final = 12
LISTED: Final = 5  # of anything that is told in one line


def line(value: object, most: int = LINE_MOST) -> str:
    """Return a value from outside as one visible line."""
    return visible(value, most=most)


def listed(values: Sequence[str], *, most: int = LISTED, none: str = "nothing") -> str:
    """Return the first of the values in one line, and how many more there are."""
    told = ", ".join(values[:most])
    more = len(values) - most
    return f"{told} and {more} more" if more > 0 else told or none


def code(lines: Iterable[str], *, most: int = CODE_MOST) -> Code:
    """Return lines of a machine, cut at a line; what is left out is counted."""
    kept: list[str] = []
    left, cut = most, 0
    for one in lines:
        if cut or len(one) + 1 > left:
            cut += 1
        else:
            kept.append(one)
            left -= len(one) + 1
    if cut:
        kept.append(f"… {cut} more lines: runbook show has them")
    return Code("\n".join(kept))


def rows(pairs: Iterable[tuple[str, str]]) -> Rows:
    """Return those rows that have a value, each cut to a line."""
    told = [(name, value[:LINE_MOST]) for name, value in pairs if value]
    return Rows(tuple(told[:ROWS_MOST]))


def card(summary_mode: str, title: str, *parts: Part, **more: object) -> Card:
    """Return a card with its mark, its title cut, and no empty part."""
    kept = tuple(part for part in parts if not _empty(part))
    mark = mark_of(summary_mode).strip()
    return Card(line(title, TITLE_MOST), kept, mark, **more)  # type: ignore[arg-type]


def _empty(part: Part) -> bool:
    if isinstance(part, Lines):
        return not part.lines
    if isinstance(part, Rows):
        return not part.rows
    return isinstance(part, Code | Small) and not part.text


def state_words(summary: RunSummary) -> str:
    """Return where a run is: `on hold`, `handed over`."""
    return summary.state.replace("_", " ")


def held_words(held: Sequence[Held]) -> str:
    """Return what is held since when, in one line."""
    told = [
        f"{line(one.action, 60)} {line(one.target, 60)}".strip()
        + f" since {time_text(one.since)}"
        + (" (stuck)" if one.stuck else " (changed by somebody)" if one.drifted else "")
        for one in held
    ]
    return listed(told)


def over(summary: RunSummary) -> bool:
    """Return whether the run has ended."""
    return summary.state in ENDS
