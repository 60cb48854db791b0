"""How good a runbook's tests are: what they take, and which mistakes they notice."""

from engine.analysis.rehearsal.drill import Drill
from engine.testing.covering import covered
from engine.testing.mutating import mutated
from engine.testing.playing import play
from tests.rehearsing import compiled

TEXT = """
checks:
  a: {probe: {}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}, timeout: 3s}
confirm:
  - check: a
workaround:
  w:
    - approve: Take?
      from: {group: x}
      within: 5m
    - act: take
tests:
  - name: taken and given back
    checks: {a: [fail, pass]}
    people: [approve]
    expect: {end: resolved, undone: [take]}
"""


def test_what_no_test_takes_is_named_with_a_test_that_would() -> None:
    """
    Steps, branches and answers; the tests that are made take them, and pass.
    """
    code = compiled(TEXT)
    found = covered(code, most=5000)

    assert [
        ("confirm", "a is pass"),
        ("confirm", "a is unknown"),
        ("confirm", "it fails"),
        ("workaround.w/1", "people: no"),
        ("workaround.w/1", "people: nobody answers"),
        ("workaround.w/2", "it fails"),
        ("workaround.w/2", "the act fails"),
        ("workaround.w/2", "the act is lost"),
    ] == [tuple(one) for one in found.untaken]
    assert set(found.untaken) == found.by.keys()
    assert [[]] * len(found.tests) == [
        play(code, Drill(one)).problems for one in found.tests
    ]


def test_mistakes_that_no_test_notices_live() -> None:
    """
    A dropped undo is found; a gate that no test expects to be asked may go unseen.
    """
    shown = mutated(compiled(TEXT))

    assert [
        ("the undo of 'take' is dropped", ("actions", "take", "undo")),
        ("'a' confirms the trouble when it says pass", ("confirm", 0)),
        ("act 'take' is left out", ("workaround", "w", 1)),
    ] == [(one.told, one.path) for one, _ in shown.found]
    assert [
        ("unknown of 'a' counts as pass", ("checks", "a")),
        ("approve 'Take?' is left out", ("workaround", "w", 0)),
        ("approve 'Take?' has no time limit", ("workaround", "w", 0)),
    ] == [(one.told, one.path) for one in shown.alive]
    assert 50 == shown.score
