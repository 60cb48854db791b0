"""An answer that does not count: who was not asked, and what the timeline says of it.

Read by: asking, gates; runtime.chat (whose link would count).
"""

from engine.core.policy import circle_at
from engine.core.record import Thread
from engine.core.turn import Turn
from engine.model.events import Answered, Voted
from engine.model.people import Actor, Question
from engine.model.steps import ApproveStep


def not_asked(question: Question, by: Actor) -> str:
    """Return why the question is not this person's, or an empty string."""
    mine = {by.id, *by.groups}
    if any(group in mine for group, _ in question.who):
        return ""
    asked = " or ".join(group for group, _ in question.who)
    return f"{by.id} is not in {asked}"


def barred(question: Question, by: Actor, requester: str) -> str:
    """Return why an approval may not be this person's, or an empty string.

    Args:
        question: What is asked.
        by: Who would answer.
        requester: The id of who asked for the run.
    """
    if not_mine := not_asked(question, by):
        return not_mine
    if "requester" in question.not_by and by.id == requester:
        return f"{by.id} asked for this run"
    if {by.id, *by.groups} & set(question.not_by):
        return f"{by.id} may not answer this"
    return ""


def note_refused(
    turn: Turn, thread: Thread, question: Question, event: Answered | Voted, *, why: str
) -> None:
    """Write down that an answer does not count; the question stays open."""
    turn.note(
        "refused",
        f"{event.by.id}'s answer does not count",
        thread,
        why=why,
        subject=question.key,
        refs={"by": event.by.id},
    )


def was_asked(step: ApproveStep, event: Voted) -> bool:
    """Return whether the person may answer the gate, in any of its circles."""
    mine, circle = {event.by.id, *event.by.groups}, circle_at(step, 0)
    if mine & set(step.not_by):
        return False
    while circle is not None:
        if any(need.group in mine for need in circle.from_):
            return True
        circle = circle.then
    return False
