"""The verb that acts, up to the act itself.

Order: approval still fits, `with`, `done_when`, `remember`, `guard`, intent recorded
(with the rendered undo, held from here), act. What comes of it is in outcomes; what a
crash makes of it in crashes; giving back in undoing; approvals in gates.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.core.by_hand import by_hand
from engine.core.code import ActionCode
from engine.core.gates import covered_by, plan_names, recheck, voided
from engine.core.looking import bind
from engine.core.names import (
    evidence_of,
    rendered_params,
    rendered_text,
    target_in,
)
from engine.core.record import Thread
from engine.core.turn import Resume, Turn, replace
from engine.errors import TemplateProblem
from engine.expressions import UNKNOWN
from engine.model.effects import Act
from engine.model.events import Event
from engine.model.run import Held

BESIDE: Final = "it became void for a target beside this one"


def code_of(turn: Turn, thread: Thread) -> ActionCode:
    """Return the action the thread's step names."""
    return turn.scope(thread).actions[turn.node(thread).step.act]


def target_of(turn: Turn, thread: Thread) -> str:
    """Return what the act is done to, where it is done to each of several."""
    return target_in(thread.names)


def begin_act(turn: Turn, thread: Thread) -> None:
    """Bind the names of this use, looking first at what they are made of."""
    node = turn.node(thread)
    names = {
        check
        for key, expr in node.exprs.items()
        if key.startswith("with.")
        for check in expr.checks
    }
    turn.look(thread, names, "act.with")


def with_bound(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Pass by what people did before the run; else go on to the approval."""
    thread = bind(turn, thread)
    if by_hand(turn.record, turn.node(thread), target_of(turn, thread)) is None:
        _approved(turn, thread)
        return
    done_when = code_of(turn, thread).conditions.get("done_when")
    checks = done_when.checks if done_when is not None else ()
    turn.look(thread, checks, "act.by_hand", anew=True)


def done_by_hand(turn: Turn, thread: Thread, event: Event | None) -> None:
    """It counts as done, unless `done_when` says that it is not: then it is done now.

    What is unknown does not make a liar of whoever says so.
    """
    action, target = code_of(turn, thread), target_of(turn, thread)
    found = by_hand(turn.record, turn.node(thread), target)
    assert found is not None  # nothing else takes it away
    turn.change(by_hand=tuple(one for one in turn.record.by_hand if one != found))
    done_when = action.conditions.get("done_when")
    true = turn.is_true(thread, done_when) if done_when is not None else None
    about = {"subject": action.name, "target": target}
    if true is False and done_when is not None:
        turn.let_go(found.held)
        what = f"{found.by} did {action.name} by hand, but it is not there"
        why = f"done_when: {done_when.source} is false: it is done now"
        refs = {"by": found.by, "there": False}
        turn.note("adopted", what, thread, why=why, refs=refs, **about)
        _approved(turn, thread)
        return
    seen = "" if done_when is None else f"; done_when is {_truth(true)}"
    why = f"{found.by} says so{seen}"
    turn.skipped(thread, "already", f"{action.name}: done by hand", why, **about)


def _truth(true: bool | None) -> str:
    return "unknown" if true is None else "true"


def _approved(turn: Turn, thread: Thread) -> None:
    """Hold the approval against what would be done now."""
    missing = covered_by(turn, thread, code_of(turn, thread))
    if missing:
        turn.failed(thread, missing, mark="unapproved")
        return
    turn.look(thread, plan_names(turn, thread), "act.recheck")


def rechecked(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A plan that no longer fits voids the approval; else look whether it is done."""
    changed = recheck(turn, thread)
    if changed:
        voided(turn, thread, changed)
        return
    done_when = code_of(turn, thread).conditions.get("done_when")
    if done_when is None:
        _remember(turn, thread)
    else:
        turn.look(thread, done_when.checks, "act.done_when", anew=True)


def done_already(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The effect is there before we did anything: nothing is done, nothing is held."""
    action = code_of(turn, thread)
    done_when = action.conditions["done_when"]
    if turn.is_true(thread, done_when):
        turn.skipped(
            thread,
            "already",
            f"{action.name}: nothing to do",
            f"done_when: {done_when.source} is true already",
            subject=action.name,
            target=target_of(turn, thread),
        )
        return
    _remember(turn, thread)


def _remember(turn: Turn, thread: Thread) -> None:
    remember = code_of(turn, thread).model.remember
    turn.look(
        thread, [what.check for what in remember.values()], "act.remember", anew=True
    )


def remembered(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Bind what was there before; without it there is no act."""
    action = code_of(turn, thread)
    if not action.model.remember:
        _guard(turn, thread)
        return
    names = dict(thread.names)
    for name, what in action.model.remember.items():
        value = remembered_value(turn, thread, action, name)
        if value is UNKNOWN:
            seen = evidence_of(turn, thread, what.check)
            why = seen.why if seen is not None else "not looked at"
            turn.failed(thread, f"no act: '{name}' is unknown ({what.check}: {why})")
            return
        names[name] = value
    thread = turn.put(replace(thread, names=names))
    _guard(turn, thread)


def remembered_value(turn: Turn, thread: Thread, action: ActionCode, name: str) -> Any:
    """Return what `remember` sees in the last look, or UNKNOWN."""
    seen = evidence_of(turn, thread, action.model.remember[name].check)
    if seen is None or seen.state == "unknown":
        return UNKNOWN
    return action.values[name].evaluate(seen.seen)


def _guard(turn: Turn, thread: Thread) -> None:
    """Look at the guard; inside a batch one after another, each seeing the last act."""
    guard = code_of(turn, thread).conditions.get("guard")
    if turn.record.on_hold:
        held_up(turn, thread)
    elif guard is None:
        _intend(turn, thread)
    elif any(_in_guard(turn, other) for other in turn.siblings(thread)):
        turn.wait(thread, "act.guard_turn", ())
    else:
        turn.look(thread, guard.checks, "act.guard", anew=True)


def _in_guard(turn: Turn, thread: Thread) -> bool:
    guarded = thread.stage in ("act.guard", "act.acting", "act.lost", "act.retry")
    return guarded and "guard" in code_of(turn, thread).conditions


def next_guard(turn: Turn, thread: Thread) -> None:
    """Let the next of the batch that waits for its guard look."""
    for other in turn.siblings(thread):
        if other.stage == "act.guard_turn":
            _guard(turn, other)
            return


def guarded(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Only a guard that is true lets the act go on."""
    action = code_of(turn, thread)
    guard = action.conditions["guard"]
    true = turn.is_true(thread, guard)
    if turn.record.on_hold:  # since the look began
        held_up(turn, thread)
        return
    if true:
        _intend(turn, thread)
        return
    told = {False: "is false"}.get(true, "is unknown")  # type: ignore[arg-type]
    turn.note(
        "guard",
        f"guard of {action.name} refused",
        thread,
        why=f"guard: {guard.source} {told}",
        subject=action.name,
        target=target_of(turn, thread),
    )
    turn.failed(turn.threads[thread.id], f"guard: {guard.source} {told}")
    next_guard(turn, thread)


def held_up(turn: Turn, thread: Thread) -> None:
    """The global hold is set, or the run's own: no new act begins."""
    turn.note("hold", f"{turn.node(thread).name} waits: {turn.record.on_hold}", thread)
    turn.wait(thread, "act.hold", ())


def go_on(turn: Turn, event: Event) -> None:
    """Let what a hold kept from acting go on, if no other hold keeps it."""
    if turn.record.on_hold:
        return
    for thread in list(turn.threads.values()):
        if thread.stage == "act.hold":
            hold_lifted(turn, thread, event)


def hold_lifted(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Judge the guard afresh, then go on."""
    _guard(turn, thread)


def _intend(turn: Turn, thread: Thread) -> None:
    """Record the intent, with the way back, before anything is done."""
    action = code_of(turn, thread)
    if covered_by(turn, thread, action):
        voided(turn, thread, BESIDE)  # since this thread was held against its approval
        next_guard(turn, thread)
        return
    try:
        params = rendered_params(
            turn, thread, action.model.kind, action.model.params, acts=True
        )
        held = taken(turn, thread, action, params)
    except TemplateProblem as problem:
        turn.failed(thread, f"{action.name} cannot be asked for: {problem.message}")
        next_guard(turn, thread)
        return
    if held is not None:
        turn.held.append(held)
        thread = turn.put(replace(thread, held=held.id))
    turn.change(acted=True)
    turn.note(
        "intent",
        f"about to do {action.name}",
        thread,
        subject=action.name,
        target=target_of(turn, thread),
        refs={
            "key": act_id(turn, thread),
            "kind": action.model.kind,
            "command": params,
            "undo": held.params if held is not None else None,
            "before": {name: thread.names.get(name) for name in action.model.remember},
        },
    )
    do(turn, replace(thread, n=0), params)


def taken(turn: Turn, thread: Thread, action: ActionCode, params: Any) -> Held | None:
    """Return what the act takes, or None: nothing, or it joins a held slot."""
    if not action.holds:
        return None
    model = action.model
    slot = rendered_text(turn, thread, model.slot) if model.slot else ""
    if slot and any(held.slot == slot for held in turn.held):
        turn.note(
            "joined", f"{action.name} joins slot {slot}", thread, subject=action.name
        )
        return None
    body = model.undo_body
    undo = params
    if body is not None:
        undo = rendered_params(turn, thread, body.kind, body.params, acts=True)
    timeout = (body.timeout if body is not None else None) or model.timeout
    return Held(
        act_id(turn, thread),
        action.name,
        target_of(turn, thread),
        thread.frame,
        action.undo_kind,
        undo,
        timeout.total_seconds(),
        turn.at,
        slot=slot,
        names=dict(thread.names),
    )


def act_id(turn: Turn, thread: Thread) -> str:
    """Return the id of this act: the same for every try, and after a crash."""
    return f"{turn.record.run}/{thread.id}/{thread.pc}"


def do(turn: Turn, thread: Thread, params: Any) -> None:
    """Ask for the act itself."""
    action = code_of(turn, thread)
    key = turn.key(thread, "act")
    thread = turn.wait(
        thread, "act.acting", (key,), n=thread.n + 1, box={"params": params}
    )
    turn.effects.append(
        Act(
            key,
            action.name,
            action.model.kind,
            params,
            action.model.timeout.total_seconds(),
            act_id(turn, thread),
            target_of(turn, thread),
            attempt=thread.n,
        )
    )


STAGES: Final[Mapping[str, Resume]] = {
    "act.with": with_bound,
    "act.by_hand": done_by_hand,
    "act.recheck": rechecked,
    "act.done_when": done_already,
    "act.remember": remembered,
    "act.guard": guarded,
    "act.hold": hold_lifted,
    "act.guard_turn": hold_lifted,
}
