"""What alerts start and what they do not: each rule, and any order of deliveries."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.intake import Book, Quiet, Rule, Rules, decide, drain, rules_of
from engine.core.intake.deciding import Arrived
from engine.model.alert import Alert
from engine.model.decision import OUTCOMES, Decision
from tests.rehearsing import runbook

T0 = 1_764_000_000.0


def rule(name: str = "lag", extra: str = "", severity: str = "sev2") -> Rule:
    """Return the rule of a runbook for alerts that are called Lag."""
    text = (
        f"format: 1\nrunbook: {name}\ntitle: x\nowner: o\nseverity: {severity}\n{extra}"
        "inputs:\n  region: {type: string, from: labels.region, pattern: '[a-z-]+'}\n"
        "trigger:\n  - alert: {source: am, match: {alertname: Lag}}\n"
        "    group_by: [region]\nisolate: [{say: x}]\n"
    )
    return rules_of([runbook(text)])[0]


def rules(*some: Rule, **more: Any) -> Rules:
    """Return rules with these triggers; without any, with the usual one."""
    return Rules(some or (rule(),), **more)


def alert(region: str = "eu", number: str = "1", **more: Any) -> Alert:
    """Return a firing alert that is called Lag."""
    labels = {"alertname": "Lag", "region": region} | more.pop("labels", {})
    made = Alert("am", "firing", labels, fingerprint=f"{region}{number}")
    return msgspec.structs.replace(made, **({"starts_at": _at(0)} | more))


def over(region: str = "eu", number: str = "1", **more: Any) -> Alert:
    """Return the end of the same alert."""
    return alert(region, number, status="resolved", **more)


def _at(minute: int) -> str:
    return f"2026-11-24T0{minute // 60}:{minute % 60:02d}:00Z"


class Night:
    """A book and rules, to which things happen one after another."""

    def __init__(self, by: Rules | None = None) -> None:
        self.rules, self.book, self.now = by or rules(), Book(), T0
        self.told: list[Decision] = []

    def come(self, *alerts: Alert, after: float = 1.0, **more: Any) -> list[str]:
        """Deliver alerts at once; return what was decided."""
        self.now += after
        arrived = [
            Arrived(one, self.now, len(self.told) + 1, position, **more)
            for position, one in enumerate(alerts, 1)
        ]
        self.book, told = decide(self.book, self.rules, arrived)
        self.told += told
        return [one.outcome for one in told]

    def end(self, after: float = 1.0) -> None:
        """Let every open run end."""
        self.now += after
        for run in list(self.book.runs):
            done = Decision(at=self.now, outcome="run_ended", reason="", run=run)
            self.book.note(done)
            self.told.append(done)

    def wait(self, seconds: float, **more: Any) -> list[str]:
        """Let time pass; return what the queue starts."""
        self.now += seconds
        self.book, told = drain(self.book, self.rules, self.now, **more)
        self.told += told
        return [one.outcome for one in told]


def test_an_alert_starts_a_run_and_others_of_its_group_join_it() -> None:
    """
    One open run for each value of group_by; another region is another run.
    """
    night = Night()

    assert ["started", "attached", "started"] == night.come(
        alert("eu", "1"), alert("eu", "2"), alert("us", "1")
    )
    assert 2 == len(night.book.open)
    assert '["eu"]' == night.told[0].group


def test_f44_the_same_alert_a_thousand_times_is_one_run() -> None:
    """
    Every further delivery is a repeat, and says whose.
    """
    night = Night()
    told = [*night.come(alert()), *night.come(*[alert()] * 999)]

    assert ["started"] + ["repeated"] * 999 == told
    assert f"its run is {night.told[0].run}" in night.told[-1].reason


def test_f45_an_end_that_comes_first_starts_nothing() -> None:
    """
    The beginning that is delivered after its own end is out of order.
    """
    night = Night()

    assert ["not_open"] == night.come(over())
    assert ["out_of_order"] == night.come(alert())
    assert ["started"] == night.come(alert(starts_at=_at(5)))


def test_f46_an_alert_that_fires_again_is_a_new_run() -> None:
    """
    A later start of the same alert, once its run has ended.
    """
    night = Night()
    assert ["started"] == night.come(alert())
    assert ["resolved_run"] == night.come(over())
    night.end()

    assert ["started"] == night.come(alert(starts_at=_at(9)))
    assert night.told[0].run != night.told[-1].run


def test_f48_a_partly_resolved_group_is_judged_for_each_alert() -> None:
    """
    The run is told that it is over when the last of its alerts is.
    """
    night = Night()
    night.come(alert("eu", "1"), alert("eu", "2"))

    assert ["still_firing"] == night.come(over("eu", "1"))
    assert ["repeated"] == night.come(over("eu", "1"))
    assert ["resolved_run"] == night.come(over("eu", "2"))


@pytest.mark.parametrize("open_run", [True, False])
def test_f49_g21_an_alert_that_flaps_is_held(open_run: bool) -> None:
    """
    Fifty cycles in fifteen minutes: one run where it stays open, three at most, a brake.
    """
    night = Night()
    for cycle in range(50):
        night.come(alert(starts_at=_at(cycle)), after=9.0)
        night.come(over(starts_at=_at(cycle)), after=9.0)
        if not open_run:
            night.end(after=0.0)
    counts = dict.fromkeys(("started", "flapping"), 0)
    for one in night.told:
        counts[one.outcome] = counts.get(one.outcome, 0) + 1

    assert (1 if open_run else 3) == counts["started"]
    assert (0 if open_run else 47) == counts["flapping"]


def test_g22_a_group_starts_three_runs_an_hour_by_itself() -> None:
    """
    The fourth is offered to people; limits.runs of the runbook comes first.
    """
    night = Night()
    for hour in range(4):
        night.come(alert(starts_at=_at(hour * 20)), after=1000.0)
        night.come(over(starts_at=_at(hour * 20)))
        night.end()
    own = Night(rules(rule(extra="limits: {runs: {max: 1, per: 10m}}\n")))
    own.come(alert())
    own.come(over())
    own.end()

    assert "proposed" == [one.outcome for one in night.told if one.runbook][-1]
    assert ["proposed"] == own.come(alert(starts_at=_at(1)))
    assert "1 runs in 600 s, 1 start by themselves" == own.told[-1].reason


def test_a_cooldown_keeps_the_group_at_rest() -> None:
    """
    Told again after it, the same alert starts; the seconds that are left are named.
    """
    night = Night(rules(rule(extra="limits: {cooldown: 10m}\n")))
    night.come(alert())
    night.end()
    night.come(over())

    assert ["cooling_down"] == night.come(alert(starts_at=_at(2)), after=100.0)
    assert "499 s of the cooldown are left" == night.told[-1].reason
    assert ["started"] == night.come(alert(starts_at=_at(2)), after=600.0)


def test_f47_g22_a_storm_starts_what_is_allowed_and_queues_the_rest() -> None:
    """
    Ten at once; the rest waits, worst first, then oldest; nothing is dropped.
    """
    bad = rule("outage", severity="sev1")
    bad = Rule(
        bad.runbook, bad.alert.model_copy(update={"match": {"alertname": "Out"}})
    )
    night = Night(rules(rule(), bad))
    regions = [f"r-{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600)]
    storm = [alert(one) for one in regions]
    storm[500] = alert("zz", labels={"alertname": "Out"})
    told = night.come(*storm)
    night.end()

    assert ["started"] * 10 + ["queued"] * 590 == told
    assert ["started"] * 10 == night.wait(0.5)
    assert "outage" == night.told[-10].runbook
    night.end()
    assert [] == night.wait(0.5)
    assert ["started"] * 10 == night.wait(60.0)
    assert 570 == len(night.book.queue)
    assert ["left_queue"] == night.come(over(regions[-1]))
    assert 569 == len(night.book.queue)


def test_f54_an_alert_without_a_runbook_is_kept_with_the_nearest_reason() -> None:
    """
    What its labels lack is named where a trigger has its name.
    """
    night = Night()
    other = Alert("am", "firing", {"alertname": "Else"}, fingerprint="x")
    source = msgspec.structs.replace(alert(), source="dd")

    assert ["no_runbook", "no_runbook"] == night.come(other, source)
    assert ["none of 1 triggers fits", "lag: its source is dd, not am"] == [
        one.reason for one in night.told
    ]


def test_f55_of_two_runbooks_the_worse_comes_first_and_both_are_told() -> None:
    """
    Deterministic: by severity, then by name.
    """
    both = tuple(sorted((rule("b"), rule("a", severity="sev1")), key=lambda r: r.rank))
    night = Night(rules(*both))

    assert ["started", "lower_priority"] == night.come(alert())
    assert [("a", ""), ("b", "a (sev1) comes first")] == [
        (night.told[0].runbook, ""), (night.told[1].runbook, night.told[1].reason),
    ]  # fmt: skip


def test_what_holds_an_alert_back_is_asked_again_when_it_is_delivered_again() -> None:
    """
    Maintenance, a silence: no run, a reason; and a start once it is over.
    """
    quiet = Quiet({"region": "eu"}, T0, T0 + 100, "network works")
    night = Night(rules(quiet=(quiet,)))

    assert ["in_maintenance"] == night.come(alert())
    assert night.told[-1].reason.endswith("UTC: network works")
    assert ["silenced"] == night.come(alert(), after=100.0, silenced="s1 by ana")
    assert ["started"] == night.come(alert())


def test_the_global_hold_queues_and_lifts() -> None:
    """
    While it is set nothing starts; what waited starts when it is lifted.
    """
    night = Night()

    assert ["queued"] == night.come(alert(), hold="ana: storm")
    assert [] == night.wait(5.0, hold="ana: storm")
    assert ["started"] == night.wait(5.0)


def test_propose_is_offered_and_an_input_that_does_not_fit_is_told() -> None:
    """
    Neither starts; the words of the input's problem are the reason.
    """
    offered = Night(rules(rule(extra="autonomy: propose\n")))

    assert ["proposed"] == offered.come(alert())
    assert ["repeated"] == offered.come(alert())
    night = Night()
    assert ["cannot_start"] == night.come(alert("EU"))
    assert "region" in night.told[-1].reason


def test_the_book_is_what_the_decisions_say() -> None:
    """
    Read back in their order, the same decisions give the same book.
    """
    night = Night()
    night.come(alert("eu", "1"), alert("eu", "2"), alert("us"))
    night.come(over("eu", "1"), alert("a", starts_at=""), over("us"))
    night.end()
    night.come(alert("eu", "1", starts_at=_at(8)), hold="x")
    again = Book()
    for one in night.told:
        again.note(one)

    assert night.book == again


ANY = st.lists(
    st.tuples(
        st.sampled_from(["eu", "us"]),
        st.sampled_from("12"),
        st.sampled_from(["firing", "resolved"]),
        st.integers(0, 3),
        st.sampled_from(["come", "end", "wait", "hold"]),
    ),
    max_size=40,
)


@given(ANY)
def test_any_order_of_deliveries_has_one_open_run_a_group(steps: list[Any]) -> None:
    """
    Doubled, shuffled, resolved first: each alert is decided, no group has two runs.
    """
    night = Night(rules(at_once=2))
    started: dict[str, str] = {}
    for region, number, status, minute, does in steps:
        if does == "end":
            night.end()
            started.clear()
        elif does == "wait":
            night.wait(30.0)
        else:
            hold = "x" if does == "hold" else ""
            told = night.come(
                alert(region, number, status=status, starts_at=_at(minute)), hold=hold
            )
            assert 1 == len(told)
        fresh = [one for one in night.told if one.outcome == "started"]
        assert len({one.run for one in fresh}) == len(fresh)
        for one in night.told:
            assert one.outcome in OUTCOMES
            assert one.reason or one.outcome == "run_ended"
    assert len(night.book.open) <= 2
    again = Book()
    for one in night.told:
        again.note(one)
    assert night.book == again
