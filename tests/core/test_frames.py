"""A sub-runbook for each target: what one was allowed or took is not another's."""

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

    assert (["b", "a"], "resolved") == (undone, rehearsed.seen.end)
