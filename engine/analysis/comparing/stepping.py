"""The other steps of each branch, and the causes: what is new, gone, or goes elsewhere.

Steps are laid side by side, branch by branch, by what they do. Acts and the approvals
before them are told by acting.

Called by: comparing.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, Final

from engine.analysis.comparing.changes import Change, Weight, less, more
from engine.analysis.comparing.conditions import compared
from engine.analysis.comparing.sides import Pair, Side, by_key
from engine.core.lists import describe
from engine.language.walk import Placed
from engine.model.steps import (
    ActStep,
    AllStep,
    ApproveStep,
    AskStep,
    CauseStep,
    CheckStep,
    EachStep,
    HandOverStep,
    RepeatStep,
    RunStep,
    Step,
    UndoStep,
    WaitForStep,
    verb_of,
)
from engine.model.values import format_duration
from engine.views.escape import pairs_text, value_text, visible

ENDS: Final = ("hand_over", "undo")  # what a step that fails leads to, by itself
ACTING: Final[dict[str, Weight]] = {  # of a condition under which something is done
    "more": "safer", "less": "riskier", "other": "riskier"
}  # fmt: skip


def steps_changed(pair: Pair) -> Iterator[Change]:
    """Yield what changed of the steps that are no acts."""
    old, new = _branches(pair.old), _branches(pair.new)
    for branch, was, now in by_key(old, new):
        if branch != "restore" or (was and now):
            yield from _branch(pair, branch, was or [], now or [])
    yield from _restore(pair)
    yield from _causes(pair)


def _branches(side: Side) -> dict[str, list[Placed]]:
    found: dict[str, list[Placed]] = {}
    for placed in side.placed:
        if placed.phase == "confirm" or isinstance(placed.step, CauseStep):
            continue
        branch = f"workaround '{placed.group}'" if placed.group else placed.phase
        found.setdefault(branch, []).append(placed)
    return found


def _branch(
    pair: Pair, branch: str, old: list[Placed], new: list[Placed]
) -> Iterator[Change]:
    mine, theirs = [_sign(it.step) for it in old], [_sign(it.step) for it in new]
    matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
    for word, a, b, c, d in matcher.get_opcodes():
        if word == "equal":
            for was, now in zip(old[a:b], new[c:d], strict=True):
                yield from _step(pair, branch, was, now)
            continue
        yield from (one for it in old[a:b] for one in _gone(pair, branch, it))
        yield from (one for it in new[c:d] for one in _come(pair, branch, it))


def _sign(step: Step) -> str:
    verb = verb_of(step) or ""
    if isinstance(step, AllStep | ApproveStep | EachStep | RepeatStep):
        return verb
    if isinstance(step, AskStep):
        return f"{verb} {step.name}"
    return f"{verb} {getattr(step, verb)}"


def _gone(pair: Pair, branch: str, placed: Placed) -> Iterator[Change]:
    step = placed.step
    if isinstance(step, ActStep | AllStep | ApproveStep):
        return
    weight: Weight = "riskier" if _stops(step) else "neutral"
    words = f"{branch} no longer has `{visible(describe(step))}`"
    yield pair.change("step", weight, words, placed.path, None)


def _come(pair: Pair, branch: str, placed: Placed) -> Iterator[Change]:
    step = placed.step
    if isinstance(step, ActStep | AllStep | ApproveStep):
        return
    weight: Weight = "safer" if _expects(step) else "neutral"
    if isinstance(step, RunStep):
        weight = "riskier"
    words = f"{branch} has `{visible(describe(step))}`"
    yield pair.change("step", weight, words, None, placed.path)


def _expects(step: Step) -> bool:
    return isinstance(step, CheckStep) and step.expect is not None


def _step(pair: Pair, branch: str, was: Placed, now: Placed) -> Iterator[Change]:
    name = f"`{visible(describe(now.step))}` in {branch}"
    for weight, words in _details(was.step, now.step):
        yield pair.change("step", weight, f"{name}: {words}", was.path, now.path)


def _details(old: Any, new: Any) -> Iterator[tuple[Weight, str]]:
    if isinstance(new, ApproveStep):
        return
    yield from _fails(old, new, "on_fail")
    if isinstance(new, ActStep):
        return
    if compared(old.when, new.when) != "same":
        yield _when(old, new)
    if isinstance(new, AskStep):
        if old.who != new.who:
            asked = [", ".join(one) or "the owner" for one in (new.who, old.who)]
            yield "riskier", f"{asked[0]} is asked, was {asked[1]}"
        yield from _fails(old, new, "on_expire")
    yield from _looks(old, new)
    yield from _does(old, new)
    for key in ("within", "hold", "pause"):
        before, after = getattr(old, key, None), getattr(new, key, None)
        if before != after:
            lengths = [
                format_duration(one) if one is not None else "none"
                for one in (after, before)
            ]
            weight: Weight = "neutral"
            if key == "hold" and _shorter(before, after):
                weight = "riskier"
            yield weight, f"{key} {lengths[0]}, was {lengths[1]}"


def _looks(old: Any, new: Any) -> Iterator[tuple[Weight, str]]:
    weight: Weight
    if isinstance(new, CheckStep) and old.expect != new.expect:
        weight = "riskier" if new.expect is None else "neutral"
        yield (
            weight,
            f"expects {new.expect or 'nothing'}, was {old.expect or 'nothing'}",
        )
    if isinstance(new, UndoStep) and old.check != new.check:
        weight = "riskier" if new.check is None else "safer"
        looks = [one.check or "nothing" for one in (new, old)]
        yield weight, f"looks at {looks[0]} after each, was {looks[1]}"


def _does(old: Any, new: Any) -> Iterator[tuple[Weight, str]]:
    if isinstance(new, AllStep) and old.need != new.need:
        needed = [f"{one.need or 'all'} must succeed" for one in (new, old)]
        needs = [one.need or len(one.all) for one in (old, new)]
        yield less(*needs), f"{needed[0]}, was: {needed[1]}"
    if isinstance(new, RepeatStep) and old.repeat != new.repeat:
        yield (
            more(old.repeat, new.repeat),
            f"at most {new.repeat} times, was {old.repeat}",
        )
    if isinstance(new, RepeatStep) and compared(old.while_, new.while_) != "same":
        before, after = (_said(one.while_) for one in (old, new))
        yield (
            ACTING[compared(old.while_, new.while_)],
            f"goes on while {after}, was {before}",
        )
    if isinstance(new, EachStep) and old.each != new.each:
        words = f"for each of {value_text(new.each)}, was {value_text(old.each)}"
        yield "riskier", words
    if isinstance(new, RunStep) and old.with_ != new.with_:
        given = [pairs_text(one.with_) or "nothing" for one in (new, old)]
        yield "riskier", f"is given {given[0]}, was {given[1]}"


def _shorter(before: Any, after: Any) -> bool:
    return before is not None and (after is None or after < before)


def _when(old: Step, new: Step) -> tuple[Weight, str]:
    before, after = (
        value_text(one.when) if one.when is not None else "always" for one in (old, new)
    )
    how = compared(old.when, new.when)
    weight: Weight = "neutral"
    if isinstance(new, EachStep | RepeatStep | RunStep):
        weight = ACTING[how]
    elif _stops(new):
        weight = "safer" if how == "less" else "riskier"
    return weight, f"when {after}, was {before}"


def _stops(step: Step) -> bool:
    """Whether a run that does not take it goes on with more held, or less shown."""
    return isinstance(step, UndoStep | WaitForStep | HandOverStep) or _expects(step)


def _fails(old: Any, new: Any, key: str) -> Iterator[tuple[Weight, str]]:
    before, after = (getattr(one, key) or "hand_over" for one in (old, new))
    if before == after:
        return
    weight: Weight = "neutral"
    if after == "continue":
        weight = "riskier"
    elif before == "continue" and after in ENDS:
        weight = "safer"
    yield weight, f"{key} {after}, was {before}"


def _restore(pair: Pair) -> Iterator[Change]:
    """Tell where a `restore` is written that was left out, or is left out now."""
    old, new = pair.old.runbook.restore, pair.new.runbook.restore
    if bool(old) == bool(new):
        return
    words = (
        "`restore` is written: only what it says is given back"
        if new
        else "`restore` is left out: everything held is given back, newest first"
    )
    yield pair.both("step", "riskier" if new else "safer", words, ("restore",))


def _causes(pair: Pair) -> Iterator[Change]:
    old, new = _named(pair.old), _named(pair.new)
    for name, was, now in by_key(old, new):
        if was is None:
            words = f"new cause '{name}' leads to {_leads(now[1])}"
            yield pair.change("cause", "neutral", words, None, now[0])
        elif now is None:
            words = f"cause '{name}' is gone, which led to {_leads(was[1])}"
            yield pair.change("cause", "neutral", words, was[0], None)
        else:
            for key, shown in (("workaround", "leads to"), ("when", "is so when")):
                before, after = getattr(was[1], key), getattr(now[1], key)
                if before != after:
                    words = (
                        f"cause '{name}' {shown} {_said(after)}, was {_said(before)}"
                    )
                    yield pair.change("cause", "neutral", words, was[0], now[0])
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old]:
        at = next(iter(new.values()))[0][:-1]
        words = f"the causes are judged in another order: {', '.join(new)}"
        yield pair.change("cause", "neutral", words, at, at)


def _named(side: Side) -> dict[str, Any]:
    return {
        cause.name: ((*placed.path, "cause", at), cause)
        for placed in side.placed
        if isinstance(placed.step, CauseStep)
        for at, cause in enumerate(placed.step.cause)
    }


def _leads(cause: Any) -> str:
    return f"'{cause.workaround}'" if cause.workaround else "no workaround"


def _said(value: Any) -> str:
    return "nothing" if value is None else value_text(value)
