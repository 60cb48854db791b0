"""Gates inside each and repeat, and several acts of one action behind a gate."""

import pytest

from engine.core.advance import advance
from engine.core.record import Record
from engine.model.effects import Ask
from engine.model.events import Started, Voted
from engine.model.people import Actor
from tests.rehearsing import compiled, play, shown, told

EACH = """
inputs: {hosts: {type: list, of: string, default: [a, b, c]}}
actions:
  set: {do: {to: '{{ host }}'}, undo: none, why_no_undo: final}
workaround:
  only:
    - each: hosts
      as: host
      batch: BATCH
      do:
        - {approve: 'Set {{ host }}?', from: {group: ops}, within: 5m, EXTRA}
        - act: set
"""
TWICE = """
actions:
  set: {do: {to: '{{ to }}'}, undo: none, why_no_undo: final}
workaround:
  only:
    - {approve: 'Both?', from: {group: ops}, within: 5m}
    - {act: set, with: {to: one}}
    - {act: set, with: {to: two}}
"""
ROUNDS = """
checks: {free: {probe: {}, pass: value > 0}}
actions:
  set: {do: {}, undo: none, why_no_undo: final}
workaround:
  only:
    - repeat: 2
      do:
        - {approve: 'Set?', from: {group: ops}, within: 5m, when: checks.free.ok}
        - act: set
        - check: free
"""
GUARDED = """
checks: {safe: {probe: {}, pass: value > 0}}
actions:
  set: {do: {}, undo: none, why_no_undo: final, guard: checks.safe.ok}
workaround:
  only:
    - {approve: 'Set?', from: {group: ops}, not_by: [dan], within: 5m}
    - act: set
"""


@pytest.mark.parametrize("batch", ["1", "3"], ids=["in turn", "side by side"])
def test_a_gate_inside_each_is_for_its_own_target(batch: str) -> None:
    """Each target is asked for once, and its yes is for its own act."""
    text = EACH.replace("BATCH", batch).replace("EXTRA", "")
    rehearsed = play(text, {"people": ["approve", "approve", "approve"]})

    assert (["set", "set", "set"], "resolved") == (
        rehearsed.seen.did,
        rehearsed.seen.end,
    )
    assert [] == told(rehearsed, "void")


@pytest.mark.parametrize("batch", ["1", "3"], ids=["in turn", "side by side"])
def test_what_opens_by_itself_for_one_target_opens_for_no_other(batch: str) -> None:
    """A gate that others skip leaves their acts without an approval."""
    extra = """unless: 'host == "a"', when: 'host == "a"'"""
    text = EACH.replace("BATCH", batch).replace("EXTRA", extra)
    rehearsed = play(text)

    assert (["set"], "handed_over") == (rehearsed.seen.did, rehearsed.seen.end)


def test_one_yes_covers_two_acts_of_one_action() -> None:
    """Each act is held against what was approved for its own step."""
    rehearsed = play(TWICE, {"people": ["approve"]})

    assert {
        "end": "resolved", "did": ["set", "set"], "undone": [], "held": []
    } == shown(rehearsed)  # fmt: skip
    assert [] == told(rehearsed, "void")


def test_the_yes_of_one_round_is_for_that_round() -> None:
    """A gate that the second round skips leaves its act without an approval."""
    script = {"people": ["approve"], "checks": {"free": ["pass", "fail"]}}
    rehearsed = play(ROUNDS, script)

    assert (["set"], "handed_over") == (rehearsed.seen.did, rehearsed.seen.end)


@pytest.mark.parametrize(
    "by",
    [Actor("eve", groups=("others",)), Actor("dan", groups=("ops",))],
    ids=["nobody asks them", "not_by"],
)
def test_f62_a_late_no_of_somebody_who_is_not_asked_stops_nothing(by: Actor) -> None:
    """Who may not answer a gate may not stop what it let through, either."""
    code = compiled(GUARDED)
    start = Started(run="r", revision="rev", by=Actor("ana"))
    record, effects = advance(code, Record(), start)
    ask = next(one for one in effects if isinstance(one, Ask))
    assert ask.question.plan is not None
    plan = ask.question.plan.hash
    yes = Voted(key=ask.key, by=Actor("bo", groups=("ops",)), vote="approve", plan=plan)
    record, _ = advance(code, record, yes)
    no = Voted(key=ask.key, by=by, vote="reject", plan=plan)

    assert "" == advance(code, record, no)[0].end
