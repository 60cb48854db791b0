"""Which acts could be reached without anybody saying yes, by the shape of the file.

An act of high risk, or without an undo, needs an `approve` before it in its list or in
a list around it; a gate that a `when` may skip does not count for an act without one.
What `unless` and `when` make of a gate on each path is for the proof.
"""

from dataclasses import dataclass

from engine.core.code import END_OF_BLOCK, CompiledRunbook, Node
from engine.core.gates import why_approval


@dataclass(frozen=True, slots=True)
class Unapproved:
    """An act that nobody has to approve, though somebody should."""

    step: str  # id of the step
    action: str
    message: str


def missing_approvals(compiled: CompiledRunbook) -> list[Unapproved]:
    """Return every act that needs an approval and has no gate before it."""
    found = []
    for node in compiled.nodes:
        if node.verb != "act":
            continue
        action = compiled.scopes[node.scope].actions[node.step.act]
        advice = _advice(compiled, node)
        if action.needs_approval and advice:
            message = f"'{action.name}' {why_approval(action)}: {advice}"
            found.append(Unapproved(node.id, action.name, message))
    return found


def _advice(compiled: CompiledRunbook, node: Node) -> str:
    """Return what is to be changed, or an empty string."""
    if node.gate == END_OF_BLOCK:
        return "put an `approve` before it in the same list"
    gate = compiled.nodes[node.gate]
    if gate.when is not None and node.when is None and node.each == END_OF_BLOCK:
        return f"give it the `when` of its gate, {gate.when.source!r}, too"
    return ""
