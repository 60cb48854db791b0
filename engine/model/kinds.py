"""What is known of a kind of check or action, as data: its parameters and its places.

The registry fills a catalogue of these; language checks parameters against it, core
compiles with it, the reference page lists it. The code behind a kind is not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Place = Literal[
    "text",  # shown or sent as it is
    "promql",  # inside a string of a PromQL query
    "datadog",  # inside a Datadog query: from outside only a tag, a word, a number
    "nrql",  # inside NRQL: from outside nothing that ends its string
    "url",  # inside a URL: values are one segment or one query value each
    "argv",  # one argument of a command; a value from outside may not begin with "-"
    "host",  # names a host; from outside only with a pattern or a choice
    "header",  # an HTTP header: no line breaks
    "json",  # inside a JSON body: types are kept
]


@dataclass(frozen=True, slots=True)
class CheckKind:
    """A kind of check."""

    name: str
    params: type[BaseModel]
    judges_itself: bool = False  # `pass` may be left out
    places: Mapping[str, Place] = field(default_factory=dict)  # parameter key to place
    sees: tuple[str, ...] = ()  # the names that `pass` may use
    missing: str = ""  # how to install what this engine lacks for it


@dataclass(frozen=True, slots=True)
class ActionKind:
    """A kind of action."""

    name: str
    params: type[BaseModel]
    built_in_undo: bool = False  # the kind gives back by itself; no `undo` is written
    leaves_nothing: bool = False  # every act of this kind leaves nothing to give back
    places: Mapping[str, Place] = field(default_factory=dict)
    undo_may_be_written: bool = False  # beside a built-in one; what is written counts
    missing: str = ""  # how to install what this engine lacks for it


@dataclass(frozen=True, slots=True)
class Kinds:
    """Every kind this engine knows."""

    checks: Mapping[str, CheckKind] = field(default_factory=dict)
    actions: Mapping[str, ActionKind] = field(default_factory=dict)


class Agree(BaseModel):
    """`agree`: several viewpoints must say the same, else it is unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    of: list[str] = Field(min_length=2, description="The checks that look.")
    need: int = Field(2, ge=2, description="How many must say the same.")
