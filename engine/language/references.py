"""Rule: whatever is named exists, and jumps end.

Read by: lint.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from engine.language.context import Context
from engine.language.problems import brief, suggest
from engine.language.shape import Path
from engine.language.walk import Placed, every_step
from engine.model.runbook import Always, Runbook
from engine.model.steps import (
    ActStep,
    ApproveStep,
    AskStep,
    CauseStep,
    CheckStep,
    RunStep,
    UndoStep,
)

WAYS: Final = ("hand_over", "undo", "continue")
ALERT_PARTS: Final = ("labels", "annotations")


def references(context: Context) -> None:
    """Report every name that stands for nothing."""
    for placed in context.placed:
        _step(context, placed)
        _ways(context, placed)
    _vocabulary(context)
    _top(context)
    _jumps(context)
    for index, always in enumerate(context.runbook.always):
        _always(context, always, ("always", index))
    _sub_runs(context)


def _step(context: Context, placed: Placed) -> None:
    step, path, runbook = placed.step, placed.path, context.runbook
    if isinstance(step, CheckStep):
        context.known(step.check, context.checks, "check", (*path, "check"))
    elif isinstance(step, ActStep):
        context.known(step.act, runbook.actions, "action", (*path, "act"))
    elif isinstance(step, UndoStep):
        context.known(step.undo, ["all", *runbook.actions], "action", (*path, "undo"))
        if step.check is not None:
            context.known(step.check, context.checks, "check", (*path, "check"))
    elif isinstance(step, CauseStep):
        for index, cause in enumerate(step.cause):
            if cause.workaround is not None:
                place = (*path, "cause", index, "workaround")
                context.known(cause.workaround, runbook.workaround, "workaround", place)


def ways(placed: Placed) -> Iterable[tuple[str, str]]:
    """Yield (key, where to) of each way that a step may leave its list."""
    for key in ("on_fail", "on_expire", "on_reject"):
        if target := getattr(placed.step, key, None):
            yield key, target


def _ways(context: Context, placed: Placed) -> None:
    for key, target in ways(placed):
        path = (*placed.path, key)
        if target == "continue" and isinstance(placed.step, ApproveStep):
            message = f"'{key}: continue' would open the gate without consent"
            hint = "Write hand_over, undo, or the name of a workaround."
            context.add(path, "gate", message, hint)
        elif target not in WAYS and target not in context.runbook.workaround:
            known = [*WAYS, *context.runbook.workaround]
            message = f"'{key}' leads to {brief(target)}, which is no workaround"
            context.add(path, "unknown-name", message, suggest(target, known, "ways"))


def _vocabulary(context: Context) -> None:
    actions = context.runbook.actions
    for name, action in actions.items():
        for index, settled in enumerate(action.settles):
            context.known(
                settled, actions, "action", ("actions", name, "settles", index)
            )
        for key, remember in action.remember.items():
            path: Path = ("actions", name, "remember", key, "check")
            context.known(remember.check, context.checks, "check", path)
    for name, check in context.checks.items():
        if check.kind == "agree" and isinstance(check.params, dict):
            _agree(context, name, check.params.get("of"))


def _agree(context: Context, name: str, viewpoints: object) -> None:
    if not isinstance(viewpoints, list):
        return
    for index, other in enumerate(viewpoints):
        path = (*context.check_path(name), "agree", "of", index)
        if not isinstance(other, str):
            continue
        if not context.known(other, context.checks, "check", path):
            continue
        if context.checks[other].kind == "agree":
            message = f"'{other}' agrees itself; a viewpoint must look at the world"
            context.add(path, "agree", message, "Name its viewpoints instead.")
        elif other in viewpoints[:index]:
            message = f"'{other}' is named twice; it is one viewpoint"
            context.add(path, "agree", message, "Name another check.")


def _top(context: Context) -> None:
    runbook = context.runbook
    for index, trigger in enumerate(runbook.trigger):
        for at, name in enumerate(trigger.group_by):
            path: Path = ("trigger", index, "group_by", at)
            context.known(name, runbook.inputs, "input", path)
    targets = runbook.limits.targets
    if targets and targets.of is not None:
        context.known(targets.of, context.checks, "check", ("limits", "targets", "of"))
    for name, given in runbook.inputs.items():
        head, _, rest = (given.from_ or "labels.x").partition(".")
        if head not in ALERT_PARTS or not rest:
            message = f"'from' is {brief(given.from_)}, which is no path into an alert"
            hint = "Write labels.NAME or annotations.NAME."
            context.add(("inputs", name, "from"), "from", message, hint)
    for index, rule in enumerate(runbook.raise_):
        if rule.to > runbook.severity:
            message = f"'{rule.to}' is below the runbook's own {runbook.severity}"
            hint = "raise makes it worse: sev1 is the worst."
            context.add(("raise", index, "to"), "raise", message, hint)
    for index, stop in enumerate(runbook.stop_when):
        if stop.page is not None and not stop.page.strip():
            path = ("stop_when", index, "page")
            context.add(path, "value", "'page' names no group", "Name one.")


def _always(context: Context, always: Always, path: Path) -> None:
    if always.act is None or always.only_after is None:
        return
    actions = context.runbook.actions
    context.known(always.act, actions, "action", (*path, "act"))
    words = always.only_after.split()
    place = (*path, "only_after")
    if words == ["approve"]:
        if not any(isinstance(it.step, ApproveStep) for it in context.placed):
            message = "'only_after: approve', but no step asks for approval"
            context.add(place, "always", message, "Add an approve step before the act.")
    elif len(words) == 2 and words[0] == "check":
        context.known(words[1], context.checks, "check", place)
    elif len(words) == 2 and words[0] == "act":
        context.known(words[1], actions, "action", place)
    else:
        message = f"'only_after' is {brief(always.only_after)}"
        hint = "Write approve, check NAME, or act NAME."
        context.add(place, "always", message, hint)


def _jumps(context: Context) -> None:
    """Report each jump that closes a cycle between workarounds."""
    names = context.runbook.workaround
    edges: dict[str, list[tuple[str, Path]]] = {name: [] for name in names}
    for placed in context.placed:
        for key, target in ways(placed):
            if placed.group and target in names and target not in WAYS:
                edges[placed.group].append((target, (*placed.path, key)))
    done: set[str] = set()
    for start in names:
        _follow(context, start, edges, [], done)


def _follow(
    context: Context,
    name: str,
    edges: Mapping[str, list[tuple[str, Path]]],
    way: list[str],
    done: set[str],
) -> None:
    if name in done:
        return
    way.append(name)
    for target, path in edges[name]:
        if target in way:
            circle = " -> ".join([*way[way.index(target) :], target])
            message = f"this jump goes in a circle: {circle}"
            context.add(path, "cycle", message, "End one of them with hand_over.")
        else:
            _follow(context, target, edges, way, done)
    way.pop()
    done.add(name)


def _sub_runs(context: Context) -> None:
    for placed in context.placed:
        step = placed.step
        if isinstance(step, RunStep):
            path = (*placed.path, "run")
            if step.run == context.runbook.runbook:
                message = "a runbook cannot run itself"
                context.add(path, "cycle", message, "Name another one.")
            elif context.siblings is not None and context.known(
                step.run, context.siblings, "runbook", path
            ):
                _sub_run(context, step, placed.path, context.siblings)


def _sub_run(
    context: Context, step: RunStep, path: Path, siblings: Mapping[str, Runbook]
) -> None:
    other = siblings[step.run]
    for name in step.with_:
        context.known(name, other.inputs, "input", (*path, "with", name), key=True)
    for name, given in other.inputs.items():
        if given.required and given.from_ is None and name not in step.with_:
            message = f"'{step.run}' needs the input '{name}'"
            context.add(
                (*path, "run"), "missing", message, f"Add `with: {{{name}: …}}`."
            )
    if context.runbook.runbook in _reached(step.run, siblings):
        message = f"'{step.run}' leads back to this runbook"
        context.add((*path, "run"), "cycle", message, "Break the circle.")


def _reached(name: str, siblings: Mapping[str, Runbook]) -> set[str]:
    found: set[str] = set()
    open_names = [name]
    while open_names:
        current = open_names.pop()
        if current in found:
            continue
        found.add(current)
        if current in siblings:
            open_names += [
                step.run
                for step in every_step(siblings[current])
                if isinstance(step, RunStep)
            ]
    return found


def acts_of(name: str, siblings: Mapping[str, Runbook] | None) -> bool:
    """Return whether a runbook, or one that it runs, changes the world."""
    if siblings is None:
        return False
    return any(
        isinstance(step, ActStep | UndoStep)
        for reached in _reached(name, siblings)
        if reached in siblings
        for step in every_step(siblings[reached])
    )


def asked_fields(context: Context) -> dict[str, set[str]]:
    """Return the fields of each named question."""
    return {
        placed.step.name: set(placed.step.fields)
        for placed in context.placed
        if isinstance(placed.step, AskStep) and placed.step.name
    }
