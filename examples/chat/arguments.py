"""The arguments of one Web API call, as a form, JSON or a query brought them.

Called by: server (makes them), methods (read them).
"""

import json
from typing import Any

from chat.things import Json, Refused

NO = ("", "0", "false", "False", None, False, 0)


class Arguments:
    """What a call asks for. A form has texts only; JSON has what it likes."""

    def __init__(self, given: Json) -> None:
        self.given = {key: value for key, value in given.items() if value is not None}

    def text(self, name: str, default: str = "") -> str:
        """Return an argument as text."""
        value = self.given.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def need(self, name: str) -> str:
        """Return an argument as text; Refused: invalid_arguments without it."""
        if self.text(name) == "":
            raise Refused("invalid_arguments",
                          f"[ERROR] missing required field: {name}")  # fmt: skip
        return self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return an argument as a yes or no."""
        return self.given.get(name, default) not in NO

    def number(self, name: str, default: int) -> int:
        """Return an argument as a whole number; Refused: invalid_arguments."""
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            raise Refused("invalid_arguments",
                          f"[ERROR] must be a number: {name}") from None  # fmt: skip

    def ids(self, name: str) -> list[str]:
        """Return a list, given as one or as text with commas."""
        value = self.given.get(name, "")
        parts = value if isinstance(value, list) else str(value).split(",")
        return [str(part).strip() for part in parts if str(part).strip()]

    def structure(self, name: str, wrong: str) -> Any:
        """Return an argument's JSON, None without it; `wrong` is the refusal's code."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if value == "":
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise Refused(wrong) from None
