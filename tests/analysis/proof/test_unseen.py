"""Conditions for which what cannot be seen is as good as true: told, and not refused."""

import pytest

from engine.analysis.proof import prove
from tests.rehearsing import compiled

HEAD = """
checks: {a: {probe: {}, pass: value > 0}, b: {probe: {}, pass: value > 0}}
actions:
  take: {do: {}, undo: {do: {}}}
  wary: {do: {}, undo: {do: {}}, guard: 'RULE'}
isolate: [{act: take, when: 'WHEN'}, {act: wary}]
"""


def told(rule: str, when: str = "checks.a.ok") -> list[tuple[str, str, bool]]:
    """Return what is told of the conditions, and whether it refuses the runbook."""
    text = HEAD.replace("RULE", rule).replace("WHEN", when)
    found = prove(compiled(text)).findings
    return [(one.about, one.message, one.refuses) for one in found]


def test_a_guard_that_lets_the_unknown_through_is_told() -> None:
    """
    `state != "fail"` is true where nothing is seen: a warning at that condition.
    """
    rule, message = 'checks.a.state != "fail"', "unknown counts as true here: "

    assert [("actions/wary/guard", message + rule, False)] == told(rule)
    assert [("isolate/1", message + rule, False)] == told("checks.a.ok", rule)


@pytest.mark.parametrize(
    "rule",
    ["checks.a.ok", "!checks.a.ok || checks.b.ok", 'checks.a.state != "unknown"'],
)
def test_a_condition_that_unknown_does_not_make_true_is_not_told(rule: str) -> None:
    """
    Three-valued logic, and a rule that names unknown on purpose, are no mistake.
    """
    assert [] == told(rule)
