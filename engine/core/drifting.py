"""Whether what a run did still stands: `done_when`, looked at again while it is held.

What is here: what is to be looked at, and what the answers mean. What is not: when to
look (runtime.drift), and what a run does about it (outside_events). What shares a slot
is not watched: a later act may have changed it on purpose.
"""

from collections.abc import Mapping, Sequence

from engine.core.code import CompiledRunbook
from engine.core.names import check_call
from engine.core.record import Record, Thread
from engine.core.turn import Turn, replace
from engine.expressions import Expression
from engine.model.effects import CheckCall
from engine.model.events import Noted
from engine.model.evidence import Evidence
from engine.model.people import ENGINE
from engine.model.run import Held


def stands(held: Held, threads: Mapping[str, Thread]) -> bool:
    """Return whether the effect of a held act should be there now.

    Not while its own step goes on, nor while anything is given back.
    """
    if held.stuck or held.slot or held.drifted:
        return False
    return not any(
        one.held == held.id or one.stage.startswith("undo.") for one in threads.values()
    )


def looks(
    compiled: CompiledRunbook, record: Record
) -> dict[str, tuple[CheckCall, ...]]:
    """Return what to look at for each held id; ids with nothing are left out."""
    found = {}
    turn = _turn(compiled, record, 0.0)
    for held in record.held:
        condition = _condition(turn, held)
        if condition is None or not stands(held, record.threads):
            continue
        place = _place(held)
        checks = turn.scope(place).checks
        if all(checks[name].names <= held.names.keys() for name in condition.checks):
            names = sorted(condition.checks)
            found[held.id] = tuple(check_call(turn, place, name) for name in names)
    return found


def drifted(
    compiled: CompiledRunbook, record: Record, held: Held, seen: Sequence[Evidence]
) -> str:
    """Return why a held act's effect is gone; empty: it is there, or nobody knows."""
    tick = max([one.tick for one in seen], default=0.0)
    news = {one.slot: one for one in seen}
    turn = _turn(compiled, replace(record, evidence=record.evidence | news), tick)
    condition = _condition(turn, held)
    if condition is None or turn.is_true(_place(held), condition) is not False:
        return ""
    told = "; ".join(f"{one.check} is {one.state} ({one.why})" for one in seen)
    return f"done_when: {condition.source} is false; {told}"


def _turn(compiled: CompiledRunbook, record: Record, tick: float) -> Turn:
    return Turn(compiled, record, Noted(by=ENGINE, text="", tick=tick), {})


def _place(held: Held) -> Thread:
    return Thread("drift", 0, frame=held.frame, names=held.names)


def _condition(turn: Turn, held: Held) -> Expression | None:
    if held.frame not in turn.frames:
        return None
    code = turn.scope(_place(held)).actions.get(held.action)
    return code.conditions.get("done_when") if code is not None else None
