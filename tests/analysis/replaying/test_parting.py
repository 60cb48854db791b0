"""Another version on a recorded run: where the decisions part, and what can come then."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from engine import bootstrap
from engine.analysis.replaying.branches import branches
from engine.analysis.replaying.history import read_history
from engine.analysis.replaying.parting import Parting, Side, parting
from engine.core.code import CompiledRunbook
from engine.model.run import ENDS
from engine.runtime.journal import events_of
from engine.runtime.library import compiled_from
from tests.analysis.proof.random_runbooks import scripts, texts
from tests.rehearsing import compiled, play

HISTORIES: Final = Path(__file__).parents[2] / "histories"
KINDS: Final = bootstrap.kinds()
Told = tuple[int, str | None, str | None, tuple[str, ...]]


def code_of(kept: str) -> CompiledRunbook:
    """Return the code of texts as they are kept."""
    return compiled_from(kept, hashlib.sha256(kept.encode()).hexdigest(), KINDS)


def with_edit(name: str, before: str, after: str) -> tuple[Parting, CompiledRunbook]:
    """Return what an edit of its runbook makes of a recorded run."""
    file = HISTORIES / f"0.1.0-{name}.jsonl"
    history = read_history(file.read_bytes(), str(file))
    kept = json.loads(history.texts)
    text = kept["texts"][kept["main"]]
    assert before in text
    kept["texts"][kept["main"]] = text.replace(before, after, 1)
    new = code_of(json.dumps(kept, sort_keys=True))
    return parting(code_of(history.texts), new, events_of(history.entries)), new


def told(found: Parting) -> Told:
    """Return the same decisions, both sides, and what nobody asked then."""
    sides = [
        one.note.what if one is not None else None for one in (found.then, found.now)
    ]
    return found.same, sides[0], sides[1], found.unseen


LOOKS: Final = "  - all:\n      - check: delivery_p99"


@pytest.mark.parametrize(
    ("name", "before", "after", "decisions"),
    [
        ("consumer-stall", "owner: messaging", "owner: messaging", 22),
        ("media-saturation", "owner: media", "owner: media", 24),
        ("bad-rollout", "owner: messaging", "owner: messaging", 22),
        ("killed", "owner: ops", "owner: ops", 33),
        ("consumer-stall", "pass: value < 25.0", "pass: value < 24.0", 22),
        ("consumer-stall", LOOKS, f"  - check: pipeline_locked\n{LOOKS}", 22),
        ("consumer-stall", LOOKS, f"  - say: We look.\n{LOOKS}", 22),
        ("consumer-stall", "    hold: 4s ", "    hold: 3s ", 22),
        ("bad-rollout", "      - check: lag\n", "", 22),
        ("bad-rollout", "title: Messages", "title: All messages", 22),
    ],
    ids=lambda one: str(one).strip().split("\n")[0][:20],
)  # fmt: skip
def test_what_changes_no_decision_parts_nothing(
    name: str, before: str, after: str, decisions: int
) -> None:
    """Other words, other numbers of steps, a look that is known, a look less."""
    found, _ = with_edit(name, before, after)

    assert Parting(decisions, decisions) == found


@pytest.mark.parametrize(
    ("name", "before", "after", "expected", "ends"),
    [
        (
            "consumer-stall",
            "pass: value < 25.0",
            "pass: value < 1000.0",
            (8, "cause: too-few-consumers", "cause: not-found", ()),
            {("handed_over", "not-found"), ("resolved", "not-found")},
        ),
        (
            "consumer-stall",
            "json: {replicas: 8}}",
            "json: {replicas: 6}}",
            (11, "about to do add_consumers", "about to do add_consumers", ()),
            {("handed_over", "too-few-consumers"), ("resolved", "too-few-consumers")},
        ),
        (
            "consumer-stall",
            "    - wait_for: delivery_p99\n      within: 5m",
            "    - wait_for: delivery_p99\n      within: 5s",
            (
                13,
                "wait_for delivery_p99: true",
                (
                    "wait_for delivery_p99: not true within 0:00:05: delivery_p99 fail "
                    "(value 7.28428571429, pass: value < 1.0)"
                ),
                (),
            ),
            {("handed_over", "too-few-consumers"), ("resolved", "too-few-consumers")},
        ),
        (
            "consumer-stall",
            "      - check: consumers",
            "      - check: consumers\n      - check: lane_open",
            (8, "cause: too-few-consumers", None, ("look at lane_open",)),
            {("handed_over", "too-few-consumers"), ("resolved", "too-few-consumers")},
        ),
        (
            "bad-rollout",
            "Roll the router back in",
            "May we roll back in",
            (
                11,
                "asked 1 of messaging-oncall: Roll the router back in eu-west?",
                "asked 1 of messaging-oncall: May we roll back in eu-west?",
                (),
            ),
            {("handed_over", "bad-rollout"), ("resolved", "bad-rollout")},
        ),
        (
            "killed",
            "isolate:\n  - act: open\n",
            "isolate:\n",
            (3, "about to do open", "about to do close", ()),
            {
                ("handed_over", ""),
                ("handed_over", "doors"),
                ("handed_over", "other"),
                ("resolved", "doors"),
            },
        ),
    ],
)
def test_where_a_change_decides_otherwise(
    name: str,
    before: str,
    after: str,
    expected: Told,
    ends: set[tuple[str, str]],
) -> None:
    """Both sides of the first other decision, and every end that can come of it."""
    found, new = with_edit(name, before, after)
    assert found.standing is not None
    then = branches(new, found.standing)

    assert expected == told(found)
    assert (True, ends) == (then.whole, {(one.end, one.cause) for one in then.ways})


SMALL: Final = """
checks:
  a: {probe: {}, pass: value > 0, fresh_for: 5m}
  b: {probe: {x: 1}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}}
confirm: [{check: a}]
diagnose:
  - {check: b}
  - wait: 1m
  - {act: take, when: checks.a.ok}
"""


@pytest.mark.parametrize(
    ("fresh_for", "looks_at"), [("5m", "give back"), ("10s", "act take")]
)
def test_only_what_is_still_fresh_counts_after_they_part(
    fresh_for: str, looks_at: str
) -> None:
    """`a` failed a minute ago: fresh, the act is skipped on every branch; old, open."""
    old = SMALL.replace("fresh_for: 5m", f"fresh_for: {fresh_for}")
    new = compiled(
        old.replace("{check: b}", "{check: b, expect: pass, on_fail: continue}")
    )
    run = play(old, {"checks": {"a": "fail", "b": "fail"}})
    found = parting(compiled(old), new, events_of(run.entries))
    assert found.standing is not None
    ways = branches(new, found.standing).ways

    assert {("60s are over (wait)", looks_at)} == {
        (one.steps[0].told, one.steps[1].step) for one in ways
    }


def test_inputs_that_do_not_fit_are_told() -> None:
    """A version that asks for an input which that run had not cannot begin."""
    run = play(SMALL)
    new = compiled(SMALL + "inputs: {host: {type: string}}\n")

    assert Parting(
        0,
        len(_notes(run)),
        problems=("input 'host' has no value. Give it one: host=…",),
    ) == parting(compiled(SMALL), new, events_of(run.entries))


def _notes(run: Any) -> list[Any]:
    from engine.analysis.replaying.alike import DECIDED

    return [one for one in run.entries if one.event is None and one.kind in DECIDED]


def test_a_run_that_would_have_ended_earlier_parts_at_its_end() -> None:
    """The new version is through where the old one went on."""
    run = play(SMALL, {"checks": {"a": "fail", "b": "fail"}})
    new = compiled(
        SMALL.replace("  - wait: 1m\n  - {act: take, when: checks.a.ok}\n", "")
    )
    found = parting(compiled(SMALL), new, events_of(run.entries))

    assert "act take skipped" == (found.then.note.what if found.then else "")
    assert isinstance(found.now, Side)


@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(text=texts(), script=scripts())
def test_no_version_parts_from_itself(text: str, script: dict[str, Any]) -> None:
    """
    Whatever a run went through, with crashes, lost answers and silence: the same
    version decides the same, also where every answer is found by what was asked.
    """
    run = play(text, script)
    code = compiled(text)
    found = parting(code, code, events_of(run.entries))

    assert Parting(found.decisions, found.decisions) == found
    assert (run.summary.state in ENDS) or found.decisions
