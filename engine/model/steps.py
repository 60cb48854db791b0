"""The steps of a runbook: one class for each verb, each with its own keys.

A step is a map with exactly one verb. Everything that may stand beside any verb is in
`Step`; what a verb means is in core, not here.

Read by: language (load, lint), core.compile, the reference page.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from engine.model.values import (
    Cel,
    CelList,
    CheckState,
    Duration,
    Identifier,
    Model,
    Name,
    OnUnknown,
    Text,
)

MINUTE: Final = timedelta(minutes=1)
Bindings = dict[Identifier, Any]


class Step(Model):
    """What may stand beside every verb."""

    name: Name | None = Field(None, description="How other steps and people call it.")
    when: Cel | None = Field(
        None, description="The step is taken only if this is true."
    )
    on_unknown: OnUnknown | None = Field(
        None, description="What to do when `when` cannot be told."
    )
    on_fail: str | None = Field(
        None, description="hand_over (default), undo, continue, or a workaround's name."
    )


class CheckStep(Step):
    """Looks; with `expect`, any other answer fails."""

    check: str = Field(description="The check to look at.")
    expect: CheckState | None = Field(None, description="pass, fail or unknown.")
    with_: Bindings = Field(
        default_factory=dict, alias="with", description="Names bound for this use."
    )


class AllStep(Step):
    """Steps side by side."""

    all: list["AnyStep"] = Field(min_length=1, description="Taken side by side.")
    need: int | None = Field(
        None, ge=1, description="How many must succeed; default all."
    )


class ActStep(Step):
    """Does an action; then it is held."""

    act: str = Field(description="The action to do.")
    with_: Bindings = Field(
        default_factory=dict,
        alias="with",
        description="Names bound for this use: a literal, text or {cel: EXPR}.",
    )


class EachStep(Step):
    """The same steps for each target, in growing batches."""

    each: CelList = Field(description="CEL that gives the list of targets.")
    as_: Identifier = Field(alias="as", description="The name of one target.")
    do: list["AnyStep"] = Field(min_length=1, description="The steps for one target.")
    batch: int | list[Any] | None = Field(
        None, description="Batch sizes: a number, or numbers and shares such as 10%."
    )
    max_errors: int = Field(0, ge=0, description="Targets that may fail.")
    pause: Duration | None = Field(None, description="Between batches.")


class RepeatStep(Step):
    """A ramp: the same steps while a condition is true, a bounded number of times."""

    repeat: int = Field(ge=1, le=1000, description="At most so many times.")
    every: Duration | None = Field(None, description="Time between rounds.")
    while_: Cel | None = Field(
        None, alias="while", description="Looked at before each round."
    )
    do: list["AnyStep"] = Field(min_length=1, description="The steps of one round.")


class Cause(Model):
    """One possible cause, and the workaround it leads to."""

    name: Name = Field(description="What the cause is called.")
    when: Cel | None = Field(None, description="The last has none: none of the others.")
    workaround: str | None = Field(None, description="The list to take.")


class CauseStep(Step):
    """Names the cause: the first whose `when` is true."""

    cause: list[Cause] = Field(min_length=1, description="In the order of judging.")


class Need(Model):
    """So many distinct people of a group."""

    group: str = Field(description="The group they belong to.")
    need: int = Field(1, ge=1, le=20, description="How many of them.")


def _needs(raw: Any) -> Any:
    if isinstance(raw, str):
        return [{"group": raw}]
    return [raw] if isinstance(raw, dict) else raw


Needs = Annotated[list[Need], BeforeValidator(_needs), Field(min_length=1)]


class Escalation(Model):
    """Who is asked next when nobody answered."""

    from_: Needs = Field(alias="from", description="Who may answer, each entry met.")
    within: Duration = Field(10 * MINUTE, description="How long they have.")
    then: "Escalation | None" = Field(None, description="Who is asked after them.")

    @model_validator(mode="before")
    @classmethod
    def _one_group(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "group" not in raw:
            return raw
        need = {key: raw[key] for key in ("group", "need") if key in raw}
        return {k: v for k, v in raw.items() if k not in need} | {"from": [need]}


def _people(raw: Any) -> Any:
    return [raw] if isinstance(raw, str) else raw


People = Annotated[list[str], BeforeValidator(_people)]


class ApproveStep(Step):
    """A gate for the acts after it: nothing goes on until people say yes."""

    approve: Text = Field(description="The question, as people read it.")
    from_: Needs = Field(alias="from", description="Who may answer, each entry met.")
    not_by: People = Field(
        default_factory=list, description="Who may not answer: requester, or a person."
    )
    within: Duration = Field(10 * MINUTE, description="How long they have.")
    then: Escalation | None = Field(None, description="Who is asked after them.")
    on_reject: str | None = Field(None, description="As on_fail, without continue.")
    on_expire: str | None = Field(None, description="As on_fail, without continue.")
    unless: Cel | None = Field(
        None, description="`auto`, or CEL: true opens the gate without asking."
    )
    retype: Text | None = Field(None, description="What the approver has to type.")


class AskStep(Step):
    """A question with typed answers."""

    ask: Text = Field(description="The question, as people read it.")
    who: People = Field(default_factory=list, description="Groups or people asked.")
    within: Duration = Field(10 * MINUTE, description="How long they have.")
    fields: dict[Identifier, Any] = Field(
        default_factory=dict, description="Name of each answer and its type."
    )
    on_expire: str | None = Field(None, description="As on_fail.")


class SayStep(Step):
    """Posts and does not wait."""

    say: Text = Field(description="What is posted.")
    to: Text | None = Field(None, description="Where; left out: the run's channel.")


class WaitStep(Step):
    """Waits."""

    wait: Duration = Field(description="How long.")


class WaitForStep(Step):
    """Polls until true, and true for `hold`, all inside `within`."""

    wait_for: Cel = Field(description="The name of a check, or CEL.")
    within: Duration = Field(10 * MINUTE, description="The whole time it may take.")
    every: Duration = Field(timedelta(seconds=15), description="Between looks.")
    hold: Duration | None = Field(None, description="How long it must stay true.")


class UndoStep(Step):
    """Gives back what is held, newest first."""

    undo: str = Field(description="An action's name, or all.")
    pause: Duration | None = Field(None, description="Between undos.")
    check: str | None = Field(
        None, description="Looked at after each; stops where it does not pass."
    )


class RunStep(Step):
    """Takes another runbook as a step."""

    run: str = Field(description="The name of the runbook.")
    with_: Bindings = Field(
        default_factory=dict, alias="with", description="Its inputs."
    )
    within: Duration = Field(10 * MINUTE, description="The whole time it may take.")


class HandOverStep(Step):
    """Ends the run in a group's hands."""

    hand_over: str = Field(description="The group that takes over.")
    why: Text | None = Field(None, description="What they are told.")


VERBS: Final[Mapping[str, type[Step]]] = {
    "check": CheckStep,
    "all": AllStep,
    "act": ActStep,
    "each": EachStep,
    "repeat": RepeatStep,
    "cause": CauseStep,
    "approve": ApproveStep,
    "ask": AskStep,
    "say": SayStep,
    "wait": WaitStep,
    "wait_for": WaitForStep,
    "undo": UndoStep,
    "run": RunStep,
    "hand_over": HandOverStep,
}


def verb_of(raw: Any) -> str | None:
    """Return the verb of a step, or None where it has none.

    `undo` and `check` stand beside each other in an undo step, and `act` names it.
    """
    if isinstance(raw, Step):
        return next(verb for verb, model in VERBS.items() if isinstance(raw, model))
    if not isinstance(raw, Mapping):
        return None
    found = [verb for verb in VERBS if verb in raw]
    if set(found) == {"undo", "check"}:
        return "undo"
    return found[0] if found else None


AnyStep = Annotated[
    Annotated[CheckStep, Tag("check")]
    | Annotated[AllStep, Tag("all")]
    | Annotated[ActStep, Tag("act")]
    | Annotated[EachStep, Tag("each")]
    | Annotated[RepeatStep, Tag("repeat")]
    | Annotated[CauseStep, Tag("cause")]
    | Annotated[ApproveStep, Tag("approve")]
    | Annotated[AskStep, Tag("ask")]
    | Annotated[SayStep, Tag("say")]
    | Annotated[WaitStep, Tag("wait")]
    | Annotated[WaitForStep, Tag("wait_for")]
    | Annotated[UndoStep, Tag("undo")]
    | Annotated[RunStep, Tag("run")]
    | Annotated[HandOverStep, Tag("hand_over")],
    Discriminator(
        verb_of,
        custom_error_type="verb",
        custom_error_message="a step needs exactly one verb: " + ", ".join(VERBS),
    ),
]
AllStep.model_rebuild()
EachStep.model_rebuild()
RepeatStep.model_rebuild()
