"""Acts in flight whose block is left: they end first, and are given back after that."""

import pytest

from tests.rehearsing import play, shown, told

EACH = """
trigger: [{alert: {source: x}, when_resolved: restore}]
inputs: {hosts: {type: list, of: string, default: [a, b]}}
actions:
  take: {do: {to: '{{ host }}'}, undo: {do: {back: '{{ host }}'}}, timeout: 1m}
isolate:
  - {each: hosts, as: host, batch: 2, do: [{act: take}]}
"""
OUTER = """
actions: {other: {do: {}, undo: {do: {}}}}
isolate:
  - {run: sub, within: 20s, on_fail: continue}
  - act: other
"""
SUB = """
format: 1
runbook: sub
title: sub
owner: o
severity: sev3
actions: {slow: {do: {}, undo: {do: {}}, timeout: 1m}}
isolate: [{act: slow}]
"""
ALONE = """
trigger: [{alert: {source: x}, when_resolved: restore}]
checks: {there: {probe: {}, pass: value > 0}}
actions:
  take: {do: {}, undo: {do: {}}, timeout: 1m, AFTER}
isolate: [{act: take}]
workaround: {only: [{wait: 10m}]}
"""


def test_restore_waits_for_the_acts_of_each_target() -> None:
    """The alert resolves while acts are in flight: nothing is undone before its act."""
    events = [{"at": "20s", "do": "resolved"}]
    rehearsed = play(EACH, {"actions": {"take": ["lost"]}, "events": events})

    assert 60.0 == rehearsed.seen.seconds
    assert ["take: unknown"] * 2 + ["about to undo take", "undid take"] * 2 == told(
        rehearsed, "failed", "undoing", "undone"
    )
    assert "resolved" == rehearsed.seen.end


def test_a_sub_runbook_is_cut_while_its_act_is_in_flight() -> None:
    """The run goes on at once; what the act took is given back once it has ended."""
    rehearsed = play(OUTER, {"actions": {"slow": ["lost"]}}, {"sub": SUB})

    assert {
        "end": "resolved",
        "did": ["slow", "other"],
        "undone": ["other", "slow"],
        "held": [],
    } == shown(rehearsed)
    assert 60.0 == rehearsed.seen.seconds


@pytest.mark.parametrize(
    "after",
    ["after_crash: repeat", "after_crash: verify, done_when: checks.there.ok"],
    ids=["repeat", "verify"],
)
def test_a_crash_forgets_no_restore(after: str) -> None:
    """The alert resolved during an act, and the engine died: it is given back."""
    events = [{"at": "20s", "do": "resolved"}, {"at": "30s", "do": "crash"}]
    script = {
        "checks": {"there": ["fail", "pass"]},
        "actions": {"take": ["lost"]},
        "events": events,
    }
    rehearsed = play(ALONE.replace("AFTER", after), script)

    assert (["take"], "resolved") == (rehearsed.seen.undone, rehearsed.seen.end)
    assert 1 == len(told(rehearsed, "intent"))
