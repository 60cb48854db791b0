"""The only door into the core: `advance(compiled, record, event) -> (record, effects)`.

Pure and total: no clock, no dice, no log, no I/O. An event that nobody waits for
changes nothing. The driver, the explorer, the replay and the rehearsal all call this
function and no other. What the single verbs do is in the modules beside this one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

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
from engine.core.tables import RUN_EVENT, RUN_TABLE, STAGE_STATE
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

KEYED: Final = frozenset({Looked, Acted, TimerFired, Voted, Answered, Locked})

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
    if type(event) in KEYED:
        _deliver(turn, event)
    else:
        outside_events.tell(turn, event)
    _settle(turn)
    return turn.freeze(_next_state(turn, record)), turn.effects


def replay(compiled: CompiledRunbook, events: Sequence[Event]) -> Record:
    """Return the record that the events lead to."""
    record = Record()
    for event in events:
        record, _ = advance(compiled, record, event)
    return record


def _deliver(turn: Turn, event: Any) -> None:
    key = event.key
    for thread in turn.threads.values():
        if key in thread.waits:
            if type(event) is Looked:
                turn.saw(event)
            turn.stages[thread.stage](turn, thread, event)
            return  # the threads are others now
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
    shown = 0
    for thread in turn.threads.values():
        rank = RANKS[thread.stage]
        if rank > shown and not thread.id.startswith(UNSEEN):
            shown = rank
    return SHOWN[shown]


def _rank(stage: str) -> int:
    if stage.startswith("undo."):
        return 3
    if stage == "act.hold":
        return 2
    return int(not stage.endswith(IDLE))


UNSEEN: Final = (*BESIDE, "stop")  # threads that a run's state does not tell of
IDLE: Final = (
    "asking", "wait", "pause", "retry", "lock", "guard_turn", "batch", "join",
    "round", "inside", "ask",
)  # fmt: skip
SHOWN: Final = ("waiting", "running", "on_hold", "undoing")  # the highest rank wins
RANKS: Final[Mapping[str, int]] = {stage: _rank(stage) for stage in STAGE_STATE}


__all__ = ["Record", "advance", "replace", "replay"]
