"""What every rule of lint is given, and how a rule says what it found.

Read by: the rules of lint. Made by: lint.
"""

from collections.abc import Iterable, Mapping, Sequence

from engine.errors import ExpressionProblem
from engine.expressions import Expression, Types, Yields, compile_expression, run_types
from engine.language.kinds import kind_of
from engine.language.problems import brief, suggest
from engine.language.pydantic_problems import Reporter
from engine.language.tree import Tree
from engine.language.walk import Placed, placed_steps
from engine.model.kinds import ActionKind, CheckKind, Kinds
from engine.model.runbook import Runbook
from engine.model.steps import AskStep, RunStep
from engine.model.vocabulary import Check


class Context(Reporter):
    """One runbook under lint."""

    def __init__(
        self,
        runbook: Runbook,
        tree: Tree,
        file: str,
        kinds: Kinds,
        siblings: Mapping[str, Runbook] | None,
    ) -> None:
        super().__init__(tree, file)
        self.runbook = runbook
        self.kinds = kinds
        self.siblings = siblings
        self._unbound: set[tuple[str, tuple[str | int, ...]]] = set()
        self.placed: list[Placed] = placed_steps(runbook)
        impact = runbook.impact.checks if runbook.impact else {}
        self.checks: dict[str, Check] = {**impact, **runbook.checks}
        self.types = run_types(
            {name: given.type for name, given in runbook.inputs.items()},
            self.checks,
            {
                it.step.name: _field_types(it.step)
                for it in self.placed
                if isinstance(it.step, AskStep) and it.step.name
            },
        )
        self.runs_others = any(isinstance(it.step, RunStep) for it in self.placed)

    def check_kind(self, name: str) -> CheckKind | None:
        """Return the kind of a check of this runbook, or None if it is unknown."""
        check = self.checks.get(name)
        return kind_of(self.kinds, check.kind) if check else None

    def action_kind(self, name: str) -> ActionKind | None:
        """Return the kind of an action of this runbook, or None if it is unknown."""
        action = self.runbook.actions.get(name)
        return self.kinds.actions.get(action.kind) if action else None

    def check_path(self, name: str) -> tuple[str, str]:
        """Return where a check stands in the file."""
        return ("checks" if name in self.runbook.checks else "impact", name)

    def known(
        self,
        name: str,
        names: Iterable[str],
        what: str,
        path: Sequence[str | int],
        *,
        key: bool = False,
    ) -> bool:
        """Report a name that is not among the known ones; return whether it is."""
        listed = list(names)
        if name in listed:
            return True
        plural = what + ("es" if what.endswith("s") else "s")
        message = f"unknown {what} {brief(name)}"
        self.add(path, "unknown-name", message, suggest(name, listed, plural), key=key)
        return False

    def unbound(
        self,
        name: str,
        needed_at: Sequence[str | int],
        use: Sequence[str | int],
        what: str,
    ) -> None:
        """Report, once for each use, that a name which a body needs is not bound."""
        if (name, tuple(use)) in self._unbound:
            return
        self._unbound.add((name, tuple(use)))
        line = self.tree.position(needed_at).line
        message = f"{what} needs '{name}' (line {line}), which is not bound here"
        hint = f"Bind it with `with: {{{name}: …}}`."
        self.add(use, "unbound-name", message, hint)

    def with_names(self, names: Iterable[str]) -> Types:
        """Return the types of a place where these names are bound too."""
        return {**dict.fromkeys(names, "dyn"), **self.types} if names else self.types

    def compiled(
        self, text: str, types: Types, yields: Yields = "bool"
    ) -> Expression | ExpressionProblem:
        """Return the condition, or what is wrong with it (for `conditions` to tell)."""
        try:
            return compile_expression(text, types, yields)
        except ExpressionProblem as problem:
            return problem

    def sibling_names(self, section: str) -> set[str]:
        """Return the names of a section over all siblings, for scripts of sub-runs."""
        found: set[str] = set()
        for other in (self.siblings or {}).values():
            found |= set(getattr(other, section))
        return found


def _field_types(step: AskStep) -> dict[str, str]:
    """Return the type of each field, from `note: string` or `note: {type: string}`."""
    types: dict[str, str] = {}
    for name, written in step.fields.items():
        kind = written.get("type") if isinstance(written, dict) else written
        types[name] = kind if isinstance(kind, str) else "dyn"
    return types
