"""Rule: the tests of a runbook speak of what the runbook has.

Read by: lint.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from engine.expressions.patterns import matches
from engine.language.context import Context
from engine.language.inputs import judgeable
from engine.language.problems import brief, suggest
from engine.language.references import asked_fields
from engine.language.shape import Path
from engine.model.input_values import value_problem
from engine.model.runbook import Test
from engine.model.steps import CauseStep

CHECK_ANSWERS: Final = ("pass", "fail", "unknown", "slow")
ACT_ANSWERS: Final = ("ok", "fail", "timeout", "lost")
VOTES: Final = ("approve", "reject", "silence")
TARGET: Final = re.compile(r"[^A-Za-z0-9_-].*", re.DOTALL)  # "drain:h3" is about drain


def rehearsals(context: Context) -> None:
    """Report scripts and expectations that cannot come true."""
    taken: set[str] = set()
    for index, test in enumerate(context.runbook.tests):
        path: Path = ("tests", index)
        if test.name in taken:
            message = f"the test {brief(test.name)} stands here twice"
            context.add((*path, "name"), "duplicate-name", message, "Rename one.")
        taken.add(test.name)
        _inputs(context, test, path)
        _scripts(context, test, path)
        _people(context, test.people, path)
        _expectation(context, test, (*path, "expect"))


def _inputs(context: Context, test: Test, path: Path) -> None:
    declared = context.runbook.inputs
    for name, value in test.inputs.items():
        place = (*path, "inputs", name)
        if not context.known(name, declared, "input", place, key=True):
            continue
        given = declared[name]
        if not judgeable(given):
            continue
        wanted = value_problem(given, value, matches)
        if wanted is not None and value is not None:
            message = f"{brief(value)} does not fit the input '{name}'"
            context.add(place, "value", message, f"Expected {wanted}.")


def _scripts(context: Context, test: Test, path: Path) -> None:
    checks = _with_siblings(context, context.checks, "checks")
    for name, answers in test.checks.items():
        place = (*path, "checks", name)
        if _scriptable(context, name, checks, "check", place):
            _answers(context, answers, place, CHECK_ANSWERS, maps=True)
    actions = _with_siblings(context, context.runbook.actions, "actions")
    for name, answers in test.actions.items():
        place = (*path, "actions", name)
        if _scriptable(context, name, actions, "action", place):
            _answers(context, answers, place, ACT_ANSWERS, maps=False)


def _scriptable(
    context: Context, name: str, known: list[str], what: str, place: Path
) -> bool:
    if context.runs_others and context.siblings is None:
        return True  # it may be a name of a sub-run, which are not known here
    return context.known(name, known, what, place, key=True)


def _with_siblings(context: Context, own: Iterable[str], section: str) -> list[str]:
    """Return the names that a script may use; a sub-run's names are its runbook's."""
    others = context.sibling_names(section) if context.runs_others else set()
    return [*own, *sorted(others - set(own))]


def _answers(
    context: Context,
    answers: list[Any],
    path: Path,
    legal: tuple[str, ...],
    *,
    maps: bool,
) -> None:
    for index, answer in enumerate(answers):
        if isinstance(answer, dict) and maps:
            continue
        if answer not in legal:
            raw = context.tree.at(path)
            place = (*path, index) if isinstance(raw, list) else path
            message = f"{brief(answer)} is no answer here"
            also = ", or {value: 3.2}" if maps else ""
            hint = suggest(str(answer), legal, "answers")
            listed = f"One of {', '.join(legal)}{also}."
            context.add(
                place, "answer", message, hint if hint.startswith("Did") else listed
            )


def _people(context: Context, people: list[Any], path: Path) -> None:
    known = asked_fields(context)
    fields: set[str] = set().union(*known.values()) if known else set()
    for index, answer in enumerate(people):
        raw = context.tree.at((*path, "people"))
        place = (*path, "people", index) if isinstance(raw, list) else (*path, "people")
        if isinstance(answer, dict):
            for name in answer:
                if fields and not context.runs_others:
                    context.known(name, fields, "field", (*place, name), key=True)
        elif answer not in VOTES:
            message = f"{brief(answer)} is no answer of a person"
            hint = f"One of {', '.join(VOTES)}, or a map of answers."
            context.add(place, "answer", message, hint)


def _expectation(context: Context, test: Test, path: Path) -> None:
    if context.runs_others and context.siblings is None:
        return  # the names of sub-runs are not known here
    actions = _with_siblings(context, context.runbook.actions, "actions")
    steps = [it.step.name for it in context.placed if it.step.name]
    for key in ("did", "undone", "held", "skipped"):
        known = [*actions, *steps] if key == "skipped" else actions
        for index, name in enumerate(getattr(test.expect, key) or []):
            place = (*path, key, index)
            context.known(TARGET.sub("", name), known, "action", place)
    causes = [
        cause.name
        for it in context.placed
        if isinstance(it.step, CauseStep)
        for cause in it.step.cause
    ]
    if test.expect.cause and not context.runs_others:
        context.known(test.expect.cause, causes, "cause", (*path, "cause"))
