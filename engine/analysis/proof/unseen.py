"""Conditions that are true where nothing can be seen: unknown counts as true there.

Judged are those that let a run act, go on, or take something as done. A condition that
names unknown itself says so on purpose, and is none of them; nor is a cause, which may
take all that is not well.

Called by: proving.
"""

from collections.abc import Iterator
from typing import Final

from engine.core.code import CompiledRunbook, Scope
from engine.expressions import Expression

OPENS: Final = ("unless", "while", "wait_for")  # what lets a run go on
HINT: Final = 'Use `.ok`, which has no value then; or name "unknown" where it is meant.'


def unseen(compiled: CompiledRunbook) -> Iterator[tuple[str, str]]:
    """Yield where such a condition stands, and what is to be said of it.

    Those of a sub-runbook are told of its own file.
    """
    for node in compiled.nodes:
        if node.scope or node.verb == "watch":
            continue
        rules = [node.exprs[key] for key in OPENS if key in node.exprs]
        if node.verb == "act" and node.when is not None:
            rules.append(node.when)
        for rule in rules:
            if _true_unseen(rule):
                yield node.id, _told(rule)
    yield from _of_actions(compiled.scopes[0])


def _of_actions(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, action in scope.actions.items():
        for key, rule in action.conditions.items():
            if _true_unseen(rule):
                yield f"actions/{name}/{key}", _told(rule)


def _true_unseen(rule: Expression) -> bool:
    if not rule.checks or "unknown" in rule.source or rule.yields != "bool":
        return False
    return (
        rule.evaluate({f"checks.{name}.state": "unknown" for name in rule.checks})
        is True
    )


def _told(rule: Expression) -> str:
    return f"unknown counts as true here: {rule.source}"
