"""The machine as DOT, Mermaid and outline."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from views_golden import golden
from views_machine import PATH, machine, small

from engine.model.machine import MachineEdge, MachineGraph, MachineState
from engine.views.graph import graph_dot, graph_mermaid, graph_text

DRAW = shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))
TAKEN = ("start", "isolate/1", "workaround.by-hand/1", "end/handed_over")


def test_dot_shows_phases_path_failures_and_proof() -> None:
    """
    Clusters for phases, green for what was taken, words for a failure nobody took.
    """
    text = graph_dot(small(), path=TAKEN, proof={"isolate/1": "proved"})

    assert text == golden("machine.dot")


def test_mermaid_shows_the_same() -> None:
    """
    The same states and ways, in the form that code hosts draw.
    """
    text = graph_mermaid(small(), path=("start", "isolate/1", "end/resolved"))

    assert text == golden("machine.mmd")


def test_an_outline_shows_where_each_state_leads() -> None:
    """
    Without any drawing, each way that is not to the next line is told.
    """
    assert graph_text(machine(), path=PATH) == golden("machine.txt")


def test_a_failure_that_hands_over_is_a_line_only_where_it_was_taken() -> None:
    """
    Nineteen red lines to one box are words, until a run went that way.
    """
    hands = re.compile(
        r"^  s\d+ -> s26 .*style=dashed|^  s\d+ -> s26 .*bold,dashed", re.M
    )
    plain = graph_dot(machine())
    failed = graph_dot(machine(), path=("start", "isolate/1", "end/handed_over"))

    assert (len(hands.findall(plain)), len(hands.findall(failed))) == (0, 1)


def test_an_end_that_nothing_leads_to_is_not_drawn() -> None:
    """
    A box without a line tells nothing; a cancelled run shows where it ended.
    """
    cancelled = ("start", "end/cancelled")

    assert "cancelled" not in graph_dot(machine())
    assert "cancelled" in graph_dot(machine(), path=cancelled)


def test_an_edge_to_a_state_that_is_not_there_is_left_out() -> None:
    """
    A part of a machine can be drawn by itself.
    """
    graph = MachineGraph(
        "r", "t", (MachineState("a", "a", "act"),), (MachineEdge("a", "b"),)
    )

    assert ["->" in text for text in (graph_dot(graph), graph_mermaid(graph))] == [
        False, False,
    ]  # fmt: skip


@pytest.mark.skipif(DRAW is None, reason="needs graphviz-pure")
def test_the_drawing_program_draws_a_machine_of_28_states() -> None:
    """
    Every state that is reached is in the picture, with no complaint.
    """
    done = subprocess.run(
        [str(DRAW), "-Tsvg"], input=graph_dot(machine(), path=PATH),
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout.count('class="node"') == 27
    assert done.stdout.count('class="cluster"') == 5 + 4
