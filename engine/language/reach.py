"""Rule: every list and every step can be reached, by the shape of the file.

What conditions make of a path is not judged here.

Read by: lint.
"""

from collections.abc import Iterable

from engine.language.context import Context
from engine.language.problems import near
from engine.language.references import WAYS, ways
from engine.language.walk import Placed
from engine.model.steps import CauseStep, HandOverStep


def reach(context: Context) -> None:
    """Report workarounds that nothing leads to, and steps after the run's end."""
    reached = _reached(_as_meant(_edges(context), context.runbook.workaround))
    for name in context.runbook.workaround:
        if name not in reached:
            message = f"nothing leads to the workaround '{name}'"
            hint = "Name it in a cause, or in on_fail, on_reject or on_expire."
            context.add(("workaround", name), "unreached", message, hint, key=True)
    for placed in context.placed:
        step = placed.step
        last = not placed.later or placed.inside[-1:] == ("all",)
        if isinstance(step, HandOverStep) and step.when is None and not last:
            after = (*placed.path[:-1], int(placed.path[-1]) + 1)
            message = f"'hand_over: {step.hand_over}' ends the run before this step"
            hint = "Give the hand_over a 'when', or move it to the end of its list."
            context.add(after, "unreached", message, hint)


def _edges(context: Context) -> dict[str, set[str]]:
    """Return where each workaround leads to, and under "" what all else leads to."""
    edges: dict[str, set[str]] = {"": set()}
    chosen = False
    for placed in context.placed:
        edges.setdefault(placed.group, set()).update(_onward(placed))
        chosen = chosen or isinstance(placed.step, CauseStep)
    names = list(context.runbook.workaround)
    if not chosen and len(names) == 1:
        edges[""].add(names[0])  # the only one is taken without a cause
    return edges


def _as_meant(edges: dict[str, set[str]], names: Iterable[str]) -> dict[str, set[str]]:
    """Return the edges with each misspelt name as the one that is near.

    Where none is near it may have meant any of them.
    """
    known = {*names, *WAYS}
    meant = {
        slip: {found} if (found := near(slip, known)) else known
        for slip in set[str]().union(*edges.values()) - known
    }
    return {
        start: set[str]().union(*(meant.get(target, {target}) for target in targets))
        for start, targets in edges.items()
    }


def _reached(edges: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    new = edges[""]
    while new:
        reached |= new
        new = set[str]().union(*(edges.get(name, set()) for name in new)) - reached
    return reached


def _onward(placed: Placed) -> set[str]:
    found = {target for _, target in ways(placed)}
    if isinstance(placed.step, CauseStep):
        found |= {one.workaround for one in placed.step.cause if one.workaround}
    return found
