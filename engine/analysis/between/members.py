"""One runbook with its file, as the analysis between runbooks sees it.

Made by runtime.proving; read by every module here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.language.problems import Problem, source_line
from engine.language.shape import Path
from engine.language.tree import Tree
from engine.language.walk import Placed, placed_steps
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook
from engine.model.steps import RunStep
from engine.model.vocabulary import Action


@dataclass(frozen=True, slots=True)
class Member:
    """A runbook without errors, its file, and where what stands in it."""

    file: str
    runbook: Runbook
    tree: Tree

    @property
    def name(self) -> str:
        """The runbook's name."""
        return self.runbook.runbook

    def place(self, path: Sequence[str | int]) -> str:
        """Return `file:line:column` of a value."""
        at = self.tree.position(path)
        return f"{self.file}:{at.line}:{at.column}"

    def problem(
        self,
        path: Sequence[str | int],
        code: str,
        message: str,
        hint: str,
        severity: Literal["error", "warning"],
    ) -> Problem:
        """Return a problem at a value."""
        at = self.tree.position(path)
        line = source_line(self.tree.lines, at.line)
        return Problem(self.file, *at, severity, code, message, hint, line)


@dataclass(frozen=True, slots=True)
class Inner:
    """A runbook that is run as a step, and the step that does."""

    step: RunStep
    path: Path  # of the step, in the caller's file
    member: Member


def steps_of(member: Member) -> list[Placed]:
    """Return the steps of a runbook with their places, in the order of the phases."""
    found = placed_steps(member.runbook)
    before = [one for one in found if one.phase != "restore"]
    return before + [one for one in found if one.phase == "restore"]


def inner_of(member: Member, library: Mapping[str, Member]) -> Iterator[Inner]:
    """Yield the runbooks that one runs itself; those that they run are theirs."""
    for placed in steps_of(member):
        if isinstance(placed.step, RunStep) and placed.step.run in library:
            yield Inner(placed.step, placed.path, library[placed.step.run])


def holds(action: Action, kinds: Kinds) -> bool:
    """Return whether an act of it leaves something that is to be given back."""
    kind = kinds.actions.get(action.kind)
    built_in = kind is not None and kind.built_in_undo
    nothing = action.leaves_nothing or (kind is not None and kind.leaves_nothing)
    if action.undo == "none" or nothing:
        return False
    return action.undo_body is not None or built_in


def plain_map(value: Any) -> dict[str, Any]:
    """Return parameters as a map; what is none has none."""
    return dict(value) if isinstance(value, Mapping) else {}
