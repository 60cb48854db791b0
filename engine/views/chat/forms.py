"""Dialogs with typed fields: a reason, answers, inputs, what is to be retyped.

Called by: runtime.chat.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.model.chat import Field, Filled, Form
from engine.model.people import Question
from engine.model.runbook import Runbook
from engine.views.chat.values import Value, parse_value, value_of, value_text
from engine.views.chat.wording import line

KINDS: Final[Mapping[str, Any]] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "yes_no",
    "choice": "choice",
    "list": "list",
}
NEEDED: Final[Mapping[str, tuple[str, str]]] = {
    "reject": ("reason", "Say why: nothing is rejected without a reason"),
    "hold": ("reason", "Say why: everybody sees the reason"),
    "note": ("text", "Write what is to be kept"),
}
FIELDS_MOST: Final = 40
TEXT_MOST: Final = 6  # lines above the fields
LABEL_MOST: Final = 48
HINT_MOST: Final = 150


def reason_form(value: Value, title: str, *, text: Sequence[str] = ()) -> Form:
    """Return a form that asks why: for reject, hold, cancel."""
    field = Field("reason", "Why", "long", hint="It stands in the timeline.")
    return _form(title, value, (field,), text)


def said_nothing(filled: Filled) -> dict[str, str]:
    """Return what is wrong with a form that has to say something and does not.

    By field; empty: nothing is. It asks nobody, so it can be told beside the field,
    while the form is still open.
    """
    value = parse_value(filled.value)
    name, told = NEEDED.get(value.verb if value is not None else "", ("", ""))
    blank = name in filled.answers and not str(filled.answers[name] or "").strip()
    return {name: told} if blank else {}


def note_form(value: Value, *, text: Sequence[str] = ()) -> Form:
    """Return a form that asks for the words of a note."""
    field = Field("text", "What is to be kept", "long")
    return _form("Note for the timeline", value, (field,), text)


def retype_form(run: str, question: Question) -> Form:
    """Return the form in which an approval is typed once more."""
    wanted = line(question.retype or "", 100)
    field = Field("typed", f"Type {wanted}", hint="Nothing is approved otherwise.")
    text = (line(question.text), f"To approve, type: {wanted}")
    value = value_of("approve", run, question)
    return _form("Approve", value, (field,), text)


def answers_form(run: str, question: Question, *, text: Sequence[str] = ()) -> Form:
    """Return a form with the typed fields of a question."""
    fields = tuple(
        _field(name, spec if isinstance(spec, Mapping) else {"type": spec})
        for name, spec in question.fields.items()
    )
    told = (line(question.text), *text)
    return _form("Answer", value_of("answer", run, question), fields, told)


def inputs_form(
    runbook: Runbook,
    value: Value,
    given: Mapping[str, str],
    *,
    text: Sequence[str] = (),
) -> Form:
    """Return a form with the inputs of a runbook, filled with what was given.

    Args:
        runbook: What is to be started.
        value: What comes back with it.
        given: Name to value, as it was written.
        text: What was wrong with it.
    """
    fields = [
        _field(
            name,
            declared.model_dump(by_alias=True, include={"type", "of"}),
            value=""
            if declared.secret
            else given.get(name, _default(declared.default)),
            optional=not declared.required,
            hint=declared.description or "",
        )
        for name, declared in runbook.inputs.items()
    ]
    told = (line(runbook.title), *text)
    return _form(f"Start {runbook.runbook}", value, tuple(fields), told, send="Start")


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _field(
    name: str,
    spec: Mapping[str, Any],
    *,
    value: str = "",
    optional: bool = False,
    hint: str = "",
) -> Field:
    kind = KINDS.get(str(spec.get("type", "string")), "text")
    of = spec.get("of")
    choices = tuple(line(one, 75) for one in of) if isinstance(of, list) else ()
    return Field(
        name, line(name, LABEL_MOST), kind, choices if kind == "choice" else (),
        line(value), optional, line(hint, HINT_MOST),
    )  # fmt: skip


def _form(
    title: str,
    value: Value,
    fields: tuple[Field, ...],
    text: Sequence[str],
    *,
    send: str = "Send",
) -> Form:
    told = tuple(line(one) for one in text if one)[:TEXT_MOST]
    return Form(title, value_text(value), fields[:FIELDS_MOST], told, send)
