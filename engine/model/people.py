"""Who is asked, who answers, and what is asked of them: actors, plans, questions."""

from typing import Any, Final, Literal

import msgspec


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did something. A person counts by `id`, never by a display name."""

    id: str
    kind: Literal["person", "engine", "source"] = "person"
    groups: tuple[str, ...] = ()
    via: str = ""  # the door: cli, web, chat, alertmanager, schedule


Role = Literal[
    "viewer", "responder", "commander", "admin"
]  # each may what those before
ROLES: Final[tuple[Role, ...]] = ("viewer", "responder", "commander", "admin")
RunRole = Literal["commander", "deputy", "scribe", "liaison"]
RUN_ROLES: Final[tuple[RunRole, ...]] = ("commander", "deputy", "scribe", "liaison")
BROKEN = "(break-glass)"  # at the end of `via`: under a grant
ENGINE = Actor("engine", kind="engine")


class Grant(msgspec.Struct, frozen=True):
    """The broken glass: a person has every group for a while."""

    by: str
    why: str
    since: float  # epoch seconds
    until: float


class PlannedAct(msgspec.Struct, frozen=True, omit_defaults=True):
    """One act as it would be done: what people approve."""

    action: str
    target: str = ""  # the each-target, where there is one
    kind: str = ""
    command: Any = None  # the rendered parameters
    undo: Any = (
        None  # the rendered parameters of the way back, None where there is none
    )
    reversible: bool = False
    risk: str = "low"
    before: dict[str, Any] = {}  # remembered values, name to value
    problem: str = ""  # why it cannot be told yet
    step: str = ""  # id of the step that does it


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an approval is bound to."""

    revision: str
    acts: tuple[PlannedAct, ...] = ()
    states: dict[
        str, str
    ] = {}  # check slot to state, as named by the cause and the acts
    hash: str = ""


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something asked of people: an approval, answers, or a word after a crash."""

    key: str
    kind: Literal["approve", "ask", "happened", "undo_anyway", "resolved"]
    step: str
    text: str
    who: tuple[tuple[str, int], ...] = ()  # (group or person, how many)
    not_by: tuple[str, ...] = ()
    within_seconds: float = 0.0
    fields: dict[str, Any] = {}  # name to {"type": ..., "of": [...]}
    plan: Plan | None = None
    retype: str | None = None
    round: int = 0  # 0 first asked, 1 the next escalation, ...
    changed: str = ""  # what differs from what was approved before
    worst_case_seconds: float = 0.0
    name: str = ""  # of the step, where its author gave one

    @property
    def called(self) -> str:
        """What people name it by: the step's name, else its place."""
        return self.name or self.step
