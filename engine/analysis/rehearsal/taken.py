"""What of a runbook a move takes: a step, a branch, an answer at a step.

One reading for both: of a run that was played, event by event, and of a walked move.
Of a sub-runbook its own tests tell.

Called by: ways, engine.testing.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from engine.core.advance import advance
from engine.core.code import CompiledRunbook, Node
from engine.core.record import Record, Thread
from engine.model.effects import Effect, Note
from engine.model.events import Acted, Answered, Event, Looked
from engine.model.steps import VERBS

SHOWN: Final = {*VERBS, "looks", "confirm"}
NOT_TAKEN: Final = (" skipped", " SKIPPED", " left")
PEOPLE: Final = {"rejected": "no", "expired": "nobody answers"}
FEW: Final = ("boolean", "choice")  # answers that are told apart


class Item(NamedTuple):
    """One thing that can be taken."""

    step: str  # id of the step
    what: str  # in words; empty: the step itself


def taken_by_run(compiled: CompiledRunbook, events: Sequence[Event]) -> set[Item]:
    """Return everything that a run took."""
    record, found = Record(), set[Item]()
    for event in events:
        after, effects = advance(compiled, record, event)
        found.update(taken(compiled, record, [event], after, effects))
        record = after
    return found


def taken(
    compiled: CompiledRunbook,
    before: Record,
    events: Sequence[Event],
    after: Record,
    effects: Sequence[Effect],
) -> Iterator[Item]:
    """Yield what one move takes."""
    for event in events:
        yield from _answer(compiled, before, event)
    ids = {node.id: node for node in compiled.nodes if node.scope == 0}
    for thread in after.threads.values():
        node = compiled.nodes[thread.pc]
        if thread.stage not in ("when", "ready") and node.scope == 0:
            yield from _step(node)
    for effect in effects:
        if isinstance(effect, Note) and effect.step in ids:
            yield from _noted(ids[effect.step], effect)


def _step(node: Node) -> Iterator[Item]:
    if node.verb in SHOWN and node.step is not None:
        yield Item(node.id, "")


def _noted(node: Node, note: Note) -> Iterator[Item]:
    if note.kind == "phase" or node.verb not in SHOWN:
        return
    if note.why.startswith("when: "):
        yield Item(node.id, note.why.removesuffix(" is false") + " is not true")
    if note.kind != "skipped" and not note.what.endswith(NOT_TAKEN):
        yield from _step(node)
    if note.kind == "cause":
        yield Item(node.id, f"the cause is {note.subject}")
    elif note.kind == "approved" and note.refs.get("opened"):
        yield Item(node.id, "people say yes")
    elif note.kind in PEOPLE and node.verb in ("approve", "ask"):
        yield Item(node.id, f"people: {PEOPLE[note.kind]}")
    elif note.kind == "failed" and node.verb not in ("approve", "ask"):
        yield Item(node.id, "it fails")


def _answer(compiled: CompiledRunbook, before: Record, event: Event) -> Iterator[Item]:
    thread = _waiting(before, str(getattr(event, "key", "")))
    if thread is None or thread.frame:
        return
    node = compiled.nodes[thread.pc]
    if node.verb not in SHOWN:
        return
    if isinstance(event, Looked):
        for one in event.evidence:
            yield Item(node.id, f"{one.check} is {one.state}")
    elif isinstance(event, Acted) and not thread.stage.startswith("undo"):
        told = {"ok": "is done", "failed": "fails"}.get(event.outcome, "is lost")
        yield Item(node.id, f"the act {told}")
    elif isinstance(event, Answered) and node.verb == "ask":
        for name, value in event.answers.items():
            if isinstance(value, bool):
                yield Item(node.id, f"{name}: {str(value).lower()}")


def _waiting(record: Record, key: str) -> Thread | None:
    for thread in record.threads.values():
        if key and key in thread.waits:
            return thread
    return None
