"""Runbooks that are broken on some path: each is found, with the code that names it."""

from collections.abc import Sequence
from functools import cache

import pytest

from engine.analysis.proof import Finding, prove
from tests.analysis.proof.broken_findings import TOLD
from tests.rehearsing import compiled

WORDS = """
checks:
  a: {probe: {}, pass: value > 0, fresh_for: 1s, timeout: 1s, attempts: 1}
  b: {probe: {}, pass: value > 0, fresh_for: 1s, timeout: 1s, attempts: 1}
  n: {probe: {}, pass: value < 5, fresh_for: 1h, timeout: 1s, attempts: 1}
actions:
  take: {do: {}, undo: {do: {}}, timeout: 3s}
  other: {do: {}, undo: {do: {}}, timeout: 3s}
  risky: {do: {}, undo: {do: {}}, timeout: 3s, risk: high}
  final: {do: {}, undo: none, why_no_undo: gone, timeout: 3s}
  asked: {do: {}, undo: {do: {}}, undo_if: checks.a.ok, timeout: 3s}
  slow: {do: {}, undo: {do: {}}, timeout: 1m, retry: {times: 2, wait: 30s, grow: 2.0}}
  sure: {do: {}, undo: {do: {}}, timeout: 3s, verify: checks.a.ok, verify_within: 5m}
"""
GATE = "{approve: 'Go?', from: {group: ops}, within: 1m"
AGAIN = "workaround: {w: [{say: x}], v: [{say: y}]}\n"

BROKEN = {
    # A high risk, or no way back, that some path comes to without people
    "a gate that a condition skips": (
        f"isolate: [{GATE}, when: checks.a.ok}}, {{act: risky}}]",
        {"approval isolate/2"},
    ),
    "a gate and an act that look at different checks": (
        f"isolate: [{GATE}, when: checks.a.ok}}, {{act: risky, when: checks.b.ok}}]",
        {"approval isolate/2"},
    ),
    "the same condition, but older than its answer counts": (
        (f"isolate: [{GATE}, when: checks.a.ok}}, {{wait: 2s}}, "
        "{act: risky, when: checks.a.ok}]"),
        {"approval isolate/3"},
    ),
    "no gate at all": ("isolate: [{act: risky}]", {"approval isolate/1"}),
    "no way back, and no gate": ("workaround: {w: [{act: final}]}", {
        "approval workaround.w/1"}),
    "a gate inside a block does not cover what comes after": (
        f"workaround: {{w: [{{repeat: 1, do: [{GATE}}}]}}, {{act: risky}}]}}",
        {"approval workaround.w/2"},
    ),
    "a gate after the act": (
        f"isolate: [{{act: risky}}, {GATE}}}]",
        {"approval isolate/1", "unreached isolate/2"},
    ),
    "a jump into a list without its own gate": (
        (f"isolate: [{GATE}, on_reject: w}}, {{act: risky}}]\n"
        "workaround: {w: [{act: final}]}"),
        {"approval workaround.w/1"},
    ),
    "each target, and nobody asked": (
        "workaround: {w: [{each: '[\"x\", \"y\"]', as: t, do: [{act: final}]}]}",
        {"approval workaround.w/1.1"},
    ),
    "side by side, and nobody asked": (
        "workaround: {w: [{all: [{act: final}, {act: take}]}]}",
        {"approval workaround.w/1.1"},
    ),
    "a gate that is skipped where nothing can be told": (
        (f"isolate: [{GATE}, when: '!checks.a.ok'}}, "
        "{act: risky, when: '!checks.b.ok', on_unknown: do}]"),
        {"approval isolate/2"},
    ),
    # What always has to hold
    "an approval that opens itself is none for the rule": (
        (f"isolate: [{GATE}, unless: checks.a.ok, when: checks.b.ok}}, {{act: take}}]\n"
        "always: [{act: take, only_after: approve}]"),
        {"always always/0"},
    ),
    "an act before the look it needs": (
        ("isolate: [{act: take}, {check: a}]\n"
        "always: [{act: take, only_after: check a}]"),
        {"always always/0"},
    ),
    "an act whose forerunner may be skipped": (
        ("isolate: [{act: other, when: checks.a.ok}, {act: take}]\n"
        "always: [{act: take, only_after: act other}]"),
        {"always always/0"},
    ),
    "something held where nothing may be": (
        "isolate: [{act: take}]\nalways: [{at_end: size(held) == 0}]",
        {"always always/0"},
    ),
    "two acts that may never be held at once": (
        ("isolate: [{act: take}, {act: other}]\n"
        "always: [{never: '\"take\" in held && \"other\" in held'}]"),
        {"always always/0"},
    ),
    "an act that may never be held": (
        ("isolate: [{act: take, when: checks.a.ok}, {act: other}]\n"
        "always: [{never: '\"take\" in held'}]"),
        {"always always/0"},
    ),
    "an end without a cause": (
        ("diagnose: [{cause: [{name: x, when: checks.a.ok}, {name: y}]}]\n"
        "always: [{at_end: 'cause == \"x\"'}]"),
        {"always always/0"},
    ),
    "a cause that may not be": (
        ("diagnose: [{cause: [{name: x, when: checks.a.ok}, {name: y}]}]\n"
        "always: [{never: 'cause == \"y\"'}]"),
        {"always always/0"},
    ),
    "an end that is not the one": (
        "isolate: [{act: take}]\nalways: [{at_end: 'end == \"resolved\"'}]",
        {"always always/0"},
    ),
    # Steps and causes that no path takes
    "a condition against itself": (
        "diagnose: [{check: a, when: checks.a.ok && !checks.a.ok, on_unknown: skip}]",
        {"unreached diagnose/1"},
    ),
    "a cause behind one that says the same": (
        ("diagnose: [{cause: [{name: x, when: checks.a.ok}, "
        "{name: y, when: checks.a.ok}, {name: z}]}]"),
        {"unreached diagnose/1#1"},
    ),
    "a cause behind one that says more": (
        ("diagnose: [{cause: [{name: x, when: checks.a.ok || checks.b.ok}, "
        "{name: y, when: checks.b.ok}, {name: z}]}]"),
        {"unreached diagnose/1#1"},
    ),
    "a cause behind all that can be": (
        ("diagnose: [{cause: [{name: x, when: 'checks.a.state == \"pass\"'}, "
        "{name: y, when: 'checks.a.state != \"pass\"'}, {name: z}]}]"),
        {"unreached diagnose/1#2"},
    ),
    "a number that passes and is too large": (
        "diagnose: [{check: b, when: checks.n.ok && checks.n.value > 10.0, on_unknown: skip}]",
        {"unreached diagnose/1"},
    ),
    "a choice that there is not": (
        ("inputs: {where: {type: choice, of: [x, y]}}\n"
        "diagnose: [{check: a, when: 'where == \"z\"'}]"),
        {"unreached diagnose/1"},
    ),
    "an answer against itself": (
        ("diagnose: [{ask: 'Well?', name: q, fields: {sure: boolean}},"
        " {check: a, when: answers.q.sure && !answers.q.sure}]"),
        {"unreached diagnose/2"},
    ),
    "held before it is taken": (
        "isolate: [{act: other, when: '\"take\" in held'}, {act: take}]",
        {"unreached isolate/1"},
    ),
    "after the run's end": (
        "diagnose: [{hand_over: ops}, {check: a}]",
        {"unreached diagnose/2"},
    ),
    "a cause that is never the one": (
        "diagnose: [{cause: [{name: x}]}, {check: a, when: 'cause == \"y\"'}]",
        {"unreached diagnose/2"},
    ),
    "a gate that nobody may answer": (
        "isolate: [{approve: 'Go?', from: {group: ops}, not_by: ops}, {act: risky}]",
        {"unreached isolate/2"},
    ),
    "a target's step against itself": (
        ("workaround: {w: [{each: '[\"x\"]', as: t, do: [{act: take},"
        " {check: a, when: checks.a.ok && !checks.a.ok, on_unknown: skip}]}]}"),
        {"unreached workaround.w/1.2"},
    ),
    "a round's step that no round takes": (
        "workaround: {w: [{repeat: 2, do: [{act: take, when: 'false'}]}]}",
        {"unreached workaround.w/1.1"},
    ),
    # What restore leaves held
    "a restore that gives nothing back": (
        "isolate: [{act: take}]\nrestore: [{say: done}]",
        {"held isolate/1"},
    ),
    "a restore that is written as empty": (
        "isolate: [{act: take}]\nrestore: []",
        {"held isolate/1"},
    ),
    "a restore that gives something else back": (
        "isolate: [{act: take}, {act: other}]\nrestore: [{undo: other}]",
        {"held isolate/1"},
    ),
    "an undo that a condition skips": (
        ("isolate: [{act: take}]\n"
        "restore: [{undo: take, when: checks.a.ok, on_unknown: hand_over}]"),
        {"held isolate/1"},
    ),
    "an act after everything was given back": (
        "isolate: [{act: take}]\nrestore: [{undo: all}, {act: other}]",
        {"held restore/2"},
    ),
    "a workaround that restore does not know": (
        ("isolate: [{act: take}]\nworkaround: {w: [{act: other}]}\n"
        "restore: [{undo: take}]"),
        {"held workaround.w/1"},
    ),
    "an undo before the act": (
        "isolate: [{undo: take}, {act: take}]\nrestore: [{say: x}]",
        {"held isolate/2"},
    ),
    "targets that nobody gives back": (
        ("workaround: {w: [{each: '[\"x\", \"y\"]', as: t, do: [{act: take}]}]}\n"
        "restore: [{wait: 1s}]"),
        {"held workaround.w/1.1"},
    ),
    # Loops
    "a restore that fails back into a workaround": (
        ("isolate: [{act: take}]\nworkaround: {w: [{say: x}]}\n"
        "restore: [{wait_for: a, within: 1m, on_fail: w}, {undo: all}]"),
        {"loop restore/1"},
    ),
    "a gate of restore that is rejected into a workaround": (
        ("workaround: {w: [{say: x}]}\n"
        f"restore: [{GATE}, on_reject: w}}, {{undo: all}}]"),
        {"loop restore/1"},
    ),
    "a question that nobody answers, and again": (
        ("workaround: {w: [{say: x}]}\n"
        "restore: [{ask: 'Well?', within: 1m, on_expire: w}, {undo: all}]"),
        {"loop restore/1"},
    ),
    # Times
    "a wait beyond the limit": (
        "limits: {time: {total: 5m}}\ndiagnose: [{wait: 6m}]",
        {"time time/total"},
    ),
    "tries that take longer than isolating may": (
        "limits: {time: {isolated: 4m}}\nisolate: [{act: slow}]",
        {"time time/isolated"},
    ),
    "a verify that takes longer than isolating may": (
        "limits: {time: {isolated: 4m}}\nisolate: [{act: sure}]",
        {"time time/isolated"},
    ),
    "two circles of people": (
        ("limits: {time: {mitigated: 7m}}\nworkaround: {w: [{approve: 'Go?', "
        "from: {group: x}, within: 5m, then: {group: y, within: 5m}}, {act: final}]}"),
        {"time time/mitigated"},
    ),
    "a silence": (
        ("limits: {time: {silent: 9m}}\n"
        "diagnose: [{say: x}, {wait: 10m}, {say: y}, {wait: 1m}]"),
        {"time time/silent"},
    ),
    "an undo that may have to ask": (
        "limits: {time: {total: 10m}}\nisolate: [{act: asked}]",
        {"time time/total"},
    ),
    "pauses between targets": (
        ("limits: {time: {mitigated: 5m}}\nworkaround: {w: [{each: "
        "'[\"x\", \"y\", \"z\"]', as: t, batch: 1, pause: 3m, do: [{act: take}]}]}"),
        {"time time/mitigated"},
    ),
    "rounds": (
        ("limits: {time: {mitigated: 5m}}\n"
        "workaround: {w: [{repeat: 4, every: 2m, do: [{check: a}]}]}"),
        {"time time/mitigated"},
    ),
    "the slowest of those side by side": (
        ("limits: {time: {mitigated: 5m}}\n"
        "workaround: {w: [{all: [{wait: 1m}, {wait: 6m}, {wait: 2m}]}]}"),
        {"time time/mitigated"},
    ),
    # What can come at any time, from beside the steps
    "a stop rule without a check": (
        ("isolate: [{act: take}]\ndiagnose: [{cause: [{name: x}]}, {wait: 1m}]\n"
        "restore: [{hand_over: ops}]\n"
        "stop_when: [{when: 'cause == \"x\"', every: 10s, then: undo}]\n"
        "always: [{at_end: 'end != \"handed_over\" || cause != \"x\" || "
        "size(held) > 0'}]"),
        {"always always/0"},
    ),
    "a stop rule that reads an answer": (
        ("isolate: [{act: take}]\n"
        "diagnose: [{ask: 'Well?', name: q, fields: {bad: boolean}}, {wait: 1m}]\n"
        "restore: [{hand_over: ops}]\n"
        "stop_when: [{when: checks.a.ok && answers.q.bad, every: 10s, then: undo}]\n"
        "always: [{at_end: 'end != \"handed_over\" || !answers.q.bad || "
        "size(held) > 0'}]"),
        {"always always/0"},
    ),
    "a cancel after the look that an end is judged by": (
        ("confirm: [{check: a, on_unknown: do}, {check: b}]\nisolate: [{act: take}]\n"
        "restore: [{undo: all}]\n"
        "always: [{at_end: 'end != \"cancelled\" || "
        "checks.a.state != \"pass\"'}]"),
        {"always always/0"},
    ),
    "a lock that comes late": (
        ("limits: {lock: [x], lock_wait: 6m, time: {isolated: 5m}}\n"
        "isolate: [{act: take}]"),
        {"time time/isolated"},
    ),
}  # fmt: skip


@cache
def findings(name: str) -> Sequence[Finding]:
    """Return what the proof finds in a broken runbook."""
    return prove(compiled(WORDS + BROKEN[name][0])).findings


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_runbook_is_found(name: str) -> None:
    """
    The proof names exactly what is wrong, and where; nothing else is said of it.
    """
    _, wanted = BROKEN[name]

    assert wanted == {f"{one.code} {one.about}" for one in findings(name)}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_told_of_a_broken_runbook(name: str) -> None:
    """
    Each finding is told whole, on the shortest path that ends where it shows.
    """
    shown = [
        (one.code, one.about, one.message, one.story[-1].told if one.story else "")
        for one in findings(name)
    ]

    assert TOLD[name] == shown
    assert all(one.refuses and one.hint for one in findings(name))


def test_there_are_enough_of_them() -> None:
    """
    At least forty are made by hand.
    """
    assert len(BROKEN) >= 40
