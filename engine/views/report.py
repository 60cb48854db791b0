"""The incident report: ten parts and a survey, as Markdown or as one HTML page.

A draft for people: facts come from the timeline, judgement is left to them. The HTML
page needs no network and no script; a picture stands in it as an image, so nothing
inside it can run. Called by the command line and the web.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from engine.model.run import RunSummary
from engine.model.runbook import Runbook
from engine.model.timeline import Entry
from engine.views.facts import facts
from engine.views.harm import FRESH_SECONDS
from engine.views.pages import HTML, MARKDOWN
from engine.views.parts import Draft, draft


def report_markdown(
    entries: Sequence[Entry],
    summary: RunSummary,
    runbook: Runbook,
    *,
    picture: str | None,
    rehearsed: float | None = None,
) -> str:
    """Return the report as Markdown.

    Args:
        entries: The whole timeline.
        summary: The run.
        runbook: As the run began with it.
        picture: The machine in Mermaid, or None.
        rehearsed: When the runbook was last rehearsed, in epoch seconds; 0: never, as
            far as is known; None: nobody looked.
    """
    page = MARKDOWN.get_template("report.md.j2")
    fence, words = _fenced(picture)
    return page.render(
        r=_drafted(entries, summary, runbook, rehearsed), fence=fence, picture=words
    )


def report_html(
    entries: Sequence[Entry],
    summary: RunSummary,
    runbook: Runbook,
    *,
    picture: str | None,
    rehearsed: float | None = None,
) -> str:
    """Return the report as one HTML page. `picture`: SVG text, or None."""
    made = _drafted(entries, summary, runbook, rehearsed)
    page = HTML.get_template("report.html.j2")
    bars = _bars(made)
    return page.render(
        r=made, title=f"{made.mark}{made.title}", bars=bars, picture=_image(picture)
    )


def _drafted(
    entries: Sequence[Entry],
    summary: RunSummary,
    runbook: Runbook,
    rehearsed: float | None,
) -> Draft:
    impact = runbook.impact
    if impact is None:
        return draft(entries, facts(entries), summary, runbook, rehearsed=rehearsed)
    fresh = max(FRESH_SECONDS, 3 * impact.every.total_seconds())
    seen = facts(entries, weight=impact.weight, fresh_seconds=fresh)
    return draft(entries, seen, summary, runbook, rehearsed=rehearsed)


def _fenced(picture: str | None) -> tuple[Markup, Markup | None]:
    """Return a fence longer than any row of backticks in the picture, and that."""
    if picture is None:
        return Markup(""), None
    longest = max((len(row) for row in re.findall("`+", picture)), default=0)
    fence = "`" * max(3, longest + 1)
    words = Markup(picture.rstrip("\n"))  # noqa: S704 - graph_mermaid has escaped it
    return Markup(fence), words  # noqa: S704 - backticks


def _image(picture: str | None) -> Markup | None:
    """Return the picture as the address of an image, in which nothing can run."""
    if picture is None:
        return None
    body = base64.b64encode(picture.encode()).decode()
    return Markup(f"data:image/svg+xml;base64,{body}")  # noqa: S704 - base64


def _bars(made: Draft) -> list[dict[str, Any]]:
    """Return each phase with its share of the time; none is too narrow to see."""
    total = sum(span.seconds for span in made.facts.phases)
    return [
        {
            "phase": span.phase,
            "seconds": span.seconds,
            "grow": max(span.seconds / total, 0.02) if total > 0 else 1.0,
        }
        for span in made.facts.phases
    ]
