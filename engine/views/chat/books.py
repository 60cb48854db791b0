"""Runbooks and runs as lists, and one runbook or report as text, for one person.

Called by: runtime.chat.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.model.chat import Button, Buttons, Card, Lines, Link, Small
from engine.model.run import RunSummary
from engine.model.runbook import Runbook
from engine.model.times import time_text
from engine.views.chat.values import Value, value_text
from engine.views.chat.wording import card, code, line, rows, state_words

LISTED_MOST: Final = 12  # rows of a card
PAGE_MOST: Final = 2400  # characters of a page or report


def runbooks_list(runbooks: Mapping[str, Runbook], words: str) -> Card:
    """Return the runbooks in which every word stands, in their name, title or text."""
    wanted = words.lower().split()
    found = {name: one for name, one in sorted(runbooks.items()) if _fits(one, wanted)}
    shown = [
        (name, f"{line(one.title, 200)} ({one.severity}, {line(one.owner, 60)})")
        for name, one in list(found.items())[:LISTED_MOST]
    ]
    left = len(found) - len(shown)
    more = f"{left} more: /runbook list WORDS narrows it" if left > 0 else ""
    how = Small(more or "/runbook show NAME says what one does")
    title = f"{len(found)} of {len(runbooks)} runbooks"
    return card("live", title, rows(shown), how)


def _fits(runbook: Runbook, wanted: Sequence[str]) -> bool:
    alerts = [str(one.alert.match) for one in runbook.trigger if one.alert is not None]
    parts = (runbook.runbook, runbook.title, runbook.description or "", runbook.owner)
    text = " ".join((*parts, *alerts)).lower()
    return all(word in text for word in wanted)


def runs_list(runs: Sequence[RunSummary]) -> Card:
    """Return the open runs, the worst first."""
    worst = sorted(runs, key=lambda one: (one.severity, one.started_at))
    shown = [
        (
            one.run,
            f"{one.severity} {line(one.title, 120)}: {state_words(one)}, "
            f"{one.phase or 'not begun'}, since {time_text(one.started_at)}"
            + (f", asks {len(one.questions)}" if one.questions else ""),
        )
        for one in worst[:LISTED_MOST]
    ]
    left = len(runs) - len(shown)
    how = Small(f"{left} more: runbook runs" if left > 0 else "/runbook status RUN")
    many = "1 open run" if len(runs) == 1 else f"{len(runs)} open runs"
    return card("live", many, rows(shown), how)


def runbook_page(runbook: Runbook, text: str) -> Card:
    """Return what a runbook does, with a button that starts it.

    Args:
        runbook: The runbook.
        text: Its page, as the command line shows it.
    """
    value = value_text(Value("run", name=runbook.runbook))
    sure = "" if runbook.inputs else f"Start {runbook.runbook} now?"
    return card(
        "live",
        f"{runbook.runbook}: {line(runbook.title)}",
        code(text.splitlines(), most=PAGE_MOST),
        Buttons((Button("Start…", "run", value, sure=sure),)),
    )


def report_page(summary: RunSummary, text: str, links: Sequence[Link]) -> Card:
    """Return the beginning of a report, and where all of it is."""
    where = Lines((f"All of it: runbook report {line(summary.run, 60)}",))
    lines = [line(one, 400) for one in text.splitlines()]
    return card(
        summary.mode,
        f"Report of {line(summary.run, 60)}: {line(summary.title)}",
        code(lines, most=PAGE_MOST),
        where,
        *links,
    )
