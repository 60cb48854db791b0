"""What the proof walks is what the driver can do, no less and no more; and its times.

Random runbooks are rehearsed by the real driver with faults, on the virtual clock: each
end and each time is one that the proof knows. The other way round, the way that takes
longest is gone again by `advance` with real times.
"""

import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine.analysis.proof import Proof, prove
from engine.core.advance import advance
from engine.core.record import Record
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
