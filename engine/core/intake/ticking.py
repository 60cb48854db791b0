"""What changes without a delivery: time goes on, runs end, people start and accept.

Pure. Called by: runtime.intake.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from croniter import CroniterError, croniter  # type: ignore[import-untyped]

from engine.core.inputs import bind_inputs
from engine.core.intake.arrivals import run_id
from engine.core.intake.book import Book, Key
from engine.core.intake.deciding import Desk
from engine.core.intake.rules import Now, Rule, Rules, Schedule
from engine.model.decision import Decision
from engine.model.times import length_text, moment_text

LATE_SECONDS: Final = 60.0  # a schedule that is judged later than that was missed
SCHEDULE: Final = "schedule"
replace: Final = msgspec.structs.replace


def tick(rules: Rules, book: Book, now: Now) -> tuple[Book, list[Decision]]:
    """Return what may begin now of all that waits, is due, or was held by a brake."""
    desk = Desk(rules, book.copy(), now)
    for one in rules.schedules:
        _due(desk, one)
    desk.release()
    _after_the_brake(desk)
    return desk.book, desk.told


def ended(book: Book, run: str, at: float) -> tuple[Book, list[Decision]]:
    """Return the book after the end of a run; unknown runs change nothing."""
    key = book.runs.get(run) or book.by_hand.get(run)
    if key is None:
        return book, []
    about = {"runbook": key[0], "group": key[1], "run": run}
    over = Decision(at=at, outcome="run_ended", reason="the run is over", **about)  # type: ignore[arg-type]
    return book.copy().read([over]), [over]


def opened(
    rules: Rules, book: Book, now: Now, *, run: str, runbook: str, by: str,
    inputs: Mapping[str, Any],
) -> tuple[Book, list[Decision]]:  # fmt: skip
    """Return the book after a person started a run: alerts of its group join it."""
    rule = rules.named.get(runbook)
    if run in book.runs or run in book.by_hand or not isinstance(rule, Rule):
        return book, []
    key = (runbook, rule.group(inputs))
    if book.group(key).run:
        return book, []
    about = {"runbook": runbook, "group": key[1], "run": run, "by": by}
    reason = f"{by} started run {run}"
    told = [Decision(at=now.at, outcome="by_hand", reason=reason, **about)]  # type: ignore[arg-type]
    waits = book.waiting.get(key)
    if waits is not None:
        joined = replace(
            waits, at=now.at, outcome="attached", reason=f"{reason}; it waited: "
            f"{waits.outcome}", run=run, again=True, labels={}, until=0.0, many=1,
            notice="",
        )  # fmt: skip
        told.append(joined)
    return book.copy().read(told), told


def accept(book: Book, key: Key, now: Now, by: str) -> tuple[Book, list[Decision]]:
    """Return the start that a person wants of what waits; nothing waits: none."""
    waits = book.waiting.get(key)
    if waits is None or book.group(key).run:
        return book, []
    began = replace(
        waits, at=now.at, outcome="started", reason=f"{by} accepted it: {waits.reason}",
        run=run_id(waits, now.at), again=True, labels={}, until=0.0, notice="", by=by,
    )  # fmt: skip
    return book.copy().read([began]), [began]


def decline(
    book: Book, key: Key, now: Now, by: str, why: str
) -> tuple[Book, list[Decision]]:
    """Return what waits as declined by a person; nothing is offered: none.

    It is offered again once its alert, or another of its group, begins anew.
    """
    waits = book.waiting.get(key)
    if waits is None or waits.outcome != "proposed":
        return book, []
    over = replace(
        waits, at=now.at, outcome="declined", reason=f"{by}: {why}", again=True,
        labels={}, until=0.0, notice="", by=by,
    )  # fmt: skip
    return book.copy().read([over]), [over]


def refused(
    book: Book, decision: Decision, reason: str, now: Now
) -> tuple[Book, list[Decision]]:
    """Return the book after a start that was decided could not be carried out."""
    failed = replace(
        decision, at=now.at, outcome="cannot_start", reason=reason, again=True, many=0
    )
    return book.copy().read([failed]), [failed]


def last_due(cron: str, now: float) -> float | None:
    """Return the last time the line was due, at `now` or before (epoch seconds, UTC).

    None: it is no cron line, or never due.
    """
    try:
        found = croniter(cron, now + 1.0).get_prev(float)
    except (CroniterError, ValueError, KeyError, TypeError, OverflowError):
        return None
    return float(found) if found <= now else None


def _due(desk: Desk, one: Schedule) -> None:
    """Start a runbook by the clock: once for all the times that were missed."""
    name, now = one.runbook.runbook, desk.now
    last = desk.book.schedules.get((name, one.cron))
    decision = _scheduled(one, now)
    if last is None:
        desk.say(replace(decision, outcome="scheduled", reason=f"'{one.cron}', UTC"))
        return
    due = last_due(one.cron, now.at)
    if due is None or due <= last:
        return
    reason = f"'{one.cron}' was due at {moment_text(due)}"
    if now.at - due > LATE_SECONDS:
        late = length_text(now.at - due)
        reason += f"; {late} late, once for every time that was missed"
    values, problems = bind_inputs(one.runbook, {}, {}, {})
    if problems:
        desk.say(replace(decision, outcome="cannot_start", reason="; ".join(problems)))
        return
    rule = desk.rules.named.get(name)
    group = rule.group(values) if isinstance(rule, Rule) else ""
    key = (name, group)
    decision = replace(decision, reason=reason, group=group)
    run = desk.book.group(key).run
    if run or key in desk.book.waiting:
        waits = f"run {run} is open" if run else "an earlier start waits"
        desk.say(replace(decision, outcome="skipped", reason=f"{reason}; {waits}"))
        return
    desk.mark(key, replace(decision, since=now.at))


def _scheduled(one: Schedule, now: Now) -> Decision:
    return Decision(
        at=now.at,
        outcome="queued",
        reason="",
        source=SCHEDULE,
        fingerprint=one.cron,
        alertname=f"schedule {one.cron}",
        runbook=one.runbook.runbook,
        severity=one.runbook.severity,
        came=now.at,
    )


def _after_the_brake(desk: Desk) -> None:
    """Tell runs what a brake kept from them: that all is over, or fires again."""
    for key, run in list(desk.book.untold.items()):
        group = desk.book.group(key)
        if group.brake(desk.now.at) is not None or group.run != run:
            continue
        over = group.firing == 0
        if over == group.told:
            continue
        desk.say(
            Decision(
                at=desk.now.at,
                outcome="resolved_run" if over else "attached",
                reason="it has not flapped for a while",
                runbook=key[0],
                group=key[1],
                run=run,
                again=True,
                many=0 if over else 1,
                when_resolved=group.when_resolved if over else "",
            )
        )
