"""The inputs of a run: from the alert, from defaults, from what somebody typed.

Pure. What is here: which value an input gets and whether it fits. What is not: where a
secret is kept (runtime), defaults of a file (language).

Read by: runtime.service, before a run starts.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from engine.expressions.patterns import matches
from engine.model.input_values import from_text, value_problem
from engine.model.runbook import Runbook
from engine.model.vocabulary import Input

SHOWN: Final = 60  # characters of a value that a message repeats


def bind_inputs(
    runbook: Runbook,
    given: Mapping[str, Any],
    labels: Mapping[str, Any],
    annotations: Mapping[str, Any],
) -> tuple[dict[str, Any], list[str]]:
    """Return the value of each input, and why the run cannot start (nothing: it can).

    What is given wins over the alert, the alert over the default. Text is read as the
    input's type: `5`, `true`, `a,b` or `["a", "b"]`.

    Args:
        runbook: The runbook to start.
        given: Name to value, as a person, a parent run or a program gave it.
        labels: Of the alert.
        annotations: Of the alert.
    """
    values: dict[str, Any] = {}
    problems = [_unknown(name, runbook) for name in given if name not in runbook.inputs]
    alert = {"labels": labels, "annotations": annotations}
    for name, declared in runbook.inputs.items():
        found, where, raw = _source(name, declared, given, alert)
        if not found:
            problems.append(_missing(name, declared))
            continue
        value = from_text(declared, raw) if isinstance(raw, str) else raw
        if value is None and where == "default":
            values[name] = None
            continue
        wanted = value_problem(declared, value, matches)
        if wanted is None:
            values[name] = value
        else:
            problems.append(_wrong(name, declared, where, raw, wanted))
    return values, problems


def _source(
    name: str, declared: Input, given: Mapping[str, Any], alert: Mapping[str, Any]
) -> tuple[bool, str, Any]:
    """Return whether there is a value, where it comes from, and the value."""
    if name in given:
        return True, "given", given[name]
    head, _, key = (declared.from_ or "").partition(".")
    part = alert.get(head)
    if isinstance(part, Mapping) and key in part:
        return True, f"{head}.{key}", part[key]
    if not declared.required:
        return True, "default", declared.default
    return False, "", None


def _unknown(name: str, runbook: Runbook) -> str:
    near = get_close_matches(name, runbook.inputs, n=1)
    known = ", ".join(runbook.inputs) or "none"
    hint = f"Did you mean '{near[0]}'?" if near else f"Its inputs: {known}."
    return f"'{name}' is no input of '{runbook.runbook}'. {hint}"


def _missing(name: str, declared: Input) -> str:
    where = f", and the alert has no {declared.from_}" if declared.from_ else ""
    return f"input '{name}' has no value{where}. Give it one: {name}=…"


def _wrong(name: str, declared: Input, where: str, raw: Any, wanted: str) -> str:
    shown = "its value (a secret)" if declared.secret else _brief(raw)
    source = "" if where == "given" else f" from {where}"
    return f"input '{name}': {shown}{source} does not fit; expected {wanted}"


def _brief(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
