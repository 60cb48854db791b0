"""Forms as Mattermost's interactive dialogs, and what comes back from them.

Traps of dialogs: lengths count bytes; a default of a choice must be one of the choices;
a box that must be filled can only be ticked, so boxes are optional. A value that a
field cannot hold is left out of it, never cut: what is sent is what was meant. The
state that comes back is seen by the browser: it is signed for the account that opened
it.

Called by provider (makes), reading (reads).
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.adapters.mattermost.plain import cut_bytes, escaped, shown
from engine.adapters.mattermost.settings import DOORS
from engine.adapters.mattermost.signing import Signer
from engine.model.chat import Field, Form

TITLE: Final = 24  # bytes, all of these
LABEL: Final = 24
HINT: Final = 150
SHORT: Final = 150
LONG: Final = 3_000
TRIGGER: Final = 2_000  # characters of one that is looked at
KINDS: Final = {
    "text": "t", "long": "l", "number": "n", "yes_no": "y", "choice": "c", "list": "s",
}  # fmt: skip
YES: Final = ("true", "yes", "on", "1")
SPLIT: Final = re.compile(r"[,\n]")

Json = dict[str, Any]


def opened_by(trigger: str) -> tuple[str, str]:
    """Return what a trigger says of itself: its own id, and the account it is for.

    Mattermost checks its signature when it is used; here it only tells whose form it
    will be. Both are empty where it does not say.
    """
    try:
        raw = base64.b64decode(trigger[:TRIGGER], validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return "", ""
    parts = raw.split(":")
    return (parts[0], parts[1]) if len(parts) == 4 else ("", "")


def dialog(trigger: str, form: Form, *, signer: Signer, callback: str) -> Json:
    """Return the body that opens the form. Raises SecretMissing."""
    kinds = {one.name: KINDS[one.kind] for one in form.fields}
    text = "\n".join(escaped(line) for line in form.text)
    elements = [_element(one) for one in form.fields]
    state = _state("form", {"value": form.value, "kinds": kinds}, trigger, signer)
    return _body(trigger, callback, form.title, text, elements, form.send, state)


def sure_dialog(
    trigger: str, sure: str, pressed: Json, *, signer: Signer, callback: str
) -> Json:
    """Return the body that asks once more; it carries what was pressed."""
    state = _state("sure", pressed, trigger, signer)
    return _body(trigger, callback, "Are you sure?", escaped(sure), [], "Yes", state)


def state_of(state: Any, account: str, signer: Signer) -> tuple[str, Json, str] | None:
    """Return the kind, the body and the id of a state that was made for the account.

    None: it was not made here, or for somebody else. Raises SecretMissing.
    """
    try:
        found = json.loads(state)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("body"), dict):
        return None
    kind, body, opened = found.get("kind"), found["body"], found.get("id")
    if not isinstance(kind, str) or not isinstance(opened, str):
        return None
    if not signer.fits(found.get("code"), kind, body, opened, account):
        return None
    return kind, body, opened


def answers_of(kinds: Any, submission: Any) -> dict[str, Any]:
    """Return a submission's values by field name, as the form's kinds say.

    An empty field is left out; text that is no number stays text, to be refused by
    name.
    """
    given = submission if isinstance(submission, Mapping) else {}
    wanted = kinds if isinstance(kinds, Mapping) else {}
    found = {name: _value(kind, given.get(name)) for name, kind in wanted.items()}
    return {name: value for name, value in found.items() if value is not None}


def _body(
    trigger: str, callback: str, title: str, text: str, elements: Sequence[Json],
    send: str, state: str,
) -> Json:  # fmt: skip
    return {
        "trigger_id": trigger,
        "url": f"{callback}{DOORS}/dialog",
        "dialog": {
            "callback_id": "runbook",
            "title": cut_bytes(shown(title), TITLE) or "?",
            "introduction_text": text,
            "elements": list(elements),
            "submit_label": cut_bytes(shown(send), LABEL),
            "notify_on_cancel": False,
            "state": state,
        },
    }


def _state(kind: str, body: Json, trigger: str, signer: Signer) -> str:
    opened, account = opened_by(trigger)
    code = signer.sign(kind, body, opened, account)
    found = {"kind": kind, "body": body, "id": opened, "code": code}
    return json.dumps(found, separators=(",", ":"))


def _element(one: Field) -> Json:
    made: Json = {
        "display_name": cut_bytes(shown(one.label), LABEL) or one.name[:LABEL],
        "name": one.name,
        "optional": one.optional,
        "help_text": cut_bytes(shown(one.hint), HINT),
    }
    if one.kind == "yes_no":
        ticked = "true" if one.value.lower() in YES else "false"
        label = cut_bytes(shown(one.label), SHORT)
        return made | {
            "type": "bool", "default": ticked, "placeholder": label, "optional": True,
        }  # fmt: skip
    if one.kind == "choice":
        options = [
            {"text": shown(choice)[:SHORT] or "?", "value": choice}
            for choice in one.choices
        ]
        default = one.value if one.value in one.choices else ""
        return made | {"type": "select", "options": options, "default": default}
    size = len(one.value.encode("utf-8", "replace"))
    if one.kind in ("long", "list") or (one.kind == "text" and size > SHORT):
        hint = made["help_text"] or ("One on each line." if one.kind == "list" else "")
        return made | {
            "type": "textarea", "default": one.value if size <= LONG else "",
            "max_length": LONG, "help_text": hint,
        }  # fmt: skip
    kind = "number" if one.kind == "number" else "text"
    default = one.value if size <= SHORT else ""
    return made | {
        "type": "text", "subtype": kind, "default": default, "max_length": SHORT,
    }  # fmt: skip


def _value(kind: Any, given: Any) -> Any:
    if kind == "y":
        return given is True or str(given).lower() in YES
    if given is None or given == "" or isinstance(given, dict | list):
        return None
    if kind == "n":
        return _number(given)
    if kind == "s":
        listed = [one.strip() for one in SPLIT.split(str(given)) if one.strip()]
        return listed or None
    return _clean(str(given))


def _number(given: Any) -> Any:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return given if math.isfinite(given) else str(given)
    text = _clean(str(given)).strip()
    for kind in (int, float):
        try:
            found = kind(text)
        except ValueError:
            continue
        return found if math.isfinite(found) else text
    return text


def _clean(text: str) -> str:
    """Return the text as it can be written down: no half of a pair stands alone."""
    return text.encode("utf-8", "replace").decode()
