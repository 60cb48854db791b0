"""What a person fills into a window (modal): the state Slack makes of it.

Like Slack's own window it sends nothing that a field forbids: a required field left
empty, a text too long, a number out of range is `Cannot`. Called by: people.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chat.bodies import CHOSEN
from chat.things import Json

INITIAL: Final = {
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_channel": "initial_channel",
    "selected_conversation": "initial_conversation",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
    "value": "initial_value",
}


class Cannot(Exception):
    """A person cannot do this in Slack; the text says why."""


def filled(
    blocks: list[Json], values: Mapping[str, Any], *, checked: bool = True
) -> Json:
    """Return `state.values` of blocks, filled with values by block_id or action_id.

    A field that is not named keeps its initial value. An option is named by its value,
    several by a list; a date is "2026-03-01", a time "14:05". Unless `checked`, a field
    may be left empty, as in a message.
    """
    unknown = set(values)
    state: Json = {}
    for block, element in _fields(blocks):
        names = {block["block_id"], element["action_id"]}
        named = names & set(values)
        unknown -= names
        given = values[named.pop()] if named else None
        content = _content(element, given)
        if checked and block["type"] == "input":
            _check(block, element, content)
        entry = {"type": element["type"], **content}
        state.setdefault(block["block_id"], {})[element["action_id"]] = entry
    if unknown:
        raise Cannot(f"there is no field {', '.join(sorted(unknown))}")
    return state


def _fields(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        inner = [block.get("element"), block.get("accessory"),
                 *block.get("elements", [])]  # fmt: skip
        for element in inner:
            if isinstance(element, dict) and element.get("type") in FIELDS:
                yield block, element


FIELDS: Final = frozenset(CHOSEN) | {
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
}


def _content(element: Json, given: Any) -> Json:
    name = CHOSEN.get(element["type"], "value")
    if given is None:
        return {name: element.get(INITIAL[name], [] if name.endswith("s") else None)}
    if name == "selected_option":
        return {name: option(element, str(given))}
    if name == "selected_options":
        return {name: [option(element, str(one)) for one in given]}
    return {name: str(given) if name == "value" else given}


def option(element: Json, value: str) -> Json:
    """Return the option of an element with this value; Cannot without one."""
    groups = element.get("option_groups", [])
    options = [*element.get("options", [])]
    options += [one for group in groups for one in group["options"]]
    for one in options:
        if one["value"] == value:
            return dict(one)
    known = ", ".join(str(one["value"]) for one in options)
    raise Cannot(f"'{element['action_id']}' has no option '{value}'; it has: {known}")


def _check(block: Json, element: Json, content: Json) -> None:
    value = next(iter(content.values()))
    name = f"the field '{block['block_id']}'"
    if value in (None, "", []):
        if not block.get("optional", False):
            raise Cannot(f"{name} must be filled")
        return
    if element["type"] == "number_input":
        _number(name, element, str(value))
    elif isinstance(value, str) and "value" in content:
        if len(value) < element.get("min_length", 0):
            raise Cannot(f"{name} is too short")
        if len(value) > element.get("max_length", 3000):
            raise Cannot(f"{name} is too long")


def _number(name: str, element: Json, text: str) -> None:
    try:
        number = float(text)
    except ValueError:
        raise Cannot(f"{name} takes a number") from None
    if not element.get("is_decimal_allowed", False) and "." in text:
        raise Cannot(f"{name} takes a whole number")
    low, high = element.get("min_value"), element.get("max_value")
    if low is not None and number < float(low):
        raise Cannot(f"{name} is below {low}")
    if high is not None and number > float(high):
        raise Cannot(f"{name} is above {high}")
