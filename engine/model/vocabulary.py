"""The vocabulary of a runbook: its inputs, its checks, its actions.

A check looks and changes nothing; an action changes the world and says how it is
undone. The kind of either is the one key that is not listed here; its parameters stay
plain values, and language.lint holds them against the model that the kind registered.

Read by: language (load, lint), core.compile, the reference page.
"""

from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from engine.model.values import (
    Cel,
    Duration,
    Identifier,
    Model,
    Name,
    ObservationCel,
    ObservationValue,
    Text,
    one_key,
)

SECOND: Final = timedelta(seconds=1)
KIND_KEYS: Final = ("kind", "params")


class Input(Model):
    """One typed value that a run is started with."""

    type: Literal["string", "integer", "number", "boolean", "choice", "list"] = Field(
        description="What the value is; a choice lists its values in `of`."
    )
    from_: str | None = Field(
        None,
        alias="from",
        description="Where the alert holds it: labels.x, annotations.x.",
    )
    default: Any = Field(None, description="The value when nobody gives one.")
    pattern: str | None = Field(
        None, description="An RE2 pattern that the whole value must match."
    )
    min: float | None = Field(
        None, description="Smallest value; of a list, its length."
    )
    max: float | None = Field(None, description="Largest value; of a list, its length.")
    of: list[Any] | str | None = Field(
        None, description="The values of a choice, or the type of a list's members."
    )
    secret: bool = Field(False, description="Never shown, logged or posted.")
    description: str | None = Field(None, description="For the person who fills it in.")

    @property
    def required(self) -> bool:
        """Whether a run cannot start without somebody giving this input."""
        return "default" not in self.model_fields_set


class Check(Model):
    """A way to look at the world; one further key names its kind."""

    kind: str = Field(description="The kind; in the file it is the key itself.")
    params: Any = Field(description="The kind's parameters; in the file its value.")
    pass_: ObservationCel | None = Field(
        None, alias="pass", description="CEL over what was seen: true is pass."
    )
    pass_for: Literal["all", "any"] | None = Field(
        None, description="With several series: all or any of them must pass."
    )
    unknown_when: ObservationCel | None = Field(
        None, description="CEL over what was seen: true makes the answer unknown."
    )
    timeout: Duration = Field(10 * SECOND, description="Total time of one attempt.")
    attempts: int = Field(
        3, ge=1, le=10, description="Looks in a row while the answer is unknown."
    )
    fresh_for: Duration = Field(
        120 * SECOND, description="How long an answer counts, from the end of the look."
    )
    description: str | None = Field(None, description="For people.")

    @model_validator(mode="before")
    @classmethod
    def _kind_is_a_key(cls, raw: Any) -> Any:
        return _split_kind(raw, CHECK_KEYS, "a check")


class ActionBody(Model):
    """What an undo does: a kind with its parameters, and its own time limit."""

    kind: str = Field(description="The kind; in the file it is the key itself.")
    params: Any = Field(description="The kind's parameters; in the file its value.")
    timeout: Duration | None = Field(
        None, description="Total time of one try; left out: the action's."
    )
    retry: "Retry | None" = Field(
        None, description="More tries; left out: the action's."
    )

    @model_validator(mode="before")
    @classmethod
    def _kind_is_a_key(cls, raw: Any) -> Any:
        return _split_kind(raw, BODY_KEYS, "an undo")


class Retry(Model):
    """How often an act is tried again, and how long between."""

    times: int = Field(ge=0, le=20, description="More tries after the first.")
    wait: Duration = Field(5 * SECOND, description="Before the second try.")
    grow: float = Field(1.0, ge=1.0, le=10.0, description="Each wait times this.")
    at_most: Duration | None = Field(None, description="No wait is longer.")


class Remember(Model):
    """A value looked up before the act and stored with its intent."""

    check: str = Field(description="The check that sees the value.")
    value: ObservationValue = Field(description="CEL over what the check saw.")


class Action(Model):
    """A change to the world, with the way back; one further key names its kind."""

    kind: str = Field(description="The kind; in the file it is the key itself.")
    params: Any = Field(description="The kind's parameters; in the file its value.")
    undo: ActionBody | Literal["none"] | None = Field(
        None, description="The way back, or `none` with why_no_undo."
    )
    why_no_undo: str | None = Field(None, description="Why there is no way back.")
    leaves_nothing: bool = Field(
        False, description="True: the act leaves nothing that could be given back."
    )
    done_when: Cel | None = Field(
        None,
        description="True: the effect is there. Looked at before and after a crash.",
    )
    guard: Cel | None = Field(
        None, description="Must be true inside the lock, right before the act."
    )
    verify: Cel | None = Field(
        None, description="Polled after the act; left out: done_when."
    )
    verify_within: Duration | None = Field(
        None, description="How long verify may take; left out: the timeout."
    )
    undone_when: Cel | None = Field(
        None, description="True: already given back. Looked at before an undo."
    )
    undo_if: Cel | None = Field(
        None, description="Undo only if this is true, else ask: someone changed it."
    )
    remember: dict[Identifier, Remember] = Field(
        default_factory=dict, description="Values looked up before the act."
    )
    settles: list[str] = Field(
        default_factory=list, description="Actions that must no longer be undone after."
    )
    slot: Text | None = Field(
        None, description="A later act on a held slot joins it; the first undo counts."
    )
    timeout: Duration = Field(60 * SECOND, description="Total time of one try.")
    retry: Retry | None = Field(None, description="More tries after a failure.")
    after_crash: Literal["verify", "repeat", "ask"] = Field(
        "ask", description="What to do when the engine died during the act."
    )
    risk: Literal["low", "high"] = Field(
        "low", description="High: an approval before it on every path."
    )
    description: str | None = Field(None, description="For people.")

    @model_validator(mode="before")
    @classmethod
    def _kind_is_a_key(cls, raw: Any) -> Any:
        return _split_kind(raw, ACTION_KEYS, "an action")

    @property
    def undo_body(self) -> ActionBody | None:
        """The written way back, or None where there is none to write."""
        return self.undo if isinstance(self.undo, ActionBody) else None


class Impact(Model):
    """Checks that count affected users, and what a minute of it weighs."""

    checks: dict[Name, Check] = Field(
        description="In the file: the keys beside weight and every."
    )
    weight: float = Field(
        1.0,
        ge=0.0,
        le=10.0,
        description="1.0: cannot use it; 0.5: late; 0.1: cosmetic.",
    )
    every: Duration = Field(30 * SECOND, description="How often it is measured.")

    @model_validator(mode="before")
    @classmethod
    def _checks_are_keys(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "checks" in raw:
            return raw
        own = {key: raw[key] for key in ("weight", "every") if key in raw}
        return own | {"checks": {k: v for k, v in raw.items() if k not in own}}


def _split_kind(raw: Any, known: frozenset[str], what: str) -> Any:
    if not isinstance(raw, dict) or "kind" in raw:
        return raw
    kind = one_key(raw, known, what)
    rest = {key: value for key, value in raw.items() if key != kind}
    return rest | {"kind": kind, "params": raw[kind]}


def _keys(model: type[Model]) -> frozenset[str]:
    names = {field.alias or name for name, field in model.model_fields.items()}
    return frozenset(names - set(KIND_KEYS))


CHECK_KEYS: Final = _keys(Check)
BODY_KEYS: Final = _keys(ActionBody)
ACTION_KEYS: Final = _keys(Action)
