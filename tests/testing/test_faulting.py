"""Drills made by chance: what a seed decides, and what the judge finds."""

import dataclasses

from engine.analysis.rehearsal.drill import Kill
from engine.testing.faulting import Faulted, drilled
from engine.testing.playing import own_drills, play
from engine.testing.story import as_values, script_of
from tests.rehearsing import compiled
from tests.rehearsing import play as rehearsed

TEXT = """
checks:
  a: {probe: {}, pass: value > 0}
  b: {probe: {}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}, timeout: 3s, guard: checks.b.ok,
    after_crash: AFTER}
  cut: {do: {}, undo: {do: {}}, timeout: 3s, GATE}
confirm: [{check: a}]
workaround:
  w:
    - act: take
    - approve: Cut?
      from: {group: x}
    - act: cut
tests:
  - name: through
    checks: {a: [fail, pass], b: pass}
    people: [approve]
    expect: {end: resolved}
"""


def text(*, after: str = "ask", gate: str = "risk: high") -> str:
    """Return a runbook with an act that people allow."""
    return TEXT.replace("AFTER", after).replace("GATE", gate)


def shown(found: Faulted) -> object:
    """Return everything that drills showed."""
    return found.ends, found.writes, found.kills, found.violations


def test_a_seed_is_played_exactly_again() -> None:
    """
    The same seed plays the same drills to the same entries; another one does not.
    """
    code = compiled(text())
    first, again = (drilled(code, seed=5, runs=40) for _ in range(2))
    other = drilled(code, seed=905, runs=40)

    assert [one.told.entries for one in first.drills] == [
        one.told.entries for one in again.drills
    ]
    assert first.ends != other.ends or first.writes != other.writes


def test_what_drills_do_breaks_no_rule() -> None:
    """
    Two hundred drills with kills, lost answers, silence and holds: nothing is broken.
    """
    found = drilled(compiled(text()), seed=1, runs=200)

    assert [] == [(one.seed, one.told) for one in found.violations]
    assert {"cancelled", "cleared", "handed_over", "resolved"} == set(found.ends)


def test_an_effect_twice_is_found_and_made_short() -> None:
    """
    An engine that repeats what it may not repeat is found; one kill shows it.
    """
    wrong, right = compiled(text(after="repeat")), compiled(text())
    found = drilled(wrong, seed=1, runs=300, against=right)
    (one,) = found.violations

    assert ("twice", "take was done twice, and nobody looked between") == (
        one.rule, one.told,
    )  # fmt: skip
    assert {
        "test": {
            "name": f"faults seed={one.seed}",
            "checks": {"a": ["fail"], "b": ["pass"]},
        },
        "kills": [{"write": 4, "kept": False}],
    } == as_values(one.played.drill)
    assert [
        f"  - name: faults seed={one.seed}",
        "    checks: {a: fail, b: pass}",
        "    # the engine dies at write 4, which is lost, and is back",
    ] == script_of(one.played.drill)


def test_an_act_that_nobody_allowed_is_found() -> None:
    """
    An engine that forgets a gate does what nobody said yes to, and is found.
    """
    open_ = text().replace("    - approve: Cut?\n      from: {group: x}\n", "")
    code = compiled(open_.replace("risk: high", "risk: low"))
    found = drilled(code, seed=1, runs=100, against=compiled(text()))

    assert [("approval", "cut was done, and nobody said yes")] == [
        (one.rule, one.told) for one in found.violations
    ]


def test_a_kill_within_a_write_changes_nothing_between_acts() -> None:
    """
    The engine dies before its first write, or at any other: the test goes as before.
    """
    code = compiled(text())
    (drill,) = own_drills(code)
    first = play(code, drill)
    writes = [0, *(one for one in first.kills_at if one not in first.acts_at)]
    kills = [Kill(max(1, write), stored=write > 0) for write in writes]
    again = [play(code, dataclasses.replace(drill, kills=(one,))) for one in kills]

    assert 7 == len(again)
    assert [[]] * len(again) == [one.problems for one in again]
    assert {"resolved"} == {one.seen.end for one in again}


def test_a_crash_before_anything_else_begins_the_run_again() -> None:
    """
    A rehearsal may let the engine die at the very start.
    """
    script = {"checks": {"a": ["fail", "pass"], "b": "pass"}, "people": ["approve"]}
    crash = [{"at": "0s", "do": "crash"}]

    assert "resolved" == rehearsed(text(), script | {"events": crash}).seen.end
