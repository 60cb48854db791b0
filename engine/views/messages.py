"""Drafts of what is said about an incident: inside, and to users.

They say what happened and what is done about it. No blame, and no promise of when
something will be over: only people may promise. Called by parts.
"""

from engine.model.run import ENDS, RunSummary
from engine.model.times import count_text, date_text, length_text, time_text
from engine.views.facts import Deed, Facts


def mark_of(mode: str) -> str:
    """Return the mark before everything that is not a live incident, with a space."""
    return {"rehearsal": "[REHEARSAL] ", "dry-run": "[DRY RUN] "}.get(mode, "")


def internal_draft(seen: Facts, summary: RunSummary) -> list[str]:
    """Return the message to colleagues, one sentence or fact a line."""
    lines = [
        (
            f"{mark_of(summary.mode)}{summary.severity.upper()}: {summary.title}"
            f" ({summary.state.replace('_', ' ')}, run {summary.run})"
        ),
        f"What happens: {_harm_sentence(seen)}",
        f"Cause: {summary.cause or seen.cause or 'not known yet'}.",
        f"Done: {named(seen.did) or 'nothing has been changed'}.",
    ]
    if seen.undone:
        lines.append(f"Given back: {named(seen.undone)}.")
    held = ", ".join(f"{one.action} {one.target}".strip() for one in summary.held)
    lines.append(f"Still in place: {held or 'nothing'}.")
    owner = summary.taken_by or summary.owner
    if owner:
        lines.append(f"With: {owner}.")
    return lines


def external_draft(seen: Facts, summary: RunSummary) -> list[str]:
    """Return the message to users; names of systems and people stay out of it."""
    start, day = time_text(summary.started_at), date_text(summary.started_at)
    lines = [f"{mark_of(summary.mode)}{summary.title}"]
    if summary.state == "resolved":
        end = time_text(summary.ended_at)
        lines.append(f"From {start} to {end} UTC on {day} you may have noticed this.")
        lines.append("Service is back to normal.")
    elif summary.state == "cleared":
        lines.append(f"At {start} UTC on {day} we looked into this.")
        lines.append("It was over before we had to change anything.")
    else:
        lines.append(f"Since {start} UTC on {day} you may have noticed this.")
        lines.append("We are working on it and post here when there is news.")
    if seen.did and summary.state not in ("resolved", "cleared"):
        lines.append("We have taken first steps to limit it.")
    lines.append("We are sorry for the trouble this causes.")
    return lines


def named(deeds: tuple[Deed, ...]) -> str:
    """Return the names of what was done, in order, targets counted."""
    targets: dict[str, int] = {}
    for deed in deeds:
        targets[deed.name] = targets.get(deed.name, 0) + 1
    return ", ".join(
        name if n == 1 else f"{name} ({n} times)" for name, n in targets.items()
    )


def summary_sentences(seen: Facts, summary: RunSummary) -> tuple[str, str]:
    """Return the two sentences at the top of the report."""
    took = length_text((summary.ended_at or summary.updated_at) - summary.started_at)
    if summary.state in ENDS:
        state = summary.state.replace("_", " ")
        first = f"{summary.title}: the run ended as {state} after {took}"
    else:
        first = f"{summary.title}: the run has been going on for {took}"
    cause = summary.cause or seen.cause
    second = f"The cause class is {cause}" if cause else "No cause has been named"
    done = named(seen.did)
    second += f"; done: {done}." if done else "; nothing was changed."
    return f"{first}.", second


def _harm_sentence(seen: Facts) -> str:
    harm = seen.harm
    if harm.user_minutes is None:
        return "the effect on users was not measured."
    if not harm.peak_users:
        return "no affected users were seen."
    return (
        f"up to {count_text(harm.peak_users or 0)} users affected at a time, "
        f"{count_text(harm.user_minutes)} user-minutes."
    )
