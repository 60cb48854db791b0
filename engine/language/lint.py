"""What a runbook means, judged before it runs: one rule in each module, all located.

Read by: load.
"""

from collections.abc import Mapping
from typing import Final

from engine.language.amounts import amounts
from engine.language.bodies import bodies
from engine.language.conditions import conditions
from engine.language.context import Context
from engine.language.inputs import inputs
from engine.language.outside import outside
from engine.language.phases import phases
from engine.language.problems import Problem, in_order
from engine.language.promql import promql
from engine.language.reach import reach
from engine.language.references import references
from engine.language.rehearsals import rehearsals
from engine.language.texts import texts
from engine.language.tree import Tree
from engine.language.uses import uses_of
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook

RULES: Final = (
    inputs, bodies, amounts, phases, references, reach, outside, promql, rehearsals
)  # fmt: skip


def lint(
    runbook: Runbook,
    tree: Tree,
    file: str,
    kinds: Kinds,
    siblings: Mapping[str, Runbook] | None = None,
) -> list[Problem]:
    """Return what is wrong or doubtful in a runbook, sorted by place.

    Args:
        runbook: As it was read from `tree`.
        tree: The file, for places.
        file: Its name.
        kinds: The kinds of checks and actions.
        siblings: The other runbooks; left out: what `run` names is not judged.
    """
    context = Context(runbook, tree, file, kinds, siblings)
    uses = uses_of(context)
    for rule in RULES:
        rule(context)
    texts(context, uses)
    conditions(context, uses)
    return in_order(context.problems)
