"""How runs end: cancel, hand-over, resolved alerts, stop rules, undo that fails."""

import pytest

from tests.rehearsing import play, shown, told

TAKE = """
checks:
  bad: {probe: {}, pass: value > 0}
  more: {probe: {}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}}
  keep: {do: {}, undo: {do: {}}}
"""
WHY = "checks.bad.ok"
WAITS = TAKE + "isolate: [{act: take}, {act: keep}, {wait: 10m}]\n"


def test_a_cancel_gives_back_newest_first() -> None:
    """Cancelled at any moment: what is held is given back."""
    rehearsed = play(WAITS, {"events": [{"at": "1m", "do": "cancel"}]})
    expected = {
        "end": "cancelled",
        "did": ["take", "keep"],
        "undone": ["keep", "take"],
        "held": [],
    }

    assert expected == shown(rehearsed)
    assert 60.0 == rehearsed.seen.seconds


def test_f71_a_cancel_lets_the_act_in_flight_end() -> None:
    """The act that is going on ends first, then it is given back too."""
    text = TAKE + "isolate: [{act: take}, {act: keep}]\n"
    test = {"actions": {"take": "lost"}, "events": [{"at": "10s", "do": "cancel"}]}
    rehearsed = play(text, test)

    assert {
        "end": "cancelled",
        "did": ["take"],
        "undone": ["take"],
        "held": [],
    } == shown(rehearsed)


def test_f72_a_cancel_during_an_undo_lets_it_go_on() -> None:
    """The undo goes on; the end is `cancelled`."""
    text = (
        TAKE
        + "isolate: [{act: take}, {act: keep}]\nrestore: [{undo: all, pause: 1m}]\n"
    )
    rehearsed = play(text, {"events": [{"at": "30s", "do": "cancel"}]})

    assert ("cancelled", ["keep", "take"]) == (
        rehearsed.seen.end,
        rehearsed.seen.undone,
    )


def test_f73_an_undo_that_fails_pages_and_the_others_go_on() -> None:
    """The stuck one stays held, the rest is given back, the run is handed over."""
    rehearsed = play(WAITS.replace("10m", "1s"), {"actions": {"undo keep": "fail"}})

    assert {
        "end": "handed_over", "did": ["take", "keep"], "undone": ["take"], "held": ["keep"],
    } == shown(rehearsed)  # fmt: skip
    assert ["undo of keep  failed: failed: as scripted: fail"] == told(
        rehearsed, "stuck"
    )


def test_g24_a_stuck_undo_is_its_own_severity() -> None:
    """The owner is paged one severity higher."""
    rehearsed = play(WAITS.replace("10m", "1s"), {"actions": {"undo keep": "fail"}})
    whys = [entry.why for entry in rehearsed.entries if entry.kind == "stuck"]

    assert ["owners is paged as sev2"] == whys


def test_cancelled_with_a_stuck_undo_is_handed_over() -> None:
    """What cannot be given back is in somebody's hands."""
    rehearsed = play(
        WAITS,
        {"actions": {"undo take": "fail"}, "events": [{"at": "1m", "do": "cancel"}]},
    )

    assert ("handed_over", ["take"]) == (rehearsed.seen.end, rehearsed.seen.held)


def test_confirm_decides_whether_there_is_a_run() -> None:
    """All as expected: go on. None: cleared. Unknown or mixed: hand over."""
    text = TAKE + "confirm: [{check: bad, expect: fail}, {check: more, expect: fail}]\n"
    text += "isolate: [{act: take}]\n"

    def end(bad: str, more: str) -> str:
        return play(
            text, {"checks": {"bad": [bad, "pass"], "more": [more, "pass"]}}
        ).seen.end

    assert "resolved" == end("fail", "fail")
    assert "cleared" == end("pass", "pass")
    assert "handed_over" == end("fail", "pass")
    assert "handed_over" == end("fail", "unknown")
    assert "handed_over" == end("pass", "unknown")


def test_on_unknown_of_confirm_may_go_on() -> None:
    """An author may say that an unsure start is a start."""
    text = (
        TAKE
        + "confirm: [{check: bad, expect: fail, on_unknown: do}]\nisolate: [{act: take}]\n"
    )

    assert ["take"] == play(text, {"checks": {"bad": "unknown"}}).seen.did


def test_restore_left_out_gives_back_only_while_the_trouble_stays_gone() -> None:
    """It looks at what confirm looked at, before and after each undo."""
    text = (
        TAKE
        + "confirm: [{check: bad, expect: fail}]\nisolate: [{act: take}, {act: keep}]\n"
    )

    def undone(*answers: str) -> tuple[str, list[str]]:
        seen = play(text, {"checks": {"bad": list(answers)}}).seen
        return seen.end, seen.undone

    assert ("resolved", ["keep", "take"]) == undone("fail", "pass")
    assert ("handed_over", []) == undone("fail", "fail")
    assert ("handed_over", ["keep"]) == undone("fail", "pass", "fail")
    assert ("handed_over", []) == undone("fail", "unknown")


def test_without_confirm_the_end_is_unverified() -> None:
    """Nobody looked whether the trouble was gone: the end says so."""
    rehearsed = play(TAKE + "isolate: [{act: take}]\n")

    assert "everything is given back; unverified: no confirm" == rehearsed.summary.why


def test_a_hand_over_before_diagnose_still_looks() -> None:
    """Whoever takes over is told what diagnose would have seen."""
    text = TAKE + "isolate: [{act: take}]\ndiagnose: [{check: bad}, {check: more}]\n"
    rehearsed = play(
        text, {"actions": {"take": "fail"}, "checks": {"bad": "fail", "more": "pass"}}
    )

    assert ["bad: fail", "more: pass"] == told(rehearsed, "check")
    assert "handed_over" == rehearsed.seen.end


def test_the_last_look_is_cut_at_a_minute() -> None:
    """A slow last look does not keep people waiting."""
    text = TAKE.replace("value > 0}", "value > 0, timeout: 5m}")
    text += "isolate: [{act: take}]\ndiagnose: [{check: bad}]\n"
    rehearsed = play(text, {"actions": {"take": "fail"}, "checks": {"bad": "slow"}})

    assert 60.0 == rehearsed.seen.seconds


@pytest.mark.parametrize(
    ("when_resolved", "people", "expected"),
    [
        ("continue", [], ("resolved", 600.0)),
        ("restore", [], ("resolved", 60.0)),
        ("ask", [{"restore": True}], ("resolved", 60.0)),
        ("ask", [{"restore": False}], ("resolved", 600.0)),
        ("ask", ["silence"], ("resolved", 600.0)),
    ],
)
def test_f48_the_alert_resolves_in_the_middle(
    when_resolved: str, people: list[object], expected: tuple[str, float]
) -> None:
    """when_resolved says what an open run does; what is held is given back in any case."""
    trigger = f"trigger: [{{alert: {{source: x}}, when_resolved: {when_resolved}}}]\n"
    seen = play(
        trigger + WAITS, {"events": [{"at": "1m", "do": "resolved"}], "people": people}
    ).seen

    assert expected == (seen.end, seen.seconds)
    assert ["keep", "take"] == seen.undone


def test_f87_a_run_that_has_done_nothing_ends_as_cleared() -> None:
    """The alert resolves before the first act: nothing is done."""
    text = (
        TAKE
        + "isolate: [{say: hi}]\ndiagnose: [{wait: 10m}]\nworkaround: {a: [{act: take}]}\n"
    )
    seen = play(text, {"events": [{"at": "1m", "do": "resolved"}]}).seen

    assert ("cleared", [], 60.0) == (seen.end, seen.did, seen.seconds)


def test_a_stop_rule_watches_the_whole_run() -> None:
    """True at any time: the run stops, as the rule says."""
    for then, undone in (("hand_over", []), ("undo", ["keep", "take"])):
        rule = f"stop_when: [{{when: '!checks.bad.ok', every: 30s, then: {then}}}]\n"
        text = rule + WAITS.replace(
            "value > 0}\n  more", "value > 0, fresh_for: 1s}\n  more"
        )
        seen = play(text, {"checks": {"bad": ["pass", "pass", "fail"]}}).seen

        assert ("handed_over", undone, 60.0) == (seen.end, seen.undone, seen.seconds)


def test_the_severity_follows_the_size() -> None:
    """raise: the severity goes up, never down."""
    text = "impact: {users: {probe: {}}, every: 30s}\n"
    text += "raise: [{to: sev1, when: checks.users.value > 100.0}]\n" + WAITS
    rehearsed = play(
        text, {"checks": {"users": [{"value": 5}, {"value": 500}, {"value": 1}]}}
    )

    assert ["severity sev3 -> sev1"] == told(rehearsed, "severity")
    assert "sev1" == rehearsed.summary.severity


def test_g16_f85_the_global_hold_stops_the_next_act() -> None:
    """Set in mid-run: the next act does not begin; giving back is still allowed."""
    text = TAKE + "isolate: [{act: take}, {wait: 1m}, {act: keep}]\n"
    events = [{"at": "30s", "do": "hold"}, {"at": "10m", "do": "cancel"}]
    seen = play(text, {"events": events}).seen

    assert (["take"], ["take"], "cancelled") == (seen.did, seen.undone, seen.end)


def test_undone_when_spares_the_undo() -> None:
    """Given back already: there is nothing to undo."""
    text = TAKE.replace(
        "undo: {do: {}}}\n  keep", "undo: {do: {}}, undone_when: checks.bad.ok}\n  keep"
    )
    rehearsed = play(text + "isolate: [{act: take}]\n", {"checks": {"bad": "pass"}})

    assert [] == told(rehearsed, "undoing")
    assert ["undid take"] == told(rehearsed, "undone")


@pytest.mark.parametrize(
    ("people", "end", "undone", "held"),
    [
        ([{"undo": True}], "resolved", ["take"], []),
        ([{"undo": False}], "resolved", [], []),
        (["silence"], "handed_over", [], ["take"]),
    ],
)
def test_f74_what_someone_else_changed_is_asked_about(
    people: list[object], end: str, undone: list[str], held: list[str]
) -> None:
    """undo_if is not true: a person decides; silence leaves it held."""
    text = TAKE.replace(
        "undo: {do: {}}}\n  keep", "undo: {do: {}}, undo_if: checks.bad.ok}\n  keep"
    )
    seen = play(
        text + "isolate: [{act: take}]\n", {"checks": {"bad": "fail"}, "people": people}
    ).seen

    assert (end, undone, held) == (seen.end, seen.undone, seen.held)


def test_f74_whether_someone_else_changed_it_may_be_unknown() -> None:
    """Unknown is said as unknown: in the question, and where nobody answers it."""
    text = TAKE.replace(
        "undo: {do: {}}}\n  keep", f"undo: {{do: {{}}}}, undo_if: {WHY}}}\n  keep"
    )
    rehearsed = play(
        text + "isolate: [{act: take}]\n",
        {"checks": {"bad": "unknown"}, "people": ["silence"]},
    )

    asked, stuck = told(rehearsed, "asked"), told(rehearsed, "stuck")

    assert asked == [
        f"whether take was changed by someone else is unknown ({WHY}). Undo it anyway?"
    ]
    assert stuck[0].endswith("to undo what someone else may have changed")


@pytest.mark.parametrize(
    ("steps", "end", "why", "held"),
    [
        ("isolate: [{act: take}]", "handed_over",
         "restore is through, but take is still held", ["take"]),
        ("isolate: [{say: x}]", "resolved",
         "nothing is held; unverified: restore is empty", []),
    ],
    ids=["something held", "nothing held"],
)  # fmt: skip
def test_a_restore_that_is_written_as_empty_does_nothing(
    steps: str, end: str, why: str, held: list[str]
) -> None:
    """Left out it gives everything back; written as empty it gives nothing back."""
    rehearsed = play(TAKE + steps + "\nrestore: []\n")

    assert (end, why, [], held) == (
        rehearsed.seen.end, rehearsed.summary.why, rehearsed.seen.undone,
        rehearsed.seen.held,
    )  # fmt: skip


def test_wait_for_must_stay_true_for_its_hold() -> None:
    """One false look in between begins the hold anew."""
    text = (
        TAKE
        + "restore: [{wait_for: bad, within: 10m, every: 10s, hold: 30s}]\nisolate: [{say: x}]\n"
    )
    seen = play(text, {"checks": {"bad": ["fail", "pass", "fail", "pass"]}}).seen

    assert ("resolved", 60.0) == (seen.end, seen.seconds)


def test_wait_for_gives_up_in_time() -> None:
    """Not true within its time: the step fails."""
    text = TAKE + "restore: [{wait_for: bad, within: 2m}]\nisolate: [{say: x}]\n"
    seen = play(text, {"checks": {"bad": "unknown"}}).seen

    assert ("handed_over", 120.0) == (seen.end, seen.seconds)


def test_a_crash_takes_up_where_it_was() -> None:
    """The engine dies in the middle of a wait: the wait goes on, nothing is done twice."""
    seen = play(WAITS, {"events": [{"at": "1m", "do": "crash"}]}).seen

    assert ("resolved", ["take", "keep"], ["keep", "take"], 600.0) == (
        seen.end, seen.did, seen.undone, seen.seconds,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("after_crash", "people", "did", "held"),
    [
        ("repeat", [], ["take"], []),
        ("ask", [{"happened": True}], [], []),
        ("ask", [{"happened": False}], ["take"], []),
        ("ask", ["silence"], [], ["take"]),
    ],
)
def test_f3_an_act_in_flight_follows_its_after_crash(
    after_crash: str, people: list[object], did: list[str], held: list[str]
) -> None:
    """Repeat where it is safe, ask where it is not; silence leaves it held."""
    text = TAKE.replace(
        "take: {do: {}, undo: {do: {}}}",
        f"take: {{do: {{}}, undo: {{do: {{}}}}, after_crash: {after_crash}}}",
    )
    test = {
        "actions": {"take": ["timeout", "ok"]},
        "events": [{"at": "10s", "do": "crash"}],
        "people": people,
    }
    seen = play(text + "isolate: [{act: take}]\n", test).seen

    assert (did, held) == (seen.did, seen.held)


def test_f7_the_third_crash_is_a_dead_letter() -> None:
    """Three crashes of one run hand it over, with what it holds."""
    events = [{"at": f"{minute}m", "do": "crash"} for minute in (1, 2, 3)]
    rehearsed = play(WAITS, {"events": events})

    assert {
        "end": "handed_over", "did": ["take", "keep"], "undone": [], "held": ["take", "keep"],
    } == shown(rehearsed)  # fmt: skip
    assert "the engine died 3 times during this run" == rehearsed.summary.why


def test_g25_a_broken_time_limit_is_loud_and_stops_nothing() -> None:
    """Each limit that is broken is said once; the run goes on to its end."""
    limits = "limits: {time: {isolated: 5m, mitigated: 20m, total: 8m}}\n"
    rehearsed = play(limits + WAITS)

    assert ["not isolated within 5m", "not over within 8m"] == told(rehearsed, "late")
    assert ("resolved", ["keep", "take"]) == (rehearsed.seen.end, rehearsed.seen.undone)


def test_a_limit_that_was_kept_is_not_mentioned() -> None:
    """What is reached in time is no news."""
    text = TAKE + "isolate: [{act: take}]\nrestore: [{wait: 10m}, {undo: all}]\n"
    rehearsed = play("limits: {time: {isolated: 5m, mitigated: 5m}}\n" + text)

    assert [] == told(rehearsed, "late")


def test_a_default_restore_looks_after_the_last_undo_too() -> None:
    """Trouble that is back when nothing is held any more is handed over, not resolved."""
    text = (
        "confirm: [{check: bad, expect: fail}]\n"
        + TAKE
        + "isolate: [{act: take}, {act: keep}]\n"
    )
    seen = play(text, {"checks": {"bad": ["fail", "pass", "pass", "fail"]}}).seen

    assert ("handed_over", ["keep", "take"], []) == (seen.end, seen.undone, seen.held)
