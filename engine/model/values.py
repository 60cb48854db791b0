"""The small types every part of a runbook is made of: durations, names, text.

What is here: the base model, the duration type, and the two marks `Template` and
`Condition` that say which strings are Jinja2 text and which are CEL. The marks are
data: language.lint finds every template and every expression by them, and the
reference page says which key is which.

What is not: parsing of YAML (language), evaluation (expressions, templating).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

DURATION: Final = re.compile(
    r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?"
)
LONGEST: Final = timedelta(days=30)  # no wait of a runbook is longer than a month


class Model(BaseModel):
    """Base of everything read from a file: unknown keys are errors, nothing coerced."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )


class SecretRef(Model):
    """`{secret: NAME}` in place of a string: the value is fetched right before use."""

    secret: str = Field(min_length=1, description="The name of the secret.")


@dataclass(frozen=True, slots=True)
class Template:
    """Marks a string as Jinja2 text, rendered once with the names of its place."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Marks a string as CEL; `yields` is what it must give: bool, list or any value."""

    yields: Literal["bool", "list", "any"] = "bool"
    names: Literal["run", "observation"] = "run"  # which names it may use


def parse_duration(raw: object) -> timedelta:
    """Return the duration written as `90s`, `5m`, `1h30m` or `2d`.

    Raises:
        ValueError: a bare number (the message shows the form with a unit), another
            form, or more than 30 days.
    """
    if isinstance(raw, timedelta):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise ValueError("a duration is written like 90s, 5m or 1h30m")
    if isinstance(raw, int | float) or raw.strip().isdigit():
        raise ValueError(f"a duration needs a unit: write {str(raw).strip()}s")
    found = DURATION.fullmatch(raw)
    if not raw or found is None:
        raise ValueError(f"'{raw}' is not a duration; write it like 90s, 5m or 1h30m")
    part = {name: float(value or 0) for name, value in found.groupdict().items()}
    seconds = part["d"] * 86_400 + part["h"] * 3600 + part["m"] * 60 + part["s"]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"'{raw}' is longer than 30 days")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """Return the duration as a person writes it: `1h30m`, `90s` becomes `1m30s`."""
    seconds = length.total_seconds()
    whole, rest = divmod(seconds, 1)
    hours, left = divmod(int(whole), 3600)
    minutes, left = divmod(left, 60)
    tail = f"{left + round(rest, 3):g}s" if left or rest else ""
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "") + tail
    return text or "0s"


def one_key(raw: Mapping[str, Any], known: frozenset[str], what: str) -> str:
    """Return the one key of `raw` not in `known`: the kind of a check or action.

    Raises:
        ValueError: no such key, or more than one.
    """
    kinds = [key for key in raw if key not in known]
    if not kinds:
        raise ValueError(f"{what} needs one key that names its kind, such as http")
    if len(kinds) > 1:
        named = ", ".join(f"'{kind}'" for kind in kinds)
        raise ValueError(f"{what} has more than one kind: {named}; keep one")
    return kinds[0]


def _word(raw: object) -> object:
    """Let numbers stand where text is meant: `argv: [sleep, 5]`."""
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, int | float) else raw


Word = Annotated[
    str, BeforeValidator(_word, json_schema_input_type=str | int | float | bool)
]
Duration = Annotated[
    timedelta,
    BeforeValidator(
        parse_duration,
        json_schema_input_type=Annotated[
            str, Field(pattern=r"^(\d+d)?(\d+h)?(\d+m)?(\d+(\.\d+)?s)?$")
        ],
    ),
    PlainSerializer(format_duration, return_type=str),
]
Text = Annotated[str, Template()]
Cel = Annotated[str, Condition()]
CelList = Annotated[str, Condition(yields="list")]
CelValue = Annotated[str, Condition(yields="any")]
ObservationCel = Annotated[str, Condition(names="observation")]
ObservationValue = Annotated[str, Condition(yields="any", names="observation")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
Severity = Literal["sev1", "sev2", "sev3", "sev4", "sev5"]
CheckState = Literal["pass", "fail", "unknown"]
OnUnknown = Literal["hand_over", "skip", "do"]
