"""Which acts could be reached without anybody saying yes, by the shape of the file.

An act of high risk, or without an undo, needs an `approve` before it in its list or in
a list around it. What `unless` and `when` make of a gate on each path is for the proof.
"""

from dataclasses import dataclass

from engine.core.code import END_OF_BLOCK, CompiledRunbook
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
        if node.verb != "act" or node.gate != END_OF_BLOCK:
            continue
        action = compiled.scopes[node.scope].actions[node.step.act]
        if action.needs_approval:
            message = (
                f"'{action.name}' {why_approval(action)}: "
                "put an `approve` before it in the same list"
            )
            found.append(Unapproved(node.id, action.name, message))
    return found
