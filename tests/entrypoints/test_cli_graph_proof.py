"""`runbook graph --proof`: what was proved, and what a test took, on the picture."""

import pytest
from cli_place import Place

from engine.views.marks import LEGEND, remarks
from tests.rehearsing import compiled

TEXT = """\
format: 1
runbook: marked
title: Marked
owner: ops
severity: sev3
actions:
  touch: {command: {argv: ['true']}, undo: {command: {argv: ['true']}}}
isolate: [{act: touch}]
diagnose: [{say: never, when: 'false'}, {say: x}]
tests:
  - {name: it ends, expect: {end: resolved}}
"""


@pytest.fixture
def file(place: Place) -> str:
    """Write a runbook with a step that no path takes, and one test."""
    (place.folder / "runbooks/marked.yaml").write_text(TEXT)
    return "runbooks/marked.yaml"


def test_each_step_says_what_was_shown_of_it(place: Place, file: str) -> None:
    """
    Proved, refused, taken by a test; no end and no step without its mark; a legend.
    """
    code, out, err = place.runbook("graph", file, "--proof")
    marks = [row.strip() for row in out.splitlines() if "[" in row]

    assert (0, "") == (code, err)
    assert [
        "1 begin  [proved, test]",
        "2 act touch  [proved, test]",
        "3 say  [REFUSED: unreached]",
        "4 say  [proved, test]",
        "5 choose the workaround  [proved, test]",
        "6 give back  [proved, test]",
        "7 finish  [proved]",
        "8 resolved  [proved, test]",
        "9 handed over  [proved]",
    ] == marks
    assert out.endswith("legend\n" + "".join(f"  {row}\n" for row in LEGEND))


@pytest.mark.parametrize("form", ["svg", "dot", "mermaid"])
def test_every_form_has_marks_and_a_legend(place: Place, file: str, form: str) -> None:
    """
    The drawn pictures say the same, and what it means.
    """
    code, out, _ = place.runbook("graph", file, "--proof", "--format", form)

    assert 0 == code
    assert [True] * 3 == [
        one in out for one in ("proved, test", "REFUSED: unreached", LEGEND[0])
    ]


def test_a_drill_is_marked_beside_proof_and_test() -> None:
    """
    What is not walked says so; what a test and a drill took stands behind it.
    """
    from engine.core.machine import machine_graph

    graph = machine_graph(compiled("diagnose: [{say: x}]"))
    told = remarks(
        graph,
        walked=False,
        found={},
        tests={"diagnose/1"},
        drills={"diagnose/1", "end/resolved"},
    )

    assert ("not walked, test, drill", "not walked, drill", "not walked") == (
        told["diagnose/1"],
        told["end/resolved"],
        told["start"],
    )
