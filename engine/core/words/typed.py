"""Answers written as text, as the types of the fields that ask for them.

Called by: runtime.chat, one-time links, the command line.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from engine.errors import DoesNotApply
from engine.expressions.patterns import matches
from engine.model.input_values import from_text, value_problem
from engine.model.people import Question
from engine.model.vocabulary import Input


def typed_value(spec: Any, said: Any) -> tuple[Any, str]:
    """Return what was said as the field's type, and what was expected instead.

    Text is read as the type; anything else is only judged.
    """
    raw = spec if isinstance(spec, Mapping) else {"type": spec}
    try:
        declared = Input.model_validate(dict(raw))
    except ValidationError:
        return said, ""
    value = from_text(declared, said) if isinstance(said, str) else said
    return value, value_problem(declared, value, matches) or ""


def typed_answers(question: Question, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given as the question's types.

    Raises:
        DoesNotApply: a field is unknown, missing or of another type; all are named.
    """
    known = ", ".join(question.fields) or "none"
    told = [f"'{name}' is not asked; it asks: {known}" for name in given
            if name not in question.fields]  # fmt: skip
    answers: dict[str, Any] = {}
    for name, spec in question.fields.items():
        if name not in given:
            told.append(f"'{name}' is missing: {name}=… ({field_words(spec)})")
            continue
        answers[name], problem = typed_value(spec, given[name])
        if problem:
            told.append(f"'{name}': {given[name]!r} does not fit; expected {problem}")
    if told:
        raise DoesNotApply("\n".join(told))
    return answers


def whole(value: Any) -> Any:
    """Return a number without a fraction as an integer: dialogs know only numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def field_words(spec: Any) -> str:
    """Return what a field takes: `true or false`, `red or blue`, `integer`."""
    kind = spec.get("type", "string") if isinstance(spec, Mapping) else spec
    values = spec.get("of") if isinstance(spec, Mapping) else None
    if kind == "boolean":
        return "true or false"
    if kind == "choice" and isinstance(values, list):
        return " or ".join(str(one) for one in values)
    return str(kind)
