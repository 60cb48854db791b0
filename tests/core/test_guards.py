"""Guards that a runbook is written with: dwell, quorum, role proof, all of them, share."""

from typing import Any

import pytest

from tests.rehearsing import play, shown, told

NOTHING = {"end": "handed_over", "did": [], "undone": [], "held": []}

DWELL = """
checks:
  down: {probe: {}, pass: value > 0}
actions:
  promote: {risk: high, do: {to: b}, undo: {do: {to: a}}}
isolate:
  - {wait_for: checks.down.ok, within: 5m, every: 1s, hold: 2m}
  - {approve: promote b, from: [{group: owners}]}
  - {act: promote}
"""


def test_g8_a_blip_shorter_than_the_dwell_moves_nothing() -> None:
    """43 s of trouble with a dwell of 120 s: no act, and nobody is even asked."""
    blip = ["pass"] * 43 + ["fail"]
    rehearsed = play(DWELL, {"checks": {"down": blip}, "people": ["approve"]})

    assert NOTHING == shown(rehearsed)
    assert [] == rehearsed.seen.asked


def test_g8_trouble_that_stays_goes_on_after_the_dwell() -> None:
    """The same trouble, held for the whole dwell, lets the act begin."""
    rehearsed = play(DWELL, {"checks": {"down": "pass"}, "people": ["approve"]})

    assert ["promote"] == rehearsed.seen.did
    assert rehearsed.seen.seconds >= 120.0


def test_g8_unknown_begins_the_dwell_anew() -> None:
    """Not knowing is not trouble that stays: the dwell begins again."""
    answers = ["pass"] * 100 + ["unknown"] + ["pass"] * 100 + ["fail"]
    rehearsed = play(DWELL, {"checks": {"down": answers}, "people": ["approve"]})

    assert NOTHING == shown(rehearsed)


FLEET = """
limits: {targets: {share: '50%', of: fleet}}
inputs: {hosts: {type: list, of: string, default: [HOSTS]}}
checks:
  fleet: {probe: {}, pass: value > 0}
actions:
  drain: {do: {to: '{{ host }}'}, undo: {do: {back: '{{ host }}'}}}
isolate:
  - each: hosts
    as: host
    do: [{act: drain}]
"""


@pytest.mark.parametrize(("bad", "done"), [(5, 5), (6, 0)])
def test_g9_more_than_half_of_the_fleet_looking_bad_is_not_believed(
    bad: int, done: int
) -> None:
    """When most of a fleet looks bad, the observer is doubted: a person is told."""
    hosts = ", ".join(f"h{number}" for number in range(bad))
    text = FLEET.replace("HOSTS", hosts)
    rehearsed = play(text, {"checks": {"fleet": {"value": 10}}})

    assert done == len(rehearsed.seen.did)
    assert ("resolved" if done else "handed_over") == rehearsed.seen.end


QUORUM = """
checks:
  near: {probe: {}, pass: value > 0}
  far: {probe: {}, pass: value > 0}
  users: {probe: {}, pass: value > 0}
  gone: {agree: {of: [near, far, users], need: 3}}
actions:
  evacuate: {do: {to: x}, undo: {do: {back: x}}}
isolate:
  - ask: two of three say the region is gone, is it?
    who: [owners]
    name: sure
    fields: {gone: boolean}
    when: checks.gone.state == 'unknown'
    within: 5m
  - act: evacuate
    when: checks.gone.ok || answers.sure.gone
"""


@pytest.mark.parametrize(
    ("far", "people", "did", "asked"),
    [
        ("pass", [], ["evacuate"], 0),
        ("fail", [{"gone": False}], [], 1),
        ("fail", [{"gone": True}], ["evacuate"], 1),
        ("unknown", ["silence"], [], 1),
    ],
)
def test_g10_two_of_three_viewpoints_ask_and_three_go(
    far: str, people: list[Any], did: list[str], asked: int
) -> None:
    """Three viewpoints that agree act alone; a disagreement halts at a person."""
    checks = {"near": "pass", "far": far, "users": "pass"}
    seen = play(QUORUM, {"checks": checks, "people": people}).seen

    assert did == seen.did
    assert asked == len(seen.asked)


ROLE = """
checks:
  role: {probe: {}, pass: value == 1}
actions:
  drop:
    risk: high
    do: {to: db2}
    undo: none
    why_no_undo: what is dropped is gone
    guard: checks.role.ok
isolate:
  - {approve: drop the replica, from: [{group: owners}], retype: db2}
  - {act: drop}
"""


@pytest.mark.parametrize(("role", "did"), [("pass", ["drop"]), ("fail", [])])
def test_g11_a_role_that_swapped_since_the_plan_refuses_the_act(
    role: str, did: list[str]
) -> None:
    """The target proves its role right before the act, whatever was approved."""
    rehearsed = play(ROLE, {"checks": {"role": role}, "people": ["approve"]})

    assert did == rehearsed.seen.did
    assert ([] if did else ["guard of drop refused"]) == told(rehearsed, "guard")


ALL_EIGHT = """
inputs: {hosts: {type: list, of: string, default: [h1, h2, h3, h4, h5, h6, h7, h8]}}
checks:
  new: {probe: {host: '{{ host }}'}, pass: value == 1}
actions:
  flag:
    do: {to: '{{ host }}'}
    undo: {do: {back: '{{ host }}'}}
    verify: checks.new.ok
    verify_within: 5s
isolate:
  - each: hosts
    as: host
    batch: 8
    do: [{act: flag}]
"""


def test_g12_seven_of_eight_fails_and_names_the_eighth() -> None:
    """Done means every target is verified; the one that is not is named."""
    answers = ["pass"] * 7 + ["fail"]
    rehearsed = play(ALL_EIGHT, {"checks": {"new": answers}})
    failed = [one.target for one in rehearsed.entries if one.kind == "failed"]
    why = "verify: checks.new.ok did not come true in time: new fail (as scripted)"

    assert "handed_over" == rehearsed.seen.end
    assert ["h8", ""] == failed
    assert (
        f"each hosts: 1 of 8 targets failed, 0 allowed (h8: {why})"
        == (told(rehearsed, "failed")[-1])
    )


def test_f80_both_lists_are_reported() -> None:
    """Too many failed: which are done, which failed, and which were never begun."""
    text = ALL_EIGHT.replace("batch: 8", "batch: 3")
    answers = ["pass", "pass", "fail"]
    rehearsed = play(text, {"checks": {"new": answers}})
    lists = {
        "done": ["h1", "h2"],
        "failed": ["h3"],
        "not begun": ["h4", "h5", "h6", "h7", "h8"],
    }

    assert [lists] == [one.refs for one in rehearsed.entries if "failed" in one.refs]


def test_f36_a_provider_that_flaps_is_asked_as_often_as_declared() -> None:
    """err, err, ok counts where three attempts are declared; each look is an entry."""
    answers = ["unknown", "unknown", "pass"]
    steady = "checks:\n  up: {probe: {}, pass: value > 0}\n"
    text = steady + "isolate: [{wait_for: up, within: 1m, every: 5s, hold: 10s}]\n"
    flapping = play(text, {"checks": {"up": [*answers, "unknown", "pass"]}})
    looks = [entry.what for entry in flapping.entries if entry.kind == "looked"]
    expected = ["looked: up unknown"] * 2 + ["looked: up pass", "looked: up unknown"]

    assert [*expected, "looked: up pass"] == looks[:5]
    assert "resolved" == flapping.seen.end
    assert 30.0 == flapping.seen.seconds
