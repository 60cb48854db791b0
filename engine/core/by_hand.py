"""What people did before a run began, and no step of it has come to yet.

Called by acting (which passes it by), plan (which asks nobody to approve it), gates.
"""

from collections.abc import Iterable

from engine.core.code import Node
from engine.core.record import ByHand, Record
from engine.model.people import PlannedAct


def by_hand(record: Record, node: Node, target: str) -> ByHand | None:
    """Return what was done by hand that this step would do now, or None.

    Only acts of the run's own runbook are ever done by hand: a sub-runbook has a scope
    of its own.
    """
    if node.scope != 0:
        return None
    for one in record.by_hand:
        if one.action == node.step.act and one.target == target:
            return one
    return None


def left_to_do(
    record: Record, node: Node, acts: Iterable[PlannedAct]
) -> list[PlannedAct]:
    """Return those of a step's planned acts that were not done by hand."""
    return [act for act in acts if by_hand(record, node, act.target) is None]
