"""The live view of one run as plain lines, and one line for each entry worth a line.

Pure: the time is given. Colours and the screen belong to the caller, the command line.
"""

from collections.abc import Sequence
from typing import Final

from engine.model.events import Looked
from engine.model.people import Grant, Question
from engine.model.run import ENDS, Held, RunSummary
from engine.model.timeline import Entry
from engine.model.times import length_text, offset_text, time_text
from engine.views.escape import visible
from engine.views.lines import evidence_of, is_impact
from engine.views.message import people_text
from engine.views.messages import mark_of

NARROWEST: Final = 40
NOISE: Final = ("lock", "decision", "retry", "joined", "check", "step")
HELD_SHOWN: Final = 5


def status_lines(
    summary: RunSummary, entries: Sequence[Entry], now: float, *, width: int
) -> list[str]:
    """Return the state of a run in a few lines, none wider than `width` (not below 40).

    Args:
        summary: The run.
        entries: Its timeline, for the step, the evidence and when questions were asked.
        now: Epoch seconds.
        width: Columns.
    """
    title = f"{mark_of(summary.mode)}{visible(summary.title)}"
    lines = [
        f"{title}  [{visible(summary.severity)}]",
        f"run {visible(summary.run)}  {_state(summary)}  {_elapsed(summary, now)}",
    ]
    if summary.phase:
        lines.append(f"phase: {visible(summary.phase)}{_step(entries)}")
    if summary.cause:
        lines.append(f"cause: {visible(summary.cause)}")
    if summary.why:
        lines.append(f"why: {visible(summary.why)}")
    lines += _held(summary, now)
    for question in summary.questions:
        lines.append(_question(question, entries, now))
    lines += _evidence(entries)
    return [_cut(line, max(width, NARROWEST)) for line in lines]


def progress_line(entry: Entry) -> str | None:
    """Return the entry as one plain line, or None where it is bookkeeping.

    For logs and pipes: a line each for phases, acts, people, failures, ends; none for
    looks, timers, and events that a note tells.
    """
    if entry.event is not None and entry.kind not in ("started", "restarted"):
        return None
    if entry.kind in NOISE:
        return None
    why = f" ({visible(entry.why)})" if entry.why else ""
    target = ""
    if entry.target and entry.target not in entry.what:
        target = f" on {visible(entry.target)}"
    when = f"{offset_text(entry.tick)} {time_text(entry.at)}"
    return f"{when} {visible(entry.what)}{target}{why}"


def _state(summary: RunSummary) -> str:
    state = summary.state.replace("_", " ")
    if summary.state == "waiting" and summary.questions:
        state = "waiting for people"
    by = f", taken by {visible(summary.taken_by)}" if summary.taken_by else ""
    return f"{state}{by}"


def _elapsed(summary: RunSummary, now: float) -> str:
    over = summary.ended_at if summary.ended_at is not None else now
    lasted = length_text(max(0.0, over - summary.started_at))
    return f"after {lasted}" if summary.state in ENDS else f"for {lasted}"


def _step(entries: Sequence[Entry]) -> str:
    step = next((one.step for one in reversed(entries) if one.step), "")
    return f"  step: {visible(step)}" if step else ""


def _held(summary: RunSummary, now: float) -> list[str]:
    if not summary.held:
        return ["held: nothing"]
    shown = [_one_held(one, now) for one in summary.held[:HELD_SHOWN]]
    more = len(summary.held) - len(shown)
    lines = [f"held: {shown[0]}", *(f"      {one}" for one in shown[1:])]
    return [*lines, f"      and {more} more"] if more else lines


def _one_held(held: Held, now: float) -> str:
    name = visible(f"{held.action} {held.target}".strip())
    stuck = "  ITS UNDO FAILED" if held.stuck else ""
    return f"{name} for {length_text(max(0.0, now - held.since))}{stuck}"


def _question(question: Question, entries: Sequence[Entry], now: float) -> str:
    asked = [
        one.at
        for one in entries
        if one.kind in ("asked", "escalated") and one.subject == question.key
    ]
    who = people_text(question.who)
    if not asked:
        return f"? {visible(question.text)}  {who}"
    left = asked[-1] + question.within_seconds - now
    time = f"{length_text(left)} left" if left > 0 else "time is over"
    return f"? {time}: {visible(question.text)}  {who}"


def _evidence(entries: Sequence[Entry]) -> list[str]:
    looks = (e for e in reversed(entries) if isinstance(e.event, Looked))
    last = next((entry for entry in looks if not is_impact(entry)), None)
    if last is None:
        return []
    when = time_text(last.at)
    return [
        f"seen {when}: {visible(one.slot)} {one.state}, {visible(one.why)}"
        for one in evidence_of(last)
    ]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def grant_line(grant: Grant) -> str:
    """Return one line on the broken glass: who, until when, why."""
    until = f"{time_text(grant.until)} UTC"
    return f"the glass is broken by {grant.by} until {until}: {grant.why}"
