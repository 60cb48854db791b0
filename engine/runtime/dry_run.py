"""A dry run: every check for real, every action held, nothing waited for.

There is no action port: `HeldActions` writes down what would have been done and says
so. What the world looks like after an act is not known, so the held form of a runbook
assumes that each act works, looks once where it would wait, and gives back at the end
without looking whether the trouble returns.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from engine.model.effects import Act
from engine.model.runbook import Runbook
from engine.model.steps import (
    AllStep,
    ApproveStep,
    AskStep,
    CheckStep,
    EachStep,
    RepeatStep,
    Step,
    UndoStep,
    WaitForStep,
    WaitStep,
)
from engine.model.vocabulary import Action
from engine.ports import ActResult

NAMED_CHECK: Final = re.compile(
    r"checks\.([A-Za-z][A-Za-z0-9_]*)|checks\[\"([^\"]+)\"\]"
)
SOON: Final = timedelta(seconds=1)


class HeldActions:
    """In the place of an action port: what would be done is kept, in order."""

    def __init__(self) -> None:
        self.held: list[Act] = []

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Keep the act; nothing is done."""
        self.held.append(act)
        return ActResult("ok", "held: a dry run does nothing")


def held_form(runbook: Runbook, *, silent: bool = False) -> Runbook:
    """Return the runbook as a dry run takes it.

    Args:
        silent: nobody will answer, so questions expire after a second.
    """
    names = set(runbook.checks)

    def steps(found: Sequence[Step]) -> list[Any]:
        return [_held_step(step, names, silent=silent) for step in found]

    restore: list[Any]
    if runbook.restore is None:
        looks = {step.check: CheckStep(check=step.check) for step in runbook.confirm}
        restore = [*looks.values(), UndoStep(undo="all")]
    else:
        restore = steps(runbook.restore)
    return runbook.model_copy(
        update={
            "actions": {
                name: _held_action(one) for name, one in runbook.actions.items()
            },
            "isolate": steps(runbook.isolate),
            "diagnose": steps(runbook.diagnose),
            "workaround": {
                name: steps(one) for name, one in runbook.workaround.items()
            },
            "restore": restore,
        }
    )


def past_form(runbook: Runbook) -> Runbook:
    """Return the runbook as a dry run in the past takes it: no act is verified.

    All else stays, since there is time for it: waits, looks again and people's limits
    go by on a virtual clock.
    """
    held = {name: _held_action(one) for name, one in runbook.actions.items()}
    return runbook.model_copy(update={"actions": held})


def _held_action(action: Action) -> Action:
    return action.model_copy(
        update={"verify": "true", "undone_when": None, "undo_if": None, "retry": None}
    )


def _held_step(step: Step, names: set[str], *, silent: bool) -> Step:
    inside = {
        key: [_held_step(one, names, silent=silent) for one in getattr(step, key)]
        for key in ("all", "do")
        if isinstance(getattr(step, key, None), list)
    }
    if isinstance(step, WaitStep):
        return step.model_copy(update={"wait": timedelta(0)})
    if isinstance(step, WaitForStep):
        return _look_once(step, names)
    if isinstance(step, UndoStep):
        return step.model_copy(update={"pause": None, "check": None})
    if isinstance(step, EachStep):
        return step.model_copy(update=inside | {"pause": None})
    if isinstance(step, RepeatStep):
        return step.model_copy(update=inside | {"repeat": 1, "every": None})
    if isinstance(step, ApproveStep) and silent:
        return step.model_copy(update={"within": SOON, "then": None})
    if isinstance(step, AskStep) and silent:
        return step.model_copy(update={"within": SOON})
    return step.model_copy(update=inside)


def _look_once(step: WaitForStep, names: set[str]) -> Step:
    if step.wait_for in names:
        found = [step.wait_for]
    else:
        pairs = NAMED_CHECK.findall(step.wait_for)
        found = sorted({one or other for one, other in pairs} & names)
    looks = [CheckStep(check=name) for name in found]
    if not looks:
        return WaitStep(wait=timedelta(0), name=step.name, when=step.when)
    return AllStep(all=[*looks], name=step.name, when=step.when)
