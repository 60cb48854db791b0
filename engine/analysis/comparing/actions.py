"""What an action does, how it is given back, and what it must see.

Only actions that are acted on both sides; a new one is told where it is done.
Called by: comparing.
"""

from collections.abc import Iterator
from typing import Any, Final

from engine.analysis.comparing.changes import Change, Weight, more
from engine.analysis.comparing.conditions import compared
from engine.analysis.comparing.sides import Pair, Side
from engine.core.code import ActionCode
from engine.model.steps import ActStep
from engine.model.values import format_duration
from engine.model.vocabulary import ActionBody
from engine.views.escape import command_text, value_text

ASKS: Final = {  # the more it asks, the safer
    "guard": "is only done when",
    "verify": "counts as done when",
    "undo_if": "is only given back when",
}
SEES: Final = {
    "done_when": "is already done when",
    "undone_when": "is already given back when",
}
CRASHES: Final = ("ask", "verify", "repeat")  # the later, the less is asked


def actions_changed(pair: Pair) -> Iterator[Change]:
    """Yield what changed of the actions that both sides do."""
    used = _used(pair.old) & _used(pair.new)
    for name, now in pair.new.compiled.scopes[0].actions.items():
        if name in used:
            was = pair.old.compiled.scopes[0].actions[name]
            yield from _action(pair, name, was, now)


def _used(side: Side) -> set[str]:
    return {it.step.act for it in side.placed if isinstance(it.step, ActStep)}


def _action(
    pair: Pair, name: str, was: ActionCode, now: ActionCode
) -> Iterator[Change]:
    path = ("actions", name)
    old, new = was.model, now.model
    if (old.kind, old.params) != (new.kind, new.params):
        words = (
            f"'{name}' does something else: {command_text(new.kind, new.params)}, was "
            f"{command_text(old.kind, old.params)}"
        )
        yield pair.both("action", "riskier", words, path)
    yield from _undo(pair, name, was, now)
    if old.risk != new.risk:
        weight: Weight = "safer" if new.risk == "high" else "riskier"
        words = f"'{name}' counts as {new.risk} risk, was {old.risk}"
        yield pair.both("action", weight, words, (*path, "risk"))
    if old.slot != new.slot:
        kept = [
            f"slot {value_text(one)}" if one else "no slot"
            for one in (new.slot, old.slot)
        ]
        words = f"'{name}' has {kept[0]}, had {kept[1]}: what it shares a way back with"
        yield pair.both("action", "riskier", words, (*path, "slot"))
    yield from _conditions(pair, name, old, new)
    yield from _tries(pair, name, old, new)


def _undo(pair: Pair, name: str, was: ActionCode, now: ActionCode) -> Iterator[Change]:
    path = ("actions", name, "undo")
    before, after = _back(was), _back(now)
    if was.holds != now.holds or (not now.holds and before != after):
        ranks = [_rank(one) for one in (was, now)]
        words = f"'{name}' {after}; {_before(before)}"
        yield pair.both("undo", more(*ranks), words, path)
    elif before != after:
        words = f"'{name}' is given back in another way: {after}, was: {before}"
        yield pair.both("undo", "riskier", words, path)
    for settled in now.model.settles:
        if settled not in was.model.settles:
            words = f"once '{name}' is done, '{settled}' is never given back"
            yield pair.both("undo", "riskier", words, ("actions", name, "settles"))
    for settled in was.model.settles:
        if settled not in now.model.settles:
            words = f"'{settled}' is given back also after '{name}'"
            yield pair.both("undo", "neutral", words, ("actions", name, "settles"))


def _rank(action: ActionCode) -> int:
    return 0 if action.holds else 2 if action.model.undo == "none" else 1


def _back(action: ActionCode) -> str:
    body: ActionBody | None = action.model.undo_body
    if action.leaves_nothing:
        return "leaves nothing to give back"
    if body is not None:
        return command_text(body.kind, body.params)
    return "is given back by its kind" if action.holds else "has no undo"


def _before(before: str) -> str:
    known = ("leaves", "is given", "has no")
    if not before.startswith(known):
        return f"it was given back by {before}"
    words = {"leaves": "left", "is": "was", "has": "had"}
    first, _, rest = before.partition(" ")
    return f"it {words[first]} {rest}"


def _conditions(pair: Pair, name: str, old: Any, new: Any) -> Iterator[Change]:
    for key, words in (ASKS | SEES).items():
        before, after = getattr(old, key), getattr(new, key)
        how = compared(before, after)
        if how == "same":
            continue
        shown = [
            value_text(one) if one is not None else "nothing is looked at"
            for one in (after, before)
        ]
        told = f"'{name}' {words}: {shown[0]}, was: {shown[1]}"
        weight: Weight = "riskier"
        if how == "more" and (key in ASKS or before is None):
            weight = "safer"
        yield pair.both("action", weight, told, ("actions", name, key))


def _tries(pair: Pair, name: str, old: Any, new: Any) -> Iterator[Change]:
    path = ("actions", name)
    if old.after_crash != new.after_crash:
        weight = more(CRASHES.index(old.after_crash), CRASHES.index(new.after_crash))
        words = f"'{name}' after a crash: {new.after_crash}, was {old.after_crash}"
        yield pair.both("action", weight, words, (*path, "after_crash"))
    tries = [
        1 + (one.retry.times if one.retry is not None else 0) for one in (old, new)
    ]
    if tries[0] != tries[1]:
        words = f"'{name}' is tried {_times(tries[1])}, was {_times(tries[0])}"
        yield pair.both("action", "neutral", words, (*path, "retry"))
    if old.timeout != new.timeout:
        lengths = [format_duration(one.timeout) for one in (new, old)]
        words = f"a try of '{name}' may take {lengths[0]}, was {lengths[1]}"
        yield pair.both("action", "neutral", words, (*path, "timeout"))
    if old.remember != new.remember:
        words = f"'{name}' remembers other values before it acts"
        yield pair.both("action", "riskier", words, (*path, "remember"))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
