"""A question as a person reads it before they answer: terminal, and plain chat.

Everything that an approval is bound to stands here: targets, commands, the way back,
the values before, the evidence. Called by the command line, the web, and chat's text.
"""

import shlex
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from engine.model.people import Plan, PlannedAct, Question
from engine.model.times import length_text, moment_text
from engine.views.escape import command_text, pairs_text, value_text, visible

HASH_SHOWN: Final = 12  # hex digits: enough to tell two plans apart by eye
WIDTH: Final = 96
COMMAND_MOST: Final = 600  # characters of one command
HOW: Final = {
    "approve": "Answer approve or reject.",
    "ask": "Answer with the fields above.",
    "happened": "Answer whether it happened.",
    "undo_anyway": "Answer whether to undo it, or to take it over as it is.",
    "resolved": "Answer whether to restore now.",
}


def question_text(question: Question, *, until: float | None = None) -> str:
    """Return the whole question as plain text.

    Args:
        question: What is asked.
        until: When it expires, epoch seconds; without it the time is told from asking.
    """
    lines = [visible(question.text)]
    if question.changed:
        lines.append(f"Changed since it was approved: {visible(question.changed)}")
    lines += _who(question)
    lines.append(_until(question, until))
    if question.worst_case_seconds > 0:
        worst = length_text(question.worst_case_seconds)
        lines.append(f"After a yes it takes at most {worst}.")
    if question.fields:
        lines += ["Fields:", *_fields(question)]
    if question.plan is not None:
        lines += _plan(question.plan)
    lines.append(HOW[question.kind])
    if question.retype is not None:
        lines.append(f"Type this to approve: {visible(question.retype)}")
    return "\n".join(lines) + "\n"


def answering_command(run: str, question: Question, *, who: str = "NAME") -> str:
    """Return the command line that answers a question; NAME and … are filled in.

    Args:
        run: Its run.
        question: What is asked.
        who: Who answers.
    """
    words = ["runbook", _verb(question), run, question.called]
    if question.kind == "approve":
        words += ["--type", question.retype] if question.retype is not None else []
    else:
        words += [f"{name}=…" for name in question.fields]
    line = " ".join(_word(one) for one in [*words, "--as", who])
    return visible(line, most=COMMAND_MOST)


def _verb(question: Question) -> str:
    return "approve" if question.kind == "approve" else "answer"


def _word(text: str) -> str:
    """Return a word as a shell takes it; a field that is to be filled in as it is."""
    return text if text.endswith("=…") else shlex.quote(text)


def people_text(who: Iterable[tuple[str, int]]) -> str:
    """Return who is asked: `1 of messaging-oncall and 2 of incident-commanders`."""
    told = [f"{count} of {visible(group)}" for group, count in who]
    return " and ".join(told) or "anybody who may"


def _who(question: Question) -> list[str]:
    round_ = f", escalation {question.round}" if question.round else ""
    lines = [f"Asked: {people_text(question.who)}{round_}"]
    if question.not_by:
        lines.append(f"Not by: {', '.join(visible(one) for one in question.not_by)}")
    return lines


def _until(question: Question, until: float | None) -> str:
    if until is not None:
        return f"Until: {moment_text(until)}; silence is no consent"
    within = length_text(question.within_seconds)
    return f"Within: {within} from asking; silence is no consent"


def _fields(question: Question) -> Iterator[str]:
    for name, raw in question.fields.items():
        kind = raw.get("type", raw) if isinstance(raw, dict) else raw
        choices = raw.get("of") if isinstance(raw, dict) else None
        among = f", one of {value_text(choices)}" if choices else ""
        yield f"  {visible(name)}: {visible(kind)}{among}"


def _plan(plan: Plan) -> list[str]:
    lines = [f"Plan {visible(plan.hash[:HASH_SHOWN])}, {_number(plan.acts)}:"]
    for number, act in enumerate(plan.acts, 1):
        lines += _act(number, act)
    if plan.states:
        lines.append(f"Seen: {pairs_text(plan.states)}")
    lines.append(f"Runbook revision: {visible(plan.revision[:HASH_SHOWN])}")
    return lines


def _number(acts: tuple[PlannedAct, ...]) -> str:
    if not acts:
        return "no acts"
    return "1 act" if len(acts) == 1 else f"{len(acts)} acts"


def _act(number: int, act: PlannedAct) -> list[str]:
    target = f" on {visible(act.target)}" if act.target else ""
    lines = [f"  {number}. {visible(act.action)}{target}   risk: {visible(act.risk)}"]
    if act.problem:
        lines += _row("not told", visible(act.problem))
    if act.command is not None:
        lines += _row("command", _command(act.kind, act.command))
    lines += _row("undo", _undo(act))
    if act.before:
        lines += _row("was", pairs_text(act.before))
    return lines


def _undo(act: PlannedAct) -> str:
    if act.undo is not None:
        return _command(act.kind, act.undo)
    return "nothing to give back" if act.reversible else "NONE, this cannot be undone"


def _command(kind: str, command: object) -> str:
    return visible(command_text(kind, command), most=COMMAND_MOST)


def _row(name: str, text: str) -> list[str]:
    lead = f"     {name + ':':<9} "
    return textwrap.wrap(
        text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)
    )
