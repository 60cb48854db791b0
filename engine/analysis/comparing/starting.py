"""How a run starts, and whose it is: triggers, autonomy, severity, owner, inputs.

Called by: comparing.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from engine.analysis.comparing.changes import Change, Weight, more
from engine.analysis.comparing.sides import Pair, by_key
from engine.model.runbook import AlertMatch, Runbook, Trigger
from engine.model.values import format_duration
from engine.model.vocabulary import Input
from engine.views.escape import value_text

AUTONOMY: Final = ("propose", "approve", "auto")
KEYS: Final = ("type", "from_", "default", "pattern", "min", "max", "of", "secret")


def start_changed(pair: Pair) -> Iterator[Change]:
    """Yield what changed of how a run starts and of what it is given."""
    yield from _head(pair)
    yield from _telling(pair)
    yield from _triggers(pair)
    yield from _by_chat(pair)
    yield from _inputs(pair)


def _head(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.runbook, pair.new.runbook
    if old.runbook != new.runbook:
        words = f"the runbook is called '{new.runbook}', was '{old.runbook}'"
        yield pair.both("runbook", "neutral", words, ("runbook",))
    if old.owner != new.owner:
        words = (
            f"owned by '{new.owner}', was '{old.owner}': they are paged and take over"
        )
        yield pair.both("owner", "neutral", words, ("owner",))
    if old.severity != new.severity:
        words = f"{new.severity}, was {old.severity}"
        yield pair.both("severity", "neutral", words, ("severity",))
    if old.autonomy != new.autonomy:
        weight = more(AUTONOMY.index(old.autonomy), AUTONOMY.index(new.autonomy))
        words = f"autonomy {new.autonomy}, was {old.autonomy}"
        yield pair.both("autonomy", weight, words, ("autonomy",))


def _telling(pair: Pair) -> Iterator[Change]:
    """Yield what changed of how people are told, and of how bad it is said to be."""
    old, new = pair.old.runbook, pair.new.runbook
    for key in ("channel", "update_every", "fallback"):
        before, after = getattr(old.chat, key), getattr(new.chat, key)
        if before != after:
            words = f"chat {key}: {_value(after)}, was {_value(before)}"
            yield pair.both("chat", "neutral", words, ("chat", key))
    rises = [[f"{one.to} when {one.when}" for one in it.raise_] for it in (new, old)]
    if rises[0] != rises[1]:
        now, was = (value_text("; ".join(one) or "never") for one in rises)
        words = f"raised to {now}, was {was}"
        yield pair.both("severity", "neutral", words, ("raise",))
    weighs = [
        (f"{one.impact.weight:g} each {format_duration(one.impact.every)}")
        if one.impact is not None
        else "not measured"
        for one in (new, old)
    ]
    if weighs[0] != weighs[1]:
        words = f"impact on users: {weighs[0]}, was {weighs[1]}"
        yield pair.both("impact", "neutral", words, ("impact",))


def _triggers(pair: Pair) -> Iterator[Change]:
    old, new = _by_words(pair.old.runbook), _by_words(pair.new.runbook)
    for words, was, now in by_key(old, new):
        if was is None:
            told = f"starts on {words}, which did not start it before"
            yield pair.change("trigger", "riskier", told, None, ("trigger", now[0]))
        elif now is None:
            told = f"does not start on {words} any more"
            yield pair.change("trigger", "riskier", told, ("trigger", was[0]), None)
        else:
            yield from _trigger(pair, words, was, now)


def _trigger(
    pair: Pair, words: str, was: tuple[int, Trigger], now: tuple[int, Trigger]
) -> Iterator[Change]:
    paths = ("trigger", was[0]), ("trigger", now[0])
    for key in ("group_by", "when_resolved"):
        before, after = getattr(was[1], key), getattr(now[1], key)
        if before != after:
            told = f"on {words}: {key} {value_text(after)}, was {value_text(before)}"
            yield pair.change("trigger", "neutral", told, *paths)


def _by_words(runbook: Runbook) -> dict[str, tuple[int, Trigger]]:
    found = enumerate(runbook.trigger)
    return {_said(one): (at, one) for at, one in found if one.chat is None}


def _said(trigger: Trigger) -> str:
    if trigger.alert is not None:
        return f"an alert of {_alert(trigger.alert)}"
    return f"the schedule '{trigger.schedule}'"


def _by_chat(pair: Pair) -> Iterator[Change]:
    (was, before), (now, after) = (_people(one.runbook) for one in (pair.old, pair.new))
    for person in before:
        if person not in after:
            words = f"{_named(person)} cannot start it in chat any more"
            yield pair.change("trigger", "neutral", words, ("trigger", was), None)
    for person in after:
        if person not in before:
            words = f"{_named(person)} can start it in chat"
            yield pair.change("trigger", "neutral", words, None, ("trigger", now))


def _people(runbook: Runbook) -> tuple[int, list[str]]:
    """Return where the last trigger by chat is, and who may start it there."""
    at, people = 0, list[str]()
    for index, trigger in enumerate(runbook.trigger):
        if trigger.chat is not None:
            at = index
            people += trigger.chat.who or [""]
    return at, people


def _named(person: str) -> str:
    return f"'{person}'" if person else "anybody"


def _alert(alert: AlertMatch) -> str:
    sources = [alert.source] if isinstance(alert.source, str) else alert.source
    labels = ", ".join(
        f"{label} {value_text(wanted)}" for label, wanted in sorted(alert.match.items())
    )
    return " or ".join(sources) + (f" with {labels}" if labels else "")


def _inputs(pair: Pair) -> Iterator[Change]:
    for name, was, now in by_key(pair.old.runbook.inputs, pair.new.runbook.inputs):
        path = ("inputs", name)
        if was is None:
            must = ", which somebody has to give" if _must_be_given(now) else ""
            words = f"new input '{name}'{must}"
            yield pair.change("input", "neutral", words, None, path)
        elif now is None:
            words = f"input '{name}' is gone"
            yield pair.change("input", "neutral", words, path, None)
        else:
            yield from _input(pair, name, was, now)


def _must_be_given(given: Input) -> bool:
    return given.required and given.from_ is None


def _input(pair: Pair, name: str, was: Input, now: Input) -> Iterator[Change]:
    for key in KEYS:
        before, after = getattr(was, key), getattr(now, key)
        if before == after and not (key == "default" and was.required != now.required):
            continue
        shown = key.rstrip("_")
        words = f"input '{name}': {shown} {_value(after)}, was {_value(before)}"
        if was.secret or now.secret:
            words = f"input '{name}': {shown} is another"
        weight = _input_weight(key, before, after)
        yield pair.both("input", weight, words, ("inputs", name))


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, timedelta):
        return format_duration(value)
    return "none" if value is None else value_text(value)


def _input_weight(key: str, before: Any, after: Any) -> Weight:
    """What is let in more freely is riskier; another pattern cannot be weighed."""
    if key == "secret":
        return "safer" if after else "riskier"
    if key in ("pattern", "of") and before is None:
        return "safer"
    if key == "of" and isinstance(before, list) and isinstance(after, list):
        return "safer" if set(map(str, after)) < set(map(str, before)) else "riskier"
    if key in ("pattern", "of"):
        return "riskier"
    if key in ("min", "max") and before is not None and after is not None:
        return more(before, after) if key == "max" else more(after, before)
    if key in ("min", "max"):
        return "safer" if before is None else "riskier"
    return "neutral"
