"""One change of a runbook: what kind, what it weighs, where, in words.

Made by the rules of comparing; read by telling and the command line.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

Weight = Literal["riskier", "safer", "neutral"]
WEIGHTS: Final[tuple[Weight, ...]] = ("riskier", "neutral", "safer")
Kind = Literal[
    "runbook", "approval", "act", "undo", "targets", "action", "time", "credential",
    "proof", "between", "lock", "limit", "stop", "always", "autonomy", "trigger",
    "input", "check", "step", "cause", "address", "program", "severity", "owner",
    "impact", "chat", "test",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)  # in the order in which they are told


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        """Return `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as a responder would want to be told of it."""

    runbook: str
    kind: Kind
    weight: Weight
    words: str
    old: Place | None
    new: Place | None


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, each once: riskier, neutral, safer; then by kind."""

    def rank(one: Change) -> tuple[int, int, int, int, str]:
        line = one.new.line if one.new is not None else 0
        before = one.old.line if one.old is not None else 0
        kind = KINDS.index(one.kind)
        return WEIGHTS.index(one.weight), kind, line, before, one.words

    return sorted(dict.fromkeys(changes), key=rank)


def more(before: float, after: float) -> Weight:
    """Return the weight of a number of which more is riskier."""
    if before == after:
        return "neutral"
    return "riskier" if after > before else "safer"


def less(before: float, after: float) -> Weight:
    """Return the weight of a number of which less is riskier."""
    return more(after, before)
