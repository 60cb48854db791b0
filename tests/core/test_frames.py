"""Several targets: what one was allowed, took or settled is not another's."""

import pytest

from tests.rehearsing import play, shown, told

EACH = """
inputs: {hosts: {type: list, of: string, max: 20, default: HOSTS}}
isolate:
  - each: hosts
    as: host
    batch: BATCH
    do: [{run: sub, with: {host: '{{ host }}'}}]
"""
ASKS = """
inputs: {host: {type: string}}
actions:
  drop: {do: {host: '{{ host }}'}, undo: none, why_no_undo: gone, risk: high}
isolate:
  - {approve: 'Drop {{ host }}?', from: [{group: ops}], GATE}
  - act: drop
"""
TAKES = """
inputs: {host: {type: string}}
actions:
  take: {do: {host: '{{ host }}'}, undo: {do: {back: '{{ host }}'}}}
isolate: [{act: take}]
diagnose: [{wait: 10s}]
restore: [{undo: all}]
"""
BESIDE = """
inputs: {hosts: {type: list, of: string, default: [a, b]}}
actions:
  take: {do: {host: '{{ host }}'}, undo: {do: {back: '{{ host }}'}}}
isolate:
  - {each: hosts, as: host, do: [{act: take}]}
restore:
  - STEP
"""


def each(hosts: list[str], batch: str) -> str:
    """Return a runbook that runs another one for each host."""
    return EACH.replace("HOSTS", f"[{', '.join(hosts)}]").replace("BATCH", batch)


@pytest.mark.parametrize("batch", ["[1]", "[2]"], ids=["in turn", "side by side"])
def test_each_target_has_its_own_approval(batch: str) -> None:
    """The yes for the first one's command does not make the second one's void."""
    sub = ASKS.replace("GATE", "within: 5m")
    rehearsed = play(
        each(["a", "b"], batch), {"people": ["approve", "approve"]}, {"sub": sub}
    )

    assert (["drop", "drop"], "resolved") == (rehearsed.seen.did, rehearsed.seen.end)
    assert [] == told(rehearsed, "void")


def test_the_yes_for_one_target_opens_nothing_for_another() -> None:
    """A gate that is skipped for the second target leaves its act without approval."""
    sub = ASKS.replace("GATE", """when: 'host == "a"'""")
    rehearsed = play(each(["a", "b"], "[1]"), {"people": ["approve"]}, {"sub": sub})

    assert (["drop"], "handed_over") == (rehearsed.seen.did, rehearsed.seen.end)


def test_twelve_side_by_side_give_back_only_their_own() -> None:
    """The second target's runbook is not the eleventh's: each gives back once."""
    hosts = [f"h{number}" for number in range(12)]
    rehearsed = play(each(hosts, "[12]"), library={"sub": TAKES})

    assert {
        "end": "resolved", "did": ["take"] * 12, "undone": ["take"] * 12, "held": [],
    } == shown(rehearsed)  # fmt: skip


@pytest.mark.parametrize(
    "step",
    [
        "{all: [{undo: take}, {undo: all}]}",
        "{each: hosts, as: host, batch: [2], do: [{undo: take}]}",
    ],
    ids=["all", "each"],
)
def test_two_undo_steps_side_by_side_give_back_each_thing_once(step: str) -> None:
    """What one is giving back already is left to it by the other."""
    rehearsed = play(BESIDE.replace("STEP", step))
    undone = [one.target for one in rehearsed.entries if one.kind == "undoing"]

    assert (["a", "b"], "resolved") == (sorted(undone), rehearsed.seen.end)


def test_undo_inside_each_gives_back_what_its_target_took() -> None:
    """Giving back host by host stays so: the first target does not undo the others."""
    step = "{each: hosts, as: host, batch: [1], pause: 1m, do: [{undo: take}]}"
    rehearsed = play(BESIDE.replace("STEP", step))
    undone = [(one.target, one.at) for one in rehearsed.entries if one.kind == "undone"]

    assert ["a", "b"] == [target for target, _ in undone]
    assert 60.0 == undone[1][1] - undone[0][1]


def test_a_target_settles_what_was_taken_for_itself_alone() -> None:
    """Past the point of no return for one host, the other one's is still undone."""
    text = BESIDE.replace(
        "isolate:", "  go: {do: {}, undo: {do: {}}, settles: [take]}\nisolate:"
    )
    step = "{each: '[\"a\"]', as: host, do: [{act: go}]}\n  - {undo: take}"
    rehearsed = play(text.replace("STEP", step))

    assert ["take"] == rehearsed.seen.undone
    assert ["b"] == [one.target for one in rehearsed.entries if one.kind == "undone"]


ROUNDS = """
isolate:
  - {repeat: 2, do: [{run: sub}]}
"""
LEARNS = """
checks:
  one: {probe: {}, pass: value > 0, fresh_for: 1h}
actions:
  take: {do: {}, undo: {do: {}}}
isolate: [{act: take}]
diagnose:
  - cause:
      - {name: first, when: checks.one.ok, workaround: by-hand}
      - {name: other}
workaround: {by-hand: [{say: by hand}]}
restore: [{say: kept}]
"""


def test_each_round_runs_a_sub_runbook_anew() -> None:
    """
    The second round looks again, finds its own cause, and holds what it took beside
    what the first one holds.
    """
    script = {"checks": {"one": ["pass", "fail"]}}
    rehearsed = play(ROUNDS, script, {"sub": LEARNS})
    expected = {
        "end": "resolved", "did": ["take"] * 2, "undone": ["take"] * 2, "held": [],
    }  # fmt: skip

    assert expected == shown(rehearsed)
    assert ["cause: first", "cause: other"] == told(rehearsed, "cause")
    assert ["said: by hand", "said: kept", "said: kept"] == [
        what for what in told(rehearsed, "step") if what.startswith("said")
    ]


def test_what_a_sub_runbook_does_for_a_target_names_it() -> None:
    """Intent, act, undo and what stays held say which target of the list it was for."""
    hosts = each(["a", "b"], "[1]") + "restore: [{say: kept}]"
    script = {"actions": {"take": ["ok", "fail"]}}
    rehearsed = play(hosts, script, {"sub": TAKES})
    entries = rehearsed.entries

    assert [("intent", "a"), ("did", "a"), ("undoing", "a"), ("undone", "a"),
            ("intent", "b"), ("failed", "b")] == [
        (one.kind, one.target)
        for one in entries
        if one.kind in ("intent", "did", "undoing", "undone")
        or (one.kind == "failed" and one.what.startswith("act take"))
    ]  # fmt: skip
    assert [("take", "b")] == [
        (one.action, one.target) for one in rehearsed.summary.held
    ]


def test_what_another_targets_sub_runbook_holds_is_not_given_back() -> None:
    """An undo behind a sub-runbook gives back what it left held for this target."""
    behind = """{wait: 1s}, {undo: all, when: 'host == "a"'}]"""
    text = each(["a", "b"], "[2]").replace("}}]", "}}, " + behind)
    left = TAKES.replace("restore: [{undo: all}]", "restore: [{say: kept}]")
    rehearsed = play(text + "restore: [{undo: all}]", library={"sub": left})

    assert ["a", "b"] == [
        one.target for one in rehearsed.entries if one.kind == "undone"
    ]
