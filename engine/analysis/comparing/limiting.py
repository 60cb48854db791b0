"""What bounds a run: locks, rates, targets, time limits, what stops it, invariants.

Called by: comparing.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from engine.analysis.comparing.changes import Change, Weight, less, more
from engine.analysis.comparing.sides import Pair, by_key
from engine.model.runbook import Always, Runbook, StopRule
from engine.model.values import format_duration
from engine.views.escape import value_text


def limits_changed(pair: Pair) -> Iterator[Change]:
    """Yield what changed of the bounds of a run."""
    yield from _locks(pair)
    yield from _rates(pair)
    yield from _targets(pair)
    yield from _times(pair)
    yield from _stops(pair)
    yield from _always(pair)
    yield from _tests(pair)


def _locks(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.runbook.limits, pair.new.runbook.limits
    for path in old.lock:
        if path not in new.lock:
            at = ("limits", "lock", old.lock.index(path))
            words = f"no longer locks '{path}': runs on it may meet"
            yield pair.change("lock", "riskier", words, at, None)
    for path in new.lock:
        if path not in old.lock:
            at = ("limits", "lock", new.lock.index(path))
            yield pair.change("lock", "safer", f"locks '{path}' too", None, at)
    if old.lock_wait != new.lock_wait:
        words = _was("waits for its locks", new.lock_wait, old.lock_wait)
        yield pair.both("lock", "neutral", words, ("limits", "lock_wait"))


def _rates(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.runbook.limits, pair.new.runbook.limits
    if old.runs != new.runs:
        rates = [_rate(one.runs) for one in (old, new)]
        words = f"starts {rates[1][1]}, was {rates[0][1]}"
        weight = more(rates[0][0], rates[1][0])
        yield pair.both("limit", weight, words, ("limits", "runs"))
    if old.cooldown != new.cooldown:
        words = _was("cooldown", new.cooldown, old.cooldown)
        weight = less(_seconds(old.cooldown, 0.0), _seconds(new.cooldown, 0.0))
        yield pair.both("limit", weight, words, ("limits", "cooldown"))


def _rate(runs: Any) -> tuple[float, str]:
    if runs is None:
        return float("inf"), "without a limit"
    return runs.max / runs.per.total_seconds(), (
        f"at most {runs.max} times in {format_duration(runs.per)}"
    )


def _targets(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.runbook.limits.targets, pair.new.runbook.limits.targets
    for key in ("max", "share"):
        before = getattr(old, key) if old is not None else None
        after = getattr(new, key) if new is not None else None
        if before == after:
            continue
        shown = [_amount(one) for one in (before, after)]
        what = "targets at most" if key == "max" else "targets at most, as a share"
        words = f"{what} {shown[1][1]}, was {shown[0][1]}"
        weight = more(shown[0][0], shown[1][0])
        yield pair.both("targets", weight, words, ("limits", "targets", key))


def _amount(value: Any) -> tuple[float, str]:
    if value is None:
        return float("inf"), "without a limit"
    if isinstance(value, str):
        number = value.strip().rstrip("%")
        try:
            return float(number) / 100, value
        except ValueError:
            return float("inf"), value
    return float(value), f"{value:g}"


def _times(pair: Pair) -> Iterator[Change]:
    for name in ("isolated", "mitigated", "total", "silent"):
        before = getattr(pair.old.runbook.limits.time, name)
        after = getattr(pair.new.runbook.limits.time, name)
        if before != after:
            words = _was(f"the limit to '{name}' is", after, before)
            none = float("inf")
            weight = more(_seconds(before, none), _seconds(after, none))
            yield pair.both("limit", weight, words, ("limits", "time", name))


def _stops(pair: Pair) -> Iterator[Change]:
    old, new = _rules(pair.old.runbook), _rules(pair.new.runbook)
    for when, was, now in by_key(old, new):
        shown = value_text(when)
        if now is None:
            words = f"nothing stops it any more when {shown}"
            path = ("stop_when", was[0])
            yield pair.change("stop", "riskier", words, path, None)
        elif was is None:
            words = f"stops when {shown} ({now[1].then})"
            path = ("stop_when", now[0])
            yield pair.change("stop", "safer", words, None, path)
        elif was[1] != now[1]:
            words = f"when {shown}: {_stopping(now[1])}, was {_stopping(was[1])}"
            weight = _stop_weight(was[1], now[1])
            yield pair.change(
                "stop", weight, words, ("stop_when", was[0]), ("stop_when", now[0])
            )


def _stopping(rule: StopRule) -> str:
    paged = f", pages {rule.page}" if rule.page else ""
    return f"{rule.then} every {format_duration(rule.every)}{paged}"


def _stop_weight(was: StopRule, now: StopRule) -> Weight:
    """Return the weight of another rule: less given back, later, nobody paged."""
    if was.then != now.then:
        return "riskier" if was.then == "undo" else "safer"
    if was.page and now.page != was.page:
        return "riskier"
    return more(was.every.total_seconds(), now.every.total_seconds())


def _rules(runbook: Runbook) -> dict[str, tuple[int, StopRule]]:
    return {one.when: (at, one) for at, one in enumerate(runbook.stop_when)}


def _always(pair: Pair) -> Iterator[Change]:
    old, new = (
        {_clause(one): at for at, one in enumerate(side.runbook.always)}
        for side in (pair.old, pair.new)
    )
    for clause, was, now in by_key(old, new):
        if now is None:
            words = f"no longer always: {clause}"
            yield pair.change("always", "riskier", words, ("always", was), None)
        elif was is None:
            words = f"always: {clause}"
            yield pair.change("always", "safer", words, None, ("always", now))


def _clause(clause: Always) -> str:
    if clause.act is not None:
        return f"'{clause.act}' only after {clause.only_after}"
    if clause.at_end is not None:
        return f"at the end {value_text(clause.at_end)}"
    return f"never {value_text(clause.never)}"


def _tests(pair: Pair) -> Iterator[Change]:
    old, new = (
        {one.name: at for at, one in enumerate(side.runbook.tests)}
        for side in (pair.old, pair.new)
    )
    for name, was, now in by_key(old, new):
        shown = value_text(name)
        if now is None:
            words = f"the rehearsal '{shown}' is gone"
            yield pair.change("test", "neutral", words, ("tests", was), None)
        elif was is None:
            words = f"new rehearsal '{shown}'"
            yield pair.change("test", "safer", words, None, ("tests", now))


def _was(what: str, after: timedelta | None, before: timedelta | None) -> str:
    return f"{what} {_length(after)}, was {_length(before)}"


def _length(value: timedelta | None) -> str:
    return "none" if value is None else format_duration(value)


def _seconds(value: timedelta | None, none: float) -> float:
    return none if value is None else value.total_seconds()
