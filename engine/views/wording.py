"""Steps of a runbook in plain words, for `page` only.

One line or more for each verb; what a key means is said, what is default is left out
where a person need not know it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from engine.model.runbook import Runbook
from engine.model.steps import (
    ActStep,
    AllStep,
    ApproveStep,
    AskStep,
    CauseStep,
    CheckStep,
    EachStep,
    Escalation,
    HandOverStep,
    Need,
    RepeatStep,
    RunStep,
    SayStep,
    Step,
    UndoStep,
    WaitForStep,
    WaitStep,
)
from engine.model.values import format_duration
from engine.model.vocabulary import Action
from engine.views.escape import command_text, pairs_text, value_text, visible

Rows = list[str]
OUTCOMES: Final = {
    "hand_over": "hand over",
    "undo": "give everything back, then hand over",
    "continue": "go on",
}


def step_rows(step: Step, runbook: Runbook) -> Rows:
    """Return the step in words: what it does, then its details, each a row."""
    rows = _verb_rows(step, runbook)
    if step.when is not None:
        rows.append(f"only if {visible(step.when)}{_unknown(step)}")
    if step.on_fail is not None:
        rows.append(f"on failure: {outcome(step.on_fail)}")
    return rows


def _verb_rows(step: Step, runbook: Runbook) -> Rows:
    if isinstance(step, ActStep):
        return _act(step, runbook.actions.get(step.act))
    if isinstance(step, AskStep):
        return _ask(step, runbook.owner)
    words = next(words for verb, words in WORDS.items() if isinstance(step, verb))
    return words(step)


def outcome(policy: str) -> str:
    """Return what `on_fail` and its like mean."""
    return OUTCOMES.get(policy, f"go to workaround {visible(policy)}")


def inner_steps(step: Step) -> list[Step]:
    """Return the steps inside a block."""
    if isinstance(step, AllStep):
        return list(step.all)
    return list(step.do) if isinstance(step, EachStep | RepeatStep) else []


def _unknown(step: Step) -> str:
    return f" (unknown: {step.on_unknown})" if step.on_unknown else ""


def _check(step: CheckStep) -> Rows:
    expected = f", expecting {step.expect}" if step.expect else ""
    return [f"look at {step.check}{expected}{_with(step.with_)}"]


def _with(bound: Mapping[str, Any]) -> str:
    return f" with {pairs_text(bound)}" if bound else ""


def _all(step: AllStep) -> Rows:
    need = f", at least {step.need} must succeed" if step.need else ""
    return [f"side by side{need}:"]


def _act(step: ActStep, action: Action | None) -> Rows:
    risky = action is not None and action.risk == "high"
    risk = "  HIGH RISK: only after an approval" if risky else ""
    head = f"DO {step.act}{_with(step.with_)}{risk}"
    return [head, *(action_rows(action) if action is not None else [])]


def action_rows(action: Action) -> Rows:
    """Return what an action does, how it is undone, and what it must see."""
    rows = [command_text(action.kind, action.params), f"undo: {_undo(action)}"]
    conditions = (
        ("already done if", action.done_when),
        ("only while", action.guard),
        ("worked if", action.verify),
        ("undone only if", action.undo_if),
    )
    rows += [f"{words} {visible(cel)}" for words, cel in conditions if cel is not None]
    if action.settles:
        rows.append(f"point of no return for {', '.join(action.settles)}")
    return rows


def _undo(action: Action) -> str:
    body = action.undo_body
    if body is not None:
        return command_text(body.kind, body.params)
    if action.leaves_nothing:
        return "leaves nothing to give back"
    if action.undo == "none":
        return f"NONE: {visible(action.why_no_undo or 'no reason given')}"
    return "built in"


def _each(step: EachStep) -> Rows:
    batch = f" in batches of {value_text(step.batch)}" if step.batch else " in batches"
    errors = f", stop after {step.max_errors} failures" if step.max_errors else ""
    pause = f", {format_duration(step.pause)} between" if step.pause else ""
    return [f"for each {step.as_} in {visible(step.each)}{batch}{pause}{errors}:"]


def _repeat(step: RepeatStep) -> Rows:
    every = f" every {format_duration(step.every)}" if step.every else ""
    during = f" while {visible(step.while_)}" if step.while_ else ""
    return [f"at most {step.repeat} times{every}{during}:"]


def _cause(step: CauseStep) -> Rows:
    rows = ["name the cause, the first that is true:"]
    for one in step.cause:
        when = f"if {visible(one.when)}" if one.when else "otherwise"
        to = f", then workaround {one.workaround}" if one.workaround else ""
        rows.append(f"- {one.name} {when}{to}")
    return rows


def _approve(step: ApproveStep) -> Rows:
    rows = [f"GATE: {visible(step.approve)}"]
    rows.append(f"who: {_needs(step.from_)}, within {format_duration(step.within)}")
    if step.not_by:
        rows.append(f"not by: {', '.join(visible(one) for one in step.not_by)}")
    rows += _escalation(step.then)
    if step.unless is not None:
        auto = "autonomy is auto" if step.unless == "auto" else visible(step.unless)
        rows.append(f"opens by itself if {auto}")
    if step.retype is not None:
        rows.append(f"has to be typed: {visible(step.retype)}")
    rows.append(f"rejected: {outcome(step.on_reject or 'hand_over')}")
    rows.append(f"nobody answers: {outcome(step.on_expire or 'hand_over')}")
    return rows


def _escalation(then: Escalation | None) -> Rows:
    rows = []
    while then is not None:
        within = format_duration(then.within)
        rows.append(f"then: {_needs(then.from_)}, within {within}")
        then = then.then
    return rows


def _needs(needs: Iterable[Need]) -> str:
    return " and ".join(f"{one.need} of {visible(one.group)}" for one in needs)


def _ask(step: AskStep, owner: str) -> Rows:
    who = ", ".join(visible(one) for one in step.who) or visible(owner)
    rows = [
        f"ASK: {visible(step.ask)}",
        f"who: {who}, within {format_duration(step.within)}",
    ]
    if step.fields:
        rows.append(f"fields: {pairs_text(step.fields)}")
    rows.append(f"nobody answers: {outcome(step.on_expire or 'hand_over')}")
    return rows


def _say(step: SayStep) -> Rows:
    to = f" to {visible(step.to)}" if step.to else ""
    return [f"say{to}: {visible(step.say)}"]


def _wait(step: WaitStep) -> Rows:
    return [f"wait {format_duration(step.wait)}"]


def _wait_for(step: WaitForStep) -> Rows:
    hold = f", true for {format_duration(step.hold)}" if step.hold else ""
    within, every = format_duration(step.within), format_duration(step.every)
    limits = f"at most {within}, looking every {every}"
    return [f"wait until {visible(step.wait_for)}{hold}, {limits}"]


def _undo_step(step: UndoStep) -> Rows:
    what = "everything held" if step.undo == "all" else f"{step.undo}"
    pause = f", {format_duration(step.pause)} between" if step.pause else ""
    check = f", looking at {step.check} after each" if step.check else ""
    return [f"GIVE BACK {what}, newest first{pause}{check}"]


def _run(step: RunStep) -> Rows:
    within = format_duration(step.within)
    return [f"take runbook {visible(step.run)}{_with(step.with_)}, at most {within}"]


def _hand_over(step: HandOverStep) -> Rows:
    why = f": {visible(step.why)}" if step.why else ""
    return [f"HAND OVER to {visible(step.hand_over)}{why}"]


WORDS: Final[Mapping[type[Step], Callable[[Any], Rows]]] = {
    CheckStep: _check,
    AllStep: _all,
    EachStep: _each,
    RepeatStep: _repeat,
    CauseStep: _cause,
    ApproveStep: _approve,
    SayStep: _say,
    WaitStep: _wait,
    WaitForStep: _wait_for,
    UndoStep: _undo_step,
    RunStep: _run,
    HandOverStep: _hand_over,
}
