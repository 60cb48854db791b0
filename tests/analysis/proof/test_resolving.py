"""An alert that resolves in the middle: once for each run, wherever it is."""

import pytest

from engine.analysis.proof import prove
from tests.rehearsing import compiled

TEXT = """
trigger: [{alert: {source: a, match: {b: c}}, when_resolved: RULE}]
limits: {time: {total: 1h}}
checks:
  bad: {probe: {}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}, timeout: 5s}
  more: {do: {}, undo: {do: {}}, timeout: 5s}
confirm: [{check: bad, expect: fail}]
isolate: [{act: take}, {act: more}]
workaround: {only: [{wait_for: bad, within: 5m}]}
restore: [{undo: all, pause: 2s, check: bad}]
"""


@pytest.mark.parametrize("rule", ["continue", "restore", "ask"])
def test_an_alert_that_resolves_while_giving_back_makes_no_circle(rule: str) -> None:
    """
    Restore is begun anew with less that is held; that is bounded, and proved.
    """
    proof = prove(compiled(TEXT.replace("RULE", rule)))

    assert ([], True) == (proof.findings, proof.proved)
