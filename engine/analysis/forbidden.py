"""Which acts of a file the configuration forbids, seen before anything runs.

What a value makes of an act is judged once more right before it (runtime.perform).
Read by: runtime.library.
"""

from collections.abc import Sequence

from engine.core.forbidden import forbidden_by
from engine.language.problems import Problem
from engine.language.pydantic_problems import Reporter
from engine.language.tree import Tree
from engine.model.runbook import Runbook
from engine.model.vocabulary import Action, ActionBody


def forbidden_acts(
    runbook: Runbook, tree: Tree, file: str, rules: Sequence[str]
) -> list[Problem]:
    """Return a problem for each act, and each undo, that a rule forbids."""
    report = Reporter(tree, file)
    for name, action in runbook.actions.items():
        for part, body in (("", action), ("undo", action.undo)):
            if not isinstance(body, Action | ActionBody):
                continue
            rule = forbidden_by(rules, body.kind, body.params)
            if rule:
                path = ["actions", name, *([part] if part else [])]
                message = f"'{name}' is forbidden here by {rule}"
                hint = "Write it another way, or change `limits.forbidden`."
                report.add(path, "forbidden", message, hint, key=True)
    return report.problems
