"""Whether what must always hold did hold in one run: the runbook's `always` clauses.

A run is walked through again from its events and judged after each. Called for every
rehearsal; that no path at all breaks a clause is the proof's to show (analysis).
"""

from collections.abc import Sequence

from engine.analysis.always import as_held, happened
from engine.core.advance import STAGES, advance
from engine.core.code import CompiledRunbook
from engine.core.lists import types_of
from engine.core.record import MAIN, Record, Thread
from engine.core.turn import Turn
from engine.expressions import Expression, compile_expression
from engine.model.events import Event
from engine.model.runbook import Always


def broken(compiled: CompiledRunbook, events: Sequence[Event]) -> list[str]:
    """Return in words each `always` clause that the run broke, once each."""
    rules = [_Rule(compiled, clause) for clause in compiled.runbook.always]
    record = Record()
    seen: list[str] = []
    for event in events:
        record, effects = advance(compiled, record, event)
        seen += happened(event, effects)
        for rule in rules:
            rule.judge(record, event, seen)
    return [told for rule in rules if (told := rule.broken)]


class _Rule:
    """One clause, and how it was broken first."""

    def __init__(self, compiled: CompiledRunbook, clause: Always) -> None:
        self.compiled, self.clause, self.broken = compiled, clause, ""
        source = clause.at_end or clause.never
        self.expression = (
            compile_expression(source, types_of(compiled.runbook)) if source else None
        )

    def judge(self, record: Record, event: Event, seen: list[str]) -> None:
        """Judge the record after one event."""
        if self.broken:
            return
        if self.expression is None:
            self._in_order(seen)
        elif self.clause.never is not None:
            if _true(self.compiled, record, event, self.expression):
                self.broken = f"never: {self.clause.never} was true at {event.tick:g}s"
        elif record.end and not _true(self.compiled, record, event, self.expression):
            self.broken = f"at_end: {self.clause.at_end} was not true"

    def _in_order(self, seen: list[str]) -> None:
        act = f"act {self.clause.act}"
        if act not in seen:
            return
        before = seen[: seen.index(act)]
        first = self.clause.only_after or ""
        kind = first if first == "approve" else ""
        if first not in before and not any(one.split()[0] == kind for one in before):
            self.broken = f"act {self.clause.act} was done without {first} before it"


def _true(
    compiled: CompiledRunbook, record: Record, event: Event, expression: Expression
) -> bool:
    if "" not in record.frames:
        return False
    turn = Turn(compiled, as_held(record), event, STAGES)
    return turn.is_true(Thread(MAIN, 0), expression) is True
