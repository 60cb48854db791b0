"""How old answers become while a move goes on.

Time is no part of a state, but how old an answer is: it may have to be looked at anew.
Each move takes as long as it can. An older answer allows what a younger one does, since
the look that it needs may say the same: so the oldest stands for all that are younger.

Called by: walk.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from engine.core.code import CompiledRunbook
from engine.core.names import frame_slot
from engine.core.record import Record, Thread
from engine.model.evidence import Evidence

replace = msgspec.structs.replace
STALE: Final = -1e9  # the tick of an answer that is older than its `fresh_for`
POLLS: Final = ("wait_for.look", "wait_for.wait", "act.verify", "act.verify_wait")


class Ages:
    """The ages of answers in the runs of one runbook."""

    def __init__(self, compiled: CompiledRunbook) -> None:
        self.compiled = compiled

    def older(
        self, record: Record, mover: str, seconds: float
    ) -> Mapping[str, Evidence]:
        """Return the evidence as it stands after a move.

        A thread that polls may go on until its whole time is over: when it leaves,
        answers are as old as that, and while it stays (`polls_on`) they are as before:
        no round of a poll is a new state.
        """
        evidence = record.evidence
        if not evidence or not seconds:
            return evidence
        thread = record.threads.get(mover)
        if thread is None or thread.stage not in POLLS:
            return {slot: _older(one, seconds) for slot, one in evidence.items()}
        within, own = self._polled(thread)
        return {
            slot: _older(one, seconds if self._mine(slot, thread, own) else within)
            for slot, one in evidence.items()
        }

    def polls_on(
        self, before: Record, record: Record, mover: str, older: Mapping[str, Evidence]
    ) -> Record:
        """Return the record; where its thread polls on, other answers are as before."""
        was, now = before.threads.get(mover), record.threads.get(mover)
        if was is None or now is None or was.stage not in POLLS:
            return record
        if now.stage not in POLLS or now.pc != was.pc:
            return record
        _, own = self._polled(was)
        evidence = {
            slot: before.evidence[slot]
            if older.get(slot) is one and not self._mine(slot, was, own)
            else one
            for slot, one in record.evidence.items()
        }
        return replace(record, evidence=evidence)

    def _polled(self, thread: Thread) -> tuple[float, frozenset[str]]:
        """Return how long a poll may take, and the checks that it looks at itself."""
        node = self.compiled.nodes[thread.pc]
        if node.verb == "wait_for":
            within = node.step.within.total_seconds()
            return within, node.exprs["wait_for"].checks
        action = self.compiled.scopes[node.scope].actions[node.step.act]
        rule = action.conditions.get("verify", action.conditions.get("done_when"))
        within = (action.model.verify_within or action.model.timeout).total_seconds()
        return within, rule.checks if rule is not None else frozenset()

    def _mine(self, slot: str, thread: Thread, own: frozenset[str]) -> bool:
        plain = slot.partition("|")[0]
        return any(plain == frame_slot(thread.frame, name) for name in own)


def _older(seen: Evidence, seconds: float) -> Evidence:
    return seen if seen.tick == STALE else replace(seen, tick=seen.tick - seconds)
