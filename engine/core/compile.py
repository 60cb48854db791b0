"""From a runbook to flat code: chains of nodes, jumps resolved, CEL compiled.

`compile_runbook` is given a runbook that language found to be right; what it still
refuses is a cycle of sub-runbooks. Expressions are compiled once, here. The graph of
the machine is made from the same code (core.machine). The steps themselves: core.lists.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from engine.core.code import CompiledRunbook, Node, Scope, Watch
from engine.core.lists import Lists, types_of
from engine.errors import EngineError
from engine.expressions import compile_expression
from engine.model.kinds import Kinds
from engine.model.runbook import RaiseRule, Runbook
from engine.model.steps import AllStep, AnyStep, CheckStep

DEEPEST: Final = 5  # runbooks inside runbooks
LOOK_EVERY: Final = timedelta(seconds=30)  # of a severity rule without an impact


def compile_runbook(
    runbook: Runbook,
    kinds: Kinds,
    *,
    revision: str = "",
    library: Mapping[str, Runbook] | None = None,
) -> CompiledRunbook:
    """Return the runbook as code.

    Args:
        library: other runbooks by name, for `run` steps.

    Raises:
        EngineError: a `run` step names a runbook that is not there, or a cycle.
        ExpressionProblem: a condition does not compile.
    """
    return Compiler(kinds, library or {}, runbook, revision).compiled()


@dataclass(frozen=True, slots=True)
class RaiseWatch:
    """A severity rule with the time between its looks."""

    to: str
    when: str
    every: timedelta


class Compiler:
    """One compilation: the code so far, and what is still to be resolved."""

    def __init__(
        self,
        kinds: Kinds,
        library: Mapping[str, Runbook],
        runbook: Runbook,
        revision: str,
    ) -> None:
        self.kinds, self.library = kinds, library
        self.runbook, self.revision = runbook, revision
        self.nodes: list[Node] = []
        self.scopes: dict[int, Scope] = {}
        self.watches: list[Watch] = []

    def compiled(self) -> CompiledRunbook:
        """Return the whole code."""
        self.add_scope(self.runbook, depth=0, prefix="")
        end = self.add("end", "end", "end")
        give_back = self.add("undo", "end/give-back", "give everything back")
        last_look = self.add("last_look", "end/last-look", "look once more")
        give_back.next = last_look.next = end.pc
        last_look.step = looks_of(self.runbook.diagnose)
        limits = self.add("limits", "watch/limits", "time limits")
        limits.step = self.runbook.limits.time
        asked = self.add("resolved", "end/resolved", "the alert is resolved")
        self._add_watches()
        scopes = tuple(self.scopes[index] for index in range(len(self.scopes)))
        return CompiledRunbook(
            self.runbook,
            self.revision,
            self.kinds,
            tuple(self.nodes),
            scopes,
            tuple(self.watches),
            give_back.pc,
            last_look.pc,
            end.pc,
            limits.pc,
            asked.pc,
        )

    def add(
        self,
        verb: str,
        id_: str,
        name: str,
        *,
        phase: str = "",
        scope: int = 0,
        step: Any = None,
    ) -> Node:
        """Add one node; return it."""
        node = Node(len(self.nodes), verb, id_, name, step, phase, scope)
        self.nodes.append(node)
        return node

    def add_scope(self, runbook: Runbook, *, depth: int, prefix: str) -> int:
        """Add a runbook as a scope; return its index.

        Raises:
            EngineError: it runs itself, or runs too deep.
        """
        if depth > DEEPEST:
            raise EngineError(
                f"runbook '{runbook.runbook}' runs itself, or too deep ({DEEPEST}); "
                "take the `run` step out"
            )
        index = len(self.scopes)
        self.scopes[index] = None  # type: ignore[assignment]  # its place; filled below
        self.scopes[index] = Lists(self, runbook, index, prefix, depth).scope()
        return index

    def sub_runbook(self, name: str) -> Runbook:
        """Return the runbook a `run` step names.

        Raises:
            EngineError: there is none.
        """
        if name not in self.library:
            raise EngineError(f"runbook '{name}' is not in the library")
        return self.library[name]

    def _add_watches(self) -> None:
        runbook, impact = self.runbook, self.runbook.impact
        if impact is not None:
            node = self.add("watch", "watch/impact", "measure the impact", step=impact)
            self.watches.append(Watch("impact", node.pc))
        for index, stop in enumerate(runbook.stop_when, 1):
            self._add_rule("stop", index, stop, stop.when)
        every = impact.every if impact is not None else LOOK_EVERY
        for index, rule in enumerate(runbook.raise_, 1):
            self._add_rule("raise", index, _raise_watch(rule, every), rule.when)

    def _add_rule(
        self, kind: Literal["stop", "raise"], index: int, step: Any, when: str
    ) -> None:
        node = self.add(
            "watch", f"watch/{kind}{index}", f"{kind} rule {index}", step=step
        )
        node.exprs = {"watch": compile_expression(when, types_of(self.runbook))}
        node.end = kind
        self.watches.append(Watch(kind, node.pc))


def _raise_watch(rule: RaiseRule, every: timedelta) -> RaiseWatch:
    return RaiseWatch(rule.to, rule.when, every)


def looks_of(steps: Iterable[AnyStep]) -> AllStep:
    """Return the plain checks of a list as steps side by side; it may hold none."""
    checks = {step.check: CheckStep(check=step.check) for step in _checks(steps)}
    return AllStep.model_construct(all=list(checks.values()))


def _checks(steps: Iterable[AnyStep]) -> Iterator[CheckStep]:
    for step in steps:
        if isinstance(step, CheckStep) and not step.with_:
            yield step
        elif isinstance(step, AllStep):
            yield from _checks(step.all)
