"""Whether a run may begin now: the rules that hold a start back, in their order.

A silence and maintenance first (nobody wants it), then flapping and the cooldown (not
yet), then what only people may start, at last the engine's own limits (it has to wait).

Pure. Called by: deciding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.core.intake.book import Book, Key
from engine.core.intake.rules import (
    FLAP_SECONDS,
    FLAPS,
    STARTS_AN_HOUR,
    Now,
    Rules,
    quiet_for,
    silence_for,
)
from engine.model.runbook import Runbook
from engine.model.times import length_text, moment_text

ASKED_AGAIN_SECONDS: Final = 15.0  # for a silence that covers what waits
NEVER: Final = 1e15  # epoch seconds; JSON has no infinity


@dataclass(frozen=True, slots=True)
class Held:
    """Why a start is held back."""

    outcome: str
    reason: str
    until: float = 0.0  # epoch seconds; not judged again before


def held_back(
    book: Book,
    rules: Rules,
    now: Now,
    *,
    runbook: Runbook,
    key: Key,
    source: str,
    labels: Mapping[str, str],
    engine: Held | None,
) -> Held | None:
    """Return the first rule that holds the start back, or None: it may begin.

    `engine` is what `full` says: the same for every start of one moment.
    """
    by_alert = source != "schedule"
    return (
        (_unwanted(rules, now, source, labels) if by_alert else None)
        or (_unsteady(book, key, now.at) if by_alert else None)
        or _resting(book, runbook, key, now.at)
        or _offered(book, rules, runbook, key, now.at)
        or (Held("held", f"the global hold is set: {now.hold}") if now.hold else None)
        or engine
    )


def flapping(until: float) -> str:
    """Return the reason of the brake, in words."""
    return (
        f"it began {FLAPS} times within {length_text(FLAP_SECONDS)}; "
        f"held until {moment_text(until)}, if it does not begin again"
    )


def _unwanted(
    rules: Rules, now: Now, source: str, labels: Mapping[str, str]
) -> Held | None:
    silence = silence_for(now, labels) if source in rules.silenced_sources else None
    if silence is not None:
        who = " ".join(filter(None, (silence.by, f"({silence.comment})")))
        reason = f"silence {silence.id} by {who}, until {silence.ends_at}"
        return Held("silenced", reason, now.at + ASKED_AGAIN_SECONDS)
    quiet = quiet_for(rules, labels, now.at)
    if quiet is not None:
        why = f": {quiet.why}" if quiet.why else ""
        return Held(
            "in_maintenance", f"until {moment_text(quiet.ends_at)}{why}", quiet.ends_at
        )
    return None


def _unsteady(book: Book, key: Key, now: float) -> Held | None:
    group = book.group(key)
    brake = group.brake(now)
    if brake is not None:
        return Held("flapping", flapping(brake), brake)
    if group.settles > now:
        reason = (
            f"it fires again {length_text(group.gap)} after it began before; "
            f"it starts if it still fires at {moment_text(group.settles)}"
        )
        return Held("settling", reason, group.settles)
    return None


def _resting(book: Book, runbook: Runbook, key: Key, now: float) -> Held | None:
    cooldown = runbook.limits.cooldown
    if cooldown is None:
        return None
    ends = book.group(key).run_ended + cooldown.total_seconds()
    if ends <= now:
        return None
    ago = length_text(now - book.group(key).run_ended)
    reason = (
        f"its last run ended {ago} ago, the cooldown is "
        f"{length_text(cooldown.total_seconds())}; until {moment_text(ends)}"
    )
    return Held("cooling_down", reason, ends)


def _offered(
    book: Book, rules: Rules, runbook: Runbook, key: Key, now: float
) -> Held | None:
    if runbook.autonomy == "propose":
        return Held("proposed", "autonomy: propose", NEVER)
    problem = rules.problems.get(runbook.runbook)
    if problem:
        return Held("proposed", problem, NEVER)
    rate = runbook.limits.runs
    if rate is not None:
        per = rate.per.total_seconds()
        recent = book.recent_starts(per, now, runbook.runbook)
        if recent >= rate.max:
            told = f"{recent} runs in {length_text(per)}, limits.runs allows {rate.max}"
            return Held("proposed", told, NEVER)
        return None
    own = sum(now - at < 3600.0 for at in book.group(key).starts)
    if own >= STARTS_AN_HOUR:
        told = f"{own} runs of its group in an hour; further ones are for people"
        return Held("proposed", told, NEVER)
    return None


def full(book: Book, rules: Rules, now: float) -> Held | None:
    """Return which limit of the engine is reached, or None."""
    if len(book.runs) >= rules.at_once:
        told = f"{len(book.runs)} runs are open, limits.at_once is {rules.at_once}"
        return Held("queued", told)
    recent = book.recent_starts(rules.starts_seconds, now)
    if recent >= rules.starts_max:
        per = length_text(rules.starts_seconds)
        told = f"{recent} starts in {per}, limits.starts allows {rules.starts_max}"
        return Held("queued", told)
    return None
