"""What a name means at a place: for conditions, for texts, for parameters.

Names are looked up where the thread stands: what is bound there, the inputs of its
(sub-)runbook, what its checks said last, what people answered. Nothing is evaluated
here twice, and a value from outside stays a value.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from engine.core.code import CheckCode, CompiledRunbook, Scope
from engine.core.record import Frame, Record, Thread
from engine.errors import TemplateProblem
from engine.model.effects import CheckCall
from engine.model.evidence import Evidence
from engine.model.run import Held
from engine.templating import render, render_params

TARGET: Final = "__target__"  # among bound names: the target of an `each`
OUTER: Final = "__outer__"  # the same, of the `each` that a sub-runbook runs inside of
TRUSTED: Final = "__trusted__"  # among bound names: which of them can be trusted


class Turn(Protocol):
    """What of a turn (core.turn) names are looked up in."""

    compiled: CompiledRunbook
    record: Record
    frames: dict[str, Frame]
    held: list[Held]
    evidence: dict[str, Evidence]
    tick: float

    def scope(self, thread: Thread) -> Scope:
        """Return the code of the (sub-)runbook the thread is in."""
        ...


def inside(frame: str, outer: str) -> bool:
    """Return whether a frame is that one, or of a sub-runbook run inside it."""
    return frame == outer or frame.startswith(f"{outer}/")


def concerns(held: Held, target: str) -> bool:
    """Return whether a step for this target speaks of what is held.

    What another target of an `each` holds is not its own; "" is a step outside of one.
    """
    return not target or held.target in ("", target)


def target_in(names: Mapping[str, Any]) -> str:
    """Return which target an act here is done to; empty outside of any `each`."""
    return str(names.get(TARGET, names.get(OUTER, "")))


def frame_slot(frame: str, name: str) -> str:
    """Return where evidence of a check is kept within a frame."""
    return f"{frame}/{name}" if frame else name


def slot_of(turn: Turn, thread: Thread, name: str) -> str:
    """Return where the evidence of a check is kept, with what it is bound to here."""
    if not thread.names:
        return frame_slot(thread.frame, name)
    check = turn.scope(thread).checks[name]
    bound = sorted(check.names & thread.names.keys())
    suffix = "".join(f"|{key}={thread.names[key]}" for key in bound)
    return frame_slot(thread.frame, name) + suffix


def evidence_of(turn: Turn, thread: Thread, name: str) -> Evidence | None:
    """Return the last answer of a check as it is meant here."""
    scope = turn.scope(thread)
    if name not in scope.checks:
        return None
    found = turn.evidence.get(slot_of(turn, thread, name))
    return found or turn.evidence.get(frame_slot(thread.frame, name))


def bindings(turn: Turn, thread: Thread, names: Iterable[str]) -> dict[str, Any]:
    """Return those of the qualified names that have a value at this place."""
    found: dict[str, Any] = {}
    frame = turn.frames[thread.frame]
    for name in names:
        value = _value(turn, thread, frame, name)
        if value is not None:
            found[name] = value
    return found


def _value(turn: Turn, thread: Thread, frame: Frame, name: str) -> Any:
    head, _, rest = name.partition(".")
    if head == "checks":
        return _of_check(turn, thread, rest)
    if head == "answers":
        step, _, field = rest.partition(".")
        return frame.answers.get(step, {}).get(field)
    if name in thread.names:
        return thread.names[name]
    if name in frame.inputs:
        return frame.inputs[name]
    return _of_run(turn, frame, name)


def _of_run(turn: Turn, frame: Frame, name: str) -> Any:
    return {
        "labels": turn.record.labels,
        "annotations": turn.record.annotations,
        "cause": frame.cause,
        "held": [held.action for held in turn.held],
        "end": turn.record.end or None,
    }.get(name)


def _of_check(turn: Turn, thread: Thread, rest: str) -> Any:
    name, _, field = rest.rpartition(".")
    seen = evidence_of(turn, thread, name)
    if seen is None:
        return "unknown" if field == "state" else None
    if field == "state":
        return seen.state
    if field == "ok":
        return seen.ok
    if field == "age_seconds":
        return turn.tick - seen.tick
    return None if seen.state == "unknown" else seen.seen.get(field)


def text_names(turn: Turn, thread: Thread) -> dict[str, Any]:
    """Return every name a text or a parameter may use at this place."""
    frame = turn.frames[thread.frame]
    return {"cause": frame.cause, **frame.inputs, **thread.names}


def trusted(scope: Scope, names: Mapping[str, Any]) -> frozenset[str]:
    """Return the names whose values an author wrote or bounded.

    An input with a pattern or a choice; a target or a `with` value that is made of
    nothing but such names and of what stands in the file.
    """
    vouched = names.get(TRUSTED)
    return scope.trusted.union(vouched) if vouched else scope.trusted


def outside(scope: Scope, names: Mapping[str, Any]) -> frozenset[str]:
    """Return the names whose values nobody vouches for.

    A value that begins with a dash is never trusted to be an argument.
    """
    known = trusted(scope, names)
    return frozenset(
        [
            name
            for name, value in names.items()
            if name not in known or (isinstance(value, str) and value[:1] == "-")
        ]
    )


def rendered_text(turn: Turn, thread: Thread, text: str) -> str:
    """Return a text for people; what cannot be rendered stands there as its problem."""
    try:
        return str(render(text, text_names(turn, thread)))
    except TemplateProblem as problem:
        return f"{text} [{problem.message}]"


def rendered_params(
    turn: Turn, thread: Thread, kind: str, params: Any, *, acts: bool
) -> Any:
    """Return the parameters of a kind with their values in place.

    Raises:
        TemplateProblem: a value is missing, or may not stand where it would stand.
    """
    kinds = turn.compiled.kinds
    known = kinds.actions.get(kind) if acts else kinds.checks.get(kind)
    names = text_names(turn, thread)
    places = known.places if known is not None else {}
    if not places:  # where all is text, it does not matter where values come from
        return render_params(params, names)
    unsure = outside(turn.scope(thread), names)
    return render_params(params, names, places=places, outside=unsure)


def check_call(turn: Turn, thread: Thread, name: str) -> CheckCall:
    """Return a check as it is to be looked at from this place."""
    check = turn.scope(thread).checks[name]
    slot = slot_of(turn, thread, name)
    if check.model.kind == "agree":
        return _agree_call(turn, thread, check, slot)
    try:
        params = rendered_params(
            turn, thread, check.model.kind, check.model.params, acts=False
        )
        problem = ""
    except TemplateProblem as found:
        params, problem = None, found.message
    return CheckCall(
        name,
        slot,
        check.model.kind,
        params,
        check.model.pass_,
        check.model.pass_for,
        check.model.unknown_when,
        check.model.timeout.total_seconds(),
        check.model.attempts,
        problem,
    )


def _agree_call(turn: Turn, thread: Thread, check: CheckCode, slot: str) -> CheckCall:
    params = check.model.params
    parts = tuple(check_call(turn, thread, part) for part in params["of"])
    longest = max(part.timeout_seconds for part in parts)
    return CheckCall(
        check.name,
        slot,
        "agree",
        params,
        timeout_seconds=longest,
        attempts=max(part.attempts for part in parts),
        parts=parts,
        need=int(params.get("need", 2)),
    )
