"""One runbook as it was or as it will be, and two of them side by side.

Read by: every rule of comparing.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from engine.analysis.approvals import Unapproved, missing_approvals
from engine.analysis.bounds import bounds
from engine.analysis.comparing.changes import Change, Kind, Place, Weight
from engine.analysis.needs import Needs, needs_of
from engine.analysis.proof import Proof, prove
from engine.core.code import CompiledRunbook, Node
from engine.language.tree import Tree
from engine.language.walk import Placed, placed_steps
from engine.model.runbook import Runbook

WALKED: Final = 4_000  # states; what is larger is told by bounds from above
Path = Sequence[str | int]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Side:
    """One runbook of one side of the comparison."""

    file: str
    tree: Tree
    compiled: CompiledRunbook
    library: Mapping[str, Runbook]  # what it may run inside

    @property
    def runbook(self) -> Runbook:
        """The runbook."""
        return self.compiled.runbook

    @property
    def name(self) -> str:
        """Its name."""
        return self.runbook.runbook

    def place(self, path: Path) -> Place:
        """Return the line of a value, or of the nearest one around it."""
        return Place(self.file, self.tree.position(path, key=bool(path)).line)

    @cached_property
    def placed(self) -> list[Placed]:
        """Every step with its place."""
        return placed_steps(self.runbook)

    @cached_property
    def nodes(self) -> Mapping[int, Node]:
        """The code of each step of this file, by the identity of its model."""
        return {
            id(node.step): node
            for node in self.compiled.nodes
            if node.scope == 0 and node.step is not None
        }

    @cached_property
    def proof(self) -> Proof:
        """What holds on every path."""
        return prove(self.compiled, most=WALKED)

    @cached_property
    def unapproved(self) -> list[Unapproved]:
        """The acts that nobody has to approve, though somebody should."""
        return missing_approvals(self.compiled)

    @cached_property
    def needs(self) -> Needs:
        """What it needs of the world, as far as the file says it."""
        return needs_of(
            self.runbook, self.compiled.kinds, urls={}, library=self.library
        )

    def seconds(self, name: str, *, walked: bool) -> float:
        """Return a worst case, by the proof or from above; `silent` only by proof."""
        times: Any = self.proof.times if walked else bounds(self.compiled)
        return float(getattr(times, name, 0.0))


@dataclass(frozen=True)
class Pair:
    """Both sides of one runbook."""

    old: Side
    new: Side

    def change(
        self,
        kind: Kind,
        weight: Weight,
        words: str,
        old: Path | None = None,
        new: Path | None = None,
    ) -> Change:
        """Return a change; a path that is None says that it is not there."""
        return Change(
            self.new.name,
            kind,
            weight,
            words,
            self.old.place(old) if old is not None else None,
            self.new.place(new) if new is not None else None,
        )

    def both(self, kind: Kind, weight: Weight, words: str, path: Path) -> Change:
        """Return a change of what stands at the same place in both."""
        return self.change(kind, weight, words, path, path)


def by_key(
    old: Mapping[Key, Any], new: Mapping[Key, Any]
) -> Iterator[tuple[Key, Any, Any]]:
    """Yield each key with what it is on both sides; None: it is not there."""
    for key in dict.fromkeys((*old, *new)):
        yield key, old.get(key), new.get(key)
