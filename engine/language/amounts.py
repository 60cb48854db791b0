"""Rule: shares, batches, needs, types of answers and cron lines can be read.

The model leaves these loose, since each has several forms.

Read by: lint.
"""

import re
from typing import Any, Final

from croniter import (  # type: ignore[import-untyped]
    CroniterBadDateError,
    CroniterError,
    croniter,
)
from pydantic import ValidationError

from engine.expressions.patterns import is_pattern
from engine.language.context import Context
from engine.language.problems import brief, suggest
from engine.language.pydantic_problems import model_problems
from engine.language.shape import Path
from engine.language.walk import Placed
from engine.model.input_values import MEMBERS
from engine.model.steps import AllStep, AskStep, EachStep, UndoStep, WaitForStep
from engine.model.values import format_duration
from engine.model.vocabulary import Input

SHARE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
TYPES: Final = (*MEMBERS, "choice", "list")
CRON_PART: Final = re.compile(r"(?:\*|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/[1-9][0-9]*)?")
CRON_PARTS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))  # minute to weekday
CRON_NUMBER: Final = re.compile(r"(?<!/)\b[0-9]+")
LEAP_YEAR: Final = 1_704_067_200.0  # 2024-01-01: whether a line is ever due


def amounts(context: Context) -> None:
    """Report amounts that cannot be read, or that nothing can meet."""
    for placed in context.placed:
        _step(context, placed)
    _agree(context)
    targets = context.runbook.limits.targets
    if targets is not None:
        _targets(context, targets.share, targets.of)
    for index, trigger in enumerate(context.runbook.trigger):
        if trigger.schedule is not None:
            _cron(context, trigger.schedule, ("trigger", index, "schedule"))


def is_share(value: Any) -> bool:
    """Return whether the value is a share above 0: `40%`, or 0.4 for a number."""
    if isinstance(value, str):
        found = SHARE.fullmatch(value)
        return found is not None and 0 < float(found[1]) <= 100
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value <= 1
    )


def _step(context: Context, placed: Placed) -> None:
    step = placed.step
    if isinstance(step, EachStep):
        _batch(context, step.batch, (*placed.path, "batch"))
    elif isinstance(step, AllStep) and step.need and step.need > len(step.all):
        message = f"'need' is {step.need}, but there are {len(step.all)} steps"
        context.add((*placed.path, "need"), "range", message, "Lower it.")
    elif isinstance(step, AskStep):
        for name, written in step.fields.items():
            _field(context, written, (*placed.path, "fields", name))
    elif isinstance(step, UndoStep):
        _undo(context, step, placed)
    elif isinstance(step, WaitForStep):
        _hold(context, step, placed)


def _batch(context: Context, batch: Any, path: Path) -> None:
    if isinstance(batch, int) and batch < 1:
        message = f"a batch of {batch} takes nobody"
        context.add(path, "range", message, "Write 1 or more.")
    for index, size in enumerate(batch if isinstance(batch, list) else []):
        number = isinstance(size, int) and not isinstance(size, bool) and size >= 1
        if not number and not (isinstance(size, str) and is_share(size)):
            message = f"{brief(size)} is no size of a batch"
            hint = "Write a whole number, or a share such as 10%."
            context.add((*path, index), "range", message, hint)
    if batch == []:
        context.add(path, "range", "'batch' is empty", "Leave it out for 1, 2, 4, 8, …")


def _targets(context: Context, share: Any, of: str | None) -> None:
    path: Path = ("limits", "targets", "share")
    if share is None:
        return
    if not is_share(share):
        message = f"{brief(share)} is no share"
        context.add(path, "range", message, "Write 0.4 or '40%'.")
    elif of is None:
        message = "a share needs 'of', the check that returns the fleet's size"
        context.add(path, "missing", message, "Add of.", key=True)


def _field(context: Context, written: Any, path: Path) -> None:
    kind = written.get("type") if isinstance(written, dict) else written
    if kind not in TYPES:
        message = f"{brief(kind)} is no type of an answer"
        context.add(path, "value", message, suggest(str(kind), TYPES, "types"))
    elif kind == "choice" and not (isinstance(written, dict) and written.get("of")):
        message = "a choice needs the list of its values"
        context.add(path, "value", message, "Write {type: choice, of: [a, b]}.")
    elif isinstance(written, dict):
        _declared(context, written, path)


def _declared(context: Context, written: dict[str, Any], path: Path) -> None:
    """Report what a field says of its values that an input could not say either."""
    try:
        declared = Input.model_validate(written)
    except ValidationError as error:
        context.problems += model_problems(
            error, context.tree, context.file, model=Input, at=path
        )
        return
    if declared.pattern is not None and not is_pattern(declared.pattern):
        message = f"{brief(declared.pattern)} is not a pattern that RE2 can read"
        context.add((*path, "pattern"), "pattern", message)


def _undo(context: Context, step: UndoStep, placed: Placed) -> None:
    action, kind = (
        context.runbook.actions.get(step.undo),
        context.action_kind(step.undo),
    )
    built_in = kind is not None and kind.built_in_undo
    built_in = built_in and (action is None or action.undo != "none")
    if action is not None and action.undo_body is None and not built_in:
        message = f"'{step.undo}' has no undo, so there is nothing to give back"
        context.add((*placed.path, "undo"), "undo", message, "Remove this step.")


def _hold(context: Context, step: WaitForStep, placed: Placed) -> None:
    if step.hold is not None and step.hold > step.within:
        hold, within = format_duration(step.hold), format_duration(step.within)
        message = f"'hold' is {hold}, but all of it has to be inside {within}"
        hint = "Shorten hold, or give within more time."
        context.add((*placed.path, "hold"), "range", message, hint)


def _agree(context: Context) -> None:
    for name, check in context.checks.items():
        written = check.params if check.kind == "agree" else None
        of, need = (written or {}).get("of"), (written or {}).get("need")
        if isinstance(of, list) and isinstance(need, int) and need > len(of):
            message = f"'need' is {need}, but there are {len(of)} checks"
            path = (*context.check_path(name), "agree", "need")
            context.add(path, "range", message, "Lower it.")


def _cron(context: Context, line: str, path: Path) -> None:
    parts = line.split()
    fits = len(parts) == len(CRON_PARTS) and all(
        CRON_PART.fullmatch(one)
        and all(least <= int(n) <= most for n in CRON_NUMBER.findall(one))
        for part, (least, most) in zip(parts, CRON_PARTS, strict=True)
        for one in part.split(",")
    )
    never = False
    if fits:
        try:
            croniter(line, LEAP_YEAR).get_next()
        except CroniterBadDateError:
            never = True
        except (CroniterError, ValueError, KeyError, TypeError):
            fits = False
    if not fits:
        message = f"{brief(line)} is no cron line"
        hint = "Write minute, hour, day, month, weekday: '30 4 * * 1'."
        context.add(path, "cron", message, hint)
    elif never:
        message = f"{brief(line)} is never due: there is no such day"
        hint = "Name a day that its month has."
        context.add(path, "cron", message, hint, severity="warning")
