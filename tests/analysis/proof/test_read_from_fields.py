"""What the proof says does not hang on how people name or word their steps."""

import pytest

from engine.analysis.proof import prove
from tests.rehearsing import compiled

HEAD = """
checks: {a: {probe: {}, pass: value > 0}}
actions:
  take: {do: {}, undo: {do: {}}}
  wary: {do: {}, undo: {do: {}}, risk: high,
    guard: 'checks.a.ok && cause != "nobody approved it"'}
"""
WORDED = [
    "diagnose: [{say: nothing is left}]",
    "diagnose: [{say: x skipped}, {say: y SKIPPED}]",
    ("isolate: [{approve: 'Go?', from: {group: x}, unless: checks.a.ok}, {act: wary}]"),
    (
        "isolate: [{act: take}]\n"
        "restore: [{hand_over: ops, why: 'restore is through, but look again'}]"
    ),
]


@pytest.mark.parametrize("text", WORDED, ids=range(len(WORDED)))
def test_words_that_the_engine_also_uses_refuse_nothing(text: str) -> None:
    """
    A step's name, a text or a reason that reads like the engine's own is no finding.
    """
    assert [] == prove(compiled(HEAD + text)).findings


def test_a_name_that_says_skipped_hides_no_step_that_is() -> None:
    """
    A step that no path takes is told, whatever its name.
    """
    text = "diagnose: [{say: x, name: taken, when: 'false'}]"
    found = prove(compiled(HEAD + text)).findings

    assert [("unreached", "diagnose/1")] == [(one.code, one.about) for one in found]
