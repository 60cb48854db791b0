"""One thing that `doctor` looked at. Read by: doctoring and its parts, keeping."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """What it is, how it is, and what to do about it."""

    state: Literal["ok", "warn", "fail"]
    what: str
    told: str
    do: str = ""
