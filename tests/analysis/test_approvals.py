"""Acts that could be reached without a yes, by the shape of the file."""

import pytest

from engine.analysis.approvals import missing_approvals
from tests.rehearsing import compiled

TEXT = """
checks: {bad: {probe: {}, pass: value > 0}}
actions: {wipe: {do: {}, undo: {do: {}}, risk: high}}
isolate:
"""
GATE = "{approve: wipe it, from: [{group: ops, need: 1}]"
WHEN = ", when: checks.bad.ok"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (f"[{GATE}}}, {{act: wipe}}]", []),
        (f"[{GATE}}}, {{act: wipe{WHEN}}}]", []),
        (f"[{GATE}{WHEN}}}, {{act: wipe{WHEN}}}]", []),
        ("[{act: wipe}]", ["put an `approve` before it in the same list"]),
        (
            f"[{GATE}{WHEN}}}, {{act: wipe}}]",
            ["give it the `when` of its gate, 'checks.bad.ok', too"],
        ),
    ],
)
def test_a_gate_that_may_be_skipped_does_not_cover_what_is_not(
    steps: str, told: list[str]
) -> None:
    """An act needs a gate on every path: one with a `when` counts for acts with one."""
    expected = [f"'wipe' is of high risk: {advice}" for advice in told]

    assert expected == [
        one.message for one in missing_approvals(compiled(TEXT + f"  {steps}"))
    ]
