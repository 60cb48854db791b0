"""A Form as Slack's modal, and what was filled into one.

Each field is a block named after it; the element's `action_id` is the field's kind, so
that what comes back can be read without the form. A number that is none is answered at
once, beside its field. Choices that Slack's menus cannot hold (more than 100, or one of
more than 75 characters) are typed instead, and the hint lists them.

Limits of Slack: title, buttons 24 characters; 100 blocks; `private_metadata` 3,000.

Called by provider (out) and inbound (back).
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from engine.adapters.slack.shapes import as_map, as_text
from engine.adapters.slack.texts import plain
from engine.errors import ChatRefused
from engine.model.chat import LONGEST_VALUE, Field, Form

TITLE: Final = 24
MOST_FIELDS: Final = 60
MOST_TEXTS: Final = 30  # of 100 blocks
MOST_CHOICES: Final = 100
LONGEST_CHOICE: Final = 75
HINT: Final = 1000
YES_NO: Final = (("yes", "Yes"), ("no", "No"))
YES: Final = frozenset({"yes", "true", "1", "on"})
NAME: Final = 255  # of a block
NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?"
)
CALLBACK: Final = "form"

Answers = dict[str, Any]
Wrong = dict[str, str]  # field name to what is wrong with it


def modal(form: Form) -> dict[str, Any]:
    """Return the view of a form.

    Raises:
        ChatRefused: it has more fields, or a longer value, than Slack takes.
    """
    if len(form.value) > LONGEST_VALUE:
        raise ChatRefused(
            f"the form '{form.title}' would carry {len(form.value)} characters; "
            f"Slack keeps {LONGEST_VALUE}"
        )
    if len(form.fields) > MOST_FIELDS:
        raise ChatRefused(
            f"the form '{form.title}' has {len(form.fields)} fields; Slack shows "
            f"{MOST_FIELDS}. Give them as key=value, or at the command line."
        )
    texts = [
        {"type": "section", "text": plain(one, 2900)} for one in form.text[:MOST_TEXTS]
    ]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": form.value,
        "title": plain(_short(form.title), TITLE),
        "submit": plain(_short(form.send), TITLE),
        "close": plain("Cancel", TITLE),
        "blocks": [*texts, *map(_input, form.fields)],
    }


def _short(text: str) -> str:
    return text if len(text) <= TITLE else text[: TITLE - 1].rstrip() + "…"


def _input(field: Field) -> dict[str, Any]:
    hint = field.hint
    if field.choices and not _in_a_menu(field):
        listed = ", ".join(field.choices)
        hint = f"{hint} One of: {listed}".strip()
    elif field.kind == "list" and not field.choices:
        hint = f"{hint} One on each line.".strip()
    made: dict[str, Any] = {
        "type": "input",
        "block_id": field.name[:NAME],
        "label": plain(field.label or field.name, 1900),
        "element": _element(field),
        "optional": field.optional,
    }
    if hint:
        made["hint"] = plain(hint, HINT)
    return made


def _in_a_menu(field: Field) -> bool:
    return len(field.choices) <= MOST_CHOICES and all(
        one and one.strip() and len(one) <= LONGEST_CHOICE for one in field.choices
    )


def _element(field: Field) -> dict[str, Any]:
    if field.kind == "yes_no":
        return _menu(field, YES_NO, "yes" if field.value.lower() in YES else "no")
    if field.choices and _in_a_menu(field):
        return _menu(field, [(one, one) for one in field.choices], field.value)
    made: dict[str, Any] = {"type": "plain_text_input", "action_id": field.kind}
    if field.kind == "number":
        made = {"type": "number_input", "action_id": "number"}
        made["is_decimal_allowed"] = True
    if field.kind in ("long", "list"):
        made["multiline"] = True
    if field.value and not (field.kind == "number" and _number(field.value) is None):
        made["initial_value"] = field.value[:3000]
    return made


def _menu(field: Field, pairs: Any, value: str) -> dict[str, Any]:
    options = {
        one: {"text": plain(shown, LONGEST_CHOICE), "value": one}
        for one, shown in pairs
    }
    made: dict[str, Any] = {"action_id": field.kind, "options": [*options.values()]}
    if field.kind == "list":
        made["type"] = "multi_static_select"
        chosen = [options[one] for one in value.splitlines() if one in options]
        return made | ({"initial_options": chosen} if chosen else {})
    made["type"] = "static_select"
    if value in options and (field.value or not field.optional):
        made["initial_option"] = options[value]
    return made


def filled(view: Mapping[str, Any]) -> tuple[Answers, Wrong]:
    """Return what was filled in by field, and what is wrong with it by field.

    A field that was left empty is not there.
    """
    answers: Answers = {}
    wrong: Wrong = {}
    for given, elements in as_map(as_map(view.get("state")).get("values")).items():
        name = as_text(given)
        for kind, element in as_map(elements).items():
            value = _value(as_map(element))
            if value is None or value in ("", []):
                continue
            try:
                answers[name] = _typed(kind, value)
            except ValueError as problem:
                wrong[name] = str(problem)
    return answers, wrong


def _typed(kind: str, value: str | list[str]) -> Any:
    """Return a value of its field's kind. Raises ValueError: it is none."""
    if isinstance(value, list):
        return value
    if kind == "number":
        number = _number(value)
        if number is None:
            raise ValueError("This is no number: write 12 or 0.5")
        return number
    if kind == "yes_no":
        return value == "yes"
    if kind == "list":
        return [one.strip() for one in value.splitlines() if one.strip()]
    return value


def _value(element: Mapping[str, Any]) -> str | list[str] | None:
    """Return what an element of any type holds: texts, or one."""
    many = element.get("selected_options")
    if isinstance(many, list):
        return [as_text(as_map(one).get("value")) for one in many]
    one = element.get("selected_option")
    if isinstance(one, Mapping):
        return as_text(one.get("value"))
    value = element.get("value")
    return as_text(value) if isinstance(value, str) else None


def _number(text: str) -> int | float | None:
    if NUMBER.fullmatch(text.strip()) is None:
        return None
    if text.strip().lstrip("+-").isdigit():
        return int(text)
    found = float(text)
    return found if math.isfinite(found) else None
