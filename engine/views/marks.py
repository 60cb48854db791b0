"""What is shown of each step on a picture: the proof, the tests, the drills; a legend.

Called by the command line (`runbook graph --proof`). The marks stand in the states.
"""

from collections.abc import Collection, Mapping
from typing import Final

from engine.model.machine import MachineGraph

LEGEND: Final = (
    "proved: every path through it was walked, and nothing was found",
    "REFUSED, warned: what the proof found there; see runbook prove",
    "not walked: the runbook is too large, so nothing is shown of it",
    "test: a test of the runbook took it; drill: a rehearsal in the journal did",
)


def remarks(
    graph: MachineGraph,
    *,
    walked: bool,
    found: Mapping[str, str],
    tests: Collection[str],
    drills: Collection[str],
) -> dict[str, str]:
    """Return a remark for each state.

    Args:
        walked: whether every path was walked.
        found: state id to what the proof says of it.
        tests, drills: the ids of states that some test, some drill went through.
    """
    told = {}
    for state in graph.states:
        proof = found.get(state.id, "proved" if walked else "not walked")
        marks = [proof]
        marks += ["test"] if state.id in tests else []
        marks += ["drill"] if state.id in drills else []
        told[state.id] = ", ".join(marks)
    return told


def with_legend(text: str, form: str) -> str:
    """Return a picture with what its marks mean; `form`: text, mermaid, else DOT."""
    if form == "text":
        return text + "legend\n" + "".join(f"  {row}\n" for row in LEGEND)
    if form == "mermaid":
        return text + f'  legend["{"<br/>".join(LEGEND)}"]\n'
    rows = "\\l".join(LEGEND) + "\\l"
    node = f'  legend [label="{rows}", shape=note, fillcolor="#ffffff"];'
    return text.rstrip().removesuffix("}") + node + "\n}\n"
