"""What the proof walks is what the driver can do, no less and no more; and its times.

Random runbooks are rehearsed by the real driver with faults, on the virtual clock: each
end and each time is one that the proof knows. The other way round, the way that takes
longest is gone again by `advance` with real times.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine.analysis.proof import Proof, prove
from engine.analysis.proof.states import class_of
from engine.analysis.proof.story import Teller
from engine.core.advance import advance
from engine.core.outside_events import MOST_CRASHES
from engine.core.record import Record, waited_for
from engine.core.turn import replace
from engine.model.effects import Timer
from tests.analysis.proof.random_runbooks import scripts, texts
from tests.rehearsing import compiled, play

MORE = int(os.environ.get("PROOF_EXAMPLES", "0"))  # by hand, other ones each time
QUICK = settings(
    max_examples=MORE or 12,
    derandomize=not MORE,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Told = tuple[str, tuple[str, ...]]


def ends(proof: Proof) -> set[Told]:
    """Return every end with what is held then."""
    assert proof.walk is not None
    return {told(one.record) for one in proof.walk.graph.states if one.record.end}


def told(record: Record) -> Told:
    """Return the end of a record, and what it holds."""
    return record.end, tuple(sorted(one.action for one in record.held))


@QUICK
@given(text=texts(), script=scripts())
def test_what_the_driver_does_was_walked(text: str, script: dict[str, Any]) -> None:
    """
    However a rehearsal goes, it ends as the proof knows, and never later.
    """
    proof = prove(compiled(text), exact=True)
    rehearsed = play(text, script)
    seen = rehearsed.seen

    assert (seen.end, tuple(sorted(seen.held))) in ends(proof)
    if all(one["do"] != "crash" for one in script["events"]):
        assert seen.seconds <= proof.times.total + 1e-6


@QUICK
@given(text=texts())
def test_few_sets_of_held_acts_are_enough(text: str) -> None:
    """
    Walking only what holds most and least finds the same ends and the same times.
    """
    few, all_ = prove(compiled(text)), prove(compiled(text), exact=True)
    times = [
        (one.times.isolated, one.times.mitigated, one.times.total)
        for one in (few, all_)
    ]

    assert {end for end, _ in ends(all_)} == {end for end, _ in ends(few)}
    assert times[0] == times[1]


def gone_again(proof: Proof, way: Sequence[tuple[int, float]]) -> Record:
    """Go a way again from the start with real times; return where it leads.

    No time that was asked for may be over before what happens instead of it.
    """
    assert proof.walk is not None
    graph, record = proof.walk.graph, Record()
    due: dict[str, float] = {}
    for index, tick in way:
        move = graph.edges[index].move
        for event in move.events:
            key = getattr(event, "key", "")
            assert min(due.values(), default=tick) >= tick - 1e-6
            event = event.__class__(**_fields(event, tick))
            record, effects = advance(proof.walk.compiled, record, event)
            waits = {one for each in record.threads.values() for one in each.waits}
            due |= {
                one.key: tick + one.seconds for one in effects if isinstance(one, Timer)
            }
            due.pop(key, None) if key not in waits else None
            due = {
                one: at
                for one, at in due.items()
                if one in waits and not one.startswith(("limits", "stop", "impact"))
            }
    return record


def _fields(event: Any, tick: float) -> dict[str, Any]:
    import msgspec

    fields = {one: getattr(event, one) for one in event.__struct_fields__}
    if "evidence" in fields:
        fields["evidence"] = tuple(
            msgspec.structs.replace(seen, tick=tick) for seen in fields["evidence"]
        )
    return fields | {"tick": tick}


@QUICK
@given(text=texts())
def test_the_longest_way_can_be_gone(text: str) -> None:
    """
    The worst case is tight: the way to it ends the run at exactly that time.
    """
    proof = prove(compiled(text), exact=True)
    way = proof.times.ways.get("total", [])

    assert proof.times.total == pytest.approx(way[-1][1] if way else 0.0)
    assert gone_again(proof, way).end or not way


QUICKLY = (1.0, 0.15, 0.5, 0.02)  # parts of the longest time that each move may take


def come_to(proof: Proof, way: Sequence[int], part: float) -> Record:
    """Go a way again as a driver could: each time that was asked for is kept.

    A move takes a part of its longest time, and is over before the next time is. Which
    of two equal targets is which, and the plan that stands, are as they are here.
    """
    assert proof.walk is not None
    record, tick, due = Record(), 0.0, dict[str, float]()
    for index in way:
        move = proof.walk.graph.edges[index].move
        waits = waited_for(record)
        at = tick + move.seconds * part
        if move.timer:
            at = due[alike(move.timer, waits)]
        else:
            at = min([at, *(one - 1e-3 for key, one in due.items() if key in waits)])
        tick = max(tick, at)
        if move.kind == "dies":
            record = replace(record, crashes=MOST_CRASHES - 1)
        for event in move.events:
            if move.kind == "hold" and event is move.events[-1]:
                record = replace(record, hold=True)
            fields = _fields(event, tick)
            if "key" in fields:
                fields["key"] = alike(fields["key"], waited_for(record))
            if fields.get("plan"):
                fields["plan"] = plan_now(record, fields["key"])
            record, effects = advance(
                proof.walk.compiled, record, event.__class__(**fields)
            )
            due |= {
                one.key: tick + one.seconds
                for one in effects
                if isinstance(one, Timer) and not one.key.startswith("limits")
            }
    return record


def alike(key: str, waits: Iterable[str]) -> str:
    """Return the key that is waited for, of this target or of its equal."""
    found = [one for one in waits if class_of(one) == class_of(key)]
    return key if key in waits or not found else found[0]


def plan_now(record: Record, key: str) -> str:
    """Return the hash of the plan that is asked about."""
    for thread in record.threads.values():
        question = thread.box.get("question")
        if question is not None and question.key == key:
            return str(question.plan.hash)
    return ""


@QUICK
@given(text=texts())
def test_each_end_can_be_come_to(text: str) -> None:
    """
    Each end that was walked is one that a driver can come to, and it holds the same.
    """
    proof = prove(compiled(text), exact=True)
    assert proof.walk is not None
    graph, teller = proof.walk.graph, Teller(proof.walk)
    some = {told(graph.states[number].record): number for number in graph.ends}
    missed = [
        wanted
        for wanted, number in some.items()
        if all(
            told(come_to(proof, teller.way(number), part)) != wanted for part in QUICKLY
        )
    ]

    assert [] == missed
