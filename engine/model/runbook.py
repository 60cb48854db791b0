"""One runbook, as a frozen model: who and when, limits, vocabulary, phases, tests.

The contract of the file format, version 1. Every key has a description; the JSON
Schema and the reference page are made from them.

Read by: language (which builds it from text), core.compile, views, analysis.
"""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from engine.model.steps import AnyStep, CheckStep, People
from engine.model.values import (
    Cel,
    CheckState,
    Duration,
    Identifier,
    Model,
    Name,
    Severity,
    Slug,
    Text,
)
from engine.model.vocabulary import Action, Check, Impact, Input

PHASES: Final = ("isolate", "diagnose", "workaround", "restore")
ORDER: Final = ("confirm", *PHASES)  # in which a run goes through them
Phase = Literal["isolate", "diagnose", "workaround", "restore"]


class AlertMatch(Model):
    """Which alerts start the runbook."""

    source: str | list[str] = Field(description="The source, such as alertmanager.")
    match: dict[str, str | int | float | bool | list[Any]] = Field(
        default_factory=dict,
        description="Label to value, list of values, or /regex/ (anchored, RE2).",
    )


class ChatTrigger(Model):
    """Who may start it from chat."""

    who: People = Field(default_factory=list, description="Groups or people.")


class Trigger(Model):
    """One way in which a run starts: exactly one of alert, chat, schedule."""

    alert: AlertMatch | None = Field(None, description="An alert that matches.")
    chat: ChatTrigger | None = Field(None, description="A person asks in chat.")
    schedule: str | None = Field(None, description="A cron line, in UTC.")
    group_by: list[str] = Field(
        default_factory=list, description="Inputs: one open run for each value."
    )
    when_resolved: Literal["continue", "restore", "ask"] = Field(
        "continue", description="What an open run does when the alert resolves."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "Trigger":
        ways = [
            way for way in (self.alert, self.chat, self.schedule) if way is not None
        ]
        if len(ways) != 1:
            raise ValueError("a trigger has exactly one of alert, chat, schedule")
        if self.alert is None and {"group_by", "when_resolved"} & self.model_fields_set:
            raise ValueError("group_by and when_resolved stand beside alert only")
        return self


class RunRate(Model):
    """So many starts in so long; after that the runbook only proposes itself."""

    max: int = Field(ge=1, description="Starts.")
    per: Duration = Field(description="In this time.")


class Targets(Model):
    """How many targets one act may touch."""

    max: int | None = Field(None, ge=1, description="At most so many.")
    share: float | str | None = Field(
        None, description="Share of the fleet: 0.4 or '40%'."
    )
    of: str | None = Field(None, description="The check that returns the fleet's size.")


class TimeLimits(Model):
    """Budgets for the worst case, from the start of the run."""

    isolated: Duration | None = Field(None, description="To the end of isolate.")
    mitigated: Duration | None = Field(None, description="To the end of workaround.")
    total: Duration | None = Field(None, description="To the end.")
    silent: Duration | None = Field(None, description="Longest gap between posts.")


class Limits(Model):
    """What bounds a run."""

    lock: list[Text] = Field(
        default_factory=list, description="Paths; a parent conflicts with its children."
    )
    lock_wait: Duration = Field(
        timedelta(minutes=1), description="Then it is handed over."
    )
    runs: RunRate | None = Field(None, description="How often it may start.")
    cooldown: Duration | None = Field(None, description="After a run, before the next.")
    targets: Targets | None = Field(None, description="How many targets.")
    time: TimeLimits = Field(
        default_factory=lambda: TimeLimits(), description="Worst cases."
    )


class RaiseRule(Model):
    """The severity follows the size."""

    to: Severity = Field(description="The severity it is raised to.")
    when: Cel = Field(description="When this is true.")


class StopRule(Model):
    """Watched through the whole run: true stops it."""

    when: Cel = Field(description="When this is true.")
    every: Duration = Field(timedelta(seconds=30), description="Looked at.")
    then: Literal["hand_over", "undo"] = Field("hand_over", description="What happens.")
    page: str | None = Field(None, description="The group that is paged.")


class ConfirmStep(CheckStep):
    """A check that shows whether the trouble is real."""

    expect: CheckState | None = Field(
        "fail", description="What the trouble looks like."
    )


class ChatRoom(Model):
    """Where people follow the run."""

    channel: Text | None = Field(None, description="The channel.")
    update_every: Duration | None = Field(
        None, description="Longest time between posts."
    )
    fallback: list[str] = Field(
        default_factory=list, description="Where when it fails."
    )


class ScriptedEvent(Model):
    """Something that happens during a rehearsal."""

    at: Duration = Field(description="Virtual time from the start.")
    do: Literal["cancel", "resolved", "crash", "hold"] = Field(description="What.")


class Expectation(Model):
    """What a rehearsal must show."""

    end: Literal["resolved", "cleared", "handed_over", "cancelled"] | None = Field(
        None, description="How the run ends."
    )
    cause: str | None = Field(None, description="The cause found.")
    did: list[str] | None = Field(None, description="Acts that were done, in order.")
    undone: list[str] | None = Field(None, description="Acts given back, in order.")
    held: list[str] | None = Field(None, description="Acts still held at the end.")
    skipped: list[str] | None = Field(None, description="Acts that were skipped.")
    asked: list[str] | int | None = Field(None, description="Steps that asked people.")
    within: Duration | None = Field(None, description="Virtual time of the whole run.")


def _script(raw: Any) -> Any:
    return raw if isinstance(raw, list) else [raw]


Script = Annotated[list[Any], BeforeValidator(_script)]


class Test(Model):
    """A rehearsal that lives with the runbook."""

    __test__ = False  # not a test of ours, whatever pytest thinks of the name

    name: str = Field(description="What it shows.")
    inputs: dict[str, Any] = Field(default_factory=dict, description="The inputs.")
    alert: dict[str, Any] | None = Field(
        None, description="A body, as its source sends."
    )
    checks: dict[str, Script] = Field(
        default_factory=dict, description="Answers of each check, one each look."
    )
    actions: dict[str, Script] = Field(
        default_factory=dict, description="ok, fail, timeout or lost."
    )
    people: Script = Field(
        default_factory=list, description="Answers, in order of asking."
    )
    events: list[ScriptedEvent] = Field(
        default_factory=list, description="What happens."
    )
    expect: Expectation = Field(
        default_factory=lambda: Expectation(), description="What it must show."
    )


class Always(Model):
    """What must hold on every path: one of the three forms."""

    act: str | None = Field(None, description="An act …")
    only_after: str | None = Field(
        None, description="… only after: approve, check NAME, act NAME."
    )
    at_end: Cel | None = Field(None, description="True at each end.")
    never: Cel | None = Field(None, description="True in no state.")

    @model_validator(mode="after")
    def _one_form(self) -> "Always":
        pair = self.act is not None and self.only_after is not None
        half = (self.act is None) != (self.only_after is None)
        if half or pair + (self.at_end is not None) + (self.never is not None) != 1:
            raise ValueError("one of: {act, only_after}, {at_end}, {never}")
        return self


class Runbook(Model):
    """One runbook: one kind of trouble, from the first look to normal service."""

    format: Literal[1] = Field(description="The version of this format.")
    runbook: Slug = Field(description="The name, equal to the file's stem.")
    title: Text = Field(description="For people.")
    owner: str = Field(description="The group that owns it and takes it over.")
    severity: Severity = Field(description="sev1 (worst) to sev5.")
    description: str | None = Field(None, description="For people.")
    links: list[Any] | dict[str, Any] = Field(
        default_factory=list, description="For people."
    )
    autonomy: Literal["propose", "approve", "auto"] = Field(
        "approve", description="How much it may do by itself."
    )
    trigger: list[Trigger] = Field(default_factory=list, description="How it starts.")
    inputs: dict[Identifier, Input] = Field(
        default_factory=dict, description="Typed values of a run."
    )
    limits: Limits = Field(default_factory=lambda: Limits(), description="Bounds.")
    checks: dict[Name, Check] = Field(default_factory=dict, description="How to look.")
    actions: dict[Name, Action] = Field(default_factory=dict, description="What to do.")
    impact: Impact | None = Field(None, description="The effect on users, measured.")
    raise_: list[RaiseRule] = Field(
        default_factory=list,
        alias="raise",
        description="The severity follows the size.",
    )
    stop_when: list[StopRule] = Field(
        default_factory=list, description="Stops the run."
    )
    confirm: list[ConfirmStep] = Field(default_factory=list, description="Is it real?")
    isolate: list[AnyStep] = Field(default_factory=list, description="Stop the damage.")
    diagnose: list[AnyStep] = Field(default_factory=list, description="Find the cause.")
    workaround: dict[Name, list[AnyStep]] = Field(
        default_factory=dict, description="Serve users another way: named lists."
    )
    restore: list[AnyStep] | None = Field(None, description="Back to normal.")
    chat: ChatRoom = Field(default_factory=lambda: ChatRoom(), description="Where.")
    tests: list[Test] = Field(default_factory=list, description="Rehearsals.")
    always: list[Always] = Field(default_factory=list, description="Invariants.")

    @model_validator(mode="after")
    def _has_a_phase(self) -> "Runbook":
        if not any(getattr(self, phase) for phase in PHASES):
            raise ValueError("a runbook needs at least one of " + ", ".join(PHASES))
        return self


def comes_after(phase: str, other: str) -> bool:
    """Return whether a run goes through a phase after another; "" is before all."""
    order = ("", *ORDER)
    return order.index(phase) > order.index(other)
