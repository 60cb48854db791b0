"""How `at_end` is judged where a person cancels: in the proof as in a run."""

from engine.analysis.proof import prove
from engine.core.advance import advance
from engine.core.record import Record
from engine.model.events import Acted, Cancelled, Event, Started
from engine.model.people import Actor
from engine.runtime.invariants import broken
from tests.rehearsing import compiled

TEXT = """
actions: {take: {do: {}, undo: {do: {}}}}
isolate: [{act: take}, {wait: 1m}]
always: [{at_end: CLAUSE}]
"""
ANA = Actor("ana")


def kept(clause: str) -> tuple[str, int, list[str]]:
    """Return the end of a run that ana cancels and keeps, what it holds, what breaks."""
    code = compiled(TEXT.replace("CLAUSE", clause))
    events: list[Event] = [Started(run="r", revision="rev", inputs={}, by=ANA)]
    record, effects = advance(code, Record(), events[0])
    key = next(one.key for one in effects if type(one).__name__ == "Act")
    events += [Acted(key=key, outcome="ok"), Cancelled(by=ANA, keep=True)]
    for event in events[1:]:
        record, _ = advance(code, record, event)
    return record.end, len(record.held), broken(code, events)


def test_who_cancels_and_keeps_has_taken_it_by_name() -> None:
    """
    What is kept is no longer held by the run: a clause that lets a hand-over hold
    something holds, in the proof and in a run alike.
    """
    clause = 'size(held) == 0 || end == "handed_over"'

    assert ("cancelled", 1, []) == kept(f"'{clause}'")
    assert [] == prove(compiled(TEXT.replace("CLAUSE", f"'{clause}'"))).findings


def test_a_cancelled_run_is_not_handed_over() -> None:
    """
    The end of a run that is cancelled and kept is `cancelled`, for every clause.
    """
    clause = 'end != "cancelled"'
    told = f"at_end: {clause} is not true at this end"

    assert ("cancelled", 1, [f"at_end: {clause} was not true"]) == kept(f"'{clause}'")
    assert [("always", told)] == [
        (one.code, one.message)
        for one in prove(compiled(TEXT.replace("CLAUSE", f"'{clause}'"))).findings
    ]
