"""From an alert to a decision with its reason: which question is asked first.

Pure and total: the same book, rules, alert and time give the same decisions, and every
alert gets at least one. Nothing is dropped: what may not start now is queued, proposed,
or named with the rule that held it back.

Called by: runtime.intake.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from engine.core.inputs import bind_inputs
from engine.core.intake.book import Book, Key, OpenRun
from engine.core.intake.matching import labels_fit, matches
from engine.core.intake.rules import FLAP_SECONDS, FLAPS, Rule, Rules
from engine.model.alert import Alert
from engine.model.decision import Decision

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # read out on the phone
RUN_LETTERS: Final = 6
Held = tuple[str, str]  # an outcome that holds a start back, and its reason


@dataclass(frozen=True, slots=True)
class Arrived:
    """One alert as it came: when, in which delivery, and what is known beside it."""

    alert: Alert
    at: float
    delivery: int = 0
    position: int = 0
    silenced: str = ""  # by which silence
    hold: str = ""  # why the global hold is set

    @property
    def key(self) -> Key:
        """What tells this alert from others."""
        return self.alert.source, self.alert.fingerprint


def decide(
    book: Book, rules: Rules, arrived: Iterable[Arrived]
) -> tuple[Book, list[Decision]]:
    """Return what is decided about each alert, in order, and the book after it."""
    book, told = book.copy(), list[Decision]()
    for one in arrived:
        for decision in _of_one(book, rules, one):
            book.note(decision)
            told.append(decision)
    return book, told


def drain(
    book: Book, rules: Rules, now: float, *, hold: str = ""
) -> tuple[Book, list[Decision]]:
    """Return the starts that the queue may have now: worst first, then oldest."""
    book, told = book.copy(), list[Decision]()
    waiting = sorted(
        book.queue.values(), key=lambda one: (one.severity, one.at, one.position)
    )
    for one in waiting:
        if hold or _full(book, rules, now):
            break
        key = (one.runbook, one.group)
        if key in book.open:
            outcome, run = "attached", book.open[key].run
            reason = f"run {run} is open for its group"
        else:
            outcome, run = "started", _run_id(one, one.runbook)
            reason = f"from the queue, after {now - one.at:.0f} s"
        decision = _changed(one, at=now, outcome=outcome, run=run, reason=reason)
        book.note(decision)
        told.append(decision)
    return book, told


def _of_one(book: Book, rules: Rules, one: Arrived) -> list[Decision]:
    if one.alert.status == "resolved":
        return [_resolved(book, one)]
    before = book.alerts.get(one.key)
    if before is not None and before.status == "resolved":
        if not _later(one.alert.starts_at, before.starts_at):
            return [_told(one, "out_of_order", "its end was told before it fired")]
    elif before is not None and before.handled and _same(before.starts_at, one.alert):
        run = f"; its run is {before.run}" if before.run else ""
        return [_told(one, "repeated", f"it fires already{run}")]
    fitting = [rule for rule in rules.rules if matches(rule.alert, one.alert) is None]
    if not fitting:
        return [_told(one, "no_runbook", _why_none(rules, one.alert))]
    chosen, *others = _one_each(fitting)
    lower = [
        _told(
            one,
            "lower_priority",
            f"{chosen.name} ({chosen.runbook.severity}) comes first",
            rule,
        )
        for rule in others
    ]
    return [_judged(book, rules, one, chosen), *lower]


def _one_each(rules: Sequence[Rule]) -> list[Rule]:
    """Return the first rule of each runbook, in the order of rank."""
    return list({rule.name: rule for rule in reversed(rules)}.values())[::-1]


def _judged(book: Book, rules: Rules, one: Arrived, rule: Rule) -> Decision:
    alert = one.alert
    values, problems = bind_inputs(rule.runbook, {}, alert.labels, alert.annotations)
    if problems:
        return _told(one, "cannot_start", "; ".join(problems), rule)
    group = json.dumps([values.get(name) for name in rule.group_by])
    group = group if rule.group_by else ""
    key = (rule.name, group)
    if key in book.open:
        run = book.open[key].run
        reason = f"run {run} is open for its group"
        return _told(one, "attached", reason, rule, group, run)
    return _held_back(book, rules, one, rule, key) or _told(
        one,
        "started",
        f"{rule.name} fits",
        rule,
        group,
        _run_id_of(one, rule.name),
    )


def _held_back(
    book: Book, rules: Rules, one: Arrived, rule: Rule, key: Key
) -> Decision | None:
    """Return the decision of the first rule that holds the start back, or None."""
    found = (
        _quieted(book, rules, one)
        or _rested(book, rule, key, one.at)
        or _offered(rules, rule)
        or _waiting(book, rules, one)
    )
    return _told(one, *found, rule, key[1]) if found is not None else None


def _quieted(book: Book, rules: Rules, one: Arrived) -> Held | None:
    for quiet in rules.quiet:
        inside = quiet.begins_at <= one.at < quiet.ends_at
        if inside and labels_fit(quiet.match, one.alert.labels):
            why = f": {quiet.why}" if quiet.why else ""
            return "in_maintenance", f"until {_moment(quiet.ends_at)}{why}"
    if one.silenced:
        return "silenced", f"silence {one.silenced}"
    brake = book.brake_of(one.key, one.at)
    if brake is not None:
        much = f"{FLAPS} ends in {FLAP_SECONDS / 60:.0f} minutes"
        return "flapping", f"{much}; held until {_moment(brake)}"
    return None


def _rested(book: Book, rule: Rule, key: Key, now: float) -> Held | None:
    rest = book.ended.get(key, -1e18) + rule.cooldown_seconds - now
    if rest > 0:
        return "cooling_down", f"{rest:.0f} s of the cooldown are left"
    most, per = rule.starts
    recent = [at for at in book.group_starts.get(key, ()) if now - at < per]
    if len(recent) >= most:
        told = f"{len(recent)} runs in {per:.0f} s, {most} start by themselves"
        return "proposed", told
    return None


def _offered(rules: Rules, rule: Rule) -> Held | None:
    if rule.runbook.autonomy == "propose":
        return "proposed", "autonomy: propose"
    problem = rules.problems.get(rule.name)
    return ("proposed", problem) if problem else None


def _waiting(book: Book, rules: Rules, one: Arrived) -> Held | None:
    if one.hold:
        return "queued", f"the global hold is set: {one.hold}"
    full = _full(book, rules, one.at)
    return ("queued", full) if full else None


def _full(book: Book, rules: Rules, now: float) -> str:
    """Return which limit of the engine is reached, or an empty string."""
    if len(book.open) >= rules.at_once:
        return f"{len(book.open)} runs are open, {rules.at_once} at once are allowed"
    recent = sum(now - at < rules.starts_seconds for at in book.starts)
    if recent >= rules.starts_max:
        per = rules.starts_seconds
        return f"{recent} starts in {per:.0f} s, {rules.starts_max} are allowed"
    return ""


def _resolved(book: Book, one: Arrived) -> Decision:
    key = one.key
    if key in book.queue:
        waiting = book.queue[key]
        return _changed(
            waiting,
            at=one.at,
            outcome="left_queue",
            status="resolved",
            reason="it was over before its turn",
            delivery=one.delivery,
            position=one.position,
        )
    run = _run_of(book, key)
    if run is None:
        return _told(one, "not_open", "no run is open for it")
    before = book.alerts.get(key)
    if before is not None and before.status == "resolved":
        return _told(one, "repeated", "its end was told before", run=run.run)
    left = run.firing - {key}
    outcome = "still_firing" if left else "resolved_run"
    reason = f"{len(left)} more fire" if left else "all its alerts are over"
    return Decision(
        at=one.at,
        outcome=outcome,
        reason=reason,
        runbook=run.runbook,
        group=run.group,
        run=run.run,
        **_about(one),
    )


def _run_of(book: Book, key: Key) -> OpenRun | None:
    return next((run for run in book.open.values() if key in run.alerts), None)


def _about(one: Arrived) -> dict[str, Any]:
    alert = one.alert
    return {
        "source": alert.source,
        "fingerprint": alert.fingerprint,
        "alertname": alert.labels.get("alertname", ""),
        "status": alert.status,
        "starts_at": alert.starts_at,
        "delivery": one.delivery,
        "position": one.position,
    }


def _told(
    one: Arrived,
    outcome: str,
    reason: str,
    rule: Rule | None = None,
    group: str = "",
    run: str = "",
) -> Decision:
    return Decision(
        at=one.at,
        outcome=outcome,
        reason=reason,
        runbook=rule.name if rule is not None else "",
        severity=rule.runbook.severity if rule is not None else "",
        group=group,
        run=run,
        **_about(one),
    )


def _changed(decision: Decision, **changes: object) -> Decision:
    return msgspec.structs.replace(decision, **changes)


def _run_id_of(one: Arrived, runbook: str) -> str:
    return _letters(one.delivery, one.position, *one.key, one.at, runbook)


def _run_id(decision: Decision, runbook: str) -> str:
    key = (decision.source, decision.fingerprint)
    return _letters(decision.delivery, decision.position, *key, decision.at, runbook)


def _letters(*parts: object) -> str:
    """Return the id of a run: the same for the same decision, whenever it is made."""
    digest = hashlib.sha256(json.dumps([str(one) for one in parts]).encode()).digest()
    number, letters = int.from_bytes(digest[:8], "big"), ""
    for _ in range(RUN_LETTERS):
        number, at = divmod(number, len(ALPHABET))
        letters += ALPHABET[at]
    return f"r-{letters}"


def _same(starts_at: str, alert: Alert) -> bool:
    return starts_at == alert.starts_at


def _later(starts_at: str, than: str) -> bool:
    """Whether an alert began after one that is over; without times it did."""
    first, second = _parsed(than), _parsed(starts_at)
    if first is None or second is None:
        return starts_at != than or not starts_at
    return second > first


def _parsed(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(min(at, 4e9), UTC).strftime("%Y-%m-%d %H:%M UTC")


def _why_none(rules: Rules, alert: Alert) -> str:
    """Return why the nearest triggers do not fit, at most three."""
    near = [
        (rule.name, matches(rule.alert, alert))
        for rule in rules.rules
        if rule.alert.match.get("alertname") == alert.labels.get("alertname")
    ]
    if not near:
        return f"none of {len(rules.rules)} triggers fits"
    return "; ".join(f"{name}: {why}" for name, why in near[:3])
