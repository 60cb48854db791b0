"""A drill: a test of a runbook, and at which writes of the journal the engine dies.

Called by: faults, shrinking; engine.testing plays it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.model.effects import Page
from engine.model.run import RunSummary
from engine.model.runbook import Test
from engine.model.timeline import Entry


@dataclass(frozen=True, slots=True)
class Kill:
    """The engine is killed at a write and started again at once."""

    write: int  # of the journal, from 1
    stored: bool  # the write is kept: nothing that it asked for has begun


@dataclass(frozen=True, slots=True)
class Drill:
    """Everything that the world does to one run."""

    test: Test
    kills: tuple[Kill, ...] = ()
    labels: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> "Drill":
        """Return the drill with another test: some of its keys changed."""
        return replace(self, test=self.test.model_copy(update=changes))


@dataclass(frozen=True, slots=True)
class Call:
    """An act as the world was asked for it."""

    action: str
    target: str
    key: str  # idempotency key
    undo: bool
    entries: int  # entries in the journal when it was asked for
    effect: bool  # the world is another one now
    answer: str  # as scripted: ok, fail, timeout, lost


@dataclass(slots=True)
class Told:
    """What a drill left behind: the journal, what the world saw, who was paged."""

    entries: list[Entry]
    summary: RunSummary | None
    calls: list[Call]
    pages: list[Page]
    over: str = ""  # why it was cut, where the run did not end by itself
