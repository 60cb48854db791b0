"""The only door into the core: `advance(compiled, record, event) -> (record, effects)`.

Pure and total: no clock, no dice, no log, no I/O. An event that nobody waits for
changes nothing. The driver, the explorer, the replay and the rehearsal all call this
function and no other. What the single verbs do is in the modules beside this one.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.core import (
    acting,
    asking,
    blocks,
    crashes,
    ends,
    gates,
    looking,
    outcomes,
    outside_events,
    undoing,
    watching,
)
from engine.core.code import CompiledRunbook
from engine.core.record import Record
from engine.core.steps import begin, judge_when
from engine.core.tables import RUN_EVENT, RUN_TABLE
from engine.core.turn import BESIDE, MOST_MOVES, Defect, Resume, Turn, replace
from engine.model.effects import Effect
from engine.model.events import (
    Acted,
    Answered,
    Event,
    Locked,
    Looked,
    TimerFired,
    Voted,
)
from engine.model.run import ENDS, RunState

STAGES: Final[Mapping[str, Resume]] = {
    **looking.STAGES,
    "when": judge_when,
    **acting.STAGES,
    **outcomes.STAGES,
    **crashes.STAGES,
    **undoing.STAGES,
    **gates.STAGES,
    **asking.STAGES,
    **blocks.STAGES,
    **ends.STAGES,
    **watching.STAGES,
}


def advance(
    compiled: CompiledRunbook, record: Record, event: Event
) -> tuple[Record, list[Effect]]:
    """Return the record after the event, and what is to be done now.

    Raises:
        Defect: the core left its tables; never for what a runbook or the world does.
    """
    if record.end:
        return outside_events.after_the_end(record, event)
    turn = Turn(compiled, record, event, STAGES)
    if isinstance(event, Looked | Acted | TimerFired | Voted | Answered | Locked):
        _deliver(turn, event)
    else:
        outside_events.tell(turn, event)
    _settle(turn)
    turn.change(state=_next_state(turn, record))
    return turn.freeze(), turn.effects


def replay(compiled: CompiledRunbook, events: Sequence[Event]) -> Record:
    """Return the record that the events lead to."""
    record = Record()
    for event in events:
        record, _ = advance(compiled, record, event)
    return record


def _deliver(
    turn: Turn, event: Looked | Acted | TimerFired | Voted | Answered | Locked
) -> None:
    if isinstance(event, Looked):
        waiting = any(event.key in thread.waits for thread in turn.threads.values())
        if waiting:
            turn.saw(event)
    for thread in list(turn.threads.values()):
        if event.key in thread.waits:
            turn.stages[thread.stage](turn, thread, event)
            return
    gates.late_vote(turn, event)


def _settle(turn: Turn) -> None:
    """Let every thread go on until all of them wait."""
    while not turn.record.end:
        if turn.ready:
            turn.steps += 1
            if turn.steps > MOST_MOVES:
                ends.too_many_moves(turn)
                continue
            thread = turn.threads.get(turn.ready.pop(0))
            if thread is not None and thread.stage == "ready":
                begin(turn, thread)
            continue
        winding = turn.record.winding
        if winding is None or winding.started or turn.in_flight():
            return
        ends.begin(turn)


def _next_state(turn: Turn, record: Record) -> RunState:
    shown = _shown_state(turn)
    event = RUN_EVENT[shown]
    if event not in RUN_TABLE[record.state]:
        raise Defect(f"no way from {record.state} by {event}")
    return RUN_TABLE[record.state][event]


def _shown_state(turn: Turn) -> str:
    if turn.record.end in ENDS:
        return turn.record.end
    stages = [
        thread.stage
        for thread in turn.threads.values()
        if not thread.id.startswith((*BESIDE, "stop"))
    ]
    if any(stage.startswith("undo.") for stage in stages):
        return "undoing"
    if "act.hold" in stages:
        return "on_hold"
    idle = ("asking", "wait", "pause", "retry", "lock", "guard_turn", "batch", "join")
    busy = [
        stage
        for stage in stages
        if not stage.endswith((*idle, "round", "inside", "ask"))
    ]
    return "running" if busy else "waiting"


__all__ = ["Record", "advance", "replace", "replay"]
