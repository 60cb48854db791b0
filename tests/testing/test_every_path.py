"""Every path, and the engine dying wherever a test is: counts, and a failure's story."""

from engine.language.tree import Tree, read_on
from engine.testing.every_path import Failure, Paths, all_paths
from tests.rehearsing import HEAD, compiled

TEXT = """
checks:
  a: {probe: {}, pass: value > 0}
actions:
  take: {do: {}, undo: {do: {}}, timeout: 3s, after_crash: repeat}
confirm:
  - check: a
isolate:
  - act: take
RESTORE
tests:
  - name: taken and given back
    checks: {a: [fail, pass]}
    expect: {end: END}
always:
  - at_end: size(held) == 0 || end == "handed_over"
"""


def paths(*, restore: str = "", end: str = "resolved") -> Paths:
    """Return what all paths of a small runbook show."""
    text = HEAD + TEXT.replace("RESTORE\n", restore).replace("END", end)
    tree, problems, _ = read_on(text, "small.yaml")
    assert isinstance(tree, Tree)
    assert [] == problems
    return all_paths(compiled(text), tree, most=5000)


def test_all_that_is_judged_is_counted() -> None:
    """
    Clauses, tests, and the places at which the engine died: nothing differs there.
    """
    found = paths()

    assert [] == found.failures
    assert (1, 1, 3, 2) == (
        found.clauses, found.tests, found.deaths, found.in_flight,
    )  # fmt: skip


def test_a_path_that_breaks_a_rule_is_a_story() -> None:
    """
    What restore leaves held is told at its line, with the way to it, step by step.
    """
    found = paths(restore="restore:\n  - say: done\n", end="handed_over")

    assert [
        Failure(
            "held",
            15,
            "restore is through, and nothing has given back 'take'",
            [
                "    1. line 2    confirm: a fails",
                "    2. line 15   act take: act take is done",
            ],
        )
    ] == found.failures


def test_a_test_that_fails_is_a_story() -> None:
    """
    A test that shows something else is told at its line, with what happened.
    """
    found = paths(end="cleared")

    assert [
        Failure(
            "taken and given back",
            17,
            "end: expected cleared, was resolved",
            [],
        )
    ] == [Failure(one.name, one.line, one.told, []) for one in found.failures]
    assert (
        "    1.       0s line 13   a: fail (as scripted)" == found.failures[0].story[0]
    )
