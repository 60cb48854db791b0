"""The state machine of one runbook, as data to draw: states, and edges between them.

core.machine makes it from the compiled runbook; views turn it into DOT, Mermaid and
text; a run's path is a list of state ids on it.
"""

from typing import Literal

import msgspec

StateKind = Literal[
    "start",
    "check",
    "act",
    "gate",
    "ask",
    "say",
    "wait",
    "cause",
    "undo",
    "block",  # all, each, repeat, run
    "hand_over",
    "end",
]


class MachineState(msgspec.Struct, frozen=True):
    """One state: a step, the start, or an end."""

    id: str  # "isolate/1", "workaround.scale-out/2", "end/resolved"
    label: str  # "act open_quarantine_lane"
    kind: StateKind
    phase: str = ""  # confirm, isolate, diagnose, workaround, restore, or empty
    group: str = ""  # of a workaround: its name
    line: int = 0


class MachineEdge(msgspec.Struct, frozen=True):
    """One way from a state to another, and what leads there."""

    source: str
    target: str
    label: str = ""  # "fail", "rejected", "cause bad-rollout"
    kind: Literal["next", "fail", "jump", "end"] = "next"


class MachineGraph(msgspec.Struct, frozen=True):
    """The whole machine."""

    runbook: str
    title: str
    states: tuple[MachineState, ...]
    edges: tuple[MachineEdge, ...]
