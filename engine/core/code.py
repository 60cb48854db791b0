"""A compiled runbook: flat code with integer addresses, and what each step needs.

A node is one step; a thread of the record stands on one node. Lists become chains of
`next`; jumps are resolved. Scopes are the runbook itself and each sub-runbook that a
`run` step takes in. Built by core.compile; walked by core.advance; nothing here runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from engine.expressions import Expression
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook
from engine.model.vocabulary import Action, Check

END_OF_BLOCK: Final = -1


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens when a step fails, is rejected, or expires."""

    kind: Literal["hand_over", "undo", "continue", "jump"] = "hand_over"
    pc: int = END_OF_BLOCK  # of a jump
    name: str = ""  # of the workaround jumped to


@dataclass(slots=True)
class Node:
    """One step. Filled while compiling, then read only."""

    pc: int
    verb: str
    id: str  # "isolate/1", "workaround.scale-out/2": one for each place in the file
    name: str  # how people call it
    step: Any  # the model of the step, None for what the engine adds
    phase: str
    scope: int
    group: str = ""  # of a workaround: its name
    next: int = END_OF_BLOCK
    blocks: tuple[int, ...] = ()  # where the lists inside begin
    gate: int = END_OF_BLOCK  # the gate that covers it
    each: int = END_OF_BLOCK  # the `each` around it
    covers: tuple[int, ...] = ()  # of a gate: the acts
    when: Expression | None = None
    on_fail: Policy = field(default_factory=Policy)
    on_reject: Policy = field(default_factory=Policy)
    on_expire: Policy = field(default_factory=Policy)
    exprs: Mapping[str, Expression] = field(default_factory=dict)
    end: str = ""  # of an end: which


@dataclass(frozen=True, slots=True)
class CheckCode:
    """A check with the names its parameters use."""

    name: str
    model: Check
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class ActionCode:
    """An action with its conditions compiled."""

    name: str
    model: Action
    conditions: Mapping[
        str, Expression
    ]  # done_when, guard, verify, undone_when, undo_if
    values: Mapping[str, Expression]  # remembered name to its expression
    built_in_undo: bool
    leaves_nothing: bool
    undo_kind: str  # empty: none

    @property
    def holds(self) -> bool:
        """Whether the act leaves something that is to be given back."""
        return bool(self.undo_kind) and not self.leaves_nothing

    @property
    def needs_approval(self) -> bool:
        """Whether no path may reach it without people saying yes."""
        return self.model.risk == "high" or self.model.undo == "none"


@dataclass(frozen=True, slots=True)
class Scope:
    """One runbook inside the compiled one."""

    index: int
    runbook: Runbook
    checks: Mapping[str, CheckCode]
    actions: Mapping[str, ActionCode]
    start: int  # of the whole
    workarounds: Mapping[str, int]  # name to where its list begins
    restore: int  # where restore begins
    undo_out: int  # gives back what this scope took, then fails
    trusted: frozenset[str]  # inputs with a pattern or a choice


@dataclass(frozen=True, slots=True)
class Watch:
    """Something looked at again and again through the run."""

    kind: Literal["impact", "stop", "raise"]
    pc: int


@dataclass(frozen=True, slots=True)
class CompiledRunbook:
    """The code, its scopes, and where the ends begin."""

    runbook: Runbook
    revision: str
    kinds: Kinds
    nodes: tuple[Node, ...]
    scopes: tuple[Scope, ...]
    watches: tuple[Watch, ...]
    give_back: int  # gives everything back, then ends
    last_look: int  # looks once more, then ends
    end: int  # ends
    limits: int  # tells when a time limit of the runbook is broken
    resolved_question: int  # asks what to do as the alert resolved
