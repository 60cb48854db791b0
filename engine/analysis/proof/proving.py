"""The proof of one runbook: walk, judge, time; what was found, at which steps.

Called by: the command line, tests, benchmarks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from engine.analysis.proof.answers import TooWide
from engine.analysis.proof.judging import Fault, Judging
from engine.analysis.proof.loops import goes_round
from engine.analysis.proof.story import Story, Teller
from engine.analysis.proof.times import Longest, Times
from engine.analysis.proof.unseen import HINT, unseen
from engine.analysis.proof.walk import MOST_STATES, TooLarge, Walk
from engine.core.code import CompiledRunbook
from engine.model.values import format_duration

MOST_WITH_AGES: Final = 4000  # states; beyond, answers are taken as old after a wait
LIMITS: Final = ("isolated", "mitigated", "silent", "total")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not so on every path."""

    code: str
    about: str  # id of a step, `always/1`, `time/total`, or nothing: the whole file
    message: str
    hint: str = ""
    story: Story = ()
    refuses: bool = True  # false: it may be the walk's own doing, so it is a warning


@dataclass(slots=True)
class Proof:
    """What was walked, and what was found."""

    states: int = 0
    moves: int = 0
    paths: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    findings: list[Finding] = field(default_factory=list)
    ways: dict[str, Story] = field(default_factory=dict)  # the costly ones, on demand
    proved: bool = True  # false: too large, and nothing is said of the rest
    walk: Walk | None = None


def prove(
    compiled: CompiledRunbook,
    *,
    most: int = MOST_STATES,
    exact: bool = False,
    explain: bool = False,
) -> Proof:
    """Return what holds on every path of a runbook, and the shortest way to what fails.

    Args:
        most: states that are walked; more is told as not proved.
        exact: walk every set of held acts (for tests: far more states).
        explain: also tell the ways that take longest.
    """
    proof = Proof()
    try:
        try:
            few = most if exact else min(most, MOST_WITH_AGES)
            walk = Walk(compiled, most=few, exact=exact)
            judging = Judging(walk)
            graph = walk.run(judging.judge)
        except TooLarge:
            if exact:
                raise
            walk = Walk(compiled, most=most, ages=False)
            judging = Judging(walk)
            graph = walk.run(judging.judge)
        proof.walk = walk
    except (TooLarge, TooWide) as error:
        proof.proved = False
        hint = (
            "Walk on with `runbook prove`, or split it into runbooks that `run` others."
        )
        told = f"not proved: {error}"
        found = Finding("not-proved", "", told, hint, refuses=False)
        proof.findings.append(found)
        return proof
    proof.states, proof.moves = len(graph.states), len(graph.edges)
    for number in graph.ends:
        end = graph.states[number].record.end
        proof.ends[end] = proof.ends.get(end, 0) + 1
    teller = Teller(walk)
    proof.paths = teller.paths()
    proof.times = Longest(compiled, graph).run()
    for fault in judging.over():
        proof.findings.append(_finding(fault, teller))
    proof.findings += _late(compiled, proof.times, teller)
    for about, told in unseen(compiled):
        found = Finding("unknown", about, told, HINT, refuses=False)
        proof.findings.append(found)
    if explain:
        for name, way in proof.times.ways.items():
            proof.ways[name] = teller.timed(way)
    return proof


def _finding(fault: Fault, teller: Teller) -> Finding:
    story = teller.story(fault.edge) if fault.edge >= 0 else ()
    hint, sure = HINTS[fault.code], fault.code != "not-proved"
    return Finding(fault.code, fault.about, fault.message, hint, story, sure)


def _late(compiled: CompiledRunbook, times: Times, teller: Teller) -> Iterator[Finding]:
    if times.loop >= 0:
        story = teller.story(times.loop)
        about = story[-1].step if story else ""
        told = "this can go round and round: no time and no count bounds it"
        sure = goes_round(teller.walk, teller.round(times.loop))
        yield Finding("loop", about, told, HINTS["loop"], story, sure)
        return
    limits = compiled.runbook.limits.time
    for name in LIMITS:
        limit = getattr(limits, name)
        worst = getattr(times, name)
        if limit is None or worst <= limit.total_seconds():
            continue
        shown = format_duration(timedelta(seconds=round(worst)))
        what = "longest silence" if name == "silent" else f"worst case to '{name}'"
        told = f"the {what} is {shown}, the limit is {format_duration(limit)}"
        story = teller.timed(times.ways.get(name, []))
        hint = HINTS["silent" if name == "silent" else "time"]
        yield Finding("time", f"time/{name}", told, hint, story, times.tight)


HINTS: Final = {
    "approval": "Let its gate have the same `when`, or put an `approve` before it.",
    "always": "Change the steps on this path, or the rule.",
    "cancel": "This is a defect of the engine: please report it.",
    "held": "Give it back in `restore`, or say with `hand_over` who takes it.",
    "loop": "End one of the jumps with hand_over.",
    "time": "Shorten a `within`, `timeout`, `attempts` or `retry` on this path, "
    "or raise the limit.",
    "silent": "Put a `say` on this path, set `chat.update_every` to no more than the "
    "limit, or raise the limit.",
    "not-proved": "Some condition compares more than a name with what is written "
    "beside it. Nothing is to be done if you know values for which this is taken.",
    "undo-order": "This is a defect of the engine: please report it.",
    "unreached": "Take it out, or change the condition that keeps every path from it.",
    "waits": "This is a defect of the engine: please report it.",
}
