"""Rule: each phase holds only what it may, and names are unique.

Looking and acting are different words: `confirm` and `diagnose` change nothing,
`isolate` does only what can be given back.

Read by: lint.
"""

from typing import Final

from engine.language.context import Context
from engine.language.references import WAYS, acts_of
from engine.language.walk import Placed
from engine.model.steps import (
    ActStep,
    AllStep,
    CauseStep,
    CheckStep,
    EachStep,
    RepeatStep,
    RunStep,
    UndoStep,
    WaitForStep,
    WaitStep,
    verb_of,
)

RESERVED: Final = frozenset(
    {"labels", "annotations", "checks", "answers", "cause", "held", "end"}
)
WORDS: Final = frozenset(  # neither CEL nor Jinja2 can read these as names
    {"true", "false", "null", "none", "in", "not", "and", "or", "is", "if", "else"}
)
LOOKING: Final = (
    CheckStep, WaitForStep, WaitStep, AllStep, EachStep, RepeatStep, RunStep
)  # fmt: skip


def phases(context: Context) -> None:
    """Report what stands in the wrong phase, and names that are not unique."""
    for placed in context.placed:
        if placed.phase in ("confirm", "diagnose"):
            _only_looks(context, placed)
        elif placed.phase == "isolate":
            _can_be_given_back(context, placed)
        if isinstance(placed.step, CauseStep):
            _causes(context, placed.step, placed)
        if isinstance(placed.step, EachStep):
            _name(context, placed.step.as_, (*placed.path, "as"), key=False)
    _unique_steps(context)
    for name in context.runbook.inputs:
        _name(context, name, ("inputs", name), key=True)
    for name in context.runbook.workaround:
        if name in WAYS:
            message = f"a workaround cannot be called '{name}'"
            hint = "on_fail and its like would mean the way out of that name."
            context.add(("workaround", name), "name", message, hint, key=True)


def _only_looks(context: Context, placed: Placed) -> None:
    step, phase = placed.step, placed.phase
    verb = verb_of(step) or ""
    path = (*placed.path, verb)
    if isinstance(step, ActStep | UndoStep):
        message = f"'{phase}' only looks; '{verb}' changes the world"
        hint = "Move it to isolate, to a workaround or to restore."
        context.add(path, "phase", message, hint, key=True)
    elif isinstance(step, RunStep) and acts_of(step.run, context.siblings):
        message = f"'{phase}' only looks; the runbook '{step.run}' acts"
        context.add(path, "phase", message, "Run it in a workaround.")
    elif "all" in placed.inside and not isinstance(step, LOOKING):
        message = f"an 'all' of '{phase}' holds only looking steps, no '{verb}'"
        context.add(path, "phase", message, "Put it after the 'all'.", key=True)


def _can_be_given_back(context: Context, placed: Placed) -> None:
    step = placed.step
    if not isinstance(step, ActStep) or step.act not in context.runbook.actions:
        return
    action, kind = context.runbook.actions[step.act], context.action_kind(step.act)
    gives_back = kind is not None and (kind.built_in_undo or kind.leaves_nothing)
    gives_back = gives_back and action.undo != "none"
    if action.undo_body is None and not action.leaves_nothing and not gives_back:
        message = f"'isolate' acts only with a way back; '{step.act}' has none"
        hint = "Give the action an undo, or do it in a workaround behind an approval."
        context.add((*placed.path, "act"), "phase", message, hint)


def _causes(context: Context, step: CauseStep, placed: Placed) -> None:
    names: set[str] = set()
    last = len(step.cause) - 1
    for index, cause in enumerate(step.cause):
        path = (*placed.path, "cause", index)
        if cause.name in names:
            message = f"the cause '{cause.name}' stands here twice"
            context.add((*path, "name"), "duplicate-name", message, "Rename one.")
        names.add(cause.name)
        if cause.when is None and index < last:
            message = (
                f"the cause '{cause.name}' has no 'when', so none after it is found"
            )
            hint = "Give it a 'when'; only the last cause has none."
            context.add(path, "cause", message, hint)
        elif cause.when is not None and index == last:
            message = f"the last cause, '{cause.name}', has a 'when'"
            hint = "Add a last cause without 'when', for when none of them fits."
            context.add((*path, "when"), "cause", message, hint, key=True)


def _unique_steps(context: Context) -> None:
    first: dict[str, int] = {}
    for placed in sorted(context.placed, key=lambda it: _line(context, it)):
        name = placed.step.name
        if name is None:
            continue
        path = (*placed.path, "name")
        if name in first:
            message = f"the step name '{name}' is taken; first in line {first[name]}"
            context.add(path, "duplicate-name", message, "Rename one of them.")
        first.setdefault(name, context.tree.position(path).line)


def _line(context: Context, placed: Placed) -> tuple[int, int]:
    return context.tree.position(placed.path)


def _name(
    context: Context, name: str, path: tuple[str | int, ...], *, key: bool
) -> None:
    if name in RESERVED:
        message = f"'{name}' means something else in conditions"
        hint = "Choose another name; taken are " + ", ".join(sorted(RESERVED)) + "."
        context.add(path, "reserved-name", message, hint, key=key)
    elif name.lower() in WORDS:
        message = f"'{name}' is a word of the condition and text languages"
        context.add(path, "reserved-name", message, "Choose another name.", key=key)
