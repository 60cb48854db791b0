"""Rule: actions say how they are given back, checks say what passes.

Read by: lint.
"""

from engine.language.context import Context
from engine.language.shape import Path
from engine.model.runbook import Runbook
from engine.model.vocabulary import ACTION_KEYS, CHECK_KEYS, Action


def bodies(context: Context) -> None:
    """Report actions without a clear way back and checks without a verdict."""
    for name, action in context.runbook.actions.items():
        path: Path = ("actions", name)
        _way_back(context, name, action, path)
        _after_crash(context, action, path)
    _verdicts(context, context.runbook)


def _way_back(context: Context, name: str, action: Action, path: Path) -> None:
    kind = context.action_kind(name)
    built_in = kind is not None and kind.built_in_undo
    leaves = action.leaves_nothing or (kind is not None and kind.leaves_nothing)
    only_built_in = built_in and kind is not None and not kind.undo_may_be_written
    if action.undo is not None and action.leaves_nothing:
        message = f"'{name}' has an undo and says that it leaves nothing"
        hint = "Keep undo, or leaves_nothing: true."
        context.add((*path, "leaves_nothing"), "undo", message, hint, key=True)
    if action.undo is not None and only_built_in:
        message = f"'{name}' has an undo, but '{action.kind}' gives back by itself"
        context.add((*path, "undo"), "undo", message, "Remove undo.", key=True)
    elif action.undo is None and not leaves and not built_in:
        if _has_slip(context, action.kind, path, ACTION_KEYS):
            return
        message = f"the action '{name}' does not say how it is undone"
        hint = "Add undo, or `undo: none` with why_no_undo, or leaves_nothing: true."
        context.add(path, "undo", message, hint, key=True)
    _reason(context, name, action, path)
    if action.undo_body is None and not built_in:
        for key in ("undone_when", "undo_if"):
            if getattr(action, key) is not None:
                message = f"'{key}' stands without an undo"
                context.add((*path, key), "undo", message, "Remove it.", key=True)


def _has_slip(context: Context, kind: str, path: Path, known: frozenset[str]) -> bool:
    """Whether a key of the body is unknown, and may be the one that is missed."""
    raw = context.tree.at(path)
    return isinstance(raw, dict) and any(key not in known | {kind} for key in raw)


def _reason(context: Context, name: str, action: Action, path: Path) -> None:
    why = (action.why_no_undo or "").strip()
    if action.undo == "none" and not why:
        message = f"'{name}' has `undo: none` without a reason"
        hint = "Add why_no_undo: people read it before they approve."
        context.add((*path, "undo"), "undo", message, hint)
    elif action.undo != "none" and action.why_no_undo is not None:
        message = "'why_no_undo' stands without `undo: none`"
        context.add((*path, "why_no_undo"), "undo", message, "Remove it.", key=True)


def _after_crash(context: Context, action: Action, path: Path) -> None:
    if action.after_crash == "verify" and action.done_when is None:
        message = "'after_crash: verify' needs 'done_when' to look at"
        hint = "Add done_when, or write after_crash: ask."
        context.add((*path, "after_crash"), "done-when", message, hint)


def _verdicts(context: Context, runbook: Runbook) -> None:
    for name, check in runbook.checks.items():
        kind = context.check_kind(name)
        slip = _has_slip(context, check.kind, ("checks", name), CHECK_KEYS)
        if kind is None or kind.judges_itself or slip:
            continue
        if check.pass_ is None:
            message = f"the check '{name}' does not say what passes"
            hint = "Add pass, such as `pass: value < 10.0`."
            context.add(("checks", name), "pass", message, hint, key=True)
    for name in runbook.impact.checks if runbook.impact else {}:
        if name in runbook.checks:
            message = f"'{name}' is also the name of a check"
            context.add(
                ("impact", name), "duplicate-name", message, "Rename it.", key=True
            )
        _number(context, name)


def _number(context: Context, name: str) -> None:
    """Warn of an impact of a kind that gives no number: nothing is measured by it."""
    kind, check = context.check_kind(name), context.checks[name]
    if kind is None or not kind.sees or "value" in kind.sees:
        return
    message = f"'{name}' gives no number, so no harm is measured by it"
    if check.pass_ is None and not kind.judges_itself:
        message += "; without `pass` it is unknown at every look"
    hint = "Let a kind count that gives `value`, such as prometheus."
    path: Path = ("impact", name, check.kind)
    context.add(path, "impact", message, hint, key=True, severity="warning")
