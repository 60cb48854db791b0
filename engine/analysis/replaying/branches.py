"""Where a version of a runbook can go from a place in a recorded run.

From there what was seen is not the truth for it: answers that are still fresh count, as
they would for a live run; everything else that is looked at can be any answer, acts can
work or fail, people can say yes, no or nothing, and all of it is explored. What comes
from outside (a cancel, a crash, the alert over) is left out.

Called by runtime.replaying.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, NamedTuple

import msgspec

from engine.analysis.proof.answers import TooWide
from engine.analysis.proof.offers import Move
from engine.analysis.proof.states import State
from engine.analysis.proof.walk import Walk
from engine.analysis.replaying.parting import Standing
from engine.core.code import CompiledRunbook
from engine.core.record import MAIN, Frame, Record, Thread
from engine.model.effects import CheckCall, Effect, Note
from engine.model.events import Looked
from engine.model.evidence import CheckState, Evidence

replace = msgspec.structs.replace
MOST_STATES: Final = 3_000
MOST_TOLD: Final = 60  # moves of one way
MOST_OPEN: Final = 5  # checks of one look that nobody saw then
ANSWERS: Final[tuple[CheckState, ...]] = ("pass", "fail", "unknown")
SAYS: Final[Mapping[str, str]] = {
    "pass": "passes",
    "fail": "fails",
    "unknown": "is unknown",
}


class Step(NamedTuple):
    """One move on a way."""

    step: str  # what the step is called
    told: str


class Way(NamedTuple):
    """The shortest way to an end."""

    end: str
    cause: str
    why: str
    acts: tuple[str, ...]  # that are done on it
    steps: tuple[Step, ...]


@dataclass(slots=True)
class Branches:
    """All that can come."""

    ways: list[Way] = field(default_factory=list)  # one for each end and cause
    states: int = 0
    whole: bool = True  # false: there are more states than were looked at


class _Came(NamedTuple):
    """How a state was reached."""

    before: "_Came | None"
    step: Step
    acts: tuple[str, ...]


def branches(
    compiled: CompiledRunbook, standing: Standing, *, most: int = MOST_STATES
) -> Branches:
    """Return where the runbook can go from there, the shortest way to each end.

    Args:
        compiled: The version that stands there.
        standing: Where it stands.
        most: States that are looked at.
    """
    walk = Walk(compiled, most=most)
    found = Branches()
    record = _as_of_now(standing.record, standing.tick)
    first = walk.states.after(standing.pending, record, (), frozenset())
    seen = {_key(walk, first)}
    left: deque[tuple[State, _Came | None]] = deque([(first, None)])
    ends: dict[tuple[str, str], Way] = {}
    while left:
        state, came = left.popleft()
        found.states += 1
        if state.record.end:
            way = _way(state.record, came)
            ends.setdefault((way.end, way.cause), way)
            continue
        try:
            moves = _half_seen(first, standing) if came is None else []
            moves = moves or list(walk.offers.own(state, _live(walk, state)))
        except TooWide:
            found.whole = False
            continue
        for move in moves:
            after, effects = _applied(walk, state, move)
            key = _key(walk, after)
            if key in seen:
                continue
            if len(seen) >= most:
                found.whole = False
                break
            seen.add(key)
            left.append((after, _Came(came, _step(walk, state, move), _done(effects))))
    found.ways = list(ends.values())
    return found


def _half_seen(state: State, standing: Standing) -> list[Move]:
    """Return the answers of a look of which a part was seen then: that part stays."""
    moves = []
    for thread in state.record.threads.values():
        for key in thread.waits:
            known, calls = standing.known.get(key), state.pending.get(key)
            if not known or not isinstance(calls, tuple):
                continue
            names = [one for one in calls if one.slot not in known]
            if len(names) > MOST_OPEN:
                return []
            for states in product(ANSWERS, repeat=len(names)):
                told = dict(zip([one.slot for one in names], states, strict=True))
                seen = tuple(_seen(one, known, told, standing.tick) for one in calls)
                move = Move(
                    thread.id, "look", (Looked(key=key, evidence=seen),),
                    ", ".join(f"{one.check} {SAYS[told[one.slot]]}" for one in names),
                    0.0,
                )  # fmt: skip
                moves.append(move)
    return moves


def _seen(
    call: CheckCall,
    known: Mapping[str, Evidence],
    told: Mapping[str, CheckState],
    tick: float,
) -> Evidence:
    seen = known.get(call.slot)
    if seen is not None:
        return replace(seen, tick=min(seen.tick - tick, 0.0))
    return Evidence(call.check, call.slot, told[call.slot], "")


def _as_of_now(record: Record, tick: float) -> Record:
    """Return the record with its times counted from now, as the walk counts them."""
    frames = {name: _frame(one, tick) for name, one in record.frames.items()}
    threads = {name: _thread(one, tick) for name, one in record.threads.items()}
    evidence = {
        slot: replace(one, tick=one.tick - tick)
        for slot, one in record.evidence.items()
    }
    return replace(record, frames=frames, threads=threads, evidence=evidence)


def _frame(frame: Frame, tick: float) -> Frame:
    asked = {gate: at - tick for gate, at in frame.asked_tick.items()}
    return replace(frame, asked_tick=asked)


def _thread(thread: Thread, tick: float) -> Thread:
    return replace(thread, since=thread.since - tick)


def _key(walk: Walk, state: State) -> Any:
    return walk.states.key(state), walk.states.held(state)


def _live(walk: Walk, state: State) -> frozenset[str]:
    """Return the checks whose answers are read again after the next step."""
    record = state.record
    if record.winding is not None:
        return walk.reading.always
    fresh, kept = walk.states.read_again(record, record.threads)
    return fresh | kept


def _applied(walk: Walk, state: State, move: Move) -> tuple[State, list[Effect]]:
    record, effects, history = walk.applied(state, move)
    return walk.states.after(state.pending, record, effects, history), effects


def _step(walk: Walk, state: State, move: Move) -> Step:
    threads = state.record.threads
    thread = threads.get(move.thread) or threads.get(MAIN)
    name = walk.compiled.nodes[thread.pc].name if thread is not None else ""
    return Step(name, move.told)


def _done(effects: Sequence[Effect]) -> tuple[str, ...]:
    told = []
    for one in effects:
        if isinstance(one, Note) and one.kind in ("did", "undone"):
            word = "undo " if one.kind == "undone" else ""
            told.append(f"{word}{one.subject} {one.target}".strip())
    return tuple(told)


def _way(record: Record, came: _Came | None) -> Way:
    steps: list[Step] = []
    acts: list[str] = []
    while came is not None:
        steps.append(came.step)
        acts[:0] = came.acts
        came = came.before
    main = record.frames.get("")
    cause = main.cause if main is not None else ""
    told = tuple(steps[::-1][:MOST_TOLD])
    return Way(record.end, cause, record.why, tuple(acts), told)
