"""Acts: order, held, done_when, remember, guard, verify, retry, slot, settles."""

from tests.rehearsing import play, shown, told

ACT = """
checks:
  there: {probe: {}, pass: value > 0}
  room: {probe: {}, pass: value > 0}
actions:
  take:
    do: {to: x}
    undo: {do: {back: x}}
    EXTRA
isolate: [{act: take}]
"""


def act(extra: str, **test: object) -> dict[str, object]:
    """Return what one act with these keys shows."""
    return shown(play(ACT.replace("EXTRA", extra), test))


def test_an_act_is_done_and_given_back() -> None:
    """What is taken is given back before the run is resolved."""
    expected = {"end": "resolved", "did": ["take"], "undone": ["take"], "held": []}

    assert expected == act("")


def test_done_already_is_neither_done_nor_held() -> None:
    """done_when true before the first intent: nothing to do, nothing held."""
    expected = {"end": "resolved", "did": [], "undone": [], "held": []}

    assert expected == act("done_when: checks.there.ok", checks={"there": "pass"})


def test_a_failed_act_stays_held() -> None:
    """A failed act is held until somebody says that it did not happen."""
    expected = {"end": "handed_over", "did": [], "undone": [], "held": ["take"]}

    assert expected == act("", actions={"take": "fail"})


def test_a_failed_act_that_done_when_denies_is_not_held() -> None:
    """done_when says after a failure that it did not happen: nothing is held."""
    expected = {"end": "handed_over", "did": [], "undone": [], "held": []}

    assert expected == act(
        "done_when: checks.there.ok", actions={"take": "fail"}, checks={"there": "fail"}
    )


def test_a_lost_answer_is_found_by_done_when() -> None:
    """The answer was lost, done_when says done: the act counts, and is held."""
    rehearsed = play(
        ACT.replace("EXTRA", "done_when: checks.there.ok"),
        {"actions": {"take": "lost"}, "checks": {"there": ["fail", "pass"]}},
    )
    expected = {"end": "resolved", "did": ["take"], "undone": ["take"], "held": []}

    assert expected == shown(rehearsed)
    assert ["did take"] == told(rehearsed, "did")


def test_f79_success_that_did_nothing_is_caught_by_verify() -> None:
    """An act that answers ok but whose effect never shows fails, and stays held."""
    rehearsed = play(
        ACT.replace("EXTRA", "verify: checks.there.ok\n    verify_within: 20s"),
        {"checks": {"there": "fail"}},
    )
    expected = {"end": "handed_over", "did": ["take"], "undone": [], "held": ["take"]}

    assert expected == shown(rehearsed)
    assert 20.0 == rehearsed.seen.seconds


def test_f78_verify_that_fails_may_undo() -> None:
    """on_fail: undo gives back what a failed verify leaves held."""
    text = ACT.replace("EXTRA", "verify: checks.there.ok\n    verify_within: 5s")
    rehearsed = play(
        text.replace("{act: take}", "{act: take, on_fail: undo}"),
        {"checks": {"there": "fail"}},
    )
    expected = {"end": "handed_over", "did": ["take"], "undone": ["take"], "held": []}

    assert expected == shown(rehearsed)


def test_unknown_memory_means_no_act() -> None:
    """Without the value to be remembered there is no act."""
    extra = "remember: {old: {check: there, value: json.limit}}"
    expected = {"end": "handed_over", "did": [], "undone": [], "held": []}

    assert expected == act(extra, checks={"there": "unknown"})


def test_the_undo_gives_back_what_was_remembered() -> None:
    """The undo is rendered at the intent, with the value from before."""
    text = ACT.replace("EXTRA", "remember: {old: {check: there, value: json.limit}}")
    text = text.replace("{back: x}", "{back: '{{ old }}'}")
    rehearsed = play(text, {"checks": {"there": [{"value": 1, "json": {"limit": 7}}]}})
    intents = [
        entry.refs["undo"] for entry in rehearsed.entries if entry.kind == "intent"
    ]

    assert [{"back": 7}] == intents


def test_f38_a_guard_that_is_not_true_refuses() -> None:
    """The guard is looked at right before the act; false or unknown refuses."""
    refused = {"end": "handed_over", "did": [], "undone": [], "held": []}

    assert refused == act("guard: checks.room.ok", checks={"room": "fail"})
    assert refused == act("guard: checks.room.ok", checks={"room": "unknown"})
    assert ["take"] == act("guard: checks.room.ok", checks={"room": "pass"})["did"]


def test_a_failure_is_tried_again_with_growing_waits() -> None:
    """retry: so many more tries, each wait longer, none above at_most."""
    rehearsed = play(
        ACT.replace("EXTRA", "retry: {times: 3, wait: 2s, grow: 3.0, at_most: 10s}"),
        {"actions": {"take": ["fail", "fail", "fail", "ok"]}},
    )

    assert ["try 2 in 2s", "try 3 in 6s", "try 4 in 10s"] == told(rehearsed, "retry")
    assert 18.0 == rehearsed.seen.seconds


def test_a_time_out_is_not_repeated_blindly() -> None:
    """After a time-out there is no second try unless done_when says not done."""
    retry = "retry: {times: 1, wait: 1s}\n    timeout: 10s"
    held = {"end": "handed_over", "did": [], "undone": [], "held": ["take"]}
    done = {"end": "resolved", "did": ["take"], "undone": ["take"], "held": []}
    script = {"actions": {"take": ["timeout", "ok"]}}

    assert held == act(retry, **script)
    assert done == act(f"{retry}\n    after_crash: repeat", **script)
    assert done == act(
        f"{retry}\n    done_when: checks.there.ok",
        checks={"there": ["fail", "fail", "pass"]},
        **script,
    )


def test_a_second_act_on_a_held_slot_joins_it() -> None:
    """A ramp on one slot is given back once, by the first undo."""
    text = """
actions:
  half: {do: {}, undo: {do: {back: 1}}, slot: weight}
  all: {do: {}, undo: {do: {back: 2}}, slot: weight}
isolate: [{act: half}, {act: all}]
"""
    expected = {
        "end": "resolved",
        "did": ["half", "all"],
        "undone": ["half"],
        "held": [],
    }

    assert expected == shown(play(text))


def test_settled_acts_are_no_longer_undone() -> None:
    """After the point of no return what would do harm is not undone."""
    text = """
actions:
  fence: {do: {}, undo: {do: {back: 1}}}
  promote: {do: {}, undo: {do: {back: 2}}, settles: [fence]}
isolate: [{act: fence}, {act: promote}]
"""
    rehearsed = play(text)

    assert ["promote"] == rehearsed.seen.undone
    assert ["point of no return: fence is no longer undone"] == told(
        rehearsed, "settled"
    )


def test_an_act_without_an_undo_needs_a_yes() -> None:
    """Without an approval on its path, an act that cannot be undone is refused."""
    text = """
actions:
  drop: {do: {}, undo: none, why_no_undo: gone is gone}
workaround:
  only:
    - {act: drop}
"""
    gate = "    - {approve: 'drop?', from: {group: owners}}\n    - {act: drop}"
    refused = {"end": "handed_over", "did": [], "undone": [], "held": []}
    done = {"end": "resolved", "did": ["drop"], "undone": [], "held": []}

    assert refused == shown(play(text))
    assert done == shown(
        play(text.replace("    - {act: drop}", gate), {"people": ["approve"]})
    )


def test_kinds_may_undo_by_themselves_or_leave_nothing() -> None:
    """A built-in undo is held and given back; a page leaves nothing."""
    text = """
actions:
  quiet: {silence: {a: b}}
  call: {page: {}}
isolate: [{act: quiet}, {act: call}]
"""
    expected = {
        "end": "resolved",
        "did": ["quiet", "call"],
        "undone": ["quiet"],
        "held": [],
    }

    assert expected == shown(play(text))


def test_when_unknown_skips_an_act_loudly() -> None:
    """Unknown never counts as true: the act is skipped, and people are told."""
    text = ACT.replace("EXTRA", "").replace(
        "{act: take}", "{act: take, when: checks.room.ok}"
    )
    rehearsed = play(text)

    assert ["take"] == rehearsed.seen.skipped
    assert ["act take SKIPPED"] == told(rehearsed, "skipped")


def test_on_unknown_decides_otherwise() -> None:
    """on_unknown: do acts, hand_over hands over."""
    step = "{act: take, when: checks.room.ok, on_unknown: %s}"
    text = ACT.replace("EXTRA", "")

    assert ["take"] == play(text.replace("{act: take}", step % "do")).seen.did
    assert (
        "handed_over" == play(text.replace("{act: take}", step % "hand_over")).seen.end
    )
