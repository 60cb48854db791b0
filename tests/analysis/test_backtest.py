"""Alerts of the past, played: what starts, joins, waits, conflicts, and asks whom."""

from typing import Any, Final

from engine.analysis.backtest import Asked, Backtest, Run, backtest
from engine.core.intake import Rules, rules_of
from engine.model.alert import Alert
from tests.rehearsing import compiled

NIGHT: Final = 1_767_308_400.0  # 2026-01-01 23:00:00 UTC
HEAD: Final = "format: 1\nrunbook: {name}\ntitle: t\nowner: {owner}\nseverity: {sev}\n"
QUEUE: Final = """
trigger: [{alert: {source: am, match: {alertname: Late}}, group_by: [region]}]
inputs: {region: {type: string, from: labels.region}}
limits: {lock: ['queue/{{ region }}']}
actions: {fix: {do: {}, undo: {do: {}}}}
workaround:
  one: [{approve: 'One?', from: {group: ops}}, {act: fix}, {ask: 'More?', who: ops}]
  two: [{approve: 'Two?', from: [{group: ops}, {group: chiefs}]}, {act: fix}]
diagnose: [{cause: [{name: it, workaround: one}, {name: other, workaround: two}]}]
"""
REGION: Final = """
trigger: [{alert: {source: am, match: {alertname: [Late, Dark]}}}]
inputs: {region: {type: string, from: labels.region}}
limits: {lock: ['queue']}
actions: {fix: {do: {}, undo: {do: {}}}}
isolate: [{approve: 'Dark?', from: {group: net}}, {act: fix}]
"""
CODES: Final = {
    "queue": compiled(HEAD.format(name="queue", owner="ops", sev="sev2") + QUEUE),
    "region": compiled(HEAD.format(name="region", owner="net", sev="sev3") + REGION),
}


def alert(name: str, region: str = "eu", status: Any = "firing") -> Alert:
    """Return an alert."""
    labels = {"alertname": name, "region": region}
    return Alert("am", status, labels, fingerprint=f"{name}{region}")


def played(*arrived: tuple[float, Alert]) -> Backtest:
    """Return what came of it; a run takes ten minutes at worst."""
    rules = Rules(rules_of(one.runbook for one in CODES.values()))
    moved = [(NIGHT + at, one) for at, one in arrived]
    people = {"ops": ["ana", "bo"]}
    return backtest(rules, CODES, {"queue": 600.0, "region": 600.0}, moved, people)


def test_a_night_is_played_as_the_intake_decides() -> None:
    """Starts, joins, ends, a lock that two want, and how often people are asked."""
    told = played(
        (300.0, alert("Dark")),
        (0.0, alert("Late")),  # given in any order
        (30.0, alert("Late")),
        (90.0, alert("Tape")),
        (400.0, alert("Late", status="resolved")),
    )
    late = Run("queue", '["eu"]', NIGHT, NIGHT + 400, "Late", 0.0, ("queue/eu",))
    dark = Run("region", "", NIGHT + 300, NIGHT + 900, "Dark", 0.0, ("queue",))

    assert [late, dark] == told.runs
    assert [("queue", late, dark)] == [
        (one.path, one.first, one.second) for one in told.conflicts
    ]
    assert {
        "started": 2, "repeated": 1, "no_runbook": 1, "resolved_run": 1,
        "lower_priority": 1,
    } == dict(told.outcomes)  # fmt: skip
    assert ({"Tape": 1}, {("Late", "queue", "region"): 2}) == (
        dict(told.nothing), dict(told.doubled),
    )  # fmt: skip
    assert [
        Asked("ana", "2026-01-01", by_night=True, questions=2, runs=1),
        Asked("bo", "2026-01-01", by_night=True, questions=2, runs=1),
        Asked("chiefs", "2026-01-01", by_night=True, questions=1, runs=1),
        Asked("net", "2026-01-01", by_night=True, questions=1, runs=1),
    ] == told.asked


def test_a_storm_waits_for_its_turn() -> None:
    """Twenty begin in a minute, ten at once; the others begin when those are over."""
    told = played(*((0.0, alert("Late", f"r{number}")) for number in range(25)))

    assert {0.0: 10, 600.0: 10, 1200.0: 5} == {
        at: sum(run.began == NIGHT + at for run in told.runs)
        for at in (0.0, 600.0, 1200.0)
    }
    assert ({("queue", "queued"): 15}, (NIGHT, 25)) == (
        dict(told.held_back), told.storm,
    )  # fmt: skip
    assert 1200.0 == max(run.waited for run in told.runs)


def test_what_flaps_is_held_by_the_brake() -> None:
    """The third beginning within a quarter of an hour starts nothing at once."""
    flaps = [
        (at + off, alert("Dark", status=status))
        for at in (0.0, 200.0, 400.0)
        for off, status in ((0.0, "firing"), (100.0, "resolved"))
    ]
    told = played(*flaps)

    assert [NIGHT, NIGHT + 200] == [run.began for run in told.runs]
    assert {("region", "flapping"): 1} == dict(told.held_back)


def test_nothing_comes_of_no_alerts() -> None:
    """An empty past is an empty answer."""
    assert Backtest() == played()
