"""Shorter defaults: what a configuration may take off the limits of the format.

What is here: the limits a runbook gets where it writes none, and a copy of a runbook
with shorter ones. What is written in a runbook stays. Nothing can be made longer.

Read by: config (refuses longer ones), runtime.library (when a runbook is loaded).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from engine.model.runbook import Limits, Runbook
from engine.model.steps import ApproveStep, AskStep, Escalation, RunStep, WaitForStep
from engine.model.values import Model
from engine.model.vocabulary import Action, Check

FORMAT: Final[Mapping[str, tuple[type[Model], str]]] = {
    # the configuration's word: the model and its field
    "check_timeout": (Check, "timeout"),
    "act_timeout": (Action, "timeout"),
    "lock_wait": (Limits, "lock_wait"),
    "approve_within": (ApproveStep, "within"),
    "escalate_within": (Escalation, "within"),
    "ask_within": (AskStep, "within"),
    "wait_within": (WaitForStep, "within"),
    "run_within": (RunStep, "within"),
}


def longest(name: str) -> timedelta:
    """Return what the format says for a default. Raises KeyError: no such default."""
    model, field = FORMAT[name]
    found: timedelta = model.model_fields[field].default
    return found


def shorten(runbook: Runbook, seconds: Mapping[str, float]) -> Runbook:
    """Return the runbook with these limits wherever it writes none.

    Args:
        seconds: Name of a default (see FORMAT) to seconds; a longer one is no change.
    """
    if not seconds:
        return runbook
    shorter = {
        FORMAT[name]: min(timedelta(seconds=value), longest(name))
        for name, value in seconds.items()
    }
    found: Runbook = _shortened(runbook, shorter)
    return found


def _shortened(value: Any, shorter: Mapping[tuple[type[Model], str], timedelta]) -> Any:
    if isinstance(value, list):
        return [_shortened(one, shorter) for one in value]
    if isinstance(value, dict):
        return {key: _shortened(one, shorter) for key, one in value.items()}
    if not isinstance(value, Model):
        return value
    changed = {}
    for name in type(value).model_fields:
        before = getattr(value, name)
        after = _shortened(before, shorter)
        if after is not before and after != before:
            changed[name] = after
    for (model, field), limit in shorter.items():
        if isinstance(value, model) and field not in value.model_fields_set:
            changed[field] = limit
    if not changed:
        return value
    written = set(value.model_fields_set)
    copy = value.model_copy(update=changed)
    copy.__pydantic_fields_set__.clear()
    copy.__pydantic_fields_set__.update(written)
    return copy
