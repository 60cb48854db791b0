"""Rehearsals: what a script says happens, and what a test may expect of it."""

from tests.rehearsing import play

TAKE = """
checks:
  bad: {probe: {}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}, done_when: checks.bad.ok, after_crash: verify}
  keep: {do: {}, undo: {do: {}}}
"""
WAITS = TAKE + "isolate: [{act: keep}, {wait: 5m}, {act: take}]\n"


def test_a_hold_that_nobody_lifts_leaves_the_run_on_hold() -> None:
    """The next act waits for ever; the rehearsal does not, whatever is polled."""
    stop = "stop_when: [{when: '!checks.bad.ok', every: 30s, then: undo}]\n"
    for text in (WAITS, stop + WAITS):
        events = [{"at": "1m", "do": "hold"}]
        seen = play(text, {"events": events, "checks": {"bad": "unknown"}}).seen

        assert ("on_hold", ["keep"], ["keep"]) == (seen.end, seen.did, seen.held)


def test_the_second_hold_lifts_the_first() -> None:
    """Set at 1m, lifted at 8m: the act goes on then."""
    events = [{"at": "1m", "do": "hold"}, {"at": "8m", "do": "hold"}]
    script = {"events": events, "checks": {"bad": ["fail", "pass"]}}
    seen = play(WAITS, script).seen

    assert ("resolved", ["keep", "take"], 480.0) == (seen.end, seen.did, seen.seconds)


def test_a_hold_waits_for_a_lifting_that_comes_days_later() -> None:
    """A script that is not over yet is waited for."""
    events = [{"at": "1m", "do": "hold"}, {"at": "50h", "do": "cancel"}]
    seen = play(WAITS, {"events": events}).seen

    assert ("cancelled", ["keep"]) == (seen.end, seen.undone)


def test_a_lost_act_was_done_though_the_engine_died_meanwhile() -> None:
    """`lost`: done, but the answer never came; a crash does not unmake it."""
    script = {
        "actions": {"take": "lost"},
        "checks": {"bad": ["fail", "pass"]},
        "events": [{"at": "7s", "do": "crash"}],
    }
    seen = play(TAKE + "isolate: [{act: take}]\n", script).seen

    assert ("resolved", ["take"], ["take"]) == (seen.end, seen.did, seen.undone)


def test_asked_takes_the_name_the_text_the_group_or_the_place() -> None:
    """`asked` names a step as its author does."""
    text = TAKE + (
        "isolate:\n"
        "  - {ask: 'How bad?', name: size, who: ops, fields: {n: integer}}\n"
        "  - {ask: 'Why?', who: devs, fields: {n: integer}}\n"
    )
    for asked in (
        ["size", "isolate/2"],
        ["How bad?", "Why?"],
        ["ops", "devs"],
        ["isolate/1", "devs"],
        2,
    ):
        script = {"people": [{"n": 1}, {"n": 2}], "expect": {"asked": asked}}

        assert [] == play(text, script).problems
    script = {"people": [{"n": 1}, {"n": 2}], "expect": {"asked": ["size", "who"]}}
    wrong = "asked: expected [size, who], was [size, isolate/2]"
    assert [wrong] == play(text, script).problems


def test_a_script_that_never_ends_is_a_problem_of_its_test(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """What waits for ever is told, and the other tests are played."""
    monkeypatch.setattr("engine.runtime.virtual_time.MOST_SECONDS", 60.0)

    assert ["the rehearsal takes more than 60 days"] == play(WAITS).problems
