"""all, each, repeat, run: batches, errors, targets, rounds, sub-runbooks."""

from typing import Any

import pytest

from engine.core.blocks import fleet_size
from engine.core.policy import batch_sizes
from tests.rehearsing import play, shown, told

EACH = """
inputs: {hosts: {type: list, default: LIST}}
checks:
  up: {probe: {host: '{{ host }}'}, pass: value > 0}
actions:
  drain: {do: {host: '{{ host }}'}, undo: {do: {back: '{{ host }}'}}}
isolate:
  - each: hosts
    as: host
    do: [{act: drain}]
    EXTRA
"""


def each(hosts: str, extra: str = "", **test: object) -> dict[str, object]:
    """Return what draining these hosts shows."""
    return shown(play(EACH.replace("LIST", hosts).replace("EXTRA", extra), test))


def test_each_target_is_held_and_given_back_newest_first() -> None:
    """One held entry for each target; the last taken is the first given back."""
    rehearsed = play(EACH.replace("LIST", "[a, b, c]").replace("EXTRA", ""))
    undone = [entry.target for entry in rehearsed.entries if entry.kind == "undone"]

    assert ["drain"] * 3 == rehearsed.seen.did
    assert ["c", "b", "a"] == undone


def test_g2_failure_on_the_first_target_touches_one() -> None:
    """Batches grow 1, 2, 4: a bad first target stops everything else."""
    seen = each("[a, b, c, d, e, f, g]", actions={"drain": "fail"})

    assert {"end": "handed_over", "did": [], "undone": [], "held": ["drain"]} == seen


def test_g2_failure_on_the_third_target_touches_three() -> None:
    """The second batch is two: a failure there touches three in all."""
    seen = each("[a, b, c, d, e, f, g]", actions={"drain": ["ok", "ok", "fail"]})

    assert ["drain"] * 2 == seen["did"]
    assert ["drain"] * 3 == seen["held"]


def test_f80_max_errors_lets_some_fail() -> None:
    """As many as allowed may fail; one more stops."""
    script = {"drain": ["fail", "ok", "ok"]}

    assert ["drain"] * 2 == each("[a, b, c]", "max_errors: 1", actions=script)["did"]
    assert [] == each("[a, b, c]", "max_errors: 0", actions=script)["did"]


@pytest.mark.parametrize("hosts", ["[]", "['*']", "[all]", "['a*']", "[a, a]"])
def test_g4_f82_an_empty_wild_or_doubled_list_is_refused(hosts: str) -> None:
    """Empty never means all, and a wildcard is no target."""
    assert {"end": "handed_over", "did": [], "undone": [], "held": []} == each(hosts)


def test_g4_too_many_targets_are_refused() -> None:
    """limits.targets bounds the number and the share of the fleet."""
    most = "limits: {targets: {max: 2}}\n"
    share = "limits: {targets: {share: '40%', of: fleet}}\n"
    fleet = "  fleet: {probe: {}, pass: value > 0}\n"
    text = EACH.replace("LIST", "[a, b, c]").replace("EXTRA", "")
    with_fleet = share + text.replace("checks:\n", "checks:\n" + fleet)

    assert [] == play(most + text).seen.did
    assert [] == play(with_fleet, {"checks": {"fleet": {"value": 7}}}).seen.did
    assert [] == play(with_fleet, {"checks": {"fleet": "unknown"}}).seen.did
    assert 3 == len(play(with_fleet, {"checks": {"fleet": {"value": 8}}}).seen.did)


@pytest.mark.parametrize(
    ("seen", "size"),
    [
        ({"value": 8.0}, 8.0),
        ({"json": 120}, 120.0),
        ({"json": ["a", "b"]}, 2.0),
        ({"stdout": " 48\n"}, 48.0),
        ({"addresses": ["127.0.0.1"]}, 1.0),
        ({"json": {"total": 8}}, None),
        ({"json": True, "stdout": "many"}, None),
        ({}, None),
    ],
)
def test_g4_the_fleet_is_what_a_check_counts(
    seen: dict[str, Any], size: float | None
) -> None:
    """A number, or the length of a list; where there is neither the size is unknown."""
    assert size == fleet_size(seen)


def test_g1_guards_in_a_batch_come_one_after_another() -> None:
    """Each guard sees the act before it: the third of one batch is refused."""
    text = EACH.replace("LIST", "[a, b, c]").replace("EXTRA", "batch: 3")
    text = text.replace("undo: {do: {back:", "guard: checks.room.ok, undo: {do: {back:")
    text = text.replace("checks:\n", "checks:\n  room: {probe: {}, pass: value > 0}\n")
    rehearsed = play(text, {"checks": {"room": ["pass", "pass", "fail"]}})

    assert ["drain"] * 2 == rehearsed.seen.did
    assert ["guard of drain refused"] == told(rehearsed, "guard")


def test_pauses_lie_between_batches() -> None:
    """Three targets in batches of one: two pauses."""
    text = EACH.replace("LIST", "[a, b, c]").replace(
        "EXTRA", "batch: 1\n    pause: 30s"
    )

    assert 60.0 == play(text).seen.seconds


def test_a_check_with_a_target_is_judged_for_that_target() -> None:
    """Inside `each`, checks.up means this host's."""
    text = EACH.replace("LIST", "[a, b]").replace("EXTRA", "batch: 2")
    text = text.replace("{act: drain}", "{act: drain, when: '!checks.up.ok'}")
    rehearsed = play(text, {"checks": {"up": ["pass", "fail"]}})

    assert ["drain"] == rehearsed.seen.did
    assert ["drain"] == rehearsed.seen.skipped


@pytest.mark.parametrize(
    ("count", "batch", "sizes"),
    [
        (7, None, [1, 2, 4]),
        (5, None, [1, 2, 2]),
        (5, 2, [2, 2, 1]),
        (50, [1, "10%", "100%"], [1, 4, 45]),
        (10, [1, 3], [1, 3, 3, 3]),
        (3, [5], [3]),
        (3, ["0%"], None),
        (3, "x", None),
        (3, 0, None),
    ],
)
def test_batch_sizes(count: int, batch: object, sizes: list[int] | None) -> None:
    """Default doubles; shares are of the whole, cumulative; nonsense is refused."""
    assert sizes == batch_sizes(count, batch)


REPEAT = """
checks:
  calm: {probe: {}, pass: value > 0, fresh_for: 10s}
actions:
  step: {do: {}, undo: {do: {}}, slot: ramp}
isolate:
  - repeat: 3
    every: 60s
    while: checks.calm.ok
    do: [{act: step}]
"""


def test_a_ramp_takes_every_round() -> None:
    """Three rounds a minute apart, one held slot."""
    rehearsed = play(REPEAT, {"checks": {"calm": "pass"}})
    expected = {"end": "resolved", "did": ["step"] * 3, "undone": ["step"], "held": []}

    assert expected == shown(rehearsed)
    assert 120.0 == rehearsed.seen.seconds


def test_a_ramp_stops_when_the_condition_is_not_true() -> None:
    """False or unknown before a round is a failure of the step."""
    for answer in ("fail", "unknown"):
        rehearsed = play(REPEAT, {"checks": {"calm": ["pass", answer]}})

        assert {
            "end": "handed_over",
            "did": ["step"],
            "undone": [],
            "held": ["step"],
        } == shown(rehearsed)


ALL = """
checks:
  a: {probe: {}, pass: value > 0}
  b: {probe: {}, pass: value > 0}
diagnose:
  - all: [{check: a, expect: pass}, {check: b, expect: pass}]
    NEED
"""


def test_all_needs_all_or_as_many_as_it_says() -> None:
    """`need` lets some fail."""
    script = {"checks": {"a": "pass", "b": "unknown"}}

    assert "handed_over" == play(ALL.replace("NEED", ""), script).seen.end
    assert "resolved" == play(ALL.replace("NEED", "need: 1"), script).seen.end


def test_of_several_jumps_the_first_in_the_file_wins() -> None:
    """Both fail at once: the jump that stands first is taken."""
    text = """
actions:
  one: {do: {}, undo: {do: {}}}
  two: {do: {}, undo: {do: {}}}
isolate:
  - all: [{act: one, on_fail: first}, {act: two, on_fail: second}]
workaround:
  first: [{say: first}]
  second: [{say: second}]
"""
    rehearsed = play(text, {"actions": {"one": "fail", "two": "fail"}})

    assert ["said: first"] == [
        what for what in told(rehearsed, "step") if "said" in what
    ]
    assert "" == rehearsed.seen.cause


SUB = """
format: 1
runbook: sub
title: sub
owner: others
severity: sev4
inputs: {region: {type: string}}
actions:
  inner: {do: {to: '{{ region }}'}, undo: {do: {back: '{{ region }}'}}}
isolate: [{act: inner}]
RESTORE
"""
MAIN = """
inputs: {where: {type: string, default: eu}}
actions:
  outer: {do: {}, undo: {do: {}}}
workaround:
  only:
    - {act: outer}
    - {run: sub, with: {region: '{{ where }}'}}
"""


def test_a_sub_runbook_gives_back_what_it_took() -> None:
    """It has its own inputs and its own restore; then the main one goes on."""
    rehearsed = play(MAIN, library={"sub": SUB.replace("RESTORE", "")})
    expected = {
        "end": "resolved",
        "did": ["outer", "inner"],
        "undone": ["inner", "outer"],
        "held": [],
    }
    commands = [
        entry.refs["command"] for entry in rehearsed.entries if entry.kind == "intent"
    ]

    assert expected == shown(rehearsed)
    assert {"to": "eu"} == commands[1]


def test_what_a_sub_runbook_leaves_held_counts_here() -> None:
    """Its obligations are the main runbook's."""
    rehearsed = play(
        MAIN, library={"sub": SUB.replace("RESTORE", "restore: [{say: done}]")}
    )

    assert ["inner", "outer"] == rehearsed.seen.undone
    assert "resolved" == rehearsed.seen.end


def test_a_failed_sub_runbook_fails_the_step() -> None:
    """What it says on failure ends the sub-runbook, and the step decides."""
    rehearsed = play(
        MAIN,
        {"actions": {"inner": "fail"}},
        library={"sub": SUB.replace("RESTORE", "")},
    )

    assert {
        "end": "handed_over", "did": ["outer"], "undone": [], "held": ["outer", "inner"],
    } == shown(rehearsed)  # fmt: skip


def test_a_sub_runbook_is_cut_at_its_limit() -> None:
    """`within` bounds the whole of it."""
    slow = SUB.replace("RESTORE", "diagnose: [{wait: 1h}]")
    rehearsed = play(
        MAIN.replace("where }}'}}", "where }}'}, within: 5m}"), library={"sub": slow}
    )

    assert ("handed_over", 300.0) == (rehearsed.seen.end, rehearsed.seen.seconds)


def test_an_author_may_name_hosts_in_a_list() -> None:
    """Targets that stand in the file may name a host; those from an input may not."""
    text = """
inputs: {hosts: {type: list, default: [a, b]}}
actions:
  drain: {web: {get: 'http://{{ host }}/drain'}, leaves_nothing: true}
isolate:
  - {each: LIST, as: host, do: [{act: drain}]}
"""
    written = play(text.replace("LIST", """'["a", "b"]'"""))
    given = play(text.replace("LIST", "hosts"))

    assert ["drain", "drain"] == written.seen.did
    assert [] == given.seen.did
