"""Worst-case times: no rehearsal takes longer than the bound from above, and what is
bounded from below can really happen."""

from engine.analysis.bounds import bounds, surely
from tests.rehearsing import compiled, play

TEXT = """
checks: {ok: {probe: {}, pass: value > 0}}
actions: {take: {do: {}, undo: {do: {}}, timeout: 30s, verify: checks.ok.ok, verify_within: 1m}}
isolate: [{act: take}]
diagnose: [{wait: 2m}]
workaround:
  only:
    - {approve: 'Go?', from: {group: a}, within: 5m, then: {group: b, within: 3m}}
    - {wait_for: ok, within: 4m}
restore: [{wait: 1m}, {undo: all}]
"""


def test_from_below_counts_what_ends_well_at_the_last_moment() -> None:
    """30 s and a minute for the act, 2 m, 8 m of gates, 4 m, and the last minute."""
    least = surely(compiled(TEXT))

    assert (90.0, 930.0, 990.0) == (least.isolated, least.mitigated, least.total)


def test_from_above_is_never_below() -> None:
    """The two bounds stand in order for every limit."""
    code = compiled(TEXT)
    most, least = bounds(code), surely(code)

    assert most.isolated >= least.isolated
    assert most.mitigated >= least.mitigated
    assert most.total >= least.total


def test_a_slow_rehearsal_stays_inside() -> None:
    """Every check slow, every act lost, nobody answering: inside the bound from above."""
    test = {
        "checks": {"ok": "slow"},
        "actions": {"take": "lost"},
        "people": ["silence"],
    }

    assert play(TEXT, test).seen.seconds <= bounds(compiled(TEXT)).total
