"""The lists of one runbook on their way into the code.

A list becomes a chain of nodes; a nested list hangs at its block's node. Each act is
given the gate that covers it: the last `approve` before it in its list, or in the list
around it. Called by core.compile, once for each (sub-)runbook.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from engine.core.code import END_OF_BLOCK, ActionCode, CheckCode, Node, Policy, Scope
from engine.expressions import (
    Expression,
    compile_expression,
    observation_types,
    run_types,
)
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook
from engine.model.steps import (
    ActStep,
    AllStep,
    ApproveStep,
    AskStep,
    CauseStep,
    CheckStep,
    EachStep,
    RepeatStep,
    RunStep,
    Step,
    WaitForStep,
    verb_of,
)
from engine.model.vocabulary import Action, Check
from engine.templating import params_names

CONDITIONS = ("done_when", "guard", "verify", "undone_when", "undo_if")
FREE_NAMES = frozenset({"cause"})  # known everywhere, never bound


class Place(NamedTuple):
    """Where in the runbook a list stands."""

    id: str  # "isolate/" or "workaround.by-hand/": the step's number follows
    phase: str
    group: str = ""
    gate: int = END_OF_BLOCK
    each: int = END_OF_BLOCK


class Segment(NamedTuple):
    """A chain: where it begins, and its last node."""

    first: int
    last: Node


class Code(Protocol):
    """The code so far (core.compile): where nodes and scopes are added."""

    kinds: Kinds
    nodes: list[Node]
    scopes: dict[int, Scope]

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
        ...

    def add_scope(self, runbook: Runbook, *, depth: int, prefix: str) -> int:
        """Add a runbook as a scope; return its index."""
        ...

    def sub_runbook(self, name: str) -> Runbook:
        """Return the runbook a `run` step names."""
        ...


class Lists:
    """One runbook being compiled."""

    def __init__(
        self, to: Code, runbook: Runbook, index: int, prefix: str, depth: int
    ) -> None:
        self.to, self.runbook, self.index = to, runbook, index
        self.prefix, self.depth = prefix, depth
        self.types = types_of(runbook)
        self.jumps: list[tuple[Node, str, str]] = []  # node, which policy, its name
        self.workarounds: dict[str, int] = {}

    def scope(self) -> Scope:
        """Compile every list; return the scope."""
        runbook = self.runbook
        main = [
            *self._head(),
            self._built_in("choose", "workaround", "choose the workaround"),
        ]
        lists = {
            name: self._list(steps, Place(f"workaround.{name}/", "workaround", name))
            for name, steps in runbook.workaround.items()
            if steps
        }
        restore = self._restore() if runbook.restore != [] else self._finish()
        for name in runbook.workaround:
            self.workarounds[name] = (
                lists[name].first if name in lists else restore.first
            )
        for before, after in pairwise(main):
            before.last.next = after.first
        for segment in lists.values():
            segment.last.next = restore.first
        if runbook.restore != []:  # written as empty, it does nothing
            restore.last.next = self._finish().first
        undo_out = self._built_in("undo", "undo-out", "give back", phase="")
        undo_out.last.next = self._built_in("leave", "leave", "leave", phase="").first
        self._resolve_jumps()
        return Scope(
            self.index,
            runbook,
            self._checks(),
            self._actions(),
            main[0].first,
            self.workarounds,
            restore.first,
            undo_out.first,
            _trusted(runbook),
        )

    def _head(self) -> Iterator[Segment]:
        if not self.index:
            yield self._built_in("start", "start", "begin", phase="confirm")
        if self.runbook.confirm:
            confirm = self._built_in("confirm", "confirm", "confirm", phase="confirm")
            confirm.last.step = self.runbook.confirm
            yield confirm
        if self.runbook.isolate:
            yield self._list(self.runbook.isolate, Place("isolate/", "isolate"))
        if self.runbook.diagnose:
            yield self._list(self.runbook.diagnose, Place("diagnose/", "diagnose"))

    def _built_in(
        self, verb: str, id_: str, name: str, *, phase: str = "workaround"
    ) -> Segment:
        node = self.to.add(verb, self.prefix + id_, name, phase=phase, scope=self.index)
        return Segment(node.pc, node)

    def _restore(self) -> Segment:
        if self.runbook.restore:
            return self._list(self.runbook.restore, Place("restore/", "restore"))
        return self._built_in(
            "restore", "restore/default", "give back", phase="restore"
        )

    def _finish(self) -> Segment:
        return self._built_in("finish", "finish", "finish", phase="restore")

    # Lists and steps

    def _list(self, steps: Sequence[Step], place: Place) -> Segment:
        first, last = END_OF_BLOCK, None
        for number, step in enumerate(steps, 1):
            node = self._step(step, f"{place.id}{number}", place)
            if last is None:
                first = node.pc
            else:
                last.next = node.pc
            if node.verb == "approve":
                place = place._replace(gate=node.pc)
            last = node
        assert last is not None
        return Segment(first, last)

    def _step(self, step: Step, id_: str, place: Place) -> Node:
        verb = verb_of(step) or ""
        if isinstance(step, AllStep) and all(_plain_check(one) for one in step.all):
            verb = "looks"
        name = step.name or describe(step)
        node = self.to.add(
            verb,
            self.prefix + id_,
            name,
            phase=place.phase,
            scope=self.index,
            step=step,
        )
        node.group, node.gate, node.each = place.group, place.gate, place.each
        if step.when is not None:
            node.when = self._cel(step.when)
        node.exprs = dict(self._expressions(step))
        self._note_jumps(node, step)
        self._inside(node, step, id_, place)
        return node

    def _inside(self, node: Node, step: Step, id_: str, place: Place) -> None:
        place = place._replace(id=f"{id_}.")
        if isinstance(step, ActStep) and place.gate != END_OF_BLOCK:
            self.to.nodes[place.gate].covers += (node.pc,)
        elif node.verb == "all":
            node.blocks = tuple(
                self._step_list(one, f"{id_}.{number}", place)
                for number, one in enumerate(getattr(step, "all", ()), 1)
            )
        elif isinstance(step, EachStep):
            node.blocks = (self._list(step.do, place._replace(each=node.pc)).first,)
        elif isinstance(step, RepeatStep):
            node.blocks = (self._list(step.do, place).first,)
        elif isinstance(step, RunStep):
            sub = self.to.sub_runbook(step.run)
            inside = self.prefix + id_ + ">"
            scope = self.to.add_scope(sub, depth=self.depth + 1, prefix=inside)
            node.blocks = (self.to.scopes[scope].start,)

    def _step_list(self, step: Step, id_: str, place: Place) -> int:
        return self._step(step, id_, place).pc

    # Expressions

    def _cel(self, source: str, yields: Any = "bool") -> Expression:
        return compile_expression(source, self.types, yields)

    def _expressions(self, step: Step) -> Iterator[tuple[str, Expression]]:
        for name, raw in getattr(step, "with_", {}).items():
            if isinstance(raw, Mapping) and set(raw) == {"cel"}:
                yield f"with.{name}", self._cel(str(raw["cel"]), "any")
        if isinstance(step, EachStep):
            yield "each", self._cel(step.each, "list")
        elif isinstance(step, RepeatStep) and step.while_ is not None:
            yield "while", self._cel(step.while_)
        elif isinstance(step, WaitForStep):
            yield "wait_for", self._cel(self._wait_for(step.wait_for))
        elif isinstance(step, ApproveStep) and step.unless not in (None, "auto"):
            yield "unless", self._cel(str(step.unless))
        elif isinstance(step, CauseStep):
            for index, cause in enumerate(step.cause):
                if cause.when is not None:
                    yield f"cause.{index}", self._cel(cause.when)

    def _wait_for(self, source: str) -> str:
        return check_ok(source) if source in self._all_checks() else source

    # Jumps

    def _note_jumps(self, node: Node, step: Step) -> None:
        fail = step.on_fail
        for which in ("on_fail", "on_reject", "on_expire"):
            name = getattr(step, which, None) or fail
            if name is not None:
                self.jumps.append((node, which, name))

    def _resolve_jumps(self) -> None:
        for node, which, name in self.jumps:
            if name in ("hand_over", "undo", "continue"):
                policy = Policy(name)  # type: ignore[arg-type]
            else:
                policy = Policy("jump", self.workarounds[name], name)
            setattr(node, which, policy)

    # Vocabulary

    def _all_checks(self) -> dict[str, Check]:
        impact = self.runbook.impact
        return dict(impact.checks if impact is not None else {}) | self.runbook.checks

    def _checks(self) -> dict[str, CheckCode]:
        known = self.runbook.inputs.keys() | FREE_NAMES
        return {
            name: CheckCode(name, check, params_names(check.params) - known)
            for name, check in self._all_checks().items()
        }

    def _actions(self) -> dict[str, ActionCode]:
        return {
            name: self._action(name, one) for name, one in self.runbook.actions.items()
        }

    def _action(self, name: str, action: Action) -> ActionCode:
        kind = self.to.kinds.actions[action.kind]
        body = action.undo_body
        conditions = {
            key: self._cel(getattr(action, key))
            for key in CONDITIONS
            if getattr(action, key) is not None
        }
        values = {
            key: compile_expression(what.value, observation_types(), "any")
            for key, what in action.remember.items()
        }
        undo_kind = (
            body.kind if body is not None else action.kind if kind.built_in_undo else ""
        )
        if action.undo == "none":
            undo_kind = ""
        nothing = action.leaves_nothing or kind.leaves_nothing
        return ActionCode(
            name, action, conditions, values, kind.built_in_undo, nothing, undo_kind
        )


def check_ok(name: str) -> str:
    """Return the CEL that a check's name stands for in `wait_for`."""
    return f"checks.{name}.ok" if "-" not in name else f'checks["{name}"].ok'


def _plain_check(step: Step) -> bool:
    return isinstance(step, CheckStep) and step.when is None and not step.with_


def _trusted(runbook: Runbook) -> frozenset[str]:
    return frozenset(
        name
        for name, one in runbook.inputs.items()
        if one.pattern or one.type == "choice"
    )


def describe(step: Step) -> str:
    """Return how people call a step that has no name: its verb and what it is about."""
    verb = verb_of(step) or "step"
    if verb in ("approve", "ask", "say"):
        return verb  # a text is for people, and stands in the question itself
    about = getattr(step, verb, "")
    if isinstance(about, str):
        return f"{verb} {about}" if len(about) <= 60 else f"{verb} {about[:57]}..."
    if isinstance(step, AllStep):
        return f"all of {len(step.all)}"
    return "cause" if isinstance(step, CauseStep) else f"{verb} {about}"


def types_of(runbook: Runbook) -> dict[str, str]:
    """Return the type of every name that the runbook's conditions may use."""
    inputs = {name: one.type for name, one in runbook.inputs.items()}
    impact = runbook.impact.checks if runbook.impact is not None else {}
    answers: dict[str, dict[str, str]] = {}
    extra: dict[str, str] = {}
    for step in every_step(runbook):
        if isinstance(step, AskStep) and step.name:
            answers[step.name] = {
                name: str(raw.get("type", "string"))
                if isinstance(raw, Mapping)
                else str(raw)
                for name, raw in step.fields.items()
            }
        if isinstance(step, EachStep):
            extra[step.as_] = "dyn"
        extra |= dict.fromkeys(getattr(step, "with_", {}), "dyn")
    for action in runbook.actions.values():
        extra |= dict.fromkeys(action.remember, "dyn")
    extra = {name: type_ for name, type_ in extra.items() if name not in inputs}
    return dict(run_types(inputs, [*runbook.checks, *impact], answers, extra))


def every_step(runbook: Runbook) -> Iterator[Step]:
    """Yield every step of a runbook, also the nested ones, in the order of the file."""
    lists = [runbook.isolate, runbook.diagnose, *runbook.workaround.values()]
    for steps in [*lists, runbook.restore or []]:
        yield from _walk(steps)


def _walk(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        for inside in (getattr(step, "all", None), getattr(step, "do", None)):
            if isinstance(inside, list):
                yield from _walk(inside)
