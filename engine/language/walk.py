"""Every step of a runbook with its place: path in the file, phase, list, bound names.

Read by: the rules of lint.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.language.shape import Path
from engine.model.runbook import Runbook
from engine.model.steps import (
    ActStep,
    AllStep,
    CheckStep,
    EachStep,
    RepeatStep,
    RunStep,
    Step,
)


@dataclass(frozen=True, slots=True)
class Placed:
    """One step where it stands."""

    step: Step
    path: Path
    phase: str
    group: str = ""  # of a workaround: its name
    each: dict[str, str] = field(default_factory=dict)  # bound name to its CEL list
    inside: tuple[str, ...] = ()  # the blocks around it, outermost first
    later: tuple[Step, ...] = ()  # the steps after it in its list

    @property
    def bound(self) -> dict[str, object]:
        """Return the names that `with` binds for this use, with what they stand for."""
        if isinstance(self.step, CheckStep | ActStep | RunStep):
            return self.step.with_
        return {}


def placed_steps(runbook: Runbook) -> list[Placed]:
    """Return every step, in the order of the phases, blocks before their members."""
    found: list[Placed] = []
    for phase in ("confirm", "isolate", "diagnose", "restore"):
        found += _list(getattr(runbook, phase) or [], (phase,), phase)
    for name, steps in runbook.workaround.items():
        found += _list(steps, ("workaround", name), "workaround", group=name)
    return found


def _list(
    steps: Sequence[Step],
    path: Path,
    phase: str,
    *,
    group: str = "",
    each: dict[str, str] | None = None,
    inside: tuple[str, ...] = (),
) -> Iterator[Placed]:
    each = each or {}
    for index, step in enumerate(steps):
        here = (*path, index)
        later = tuple(steps[index + 1 :])
        yield Placed(step, here, phase, group, each, inside, later)
        for key, members, names in _members(step):
            yield from _list(
                members,
                (*here, key),
                phase,
                group=group,
                each=each | names,
                inside=(*inside, key if key == "all" else _block(step)),
            )


def _members(step: Step) -> Iterator[tuple[str, Sequence[Step], dict[str, str]]]:
    if isinstance(step, AllStep):
        yield "all", step.all, {}
    elif isinstance(step, EachStep):
        yield "do", step.do, {step.as_: step.each}
    elif isinstance(step, RepeatStep):
        yield "do", step.do, {}


def _block(step: Step) -> str:
    return "each" if isinstance(step, EachStep) else "repeat"


def nested(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the steps and every step inside them."""
    for step in steps:
        yield step
        for _, members, _ in _members(step):
            yield from nested(members)


def every_step(runbook: Runbook) -> Iterator[Step]:
    """Yield every step of a runbook, without places."""
    return (placed.step for placed in placed_steps(runbook))
