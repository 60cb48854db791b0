"""What alerts start and what they do not: each rule, and any order of deliveries."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.intake import (
    Arrived,
    Book,
    Now,
    Quiet,
    Rule,
    Rules,
    decide,
    proposal_id,
    rules_of,
    schedules_of,
    tick,
)
from engine.core.intake.ticking import accept, ended, last_due, opened, refused
from engine.model.alert import Alert
from engine.model.decision import IDLE, OUTCOMES, Decision
from engine.model.silence import Matcher, Silence
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
            Arrived(one, self.now, len(self.told) + 1, position)
            for position, one in enumerate(alerts, 1)
        ]
        return self._take(decide(self.rules, self.book, arrived, Now(self.now, **more)))

    def end(self, after: float = 1.0) -> None:
        """Let every open run end."""
        self.now += after
        for run in [*self.book.runs, *self.book.by_hand]:
            self._take(ended(self.book, run, self.now))

    def wait(self, seconds: float, **more: Any) -> list[str]:
        """Let time pass; return what it brings."""
        self.now += seconds
        return self._take(tick(self.rules, self.book, Now(self.now, **more)))

    def _take(self, made: tuple[Book, list[Decision]]) -> list[str]:
        self.book, told = made
        self.told += told
        return [one.outcome for one in told]

    @property
    def notices(self) -> list[str]:
        """What people were told."""
        return [one.notice for one in self.told if one.notice]

    def count(self, outcome: str) -> int:
        """Return how often it was decided."""
        return sum(one.outcome == outcome for one in self.told)


def test_an_alert_starts_a_run_and_others_of_its_group_join_it() -> None:
    """
    One open run for each value of group_by; another region is another run.
    """
    night = Night()

    assert ["started", "attached", "started", "attached"] == night.come(
        alert("eu", "1"), alert("eu", "2"), alert("us", "1"), alert("eu", "3")
    )
    assert 2 == len(night.book.runs)
    assert '["eu"]' == night.told[0].group
    assert [0, 2, 0, 0] == [one.many for one in night.told]


def test_f44_the_same_alert_a_thousand_times_is_one_run() -> None:
    """
    Every further delivery is a repeat, and says whose.
    """
    night = Night()
    told = [*night.come(alert()), *night.come(*[alert()] * 999)]

    assert ["started"] + ["repeated"] * 999 == told
    assert f"its run is {night.told[0].run}" in night.told[-1].reason


def test_f44_in_one_body_too_the_same_alert_is_one_run() -> None:
    """
    A thousand copies side by side: one start.
    """
    assert ["started"] + ["repeated"] * 999 == Night().come(*[alert()] * 1000)


def test_f45_an_end_that_comes_first_starts_nothing() -> None:
    """
    The beginning that is delivered after its own end, or is older, is out of order.
    """
    night = Night()

    assert ["not_open"] == night.come(over(starts_at=_at(2)))
    assert ["out_of_order"] == night.come(alert(starts_at=_at(2)))
    assert ["out_of_order"] == night.come(alert(starts_at=_at(1)))
    assert ["started"] == night.come(alert(starts_at=_at(5)))
    assert ["out_of_order"] == night.come(over(starts_at=_at(2)))
    assert 1 == len(night.book.runs)


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


def test_f43_starts_that_are_no_times_are_told_apart_by_their_order() -> None:
    """
    Year one, nothing at all, the far future, a leap second: taken, and never an error.
    """
    for odd in ("0001-01-01T00:00:00Z", "", "2999-01-01T00:00:00Z", "soon",
                "2026-12-31T23:59:60Z", "9" * 400):  # fmt: skip
        night = Night()
        again = alert(starts_at=odd)

        assert ["started"] == night.come(again)
        assert ["repeated"] == night.come(again)
        assert ["resolved_run"] == night.come(over(starts_at=odd))
        assert odd == night.told[0].starts_at


def test_f43_without_a_start_what_fires_after_its_end_is_new() -> None:
    """
    Sources that send no start: the order of the deliveries is all there is.
    """
    night = Night()
    night.come(alert(starts_at=""))
    night.come(over(starts_at=""))
    night.end()

    assert ["started"] == night.come(alert(starts_at=""), after=100.0)


def test_f48_a_partly_resolved_group_is_judged_for_each_alert() -> None:
    """
    The run is told that it is over when the last of its alerts is.
    """
    night = Night()
    night.come(alert("eu", "1"), alert("eu", "2"))

    assert ["still_firing"] == night.come(over("eu", "1"))
    assert ["repeated"] == night.come(over("eu", "1"))
    assert ["resolved_run"] == night.come(over("eu", "2"))


def test_f48_the_run_is_told_what_its_trigger_says_about_the_end() -> None:
    """
    `when_resolved` of the trigger that fitted, not of another one of the runbook.
    """
    first = rule()
    text = first.runbook.model_copy()
    restores = Rule(text, first.alert, first.group_by, "restore")
    night = Night(rules(restores))
    night.come(alert())
    night.come(over())

    assert "restore" == night.told[-1].when_resolved


@pytest.mark.parametrize("ends_at_once", [True, False])
@pytest.mark.parametrize("names_its_start", [True, False])
def test_f49_g21_fifty_flaps_are_one_run_and_one_notice(
    ends_at_once: bool, names_its_start: bool
) -> None:
    """
    Fifty cycles in fifteen minutes, whether its run stays open or is over each time.
    """
    night = Night()
    for cycle in range(50):
        second = cycle * 18
        start = f"2026-11-24T00:{second // 60:02d}:{second % 60:02d}Z"
        start = start if names_its_start else ""
        night.come(alert(starts_at=start), after=9.0)
        night.wait(1.0)
        night.come(over(starts_at=start), after=8.0)
        if ends_at_once:
            night.end(after=0.0)

    assert 1 == night.count("started")
    assert 1 == len(night.notices)
    assert night.notices[0].startswith("'lag' eu for Lag is flapping: it began 3 times")


def test_g21_once_it_stays_it_starts() -> None:
    """
    What flapped and then fires on is not forgotten: it starts when the brake is over.
    """
    night = Night()
    for cycle in range(4):
        night.come(alert(starts_at=_at(cycle * 2)), after=60.0)
        if cycle < 3:
            night.come(over(starts_at=_at(cycle * 2)), after=60.0)
            night.end(after=0.0)

    assert "flapping" == night.told[-1].outcome
    assert [] == night.wait(500.0)
    assert ["started"] == night.wait(500.0)
    assert 3 == night.count("started")


def test_g21_a_run_behind_the_brake_is_told_the_end_once_it_stays() -> None:
    """
    While it flaps an open run hears nothing; then it hears what is so.
    """
    night = Night()
    for cycle in range(5):
        night.come(alert(starts_at=_at(cycle)), after=30.0)
        night.come(over(starts_at=_at(cycle)), after=30.0)
    outcomes = [one.outcome for one in night.told]

    assert ["started", "resolved_run", "attached", "resolved_run"] == outcomes[:4]
    assert ["flapping"] * 6 == outcomes[4:]
    night.come(alert(starts_at=_at(6)), after=30.0)
    assert ["attached"] == night.wait(1000.0)
    night.come(over(starts_at=_at(6)))
    assert "resolved_run" == night.told[-1].outcome


def test_g22_a_group_starts_three_runs_an_hour_by_itself() -> None:
    """
    The fourth is offered to people.
    """
    night = Night()
    for cycle in range(4):
        night.come(alert(starts_at=_at(cycle * 16)), after=960.0)
        night.come(over(starts_at=_at(cycle * 16)), after=0.0)
        night.end(after=0.0)

    assert [3, 1] == [night.count("started"), night.count("proposed")]


def test_g22_limits_runs_counts_every_group_of_the_runbook() -> None:
    """
    After so many starts in so long the runbook only proposes itself.
    """
    night = Night(rules(rule(extra="limits: {runs: {max: 2, per: 10m}}\n")))

    assert ["started", "started", "proposed"] == night.come(
        alert("eu"), alert("us"), alert("as")
    )
    assert "2 runs in 10 min, limits.runs allows 2" == night.told[-1].reason
    assert [
        (
            "'lag' as for Lag is proposed (2 runs in 10 min, limits.runs allows 2). "
            f"Start it: runbook accept {proposal_id(night.told[-1])}"
        )
    ] == night.notices
    night.end()
    assert [] == night.wait(5000.0)


def test_a_cooldown_keeps_the_group_at_rest_and_then_it_starts() -> None:
    """
    The times are named; what still fires at its end starts without being sent again.
    """
    night = Night(rules(rule(extra="limits: {cooldown: 10m}\n")))
    night.come(alert())
    night.come(over())
    night.end()

    assert ["cooling_down"] == night.come(alert(starts_at=_at(2)), after=100.0)
    assert "its last run ended 1 min 40 s ago, the cooldown is 10 min; until " in (
        night.told[-1].reason
    )
    assert [] == night.wait(400.0)
    assert ["started"] == night.wait(100.0)


def test_f47_g22_a_storm_starts_what_is_allowed_and_queues_the_rest() -> None:
    """
    Ten at once; the rest waits, worst first, then oldest; nothing is dropped.
    """
    bad = rule("outage", severity="sev1")
    bad = Rule(
        bad.runbook, bad.alert.model_copy(update={"match": {"alertname": "Out"}}),
        bad.group_by,
    )  # fmt: skip
    night = Night(rules(rule(), bad))
    regions = [f"r-{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600)]
    storm = [alert(one) for one in regions]
    storm[500] = alert("zz", labels={"alertname": "Out"})
    night.come(*storm)

    assert [10, 590] == [night.count("started"), night.count("queued")]
    assert "started" == night.told[500].outcome
    assert [
        (
            "590 starts wait for a turn: 10 runs are open, limits.at_once is 10. The worst "
            "severity comes first, nothing is dropped. See: runbook alerts"
        )
    ] == night.notices
    night.end()
    assert ["started"] * 10 == night.wait(0.5)
    assert regions[9:19] == [one.group[2:-2] for one in night.told[-10:]]
    night.end()
    assert [] == night.wait(0.5)
    assert ["started"] * 10 == night.wait(60.0)
    assert 570 == len(night.book.waiting)
    assert ["withdrawn"] == night.come(over(regions[-1]))
    assert 569 == len(night.book.waiting)
    assert 1 == len(night.notices)


def test_f54_an_alert_without_a_runbook_is_kept_with_the_nearest_reason() -> None:
    """
    What its labels lack is named where a trigger has its name.
    """
    night = Night()
    other = Alert("am", "firing", {"alertname": "Else"}, fingerprint="x")
    source = msgspec.structs.replace(alert(), source="dd")

    assert ["no_runbook", "no_runbook"] == night.come(other, source)
    assert ["none of 1 trigger fits", "lag: its source is dd, not am"] == [
        one.reason for one in night.told
    ]
    assert Book() == night.book


def test_f55_of_two_runbooks_the_worse_comes_first_and_both_are_told() -> None:
    """
    Deterministic: by severity, then by name.
    """
    both = tuple(sorted((rule("b"), rule("a", severity="sev1")), key=lambda r: r.rank))
    night = Night(rules(*both))

    assert ["started", "lower_priority"] == night.come(alert())
    assert [("a", "a fits"), ("b", "a (sev1) comes first")] == [
        (one.runbook, one.reason) for one in night.told
    ]


def test_f55_a_runbook_that_cannot_start_leaves_it_to_the_next() -> None:
    """
    The reason is told loudly, and the other one starts.
    """
    strict = rule("a", severity="sev1")
    needs = strict.runbook.model_validate(
        strict.runbook.model_dump(by_alias=True, exclude_unset=True)
        | {"inputs": {"zone": {"type": "string", "from": "labels.zone"}}}
    )
    night = Night(rules(Rule(needs, strict.alert, ()), rule("b")))

    assert ["cannot_start", "started"] == night.come(alert())
    assert [
        (
            "'a' for Lag cannot start: input 'zone' has no value, and the alert has no "
            "labels.zone. Give it one: zone=…. Do it by hand, or mend the runbook's inputs"
        )
    ] == night.notices


def test_what_cannot_start_is_told_once_and_judged_again_when_it_comes_again() -> None:
    """
    A repeat is a new try; people are told again only if the reason is another one.
    """
    night = Night()

    assert ["cannot_start"] == night.come(alert("EU"))
    assert ["cannot_start"] == night.come(alert("EU"))
    assert 1 == len(night.notices)
    assert "region" in night.told[-1].reason


def test_maintenance_holds_and_what_still_fires_at_its_end_starts() -> None:
    """
    No run, a reason with the end and the why; nothing has to be delivered again.
    """
    quiet = Quiet({"region": "eu"}, T0, T0 + 100, "network works")
    night = Night(rules(quiet=(quiet,)))

    assert ["in_maintenance"] == night.come(alert())
    assert night.told[-1].reason.endswith("UTC: network works")
    assert ["started"] == night.come(alert("us"))
    assert ["repeated"] == night.come(alert())
    assert [] == night.wait(50.0)
    assert ["started"] == night.wait(50.0)
    assert "it waited 1 min 42 s (in_maintenance: until" in night.told[-1].reason


def test_a_silence_of_alertmanager_holds_as_long_as_it_covers() -> None:
    """
    By its matchers; unknown silences hold nothing, and the start says so.
    """
    night = Night(rules(silenced_sources=frozenset({"am"})))
    matchers = (
        Matcher("alertname", "La.*", regex=True),
        Matcher("zone", "x", equal=False),
    )
    silence = Silence("s1", matchers, "ana", "known", "2026-11-25T00:00:00Z")

    assert ["silenced"] == night.come(alert(), silences=(silence,))
    assert "silence s1 by ana (known), until 2026-11-25T00:00:00Z" == (
        night.told[-1].reason
    )
    assert ["started"] == night.come(
        alert("us", labels={"zone": "x"}), silences=(silence,)
    )
    assert [] == night.wait(20.0, silences=(silence,))[1:]
    assert ["started"] == night.wait(20.0, silences=None)
    assert night.told[-1].reason.endswith(
        "Alertmanager could not be asked for silences"
    )


def test_an_alert_that_its_source_sends_as_suppressed_starts_once_it_is_not() -> None:
    """
    The state stands in the alert itself; a later delivery without it counts.
    """
    night = Night()
    quiet = alert(raw={"status": {"state": "suppressed"}})

    assert ["silenced"] == night.come(quiet)
    assert [] == night.wait(1e6)
    assert ["silenced"] == night.come(quiet)
    assert ["started"] == night.come(alert())


def test_the_global_hold_holds_and_lifts() -> None:
    """
    While it is set nothing starts; what waited starts when it is lifted.
    """
    night = Night()

    assert ["held"] == night.come(alert(), hold="ana: storm")
    assert "the global hold is set: ana: storm" == night.told[-1].reason
    assert [] == night.wait(5.0, hold="ana: storm")
    assert ["started"] == night.wait(5.0)


def test_propose_is_offered_and_a_person_starts_it() -> None:
    """
    Nothing starts by itself; accepted, it is a start with that person's name.
    """
    night = Night(rules(rule(extra="autonomy: propose\n")))

    assert ["proposed"] == night.come(alert())
    assert ["repeated"] == night.come(alert())
    assert [] == night.wait(1e6)
    night._take(accept(night.book, ("lag", '["eu"]'), Now(night.now), "ana"))
    assert ("started", "ana accepted it: autonomy: propose", "ana") == (
        night.told[-1].outcome, night.told[-1].reason, night.told[-1].by,
    )  # fmt: skip
    assert (night.book, []) == accept(night.book, ("lag", "x"), Now(0.0), "ana")


def test_a_proposal_is_withdrawn_when_its_alert_is_over() -> None:
    """
    What nobody started has nothing left to do.
    """
    night = Night(rules(rule(extra="autonomy: propose\n")))
    night.come(alert())

    assert ["withdrawn"] == night.come(over())
    assert {} == night.book.waiting


def test_alerts_join_a_run_that_a_person_started() -> None:
    """
    One open run for each group, whoever began it; the proposal is taken off the list.
    """
    night = Night(rules(rule(extra="autonomy: propose\n")))
    night.come(alert())
    night._take(
        opened(
            night.rules,
            night.book,
            Now(night.now),
            run="r-hand",
            runbook="lag",
            by="ana",
            inputs={"region": "eu"},
        )
    )

    assert ["by_hand", "attached"] == [one.outcome for one in night.told[1:]]
    assert ["attached"] == night.come(alert("eu", "2"))
    assert {} == night.book.runs
    night.end()
    assert ["proposed"] == night.come(alert("eu", "3"))


def test_a_start_that_fails_frees_its_group() -> None:
    """
    The words of the problem are kept, and the next delivery tries again.
    """
    night = Night()
    night.come(alert(), alert("eu", "2"))
    night._take(refused(night.book, night.told[0], "no such revision", Now(night.now)))

    assert ("cannot_start", "no such revision") == (
        night.told[-1].outcome, night.told[-1].reason,
    )  # fmt: skip
    assert ({}, {}) == (night.book.runs, night.book.alerts)
    assert ["started"] == night.come(alert("eu", "2"))


CLOCK = "trigger: [{schedule: '0 3 * * *'}]\n"


def clocked(extra: str = "") -> Rules:
    """Return rules with one runbook that starts at three in the night."""
    text = (
        "format: 1\nrunbook: nightly\ntitle: x\nowner: o\nseverity: sev4\n"
        f"{CLOCK}{extra}isolate: [{{say: x}}]\n"
    )
    return Rules(schedules=schedules_of([runbook(text)]))


def test_a_schedule_starts_once_each_time_it_is_due() -> None:
    """
    In UTC; it is known from the first look on, and nothing before that is made up.
    """
    night = Night(clocked())
    first = last_due("0 3 * * *", T0)
    assert first is not None
    night.now = first + 60.0

    assert ["scheduled"] == night.wait(0.0)
    assert [] == night.wait(80_000.0)
    assert ["started"] == night.wait(first + 86_401.0 - night.now)
    assert "schedule" == night.told[-1].source
    assert night.told[-1].reason.startswith("'0 3 * * *' was due at 2")
    assert [] == night.wait(5.0)


def test_schedules_that_were_missed_start_once_and_say_so() -> None:
    """
    Three nights without an engine are one start, hours late.
    """
    night = Night(clocked())
    night.wait(0.0)

    assert ["started"] == night.wait(3 * 86_400.0)
    assert "late, once for every time that was missed" in night.told[-1].reason
    assert [] == night.wait(5.0)


def test_a_schedule_whose_last_run_is_open_is_skipped_and_told() -> None:
    """
    One open run; the night after its end it starts again.
    """
    night = Night(clocked())
    night.wait(0.0)
    night.wait(86_400.0)

    assert ["skipped"] == night.wait(86_400.0)
    assert night.book == _read_back(night)
    night.end()
    assert ["started"] == night.wait(86_400.0)


def test_a_schedule_that_is_no_cron_line_is_never_due() -> None:
    """
    The intake outlives it.
    """
    assert [None, None] == [last_due("at noon", T0), last_due("0 0 31 2 *", T0)]


def test_the_book_is_what_the_decisions_say() -> None:
    """
    Read back in their order, the same decisions give the same book.
    """
    night = Night()
    night.come(alert("eu", "1"), alert("eu", "2"), alert("us"))
    night.come(over("eu", "1"), alert("a", starts_at=""), over("us"))
    night.end()
    night.come(alert("eu", "1", starts_at=_at(8)), hold="x")

    assert night.book == Book().read(night.told)


ANY = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["eu", "us", "EU"]),
            st.sampled_from("12"),
            st.sampled_from(["firing", "resolved"]),
            st.integers(-1, 3),
            st.booleans(),
        ),
        max_size=4,
    ),
    max_size=25,
)
BETWEEN = st.lists(
    st.sampled_from(["nothing", "end", "wait", "hold", "long", "hand", "refuse"]),
    min_size=25, max_size=25,
)  # fmt: skip


def _happens(night: Night, does: str) -> None:
    if does == "end":
        night.end()
    elif does == "wait":
        night.wait(30.0)
    elif does == "long":
        night.wait(1000.0)
    elif does == "hand":
        inputs = {"region": "eu"}
        now, run = Now(night.now), f"r-hand{len(night.told)}"
        night._take(
            opened(night.rules, night.book, now, run=run, runbook="lag", by="ana",
                   inputs=inputs)
        )  # fmt: skip
    elif does == "refuse" and night.book.runs:
        run = next(iter(night.book.runs))
        began = next(
            one for one in night.told if one.run == run and one.outcome == "started"
        )
        night._take(refused(night.book, began, "broken", Now(night.now)))


@given(ANY, BETWEEN)
def test_any_order_of_deliveries_has_one_open_run_a_group(
    batches: list[Any], between: list[str]
) -> None:
    """
    Doubled, shuffled, resolved first: each alert is decided, no group has two runs.
    """
    night = Night(rules(at_once=2))
    for batch, does in zip(batches, between, strict=False):
        _happens(night, does)
        came = [
            alert(
                region, number, status=status,
                starts_at=_at(minute) if minute >= 0 else "",
                raw={"status": {"state": "suppressed"}} if quiet else None,
            )
            for region, number, status, minute, quiet in batch
        ]  # fmt: skip
        before = len(night.told)
        night.come(*came, hold="x" if does == "hold" else "")
        mine = {one.position for one in night.told[before:] if not one.again}
        assert set(range(1, len(came) + 1)) <= mine
        _holds(night)


def _read_back(night: Night) -> Book:
    """Return the book that the next engine reads from the journal."""
    kept = [msgspec.json.encode(o) for o in night.told if o.outcome not in IDLE]
    return Book().read(msgspec.json.decode(one, type=Decision) for one in kept)


def _holds(night: Night) -> None:
    """What is true at every moment."""
    book = night.book
    groups = [*book.runs.values(), *book.by_hand.values()]
    fresh = [one.run for one in night.told if one.outcome == "started"]
    firing: dict[Any, int] = {}
    for seen in book.alerts.values():
        if seen.status == "firing" and seen.group is not None:
            firing[seen.group] = firing.get(seen.group, 0) + 1

    assert len(set(groups)) == len(groups)
    assert len(set(fresh)) == len(fresh)
    assert len(book.runs) <= 2
    assert not set(book.waiting) & set(groups)
    assert all(one.outcome in OUTCOMES and one.reason for one in night.told)
    assert firing == {key: one.firing for key, one in book.groups.items() if one.firing}
    assert all(book.group(key).firing for key in book.waiting)
    assert book == _read_back(night)
