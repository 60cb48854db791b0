"""Conditions that are true for some value: no step behind one is called unreached."""

import pytest

from engine.analysis.proof import prove
from tests.rehearsing import compiled

ONE = """
inputs:
  count: {type: integer, default: 5}
  most: {type: integer, default: 10}
  region: {type: string, default: eu-west}
  hosts: {type: list, of: string, default: [a, b]}
  mode: {type: choice, of: [fast, slow], default: fast}
checks:
  q: {probe: {}, pass: value < 5.0}
  p: {probe: {}, pass: value < 5.0}
  j: {probe: {}, pass: json.up == true}
actions: {take: {do: {}, undo: {do: {}}}}
diagnose:
  - check: q
  - {ask: 'How?', name: how, fields: {note: string, n: integer, m: integer}}
workaround:
  only: [{act: take, when: 'WHEN'}]
"""
SUB = """
format: 1
runbook: sub
title: sub
owner: o
severity: sev3
inputs: {mode: {type: choice, of: [fast, slow]}}
actions: {take: {do: {}, undo: {do: {}}}}
isolate: [{act: take, when: 'mode == "slow"'}]
"""
BEYOND = [
    "count > most", "size(hosts) > 5", '"db1" in hosts',
    'hosts.exists(h, h.startsWith("db"))', 'region.matches("^eu-.*$")',
    "size(checks.j.json.hosts) > 10", "checks.j.json.hosts.exists(h, h.down)",
    '"x" in checks.j.json.tags', 'checks.j.json.nodes[0].role == "primary"',
    "checks.q.series.exists(s, s.value > 100.0)",
    'checks.q.series.exists(s, s.labels.zone == "a")',
    "checks.q.value - checks.p.value > 100.0",
    "checks.q.value > 100.0 * double(count)", "count % 7 == 3",
    "answers.how.n > answers.how.m", "size(answers.how.note) > 20",
    'answers.how.note.contains("a") && answers.how.note.contains("b")',
    "checks.q.age_seconds > 30.0", 'labels.zone.matches("eu.*")',
    "checks.j.json.load == 7.0", "checks.j.json.owner == region",
    ('checks.j.json.a == "x" && checks.j.json.b == "y" && checks.j.json.c > 10.0 '
     '&& checks.j.json.d < 3.0 && checks.j.json.e == "z"'),
]  # fmt: skip
WRITTEN = [
    "checks.q.value > 100.0", "checks.q.value >= 0.25 && checks.q.value < 0.3",
    'checks.j.json.mode == "slow" || checks.j.json["a-b"].n > 3.0',
    'region in ["eu-west", "us-east"] && mode == "slow"', "count > 7 && count <= 8",
    'labels.zone == "a"', 'answers.how.note == "x" && answers.how.n > 3',
    '!(checks.q.value < 100.0) && checks.p.state == "fail"', "size(held) == 0",
]  # fmt: skip


def found(text: str) -> set[str]:
    """Return the codes of what the proof of a runbook finds."""
    return {one.code for one in prove(compiled(text, {"sub": SUB})).findings}


@pytest.mark.parametrize("when", BEYOND)
def test_a_value_that_was_not_made_up_refuses_nothing(when: str) -> None:
    """It is taken, or not proved: never called a step that no path takes."""
    assert found(ONE.replace("WHEN", when)) <= {"not-proved"}


@pytest.mark.parametrize("when", WRITTEN)
def test_what_is_written_beside_a_name_is_tried(when: str) -> None:
    """Some walked path takes the step, and nothing is left open."""
    assert set() == found(ONE.replace("WHEN", when))


@pytest.mark.parametrize(
    "when",
    ["checks.q.value > 10.0 && checks.q.ok", 'mode == "other"', '"take" in held'],
)
def test_what_no_value_makes_true_is_refused(when: str) -> None:
    """Conditions of a name and a literal are judged for good."""
    assert {"unreached"} == found(ONE.replace("WHEN", when))


def test_the_target_of_an_each_is_no_value_of_the_walk() -> None:
    """A step for one target by its name is not called unreached."""
    text = """
inputs: {hosts: {type: list, default: [db1, web1]}}
actions: {take: {do: {}, undo: {do: {}}}}
workaround:
  only: [{each: hosts, as: host, do: [{act: take, when: 'host == "db1"'}]}]
"""

    assert {"not-proved"} == found(text)


def test_a_branch_of_a_sub_runbook_that_this_one_never_takes() -> None:
    """A sub-runbook is judged in its own file: others may use it in other ways."""
    assert set() == found("workaround: {only: [{run: sub, with: {mode: fast}}]}")


def test_a_block_that_is_over_at_once_is_taken() -> None:
    """Steps side by side that wait for nothing leave no trace of their block."""
    assert set() == found("workaround: {only: [{all: [{say: x}, {say: y}]}]}")
