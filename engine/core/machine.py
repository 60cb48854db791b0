"""The state machine of a compiled runbook, on `transitions`, and as data to draw.

Three machines from data: the run's life (RUN_TABLE), a step's life (STEP_TABLE), and
the runbook's own, whose states are its steps and ends. One machine is built for each
and one cursor moved along it; callbacks do no work. The driver moves the run's life
along it, so a state no table allows cannot be written. Who explores uses the tables; a
test proves that tables and machines agree.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from transitions import Machine, MachineError

from engine.core.code import END_OF_BLOCK, CompiledRunbook, Node, Policy
from engine.core.tables import RUN_EVENT, RUN_TABLE, STEP_TABLE
from engine.core.turn import Defect
from engine.model.machine import MachineEdge, MachineGraph, MachineState, StateKind

ENDS: Final = ("resolved", "cleared", "handed_over", "cancelled")
KINDS: Final[Mapping[str, StateKind]] = {
    "start": "start",
    "check": "check",
    "looks": "check",
    "confirm": "check",
    "act": "act",
    "approve": "gate",
    "ask": "ask",
    "say": "say",
    "wait": "wait",
    "wait_for": "wait",
    "cause": "cause",
    "undo": "undo",
    "restore": "undo",
    "all": "block",
    "each": "block",
    "repeat": "block",
    "run": "block",
    "hand_over": "hand_over",
    "choose": "cause",
    "leave": "end",
    "finish": "check",
}
HIDDEN: Final = (
    "watch",
    "end",
    "last_look",
    "resolved",
    "limits",
)  # no part of the path


class _Cursor:
    """What a machine moves: one object for one machine, re-used for every run."""

    state: str


class Life:
    """The life of a run or a step as a machine with one cursor."""

    def __init__(self, table: Mapping[str, Mapping[str, str]], initial: str) -> None:
        self._cursor = _Cursor()
        self._machine = Machine(
            self._cursor,
            states=list(table),
            transitions=[
                [event, source, target]
                for source, row in table.items()
                for event, target in row.items()
            ],
            initial=initial,
            auto_transitions=False,
        )

    def after(self, state: str, event: str) -> str:
        """Return the state that `event` leads to.

        Raises:
            Defect: the machine knows no such event, or not from this state.
        """
        self._machine.set_state(state)
        try:
            self._cursor.trigger(event)  # type: ignore[attr-defined]
        except (MachineError, AttributeError) as refusal:
            raise Defect(f"no way from {state} by {event}") from refusal
        return self._cursor.state


def run_life() -> Life:
    """Return the machine of a run's life."""
    return Life(RUN_TABLE, "waiting")


def step_life() -> Life:
    """Return the machine of a step's life."""
    return Life(STEP_TABLE, "ready")


def moved(life: Life, before: str, after: str) -> None:
    """Move a run's life from one state to the next along the machine.

    Raises:
        Defect: no table allows it.
    """
    reached = life.after(before, RUN_EVENT[after])
    if reached != after:
        raise Defect(f"{before} leads to {reached}, not {after}")


def machine_graph(compiled: CompiledRunbook, *, title: str = "") -> MachineGraph:
    """Return the runbook's machine as data: one state for each step and end.

    `title`: a run's own, rendered; left out: the runbook's, as it is written.
    """
    edges = tuple(dict.fromkeys(_edges(compiled)))
    ends = tuple(MachineState(f"end/{end}", end, "end") for end in ENDS)
    used = {edge.target for edge in edges}
    states = tuple(_state(node) for node in compiled.nodes if _drawn(node))
    return MachineGraph(
        compiled.runbook.runbook,
        title or compiled.runbook.title,
        states + tuple(end for end in ends if end.id in used),
        edges,
    )


def runbook_machine(compiled: CompiledRunbook) -> Machine:
    """Return the runbook's machine on `transitions`, a trigger for each edge."""
    graph = machine_graph(compiled)
    return Machine(
        _Cursor(),
        states=[state.id for state in graph.states],
        transitions=[
            [f"to/{edge.target}", edge.source, edge.target] for edge in graph.edges
        ],
        initial=graph.states[0].id,
        auto_transitions=False,
    )


def _drawn(node: Node) -> bool:
    """Whether a step is part of the picture: leaving is for sub-runbooks only."""
    leaving = not node.scope and node.id in ("undo-out", "leave")
    return node.verb not in HIDDEN and not leaving


def _state(node: Node) -> MachineState:
    return MachineState(node.id, node.name, KINDS[node.verb], node.phase, node.group)


def _edges(compiled: CompiledRunbook) -> Iterator[MachineEdge]:
    for node in compiled.nodes:
        if not _drawn(node):
            continue
        yield from _onward(compiled, node)
        yield from _failing(compiled, node)
        yield from _inside(compiled, node)


def _onward(compiled: CompiledRunbook, node: Node) -> Iterator[MachineEdge]:
    nodes = compiled.nodes
    if node.verb == "finish" and not node.scope:
        yield MachineEdge(node.id, "end/resolved", "nothing held", "end")
        yield MachineEdge(node.id, "end/handed_over", "still held", "end")
    elif node.verb == "choose":
        scope = compiled.scopes[node.scope]
        for name, pc in scope.workarounds.items():
            yield MachineEdge(node.id, nodes[pc].id, name)
        if _may_have_none(compiled, node):
            yield MachineEdge(node.id, nodes[scope.restore].id, "no workaround")
    elif node.verb == "hand_over":
        yield MachineEdge(node.id, "end/handed_over", "", "end")
        if node.when is not None and node.next != END_OF_BLOCK:
            yield MachineEdge(node.id, nodes[node.next].id, "skipped")
    elif node.next != END_OF_BLOCK:
        yield MachineEdge(node.id, nodes[node.next].id)
    if node.verb == "confirm" and not node.scope:
        yield MachineEdge(node.id, "end/cleared", "trouble gone", "end")


def _may_have_none(compiled: CompiledRunbook, node: Node) -> bool:
    """Whether diagnose can be through without a workaround chosen."""
    causes = [
        cause
        for one in compiled.nodes
        if one.verb == "cause" and one.scope == node.scope
        for cause in one.step.cause
    ]
    alone = len(compiled.scopes[node.scope].workarounds) == 1
    return any(not one.workaround for one in causes) or (not causes and not alone)


CAN_FAIL: Final = frozenset(
    {
        "start",
        "confirm",
        "act",
        "approve",
        "ask",
        "wait_for",
        "undo",
        "restore",
        "all",
        "each",
        "repeat",
        "run",
        "cause",
    }
)


def _can_fail(node: Node) -> bool:
    if node.verb == "check":
        return node.step.expect is not None
    if node.verb == "looks":
        return any(step.expect is not None for step in node.step.all)
    return node.verb in CAN_FAIL or (
        node.when is not None and node.step.on_unknown is not None
    )


def _failing(compiled: CompiledRunbook, node: Node) -> Iterator[MachineEdge]:
    if node.verb == "approve":
        ways = [("rejected", node.on_reject), ("expired", node.on_expire)]
    elif node.verb == "ask":
        ways = [("no answer", node.on_expire)]
    else:
        ways = [("fail", node.on_fail)]
    for label, policy in ways:
        if _can_fail(node) and policy.kind != "continue":
            yield _failed(compiled, node, label, policy)


def _failed(
    compiled: CompiledRunbook, node: Node, label: str, policy: Policy
) -> MachineEdge:
    if policy.kind == "jump":
        target = compiled.nodes[policy.pc].id
        kind: Literal["jump", "fail"] = "jump"
    elif node.scope:
        target, kind = compiled.nodes[compiled.scopes[node.scope].undo_out].id, "fail"
    else:
        target, kind = "end/handed_over", "fail"
    label = "undo, " + label if policy.kind == "undo" else label
    return MachineEdge(node.id, target, label, kind)


def _inside(compiled: CompiledRunbook, node: Node) -> Iterator[MachineEdge]:
    for block in node.blocks:
        label = "each" if node.verb == "each" else ""
        yield MachineEdge(node.id, compiled.nodes[block].id, label)
