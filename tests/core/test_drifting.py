"""What is held and was changed behind our back: told once, never done again."""

from typing import Any

from engine.core.advance import advance
from engine.core.drifting import drifted, looks
from engine.core.record import Record
from engine.model.effects import Act, Look, Note, Page, Say
from engine.model.events import Acted, Drifted, Event, Looked, Started
from engine.model.evidence import Evidence
from engine.model.people import Actor
from tests.rehearsing import compiled

CODE = compiled("""
checks: {cut: {probe: {of: x}, pass: value > 0}}
actions:
  cut: {do: {to: x}, undo: {do: {back: x}}, done_when: checks.cut.ok}
isolate: [{act: cut}, {wait: 10m}]
""")
START = Started(run="r-1", revision="rev", by=Actor("ana"))


def seen(slot: str, state: Any) -> Evidence:
    """Return an answer of the check."""
    return Evidence("cut", slot, state, seen={"value": 0}, why=f"it says {state}")


def fed(record: Record, event: Event) -> tuple[Record, list[Any]]:
    """Return the record once looks are answered, and all that was asked for."""
    record, effects = advance(CODE, record, event)
    asked = list(effects)
    for one in effects:
        if isinstance(one, Look):
            state = "fail" if "done_when" in one.key else "pass"
            calls = tuple(seen(call.slot, state) for call in one.checks)
            record, more = fed(record, Looked(key=one.key, evidence=calls))
            asked += more
    return record, asked


def holding() -> Record:
    """Return a run that holds the cut and waits."""
    record, asked = fed(Record(), START)
    act = next(one for one in asked if isinstance(one, Act))
    return fed(record, Acted(key=act.key, outcome="ok"))[0]


def test_g17_drift_is_told_once_and_nothing_is_done_again() -> None:
    """
    One note, one message, one page to the owner, no act; a second time: nothing.
    """
    before = holding()
    held = before.held[0].id
    after, effects = advance(CODE, before, Drifted(held=held, why="it says fail"))
    again, none = advance(CODE, after, Drifted(held=held, why="it says fail"))
    text = "cut is held, but somebody else changed it"
    told = f"r-1: {text}. Nothing is done again. it says fail"

    assert [
        Note("drift", text, why="it says fail", subject="cut"),
        Say(told),
        Page("owners", told, "sev3", f"r-1/drift/{held}"),
    ] == effects
    assert ([], after) == (none, again)
    assert before.threads == after.threads


def test_g17_only_false_is_drift() -> None:
    """True is as it should be, and unknown says nothing."""
    record = holding()
    held = record.held[0]
    calls = looks(CODE, record)[held.id]
    found = {
        state: drifted(CODE, record, held, [seen(calls[0].slot, state)])
        for state in ("pass", "fail", "unknown")
    }

    assert {
        "pass": "",
        "fail": "done_when: checks.cut.ok is false; cut is fail (it says fail)",
        "unknown": "",
    } == found


def test_g17_not_while_the_act_is_in_flight() -> None:
    """Held from the intent on, but not looked at before the act has ended."""
    record, _ = fed(Record(), START)

    assert ["cut"] == [one.action for one in record.held]
    assert {} == looks(CODE, record)
    assert (record, []) == advance(CODE, record, Drifted(held=record.held[0].id))
