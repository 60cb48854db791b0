"""Which names a condition may use, with their types: in a run, and over what was seen.

A name is qualified (`checks.lag.ok`). Types are "bool", "int", "double", "string",
"list", "map" and "dyn" (told when it is evaluated). Read by: lint, core.compile, judge.
"""

from collections.abc import Iterable, Mapping
from typing import Final

Types = Mapping[str, str]

SEEN: Final[Types] = {
    "value": "double",
    "values": "dyn",  # a list; one number at a time where `pass_for` goes through it
    "series": "list",
    "json": "dyn",
    "response": "dyn",
    "exit_code": "int",
    "stdout": "string",
    "days_left": "double",
    "addresses": "list",
    "latency_seconds": "double",
}
OF_CHECK: Final[Types] = {
    "state": "string",
    "ok": "bool",
    "age_seconds": "double",
    **SEEN,
}
OF_RUN: Final[Types] = {
    "labels": "map",
    "annotations": "map",
    "cause": "string",
    "held": "list",
    "end": "string",
}
OF_INPUT: Final[Types] = {
    "string": "string",
    "integer": "int",
    "number": "double",
    "boolean": "bool",
    "list": "list",
}


def run_types(
    inputs: Mapping[str, str],
    checks: Iterable[str],
    answers: Mapping[str, Mapping[str, str]],
    extra: Mapping[str, str] = {},
) -> dict[str, str]:
    """Return the names of a run's conditions, each with its type.

    Args:
        inputs: Input name to the type written in the file; a choice may be anything.
        checks: The names of all checks, those of `impact` too.
        answers: Step name to field name to type.
        extra: Further names (`as`, `with`, `remember`) with a type of this module.
    """
    types = {name: OF_INPUT.get(type_, "dyn") for name, type_ in inputs.items()}
    for check in checks:
        types |= {f"checks.{check}.{name}": type_ for name, type_ in OF_CHECK.items()}
    for step, fields in answers.items():
        for name, type_ in fields.items():
            types[f"answers.{step}.{name}"] = OF_INPUT.get(type_, "dyn")
    return {**types, **extra, **OF_RUN}


def observation_types() -> Types:
    """Return the names that `pass`, `unknown_when` and `remember` may use."""
    return SEEN
