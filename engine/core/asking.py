"""The verbs that speak: say, ask for typed answers, hand over."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from engine.core.code import Policy
from engine.core.names import rendered_text
from engine.core.record import Thread, Winding
from engine.core.refusing import not_asked, note_refused
from engine.core.turn import Resume, Turn, replace
from engine.expressions.patterns import matches
from engine.model.effects import Ask, Say
from engine.model.events import Answered, Event
from engine.model.input_values import value_problem
from engine.model.people import Question
from engine.model.run import Held
from engine.model.steps import AskStep
from engine.model.vocabulary import Input

PERSON_SECONDS: Final = 900.0  # a person has 15 minutes to say whether to undo


def begin_say(turn: Turn, thread: Thread) -> None:
    """Post, and go on."""
    step = turn.node(thread).step
    text = rendered_text(turn, thread, step.say)
    to = rendered_text(turn, thread, step.to) if step.to else ""
    turn.effects.append(Say(text, to))
    refs = {"said": text} | ({"to": to} if to else {})
    turn.note("step", f"said: {text}", thread, refs=refs)
    turn.passed(thread)


def begin_ask(turn: Turn, thread: Thread) -> None:
    """Ask people for typed answers."""
    node = turn.node(thread)
    step: AskStep = node.step
    who = step.who or [turn.scope(thread).runbook.owner]
    key = turn.key(thread, "ask")
    question = Question(
        key,
        "ask",
        node.id,
        rendered_text(turn, thread, step.ask),
        tuple((one, 1) for one in who),
        within_seconds=step.within.total_seconds(),
        fields={name: field_type(raw) for name, raw in step.fields.items()},
        name=step.name or "",
    )
    turn.effects.append(Ask(key, question))
    turn.note(
        "asked",
        f"asked {', '.join(who)}: {question.text}",
        thread,
        subject=key,
        refs={"who": [list(one) for one in question.who]},
    )
    over = turn.timer(thread, "within", question.within_seconds)
    turn.wait(thread, "ask.asking", (key, over), box={"question": question})


def field_type(raw: Any) -> dict[str, Any]:
    """Return the type of an answer as {"type": …, "of": […]}."""
    return dict(raw) if isinstance(raw, Mapping) else {"type": str(raw)}


def answered(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Keep the answers under the step's name; or nobody answered."""
    node = turn.node(thread)
    question: Question = thread.box["question"]
    if not answer_counts(turn, thread, question, event):
        return
    if not isinstance(event, Answered):
        turn.note(
            "expired", f"{node.name}: nobody answered", thread, subject=question.key
        )
        turn.failed(thread, "nobody answered in time", node.on_expire)
        return
    frame = turn.frame(thread)
    answers = {
        name: event.answers[name] for name in question.fields if name in event.answers
    }
    name = node.step.name or node.id
    turn.frames[frame.id] = replace(frame, answers=frame.answers | {name: answers})
    told = ", ".join(f"{key}: {value}" for key, value in answers.items())
    turn.note(
        "answered",
        f"{event.by.id} answered {told}",
        thread,
        subject=question.key,
        refs={"by": event.by.id, "answers": answers},
    )
    turn.passed(thread)


def answer_counts(
    turn: Turn, thread: Thread, question: Question, event: Event | None
) -> bool:
    """Return whether the question is over: a fitting answer, or the time; say so."""
    if not isinstance(event, Answered):
        turn.close_key(question.key, "nobody answered in time")
        return True
    refusal = _refused(question, event)
    if refusal:
        note_refused(turn, thread, question, event, why=refusal)
        return False
    turn.close_key(question.key, f"answered by {event.by.id}")
    return True


def _refused(question: Question, event: Answered) -> str:
    if not_mine := not_asked(question, event.by):
        return not_mine
    for name, field in question.fields.items():
        problem = answer_problem(name, field, event.answers.get(name))
        if problem:
            return problem
    return ""


def answer_problem(name: str, field: Mapping[str, Any], value: Any) -> str:
    """Return why a value is no answer of the field's type, or an empty string."""
    if value is None:
        return f"'{name}' is missing"
    try:
        declared = Input.model_validate(dict(field))
    except ValidationError:
        return ""  # language refuses such a field; a run of it takes any answer
    wanted = value_problem(declared, value, matches)
    return f"'{name}' is to be {wanted}, not {value!r}" if wanted is not None else ""


def undo_anyway(
    key: str, step: str, held: Held, source: str, owner: str, *, unknown: bool
) -> Question:
    """Return the question whether to undo what may not be ours any more.

    Args:
        source: The `undo_if` that is not true.
        unknown: It cannot be told, rather than false.
    """
    of = f"{held.action} {held.target}".strip()
    changed = f"{of} was changed by someone else ({source} is not true)"
    if unknown:
        changed = f"whether {of} was changed by someone else is unknown ({source})"
    return Question(
        key,
        "undo_anyway",
        step,
        f"{changed}. Undo it anyway?",
        ((owner, 1),),
        within_seconds=PERSON_SECONDS,
        fields={"undo": {"type": "boolean"}},
    )


def begin_hand_over(turn: Turn, thread: Thread) -> None:
    """End the run in a group's hands."""
    node = turn.node(thread)
    step = node.step
    why = rendered_text(turn, thread, step.why) if step.why else f"{node.name}"
    turn.note("step", f"hand over to {step.hand_over}", thread, why=why)
    if thread.top and not thread.frame:
        turn.wind(
            Winding("handed_over", why, to=step.hand_over, last_look=turn.early())
        )
    else:
        turn.failed(
            thread, f"handed over to {step.hand_over}: {why}", Policy("hand_over")
        )


STAGES: Final[Mapping[str, Resume]] = {"ask.asking": answered}
