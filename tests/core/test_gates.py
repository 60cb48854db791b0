"""Approvals: who, until when, for which plan; F61-F69, G3, G7."""

import pytest

from engine.core.advance import advance
from engine.core.plan import plan_hash
from engine.core.policy import unfilled
from engine.core.record import Record
from engine.model.effects import Ask, Close, Note
from engine.model.events import Locked, Looked, Started, Voted
from engine.model.evidence import Evidence
from engine.model.people import Actor, PlannedAct
from tests.rehearsing import compiled, play, shown, told

GATE = """
checks:
  bad: {probe: {}, pass: value > 0}
actions:
  fix: {do: {to: x}, undo: none, why_no_undo: final}
workaround:
  only:
    - approve: Fix it?
      from: GROUPS
      within: 10m
      EXTRA
    - act: fix
  by-hand:
    - hand_over: owners
diagnose:
  - cause: [{name: it, workaround: only}]
"""
DONE = {"end": "resolved", "did": ["fix"], "undone": [], "held": []}
HANDED = {"end": "handed_over", "did": [], "undone": [], "held": []}


def gate(
    groups: str = "{group: a}", extra: str = "", **test: object
) -> dict[str, object]:
    """Return what a gate with these keys shows."""
    text = GATE.replace("GROUPS", groups).replace("EXTRA", extra)
    return shown(play(text, test))


def test_a_yes_opens_the_gate() -> None:
    """One yes of the group that is asked."""
    assert DONE == gate(people=["approve"])


def test_f69_silence_is_never_consent() -> None:
    """Nobody answers: the gate expires, and the run is handed over."""
    assert HANDED == gate(people=["silence"])
    assert HANDED == gate()


def test_a_no_is_a_no() -> None:
    """One no ends it, whoever said yes before."""
    assert HANDED == gate(people=["reject"])
    assert HANDED == gate("[{group: a}, {group: b}]", people=["approve", "reject"])


def test_every_entry_must_be_met() -> None:
    """Two groups: a yes of each."""
    assert HANDED == gate("[{group: a}, {group: b}]", people=["approve", "silence"])
    assert DONE == gate("[{group: a}, {group: b}]", people=["approve", "approve"])
    assert DONE == gate("{group: a, need: 2}", people=["approve", "approve"])


def test_unanswered_goes_to_the_next_circle() -> None:
    """After `within`, `then` is asked; votes do not carry over."""
    then = "then: {group: b, need: 1, within: 5m}"
    text = GATE.replace("GROUPS", "{group: a}").replace("EXTRA", then)
    rehearsed = play(text, {"people": ["silence", "approve"]})

    assert DONE == shown(rehearsed)
    assert 600.0 == rehearsed.seen.seconds
    assert HANDED == gate(extra=then, people=["silence", "silence"])


def test_where_a_no_and_silence_lead() -> None:
    """on_reject and on_expire name a workaround, or give everything back."""
    by_hand = play(
        GATE.replace("GROUPS", "{group: a}").replace("EXTRA", "on_reject: by-hand"),
        {"people": ["reject"]},
    )

    assert "workaround.by-hand/1" in by_hand.seen.path
    assert "it" == by_hand.seen.cause


def test_unless_opens_the_gate_only_when_true() -> None:
    """`unless: auto` needs autonomy auto; CEL opens when true, never when unknown."""
    unless = "unless: checks.bad.ok"

    assert HANDED == gate(extra="unless: auto")
    assert DONE == gate(extra=unless, checks={"bad": "pass"})
    assert HANDED == gate(extra=unless, checks={"bad": "fail"})
    assert HANDED == gate(extra=unless, checks={"bad": "unknown"})


def test_autonomy_auto_opens_unless_auto() -> None:
    """In a runbook that may act by itself, `unless: auto` needs nobody."""
    text = "format: 1\nrunbook: small\ntitle: t\nowner: o\nseverity: sev3\nautonomy: auto\n"
    text += GATE.replace("GROUPS", "{group: a}").replace("EXTRA", "unless: auto")

    assert DONE == shown(play(text))


def test_g7_a_gate_with_an_unknown_when_still_asks() -> None:
    """Nothing unknown opens a gate."""
    text = GATE.replace("GROUPS", "{group: a}").replace("EXTRA", "when: checks.bad.ok")

    assert 1 == len(play(text, {"people": ["silence"]}).seen.asked)


def opened(groups: str = "{group: a}", extra: str = "") -> tuple[object, Record, Ask]:
    """Return the code, the record, and the question of a gate that asks."""
    code = compiled(GATE.replace("GROUPS", groups).replace("EXTRA", extra))
    record, effects = advance(
        code, Record(), Started(run="r", revision="rev", by=Actor("ana"))
    )
    return code, record, next(one for one in effects if isinstance(one, Ask))


def vote(
    who: str, *groups: str, plan: str, key: str, say: str = "approve", **more: str
) -> Voted:
    """Return a person's vote."""
    by = Actor(who, groups=groups)
    return Voted(key=key, by=by, vote=say, plan=plan, **more)  # type: ignore[arg-type]


def notes(effects: list[object]) -> list[tuple[str, str]]:
    """Return kind and why of every note."""
    return [(one.kind, one.why) for one in effects if isinstance(one, Note)]


def refusal(extra: str, event_of: object) -> list[tuple[str, str]]:
    """Return what one vote leads to."""
    code, record, ask = opened(extra=extra)
    plan = ask.question.plan
    assert plan is not None
    event = event_of(ask.key, plan.hash)  # type: ignore[operator]
    _, effects = advance(code, record, event)  # type: ignore[arg-type]
    return notes(effects)


def test_f62_who_is_not_asked_does_not_count() -> None:
    """A vote from outside the group is refused, with the reason."""
    assert [("refused", "eve is not in a")] == refusal(
        "", lambda key, plan: vote("eve", "b", plan=plan, key=key)
    )


def test_f63_one_person_fills_one_place() -> None:
    """The same person twice counts once; the requester does not count where barred."""
    code, record, ask = opened("{group: a, need: 2}")
    assert ask.question.plan is not None
    plan = ask.question.plan.hash
    record, _ = advance(code, record, vote("bo", "a", plan=plan, key=ask.key))
    _, again = advance(code, record, vote("bo", "a", plan=plan, key=ask.key))

    assert [("refused", "one person fills one place")] == notes(again)
    assert [("refused", "ana asked for this run")] == refusal(
        "not_by: requester", lambda key, plan: vote("ana", "a", plan=plan, key=key)
    )


def test_f64_a_vote_for_another_plan_does_not_count() -> None:
    """Only the hash of the plan that stands counts."""
    assert [
        ("refused", "the answer is for another plan than the one that stands")
    ] == refusal("", lambda key, plan: vote("bo", "a", plan="old", key=key))


def test_retype_has_to_be_typed() -> None:
    """The approver types what the gate asks for."""
    assert [("refused", "'prod' has to be typed")] == refusal(
        "retype: prod",
        lambda key, plan: vote("bo", "a", plan=plan, key=key, typed="prd"),
    )


def test_f61_a_vote_told_three_times_is_one_vote() -> None:
    """A retried click after the gate closed changes nothing but says so."""
    code, record, ask = opened()
    assert ask.question.plan is not None
    click = vote("bo", "a", plan=ask.question.plan.hash, key=ask.key)
    record, first = advance(code, record, click)
    again, effects = advance(code, record, click)

    assert 1 == len([one for one in first if isinstance(one, Close)])
    assert record == again
    assert [("refused", "the question is closed")] == notes(effects)


def test_f65_a_reject_wins_until_the_act_begins() -> None:
    """After the yes, but before the intent, a no still stops it."""
    text = GATE.replace("GROUPS", "{group: a}").replace("EXTRA", "")
    code = compiled(
        text.replace("why_no_undo: final", "why_no_undo: f, guard: checks.bad.ok")
    )
    start = Started(run="r", revision="rev", by=Actor("ana"))
    record, effects = advance(code, Record(), start)
    ask = next(one for one in effects if isinstance(one, Ask))
    assert ask.question.plan is not None
    plan = ask.question.plan.hash
    record, _ = advance(code, record, vote("bo", "a", plan=plan, key=ask.key))
    record, _ = advance(
        code, record, vote("cy", "a", plan=plan, key=ask.key, say="reject")
    )

    assert ("handed_over", False) == (record.end, record.acted)


def test_g3_a_plan_that_changes_voids_the_approval() -> None:
    """A state that the approval was given on is different when the act begins: ask again."""
    text = """
checks:
  bad: {probe: {}, pass: value > 0, fresh_for: 10s}
actions:
  fix: {do: {to: x}, undo: none, why_no_undo: final}
diagnose:
  - cause:
    - {name: it, when: '!checks.bad.ok', workaround: only}
    - {name: other}
workaround:
  only:
    - {approve: 'Fix?', from: {group: a}}
    - {wait: 1m}
    - {act: fix}
"""
    rehearsed = play(
        text, {"checks": {"bad": ["fail", "pass"]}, "people": ["approve", "silence"]}
    )
    voids = [entry.why for entry in rehearsed.entries if entry.kind == "void"]

    assert HANDED == shown(rehearsed)
    assert ["bad was fail, is pass"] == voids
    assert 2 == len(rehearsed.seen.asked)
    assert 600.0 == rehearsed.seen.seconds  # `within` counts from the first asking


TWO_ACTS = """
checks:
  bad: {probe: {}, pass: value > 0, fresh_for: 10s}
  fixed: {probe: {}, pass: value > 0, fresh_for: 10s}
actions:
  fix: {do: {to: x}, undo: none, why_no_undo: final, done_when: checks.fixed.ok}
  more: {do: {to: y}, undo: none, why_no_undo: final}
diagnose:
  - check: fixed
  - cause:
    - {name: it, when: '!checks.bad.ok', workaround: only}
    - {name: other}
workaround:
  only:
    - {approve: 'Fix?', from: {group: a}}
    - {act: fix}
    - {wait: 1m}
    - {act: more}
"""


def test_what_an_approved_act_changes_voids_nothing() -> None:
    """The first act makes its own check pass: the second one is still approved."""
    checks = {"bad": "fail", "fixed": ["fail", "fail", "pass"]}
    rehearsed = play(TWO_ACTS, {"checks": checks, "people": ["approve"]})

    assert ["fix", "more"] == rehearsed.seen.did
    assert 1 == len(rehearsed.seen.asked)


def test_what_is_asked_again_is_what_is_still_to_come() -> None:
    """A changed cause voids the rest; the new plan is without the act that is done."""
    checks = {"bad": ["fail", "pass"], "fixed": ["fail", "fail", "pass"]}
    rehearsed = play(TWO_ACTS, {"checks": checks, "people": ["approve", "approve"]})
    fix = PlannedAct("fix", kind="do", command={"to": "x"})
    more = PlannedAct("more", kind="do", command={"to": "y"})

    assert [
        plan_hash("rev", (fix, more), {"bad": "fail", "fixed": "fail"}),
        plan_hash("rev", (more,), {"bad": "pass"}),
    ] == [one.refs["plan"] for one in rehearsed.entries if one.kind == "asked"]
    assert ["fix", "more"] == rehearsed.seen.did


def test_an_approval_that_still_fits_is_not_asked_again() -> None:
    """Old evidence is looked at again; the same state keeps the approval."""
    text = GATE.replace("GROUPS", "{group: a}").replace("EXTRA", "")
    text = text.replace("    - act: fix", "    - wait: 5m\n    - act: fix")

    assert DONE == shown(play(text, {"people": ["approve"]}))


@pytest.mark.parametrize(
    ("needs", "people", "short"),
    [
        ([("a", 1), ("b", 1)], {"x": ["a", "b"], "y": ["a"]}, {}),
        ([("a", 1), ("b", 1)], {"x": ["a", "b"]}, {"b": 1}),
        ([("a", 2)], {"x": ["a"], "y": ["b"]}, {"a": 1}),
        ([("ana", 1)], {"ana": []}, {}),
    ],
)
def test_places_are_filled_as_well_as_can_be(
    needs: list[tuple[str, int]], people: dict[str, list[str]], short: dict[str, int]
) -> None:
    """The order in which people answer does not matter; one person, one place."""
    assert short == unfilled(needs, people)


def test_evidence_that_nobody_waits_for_changes_nothing() -> None:
    """Stray events leave the record as it is."""
    code, record, _ = opened()
    seen = Evidence("bad", "bad", "pass", "")
    strays = [Looked(key="x", evidence=(seen,)), Locked(key="y")]

    assert [record, record] == [advance(code, record, stray)[0] for stray in strays]  # type: ignore[arg-type]


def test_a_gate_shows_the_plan() -> None:
    """What people approve names the act, the command and that there is no way back."""
    _, _, ask = opened()
    assert ask.question.plan is not None
    planned = [
        (act.action, act.command, act.reversible) for act in ask.question.plan.acts
    ]

    assert [("fix", {"to": "x"}, False)] == planned


def test_the_timeline_says_who_said_yes() -> None:
    """Each yes is an entry, with the plan it was for."""
    text = GATE.replace("GROUPS", "{group: a}").replace("EXTRA", "")

    assert ["person-1 said yes"] == told(
        play(text, {"people": ["approve"]}), "approved"
    )
