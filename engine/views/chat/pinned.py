"""The pinned message, the regular update, and the end: how a run stands, in one card.

The pinned one is edited in place, so it says the same thing for the same state: whoever
draws it sends it only where it differs. Called by: runtime.chat.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.model.chat import Button, Buttons, Card, Code, Link, Part, Small
from engine.model.people import RUN_ROLES
from engine.model.run import RunSummary
from engine.model.runbook import Runbook
from engine.model.timeline import Entry
from engine.model.times import count_text, length_text, moment_text, time_text
from engine.views.chat.asked import asked_of
from engine.views.chat.values import Value, value_text
from engine.views.chat.wording import (
    card,
    code,
    held_words,
    line,
    listed,
    over,
    rows,
    state_words,
)
from engine.views.escape import command_text
from engine.views.facts import Facts, facts
from engine.views.harm import Harm, harm_of
from engine.views.message import people_text
from engine.views.messages import named

ADDRESS: Final = re.compile(r"https?://[^\s<>|()\[\]\"'`]{1,500}")
LABEL_MOST: Final = 60
LINKS_MOST: Final = 5
HELD_MOST: Final = 8  # ways back that the end tells
HOW: Final = "/runbook help tells how to steer it"
Colour = Literal["", "good", "warning", "danger"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A run as a card needs it."""

    summary: RunSummary
    entries: Sequence[Entry]  # all of them, in order
    runbook: Runbook
    links: tuple[Link, ...] = ()  # where people look: see links_of
    next_update: float | None = None  # epoch seconds

    @property
    def harm(self) -> Harm:
        """What users lost so far."""
        impact = self.runbook.impact
        return harm_of(self.entries, weight=impact.weight if impact else 1.0)


def links_of(runbook: Runbook) -> tuple[Link, ...]:
    """Return the links that a runbook names; what is no address of the web is none."""
    said = runbook.links
    named = said.items() if isinstance(said, dict) else [(one, one) for one in said]
    found = [
        Link(line(name, LABEL_MOST), str(url))
        for name, url in named
        if isinstance(url, str) and ADDRESS.fullmatch(url)
    ]
    return tuple(found[:LINKS_MOST])


def pinned(seen: Seen) -> Card:
    """Return the one message of a run that always says how it stands."""
    run = seen.summary
    title = f"{run.severity.upper()} {line(run.title)}: {state_words(run)}"
    where = Small(f"run {line(run.run, 60)} · {line(run.runbook, 60)} · {HOW}")
    return card(
        run.mode, title, rows(_state(seen)), *seen.links, where, colour=_colour(run)
    )


def update(seen: Seen, *, since: float = 0.0) -> Card:
    """Return the regular word while nothing else is said: how users fare, what goes on.

    Args:
        seen: The run.
        since: Epoch seconds of the last post; told where it is known.
    """
    run = seen.summary
    quiet = f"no change since {time_text(since)}" if since else "no change"
    title = f"Update: {line(run.title, 60)}: {state_words(run)}, {quiet}"
    return card(run.mode, title, rows(_state(seen)), colour=_colour(run))


def ended(seen: Seen) -> Card:
    """Return the last message of a run: how it ended, what was done, what is left."""
    run = seen.summary
    title = f"{run.severity.upper()} {line(run.title)}: ended as {state_words(run)}"
    known = facts(seen.entries)
    parts: list[Part] = [rows(_end(seen, known)), _ways_back(run)]
    if run.held or run.state == "handed_over":
        value = value_text(Value("take", run.run))
        if not run.taken_by:
            parts.append(Buttons((Button("Take over", "take", value),)))
    where = Small(f"run {line(run.run, 60)} · /runbook report {line(run.run, 60)}")
    return card(run.mode, title, *parts, *seen.links, where, colour=_colour(run))


def _state(seen: Seen) -> Iterator[tuple[str, str]]:
    run = seen.summary
    yield "Users", users_words(seen.harm)
    yield "Where", _where(seen)
    yield "Cause", _cause(seen)
    yield "Held", held_words(run.held)
    yield from _asks(seen)
    yield "Owner", line(run.taken_by or run.owner, 100)
    yield "Roles", _roles(run)
    yield "On hold", line(run.on_hold)
    if seen.next_update is not None and not over(run):
        yield "Next update", f"{time_text(seen.next_update)} UTC at the latest"
    by = f" by {line(run.requester, 60)}" if run.requester else ""
    yield "Started", f"{moment_text(run.started_at)}{by}"


def users_words(harm: Harm) -> str:
    """Return what users see: how many now, at most, and how much it cost them."""
    known = [one for one in harm.samples if one.users is not None]
    if not known or harm.user_minutes is None:
        return "not measured" if not harm.samples else "could not be seen yet"
    last = harm.samples[-1]
    now = "unknown now" if last.users is None else f"{count_text(last.users)} now"
    most = count_text(harm.peak_users or 0.0)
    return f"{now}, {most} at most, {count_text(harm.user_minutes)} user-minutes"


def _where(seen: Seen) -> str:
    run = seen.summary
    told = [run.phase or "before its first phase"]
    step = next((one.step for one in reversed(seen.entries) if one.step), "")
    if step and not over(run):
        told.append(f"step {line(step, 100)}")
    if run.why:
        told.append(line(run.why))
    return f"{state_words(run)}: {', '.join(told)}"


def _cause(seen: Seen) -> str:
    note = next(
        (e for e in reversed(seen.entries) if e.event is None and e.kind == "cause"),
        None,
    )
    cause = seen.summary.cause or (note.subject if note is not None else "")
    if not cause:
        return "not known yet"
    ruled = note.refs.get("not_ruled_out") if note is not None else None
    left = [line(one, 60) for one in ruled] if isinstance(ruled, list | tuple) else []
    return line(cause, 100) + (f"; not ruled out: {listed(left)}" if left else "")


def _asks(seen: Seen) -> Iterator[tuple[str, str]]:
    questions = seen.summary.questions
    if not questions and not over(seen.summary):
        yield "Asked", "nobody now"
    for question in questions:
        asked = asked_of(seen.summary, seen.entries, question.key)
        told = f"{people_text(question.who)}: {line(question.text, 100)}"
        if asked.until is not None:
            told += f" until {time_text(asked.until)} UTC"
        if question.worst_case_seconds > 0:
            told += f", then at most {length_text(question.worst_case_seconds)}"
        if asked.yes:
            told += f"; yes: {listed([line(one.by, 60) for one in asked.yes])}"
        yield "Asked", told


def _roles(run: RunSummary) -> str:
    return ", ".join(
        f"{role} {line(run.roles[role], 60)}" for role in RUN_ROLES if role in run.roles
    )


def _colour(run: RunSummary) -> Colour:
    if run.state in ("resolved", "cleared"):
        return "good"
    if run.state == "handed_over" or run.severity in ("sev1", "sev2"):
        return "danger"
    return "warning" if run.questions or run.state == "cancelled" else ""


# The end


def _end(seen: Seen, known: Facts) -> Iterator[tuple[str, str]]:
    run = seen.summary
    yield "Why", line(run.why)
    took = (run.ended_at or run.updated_at) - run.started_at
    yield "Took", length_text(took)
    yield "Users", users_words(seen.harm)
    yield "Cause", _cause(seen).replace("not known yet", "not named")
    yield "Done", line(named(known.did) or "nothing was changed")
    yield "Given back", line(named(known.undone))
    yield "Still held", held_words(run.held)
    yield "With", line(run.taken_by or (run.owner if run.held else ""), 100)
    yield "Roles", _roles(run)


def _ways_back(run: RunSummary) -> Code:
    told = [
        f"{line(one.action, 100)} {line(one.target, 100)}".strip()
        + f": undo by hand: {line(command_text(one.kind, one.params), 600)}"
        for one in run.held[:HELD_MOST]
    ]
    return code(told)
