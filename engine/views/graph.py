"""The machine of a runbook, drawn: DOT, Mermaid, and a plain outline.

DOT is for an adapter to turn into SVG or PNG. A failure that only hands the run over is
written into its state instead of drawn: forty lines to one box are no picture. The path
a run took is bold and green.

Called by the command line (`runbook draw`), the report and the web pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, Literal

from engine.model.machine import MachineEdge, MachineGraph, MachineState
from engine.model.runbook import ORDER
from engine.views.escape import visible

WRAP: Final = 26  # characters of a label's line
FONT: Final = "Helvetica"
NODE: Final = 'style="filled,rounded", color="#9aa1a9", margin="0.14,0.07"'
GREEN, RED, BLUE = "#1a7f4b", "#b3261e", "#2457a6"
FAILING: Final = ("fail", "jump")  # a jump is where a failure leads inside the runbook
NOTHING: Final[Mapping[str, str]] = {}
EdgeKind = Literal["next", "fail", "jump", "end"]
LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    # the shape and the fill of each kind
    "start": ("oval", "#e8eaed"),
    "check": ("box", "#e6f0fb"),
    "act": ("box", "#fde7d3"),
    "gate": ("hexagon", "#fff2c2"),
    "ask": ("hexagon", "#fff8e0"),
    "say": ("note", "#f3f3f0"),
    "wait": ("box", "#eef1f4"),
    "cause": ("octagon", "#e9e2f7"),
    "undo": ("box", "#dff3e6"),
    "block": ("box3d", "#f3f3f0"),
    "hand_over": ("box", "#fbe0de"),
    "end": ("box", "#e8eaed"),
}
ENDS: Final[Mapping[str, str]] = {
    "end/resolved": "#c9ecd6",
    "end/cleared": "#c9ecd6",
    "end/handed_over": "#fbd5d1",
    "end/cancelled": "#e8eaed",
}


@dataclass(frozen=True, slots=True)
class _Picture:
    """A machine with what is to be shown on it."""

    graph: MachineGraph
    path: tuple[str, ...]
    proof: Mapping[str, str]
    names: Mapping[str, str]  # state id to a name that every language takes
    taken: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def drawn(self) -> list[MachineEdge]:
        """Return the edges that get a line; those side by side share one."""
        labels: dict[tuple[str, str, EdgeKind], list[str]] = {}
        for edge in self.graph.edges:
            known = edge.source in self.names and edge.target in self.names
            if known and not self.is_told(edge):
                way = (edge.source, edge.target, edge.kind)
                labels.setdefault(way, []).append(edge.label)
        return [
            MachineEdge(source, target, ", ".join(filter(None, told)), kind)
            for (source, target, kind), told in labels.items()
        ]

    def is_told(self, edge: MachineEdge) -> bool:
        """Whether the edge is words in its state: a failure that nobody took."""
        hands = edge.target == "end/handed_over"
        return (
            edge.kind == "fail"
            and hands
            and (edge.source, edge.target) not in self.taken
        )

    def fails_into_hands(self, state: MachineState) -> str:
        """Return the words for those failures, or nothing."""
        told = [e for e in self.graph.edges if e.source == state.id and self.is_told(e)]
        labels = dict.fromkeys(visible(edge.label or "fail") for edge in told)
        return f"{', '.join(labels)}: hand over" if told else ""

    def shown_states(self) -> list[MachineState]:
        """Return the states to draw: steps, and what the start or the run leads to.

        A step that nothing leads to is shown, since that is a mistake to be seen; a
        state of the engine's own, such as giving back when cancelled, is not.
        """
        reached = _reached(self.graph) | set(self.path)
        return [one for one in self.graph.states if one.phase or one.id in reached]


def _picture(
    graph: MachineGraph, path: Sequence[str], proof: Mapping[str, str] | None
) -> _Picture:
    path = _bridged(graph, path)
    shown = _Picture(graph, path, proof or NOTHING, {}, frozenset(pairwise(path)))
    names = {one.id: f"s{number}" for number, one in enumerate(shown.shown_states())}
    return replace(shown, names=names)


def _reached(graph: MachineGraph) -> set[str]:
    """Return the ids that the first state leads to, over any number of ways."""
    ways: dict[str, list[str]] = {}
    for edge in graph.edges:
        ways.setdefault(edge.source, []).append(edge.target)
    todo = [one.id for one in graph.states[:1]]
    found = set(todo)
    while todo:
        fresh = set(ways.get(todo.pop(), [])) - found
        found |= fresh
        todo += sorted(fresh)
    return found


def _bridged(graph: MachineGraph, path: Sequence[str]) -> tuple[str, ...]:
    """Return the path with a state that left no note, where only one lies between."""
    ways = {(edge.source, edge.target) for edge in graph.edges}
    whole = list(path[:1])
    for source, target in pairwise(path):
        between = [
            one.id
            for one in graph.states
            if (source, one.id) in ways and (one.id, target) in ways
        ]
        if (source, target) not in ways and len(between) == 1:
            whole += between
        whole.append(target)
    return tuple(whole)


def graph_dot(
    graph: MachineGraph,
    *,
    path: Sequence[str] = (),
    proof: Mapping[str, str] | None = None,
) -> str:
    """Return the machine as DOT.

    Args:
        graph: The machine.
        path: The ids of the states a run visited, in order.
        proof: State id to a short remark that stands in the state.
    """
    shown = _picture(graph, path, proof)
    lines = [
        "digraph runbook {",
        f"  label={_dot(graph.title)}; labelloc=t; labeljust=l; fontsize=16;",
        f'  fontname="{FONT}"; rankdir=TB; nodesep=0.3; ranksep=0.35; bgcolor=white;',
        "  compound=true; newrank=true; splines=true; pad=0.25;",
        f'  node [fontname="{FONT}", fontsize=11, {NODE}];',
        f'  edge [fontname="{FONT}", fontsize=10, color="#6b7280", arrowsize=0.7];',
    ]
    for phase in (*ORDER, ""):
        lines += _dot_phase(shown, phase)
    lines += [_dot_edge(shown, edge) for edge in shown.drawn()]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_phase(shown: _Picture, phase: str) -> list[str]:
    states = [one for one in shown.shown_states() if _phase(one) == phase]
    if not phase:
        return [f"  {_dot_state(shown, one)}" for one in states]
    if not states:
        return []
    lines = [
        f"  subgraph cluster_{phase} {{",
        f'    label="{phase}"; labeljust=l; fontsize=13; fontcolor="{BLUE}";',
        '    style="rounded,filled"; fillcolor="#fafaf8"; color="#d6d6d0";',
    ]
    for number, group in enumerate(dict.fromkeys(one.group for one in states)):
        inside = [_dot_state(shown, one) for one in states if one.group == group]
        if group:
            lines += _dot_group(f"{phase}_{number}", group, inside)
        else:
            lines += [f"    {line}" for line in inside]
    return [*lines, "  }"]


def _dot_group(name: str, group: str, inside: list[str]) -> list[str]:
    return [
        f"    subgraph cluster_{name} {{",
        f'      label={_dot(group)}; fontsize=11; fontcolor="#4b5563";',
        '      style="rounded,filled"; fillcolor="#ffffff"; color="#d6d6d0";',
        *(f"      {line}" for line in inside),
        "    }",
    ]


def _dot_state(shown: _Picture, state: MachineState) -> str:
    shape, fill = LOOKS[state.kind]
    fill = ENDS.get(state.id, fill)
    label = "\\n".join(_dot_text(row) for row in _rows(shown, state))
    extra = ""
    if state.id in shown.path:
        extra = f', color="{GREEN}", penwidth=2.6'
    if state.kind == "end":
        extra += ', fontsize=12, margin="0.2,0.1"'
    looks = f'label="{label}", shape={shape}, fillcolor="{fill}"{extra}'
    return f"{shown.names[state.id]} [{looks}];"


def _dot_edge(shown: _Picture, edge: MachineEdge) -> str:
    ends = f"{shown.names[edge.source]} -> {shown.names[edge.target]}"
    marks = []
    if edge.label:
        marks.append(f"label={_dot(f' {edge.label} ')}")
    if edge.kind in FAILING:
        marks.append(f'style=dashed, color="{RED}", fontcolor="{RED}"')
    elif edge.kind == "next" and edge.label:
        marks.append(f'color="{BLUE}", fontcolor="{BLUE}"')
    if (edge.source, edge.target) in shown.taken:
        style = "bold,dashed" if edge.kind in FAILING else "bold"
        marks = [mark for mark in marks if mark.startswith("label")]
        marks.append(
            f'style="{style}", penwidth=3, color="{GREEN}", fontcolor="{GREEN}"'
        )
    return f"  {ends} [{', '.join(marks)}];" if marks else f"  {ends};"


def _phase(state: MachineState) -> str:
    return state.phase if state.phase in ORDER and state.kind != "end" else ""


def _rows(shown: _Picture, state: MachineState) -> list[str]:
    rows = _wrapped(_label(state))
    told = shown.fails_into_hands(state)
    rows += _wrapped(told) if told else []
    if state.id in shown.proof:
        rows += _wrapped(visible(shown.proof[state.id], most=120))
    return rows


def _label(state: MachineState) -> str:
    label = visible(state.label, most=120)
    return label.replace("_", " ") if state.kind == "end" else label


def _wrapped(text: str) -> list[str]:
    """Words put into lines; a word longer than a line stands alone."""
    rows = [""]
    for word in text.split():
        if rows[-1] and len(rows[-1]) + len(word) + 1 > WRAP:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}".strip()
    return rows


def _dot(text: str) -> str:
    return f'"{_dot_text(visible(text))}"'


def _dot_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


MERMAID_SHAPES: Final[Mapping[str, tuple[str, str]]] = {
    "start": ("((", "))"),
    "gate": ("[/", "/]"),
    "ask": ("[/", "/]"),
    "cause": ("{", "}"),
    "end": ("([", "])"),
}


def graph_mermaid(
    graph: MachineGraph,
    *,
    path: Sequence[str] = (),
    proof: Mapping[str, str] | None = None,
) -> str:
    """Return the machine as a Mermaid flowchart. Arguments as of `graph_dot`."""
    shown = _picture(graph, path, proof)
    lines = ["flowchart TD"]
    for phase in (*ORDER, ""):
        states = [one for one in shown.shown_states() if _phase(one) == phase]
        inside = [_mermaid_state(shown, one) for one in states]
        if phase and states:
            lines += [f'  subgraph {phase}["{phase}"]', *inside, "  end"]
        else:
            lines += inside
    drawn = shown.drawn()
    lines += [_mermaid_edge(shown, edge) for edge in drawn]
    lines += _mermaid_marks(shown, drawn)
    return "\n".join(lines) + "\n"


def _mermaid_state(shown: _Picture, state: MachineState) -> str:
    begin, close = MERMAID_SHAPES.get(state.kind, ("[", "]"))
    label = "<br/>".join(_mermaid_text(row) for row in _rows(shown, state))
    return f'    {shown.names[state.id]}{begin}"{label}"{close}'


def _mermaid_edge(shown: _Picture, edge: MachineEdge) -> str:
    arrow = "-.->" if edge.kind in FAILING else "-->"
    label = f'|"{_mermaid_text(visible(edge.label))}"|' if edge.label else ""
    return f"  {shown.names[edge.source]} {arrow}{label} {shown.names[edge.target]}"


def _mermaid_marks(shown: _Picture, drawn: list[MachineEdge]) -> list[str]:
    taken = [
        str(number)
        for number, edge in enumerate(drawn)
        if (edge.source, edge.target) in shown.taken
    ]
    visited = [name for id_, name in shown.names.items() if id_ in shown.path]
    lines = []
    if visited:
        lines.append(f"  classDef taken stroke:{GREEN},stroke-width:3px")
        lines.append(f"  class {','.join(visited)} taken")
    if taken:
        lines.append(f"  linkStyle {','.join(taken)} stroke:{GREEN},stroke-width:3px")
    return lines


def _mermaid_text(text: str) -> str:
    """Mermaid has no backslash: a character stands as its number."""
    special = '#"<>&;{}[]()|`\\'
    return "".join(f"#{ord(c)};" if c in special else c for c in text)


def graph_text(
    graph: MachineGraph,
    *,
    path: Sequence[str] = (),
    proof: Mapping[str, str] | None = None,
) -> str:
    """Return the machine as an outline: phases, states, and where each one leads.

    A state that the run visited has a `*` before it. Only jumps and failures are shown
    as arrows; without one a state leads to the next below it.
    """
    shown = _picture(graph, path, proof)
    numbers = {state.id: n for n, state in enumerate(shown.shown_states(), 1)}
    out = [visible(graph.title)]
    for phase in ("", *ORDER, "end"):
        states = [one for one in shown.shown_states() if _section(one) == phase]
        if states and phase:
            out.append(f"{phase}")
        group = ""
        for state in states:
            if state.group != group and state.group:
                out.append(f"  {visible(state.group)}")
            group = state.group
            out += _outlined(shown, state, numbers)
    return "\n".join(out) + "\n"


def _section(state: MachineState) -> str:
    return "end" if state.kind == "end" else _phase(state)


def _outlined(
    shown: _Picture, state: MachineState, numbers: Mapping[str, int]
) -> list[str]:
    mark = "*" if state.id in shown.path else " "
    indent = "  " if state.group else ""
    proof = shown.proof.get(state.id)
    told = f"  [{visible(proof)}]" if proof else ""
    head = f"{indent}{mark} {numbers[state.id]:>2} {_label(state)}{told}"
    ways = [edge for edge in shown.graph.edges if edge.source == state.id]
    rows = [
        f"{indent}       {_arrow(edge)} {numbers[edge.target]}"
        for edge in ways
        if edge.target in numbers and not _is_next(edge, numbers)
    ]
    return [head, *rows]


def _is_next(edge: MachineEdge, numbers: Mapping[str, int]) -> bool:
    below = numbers[edge.target] == numbers[edge.source] + 1
    return below and edge.kind == "next" and not edge.label


def _arrow(edge: MachineEdge) -> str:
    label = f" {visible(edge.label)}" if edge.label else ""
    return f"{'-x' if edge.kind in FAILING else '->'}{label} to"
