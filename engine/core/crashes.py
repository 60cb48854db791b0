"""What a crash makes of an act in flight: look, repeat, or ask a person.

The intent was written before the act, so nothing is forgotten; whether it happened is
told by `done_when`, by its being safe to repeat, or by a person. Called when the engine
is back (core.outside_events).
"""

from collections.abc import Mapping
from typing import Final

from engine.core.acting import code_of, do, target_of
from engine.core.asking import answer_counts
from engine.core.outcomes import did, lost, verify
from engine.core.record import Thread
from engine.core.turn import Resume, Turn, replace
from engine.model.effects import Ask
from engine.model.events import Answered, Event
from engine.model.people import Question

PERSON_SECONDS: Final = 900.0  # a question after a crash has 15 minutes


def crashed(turn: Turn, thread: Thread) -> None:
    """The engine died while the act was in flight: do as `after_crash` says."""
    action = code_of(turn, thread)
    does = action.model.after_crash
    turn.note(
        "crash",
        f"{action.name} was in flight when the engine died",
        thread,
        why=f"after_crash: {does}",
        subject=action.name,
        target=target_of(turn, thread),
    )
    thread = turn.put(replace(thread, n=max(thread.n - 1, 0)))
    if does == "repeat":
        do(turn, thread, thread.box["params"])
    elif does == "verify" and "done_when" in action.conditions:
        turn.look(
            thread, action.conditions["done_when"].checks, "act.crashed", anew=True
        )
    else:
        ask_happened(turn, thread)


def crash_seen(turn: Turn, thread: Thread, event: Event | None) -> None:
    """What does the world say of the act that was in flight?"""
    true = turn.is_true(thread, code_of(turn, thread).conditions["done_when"])
    if true is None:
        ask_happened(turn, thread)
    else:
        _as_it_happened(turn, thread, happened=true, why="done_when, looked at anew")


def ask_happened(turn: Turn, thread: Thread) -> None:
    """Only a person can say whether it happened."""
    action = code_of(turn, thread)
    key = turn.key(thread, "happened")
    owner = turn.compiled.runbook.owner
    question = Question(
        key,
        "happened",
        turn.node(thread).id,
        f"The engine died during {action.name} {target_of(turn, thread)}. "
        "Did it happen?",
        ((owner, 1),),
        within_seconds=PERSON_SECONDS,
        fields={"happened": {"type": "boolean"}},
    )
    turn.effects.append(Ask(key, question))
    turn.note("asked", question.text, thread, subject=key, refs={"who": [[owner, 1]]})
    over = turn.timer(thread, "happened_within", PERSON_SECONDS)
    box = thread.box | {"question": question}
    turn.wait(thread, "act.happened", (key, over), box=box)


def told_happened(turn: Turn, thread: Thread, event: Event | None) -> None:
    """A person said whether it happened, or nobody did."""
    if not answer_counts(turn, thread, thread.box["question"], event):
        return
    if not isinstance(event, Answered):
        lost(turn, thread, "unknown", "nobody said whether it happened")
        return
    happened = bool(event.answers.get("happened"))
    does = "did" if happened else "did not"
    turn.note(
        "answered",
        f"{event.by.id} says it {does} happen",
        thread,
        subject=turn.node(thread).step.act,
        refs={"by": event.by.id},
    )
    _as_it_happened(turn, thread, happened=happened, why=f"{event.by.id} says so")


def _as_it_happened(turn: Turn, thread: Thread, *, happened: bool, why: str) -> None:
    if happened:
        did(turn, thread, f"it was done before the engine died: {why}")
        verify(turn, thread)
    else:
        turn.note("decision", "it did not happen: done now", thread, why=why)
        do(turn, thread, thread.box["params"])


STAGES: Final[Mapping[str, Resume]] = {
    "act.crashed": crash_seen,
    "act.happened": told_happened,
}
