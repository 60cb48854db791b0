"""The machine of the example runbook, as the core would give it: 31 states."""

from engine.model.machine import MachineEdge, MachineGraph, MachineState, StateKind

_S: list[tuple[str, str, StateKind, str, str]] = [
    ("start", "start", "start", "", ""),
    ("confirm/1", "check lag", "check", "confirm", ""),
    ("confirm/2", "is it real?", "cause", "confirm", ""),
    ("isolate/1", "act open_quarantine_lane", "act", "isolate", ""),
    ("isolate/2", "act silence_noise", "act", "isolate", ""),
    ("isolate/3", "say Isolated in eu-west", "say", "isolate", ""),
    ("diagnose/1", "all: 3 checks", "block", "diagnose", ""),
    ("diagnose/2", "check brokers", "check", "diagnose", ""),
    ("diagnose/3", "name the cause", "cause", "diagnose", ""),
    ("workaround.roll-back/1", "approve: Roll the router back?", "gate", "workaround",
     "roll-back"),
    ("workaround.roll-back/2", "act roll_back_router", "act", "workaround", "roll-back"),
    ("workaround.roll-back/3", "wait for delivery_p99", "wait", "workaround", "roll-back"),
    ("workaround.scale-out/1", "act add_consumers", "act", "workaround", "scale-out"),
    ("workaround.scale-out/2", "wait for lag", "wait", "workaround", "scale-out"),
    ("workaround.scale-out/3", "each host in hosts", "block", "workaround", "scale-out"),
    ("workaround.move/1", "approve: Move the partition?", "gate", "workaround", "move"),
    ("workaround.move/2", "act move_leader", "act", "workaround", "move"),
    ("workaround.move/3", "wait for lag", "wait", "workaround", "move"),
    ("workaround.by-hand/1", "ask: What was done by hand?", "ask", "workaround",
     "by-hand"),
    ("workaround.by-hand/2", "hand over to messaging", "hand_over", "workaround",
     "by-hand"),
    ("restore/1", "wait for delivery_p99", "wait", "restore", ""),
    ("restore/2", "undo all", "undo", "restore", ""),
    ("restore/3", "wait for delivery_p99, held 5m", "wait", "restore", ""),
    ("restore/4", "say Back to normal", "say", "restore", ""),
    ("end/resolved", "resolved", "end", "", ""),
    ("end/cleared", "cleared", "end", "", ""),
    ("end/handed_over", "handed over", "end", "", ""),
    ("end/cancelled", "cancelled", "end", "", ""),
]  # fmt: skip
_NEXT = (
    ("start", "confirm/1"), ("confirm/1", "confirm/2"), ("confirm/2", "isolate/1"),
    ("isolate/1", "isolate/2"), ("isolate/2", "isolate/3"), ("isolate/3", "diagnose/1"),
    ("diagnose/1", "diagnose/2"), ("diagnose/2", "diagnose/3"),
    ("workaround.roll-back/1", "workaround.roll-back/2"),
    ("workaround.roll-back/2", "workaround.roll-back/3"),
    ("workaround.roll-back/3", "restore/1"),
    ("workaround.scale-out/1", "workaround.scale-out/2"),
    ("workaround.scale-out/2", "workaround.scale-out/3"),
    ("workaround.scale-out/3", "restore/1"),
    ("workaround.move/1", "workaround.move/2"), ("workaround.move/2", "workaround.move/3"),
    ("workaround.move/3", "restore/1"),
    ("workaround.by-hand/1", "workaround.by-hand/2"),
    ("workaround.by-hand/2", "restore/1"),
    ("restore/1", "restore/2"), ("restore/2", "restore/3"), ("restore/3", "restore/4"),
)  # fmt: skip
_BY_HAND = "workaround.by-hand/1"
_FAILS = (
    ("workaround.roll-back/1", _BY_HAND, "rejected"),
    ("workaround.roll-back/1", _BY_HAND, "expired"),
    ("workaround.roll-back/2", _BY_HAND, "fail"),
    ("workaround.scale-out/2", _BY_HAND, "fail"),
    ("workaround.move/2", _BY_HAND, "fail"),
    ("confirm/2", "end/handed_over", "mixed or unknown"),
    ("isolate/1", "end/handed_over", "fail"),
    ("isolate/2", "end/handed_over", "fail"),
    ("diagnose/1", "end/handed_over", "fail"),
    ("workaround.roll-back/3", "end/handed_over", "fail"),
    ("workaround.scale-out/1", "end/handed_over", "fail"),
    ("workaround.scale-out/3", "end/handed_over", "fail"),
    ("workaround.move/1", "end/handed_over", "rejected"),
    ("workaround.move/1", "end/handed_over", "expired"),
    ("workaround.move/3", "end/handed_over", "fail"),
    (_BY_HAND, "end/handed_over", "expired"),
    ("restore/1", "end/handed_over", "fail"),
    ("restore/2", "end/handed_over", "fail"),
    ("restore/3", "end/handed_over", "fail"),
)
_CAUSES = (
    ("diagnose/3", "workaround.roll-back/1", "bad-rollout"),
    ("diagnose/3", "workaround.scale-out/1", "too-few-consumers"),
    ("diagnose/3", "workaround.move/1", "hot-leader"),
    ("diagnose/3", _BY_HAND, "not-found"),
)
PATH = (
    "start", "confirm/1", "confirm/2", "isolate/1", "isolate/2", "isolate/3",
    "diagnose/1", "diagnose/2", "diagnose/3", "workaround.roll-back/1",
    "workaround.roll-back/2", "workaround.roll-back/3", "restore/1", "restore/2",
    "restore/3", "restore/4", "end/resolved",
)  # fmt: skip


def machine() -> MachineGraph:
    """Return the whole machine."""
    states = tuple(MachineState(i, label, kind, phase, group)
                   for i, label, kind, phase, group in _S)  # fmt: skip
    edges = [MachineEdge(source, target) for source, target in _NEXT]
    edges += [
        MachineEdge(s, t, label, "fail" if t.startswith("end") else "jump")
        for s, t, label in _FAILS
    ]
    edges += [MachineEdge(s, t, label) for s, t, label in _CAUSES]
    edges += [
        MachineEdge("confirm/2", "end/cleared", "none as expected", "end"),
        MachineEdge("workaround.by-hand/2", "end/handed_over", "", "end"),
        MachineEdge("restore/4", "end/resolved", "", "end"),
    ]
    return MachineGraph(
        "message-delivery-delay", "Messages arrive late in {{ region }}", states,
        tuple(edges),
    )  # fmt: skip


def small() -> MachineGraph:
    """Return a machine of five states, for whole-value tests."""
    states = (
        MachineState("start", "start", "start"),
        MachineState("isolate/1", "act cut_off", "act", "isolate"),
        MachineState(
            "workaround.by-hand/1", "ask: Done?", "ask", "workaround", "by-hand"
        ),
        MachineState("end/resolved", "resolved", "end"),
        MachineState("end/handed_over", "handed over", "end"),
    )
    edges = (
        MachineEdge("start", "isolate/1"),
        MachineEdge("isolate/1", "workaround.by-hand/1", "fail", "jump"),
        MachineEdge("isolate/1", "end/resolved", "", "end"),
        MachineEdge("workaround.by-hand/1", "end/resolved", "answered", "end"),
        MachineEdge("workaround.by-hand/1", "end/handed_over", "expired", "fail"),
    )
    return MachineGraph("small", "A small one", states, edges)
