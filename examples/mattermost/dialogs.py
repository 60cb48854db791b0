"""What Mattermost refuses in a dialog. Lengths are bytes. Called by: routes, people."""

from typing import Final

from mattermost.things import Json, Problem

TYPES: Final = frozenset({"text", "textarea", "select", "bool", "radio"})
LONGEST: Final = {"text": 150, "textarea": 3_000, "select": 3_000, "bool": 150}


def check_dialog(request: Json) -> None:
    """Return if it may be opened; else Problem 400."""
    dialog = request.get("dialog") or {}
    title = str(dialog.get("title", ""))
    good = 0 < len(title.encode()) <= 24 and bool(request.get("url"))
    names = [str(one.get("name", "")) for one in dialog.get("elements", [])]
    good = good and len(names) == len(set(names))
    if not good or not all(map(_fits, dialog.get("elements", []))):
        raise Problem(400, "app.open_interactive_dialog.invalid.app_error",
                      "Invalid dialog.")  # fmt: skip


def required_left_out(dialog: Json, values: Json) -> list[str]:
    """Return the names of fields that a client would not let be empty."""
    return [
        one["name"] for one in dialog.get("elements", [])
        if not one.get("optional") and values.get(one["name"]) in (None, "", False)
    ]  # fmt: skip


def _fits(element: Json) -> bool:
    kind, default = element.get("type"), str(element.get("default", ""))
    sizes = {"display_name": 24, "name": 300}
    if not all(
        0 < len(str(element.get(n, "")).encode()) <= m for n, m in sizes.items()
    ):
        return False
    if len(str(element.get("help_text", "")).encode()) > 150 or kind not in TYPES:
        return False
    if len(default.encode()) > LONGEST.get(kind, 3_000):
        return False
    if kind == "bool":
        return default in ("", "true", "false")
    if kind in ("select", "radio"):
        options = element.get("options", [])
        return default in ("", *(one["value"] for one in options))
    return True
