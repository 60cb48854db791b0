"""The facts of a run, counted from its timeline."""

import msgspec
import pytest
import views_story as story

from engine.model.events import Acted, Noted, Restarted
from engine.model.evidence import Evidence
from engine.views.facts import Facts, UnknownCheck, facts
from engine.views.harm import harm_of
from engine.views.moments import Moments
from engine.views.waits import covered_seconds, waits_of
from tests.rehearsing import play

replace = msgspec.structs.replace


def names(deeds: object) -> list[str]:
    """Return the names of deeds, with their targets."""
    return [f"{one.name} {one.target}".strip() for one in deeds]  # type: ignore[attr-defined]


def test_an_empty_timeline_has_empty_facts() -> None:
    """
    Nothing is known of a run that has not begun.
    """
    assert facts([]) == Facts()


def test_what_was_done_and_given_back_stands_in_order() -> None:
    """
    Deeds are listed as they happened, and what is given back is no longer held.
    """
    seen = facts(story.resolved())
    told = (names(seen.did), names(seen.undone), names(seen.held), seen.asked)

    assert told == (
        ["open_quarantine_lane", "roll_back_router"],
        ["open_quarantine_lane"],
        [],
        ("workaround.roll-back/1",),
    )


def test_an_act_without_undo_is_not_held() -> None:
    """
    Only what has a way back is held; the middle of the story holds one thing.
    """
    assert names(facts(story.middle(story.beginning()).entries()).held) == [
        "open_quarantine_lane"
    ]


def test_settled_and_taken_over_things_are_not_held() -> None:
    """
    A point of no return lets every target go; a take-over lets go that one target.
    """
    made = story.Story()
    for target in ("h1", "h2"):
        refs = {"undo": {"argv": ["up"]}}
        made.note(
            1, "intent", "about to do drain", subject="drain", target=target, refs=refs
        )
        made.note(
            1, "intent", "about to do cut", subject="cut", target=target, refs=refs
        )
    made.note(2, "settled", "point of no return", subject="drain")
    made.note(
        3, "answered", "may takes over cut h1 as it is", subject="cut", target="h1",
        refs={"kept": True},
    )  # fmt: skip

    assert names(facts(made.entries()).held) == ["cut h2"]


def test_phases_reach_from_their_note_to_the_next() -> None:
    """
    Every second of the run after its first phase note belongs to one phase.
    """
    spans = facts(story.resolved()).phases

    assert [(one.phase, one.start_tick, one.end_tick) for one in spans] == [
        ("confirm", 0, 1),
        ("isolate", 1, 20),
        ("diagnose", 20, 33),
        ("workaround", 33, 200),
        ("restore", 200, 610),
    ]


def test_moments_are_stored_times_and_nothing_else() -> None:
    """
    Each moment is the time of its entry; the alert's own start is read from it.
    """
    start = story.START

    assert facts(story.resolved()).moments == Moments(
        impact=start + 2,
        detect=start - 90,
        received=start,
        person=start + 95,
        diagnosed=start + 22,
        isolated=start + 20,
        mitigated=start + 200,
        restored=start + 610,
        closed=start + 610,
    )


def test_a_run_that_was_handed_over_restored_nothing() -> None:
    """
    What did not happen has no time, and its measures have none.
    """
    seen = facts(story.handed_over())
    known = {one.name: one.seconds for one in seen.measures}

    assert known == {
        "MTTD, detect": None,
        "MTTA, engine": 90,
        "MTTA, person": 180,
        "Diagnosed": None,
        "MTTI, isolated": None,
        "MTTM, mitigated": None,
        "MTTR, recover": None,
        "Closed": 220,
    }


def test_without_the_alerts_time_measures_count_from_its_arrival_and_say_so() -> None:
    """
    A time that is not known is not guessed: the formula names what was used.
    """
    made = story.Story()
    made.note(0, "phase", "phase isolate", phase="isolate")
    made.note(9, "end", "ended: cleared", subject="cleared")
    closed = facts(made.entries()).measures[-1]

    assert (closed.formula, closed.seconds, closed.note) == (
        "t_closed - t_received",
        9,
        "when the alert fired is not known",
    )


def test_a_wait_ends_when_everybody_needed_has_answered() -> None:
    """
    One yes of two keeps the wait open; the second ends it.
    """
    (wait,) = facts(story.resolved()).waits

    assert (wait.seconds, wait.outcome, wait.by, wait.who, wait.plan) == (
        120, "approved", ("may", "oda"),
        (("messaging-oncall", 1), ("incident-commanders", 1)), "ab12",
    )  # fmt: skip


def test_escalation_keeps_the_clock_and_drops_the_votes() -> None:
    """
    The time counts from the first asking; votes do not carry over.
    """
    made = story.Story()
    who = {"who": [["oncall", 2]]}
    made.note(10, "asked", "asked", step="g", subject="k0", refs=who)
    made.note(
        20, "approved", "may said yes", step="g", subject="k0", refs={"by": "may"}
    )
    made.note(
        70, "escalated", "asked", step="g", subject="k1", refs={"who": [["ic", 1]]}
    )
    made.note(100, "rejected", "oda said no", "not now", step="g", subject="k1",
              refs={"by": "oda"})  # fmt: skip
    (wait,) = waits_of(made.entries())

    assert (wait.seconds, wait.outcome, wait.by, wait.escalations, wait.keys) == (
        90, "rejected", ("oda",), 1, ("k0", "k1"),
    )  # fmt: skip


def test_a_wait_that_nobody_ended_is_open_until_now() -> None:
    """
    A question in a run that goes on counts up to the last entry.
    """
    made = story.Story()
    made.note(
        10, "asked", "asked", step="g", subject="k0", refs={"who": [["oncall", 1]]}
    )
    made.impact(40, 1.0)
    (wait,) = waits_of(made.entries())

    assert (wait.seconds, wait.outcome) == (30, "open")


@pytest.mark.parametrize(
    ("kind", "outcome"), [("expired", "expired"), ("end", "over"), ("asked", "over")]
)
def test_a_wait_ends_as_its_note_says(kind: str, outcome: str) -> None:
    """
    Expired, overtaken by the end, or asked again: each closes the wait with its name.
    """
    made = story.Story()
    made.note(
        10, "asked", "asked", step="g", subject="k0", refs={"who": [["oncall", 1]]}
    )
    made.note(25, kind, "x", step="g", subject="g")

    assert (waits_of(made.entries())[0].seconds, waits_of(made.entries())[0].outcome) == (
        15, outcome,
    )  # fmt: skip


def test_time_that_two_waits_share_counts_once() -> None:
    """
    Two questions side by side do not double the time people were waited for.
    """
    made = story.Story()
    for step, start, end in (("a", 0, 60), ("b", 30, 90), ("c", 200, 210)):
        refs = {"who": [["oncall", 1]]}
        made.note(start, "asked", "asked", step=step, subject=step, refs=refs)
        made.note(end, "expired", "nobody", step=step)

    assert covered_seconds(waits_of(made.entries())) == 100


def test_user_minutes_are_samples_times_time_times_weight() -> None:
    """
    Each sample counts until the next: 600 users for 30 s at weight 0.5 are 150 minutes.
    """
    made = story.Story()
    made.impact(0, 600.0)
    made.impact(30, 60.0)
    made.impact(90, 0.0)
    made.note(100, "end", "ended: resolved", subject="resolved")
    harm = harm_of(made.entries(), weight=0.5)

    assert (harm.user_minutes, harm.lower, harm.upper, harm.peak_users) == (
        180.0, 180.0, 180.0, 600.0,
    )  # fmt: skip


def test_an_unknown_sample_widens_the_bounds_and_is_never_nobody() -> None:
    """
    The estimate carries on, the lower bound counts nobody, the upper the peak.
    """
    made = story.Story()
    made.impact(0, 60.0)
    made.impact(60, 120.0)
    made.impact(120, 30.0)
    made.impact(180, None)
    made.impact(240, 0.0)
    harm = harm_of(made.entries(), weight=1.0)

    assert (harm.user_minutes, harm.lower, harm.upper) == (240.0, 210.0, 330.0)
    assert (harm.unknown_seconds, harm.measured_seconds) == (60, 240)


def test_a_sample_grows_old() -> None:
    """
    A sample that nothing follows counts as seen for two minutes, then as unknown.
    """
    made = story.Story()
    made.impact(0, 60.0)
    made.note(300, "end", "ended: handed_over", subject="handed_over")
    harm = harm_of(made.entries(), weight=1.0)

    assert (harm.user_minutes, harm.lower, harm.upper) == (300.0, 120.0, 300.0)
    assert harm.unknown_seconds == 180


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "many", None])
def test_f30_a_value_that_is_no_number_is_unknown(value: object) -> None:
    """
    NaN, infinity, text and nothing are unknown, not zero users.
    """
    made = story.Story()
    seen = Evidence("users", "users", "pass", "x", {"value": value})
    made.looked(1, "impact0@4:watch.seen", seen)
    harm = harm_of(made.entries(), weight=1.0)

    assert (harm.user_minutes, harm.peak_users, len(harm.samples)) == (None, None, 1)


def test_unknown_checks_are_counted_with_their_last_reason() -> None:
    """
    For data quality: which check, how often, from when to when, why, what was asked.
    """
    made = story.Story()
    for tick, why in ((1, "HTTP 503"), (9, "timeout")):
        made.looked(tick, "0@1:s", Evidence("lag", "lag", "unknown", why, source="q"))
    start = story.START

    assert facts(made.entries()).unknown == (
        UnknownCheck("lag", 2, start + 1, start + 9, "timeout", "q"),
    )


def test_severity_guards_and_the_engine_are_counted() -> None:
    """
    Severity history, guards, restarts, lost answers and late notes are facts.
    """
    made = story.Story()
    made.note(1, "severity", "severity sev3 -> sev2", "users",
              refs={"was": "sev3", "to": "sev2"})  # fmt: skip
    made.note(2, "guard", "guard of cut refused", "too few", subject="cut", target="h3")
    made.event(3, "engine is back", Restarted(lost_seconds=4.5))
    made.event(4, "act ended: unknown", Acted(key="a", outcome="unknown"))
    made.event(5, "note", Noted(by=story.MAY, text="x", about_at=1.0), "may")
    seen = facts(made.entries())

    assert [(one.was, one.to, one.why) for one in seen.severities] == [
        ("sev3", "sev2", "users")
    ]
    assert names(seen.guards) == ["cut h3"]
    assert (seen.crashes, seen.lost_seconds, seen.acts_lost, seen.added_later) == (
        1, 4.5, 1, 1,
    )  # fmt: skip


PLAYED = """
checks:
  bad: {probe: {}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}, undo_if: checks.bad.ok}
raise: [{to: sev1, when: '!checks.bad.ok'}]
isolate: [{act: take}, {say: 'said: by the author', to: status}, {wait: 1m}]
"""


def test_facts_stand_in_fields_that_a_run_writes() -> None:
    """
    A severity, a take-over, what a step said: read from fields, never from the words.
    """
    script = {"checks": {"bad": "fail"}, "people": [{"undo": False}]}
    entries = play(PLAYED, script).entries
    silent = [replace(one, what="") for one in entries]
    found = facts(silent)

    assert [("sev3", "sev1")] == [(one.was, one.to) for one in found.severities]
    assert [] == names(found.held)
    assert ["said: by the author"] == [
        one.refs["said"] for one in entries if "said" in one.refs
    ]
