"""Drills made by chance, played and judged; of what breaks a rule, the shortest.

Called by: the command line (`rehearse --faults`), tests.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.analysis.rehearsal.drill import Drill
from engine.analysis.rehearsal.faults import Faults
from engine.analysis.rehearsal.judging import Broken, Promises, broken, promises
from engine.analysis.rehearsal.shrinking import shortest
from engine.core.code import CompiledRunbook
from engine.errors import EngineError
from engine.testing.playing import Played, own_drills, play, seldom_measured


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a drill broke, with the shortest drill found that breaks it."""

    seed: int
    rule: str
    told: str
    played: Played


@dataclass(slots=True)
class Faulted:
    """What the drills of one runbook showed."""

    seed: int
    runs: int
    ends: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    kills: int = 0  # that came about: a run may end before
    violations: list[Violation] = field(default_factory=list)
    drills: list[Played] = field(default_factory=list)


def promised(compiled: CompiledRunbook) -> Promises:
    """Return what the judge holds a runbook's runs against."""
    return promises([one.runbook for one in compiled.scopes], compiled.kinds)


def judged(played: Played, rules: Promises) -> list[Broken]:
    """Return what does not hold after a drill: the judge's rules, and `always`."""
    if played.told.summary is None and not played.told.over:
        return []  # its inputs do not fit: no run began
    found = broken(played.told, rules)
    clauses = ("never:", "at_end:", "act ")
    for one in played.problems:
        if one.startswith(clauses):
            found.append(Broken("always", one))
    return found


def drilled(
    compiled: CompiledRunbook,
    *,
    seed: int,
    runs: int,
    against: CompiledRunbook | None = None,
) -> Faulted:
    """Play `runs` drills, of the seeds from `seed` on; return what they showed.

    A rule that is broken by many drills is told once, by the first.

    Args:
        against: whose promises are judged; left out: the runbook's own.

    Raises:
        EngineError: no value is known for an input; a test has to give one.
    """
    rules = promised(against or compiled)
    code = seldom_measured(compiled)
    faults = Faults(compiled, own_drills(compiled))
    found = Faulted(seed, runs)
    known: set[str] = set()
    for number in range(seed, seed + runs):
        played = play(code, faults.drill(number))
        if played.told.summary is None and not played.told.over:
            told = "; ".join(played.problems)
            raise EngineError(f"no drill can begin: {told}. {GIVE}")
        _count(found, played)
        for one in judged(played, rules):
            if one.rule not in known:
                known.add(one.rule)
                found.violations.append(_shortened(code, played, one, number, rules))
    return found


def _count(found: Faulted, played: Played) -> None:
    summary = played.told.summary
    found.ends[summary.state if summary is not None else "did not begin"] += 1
    found.writes += played.writes
    found.kills += sum(one.write <= played.writes for one in played.drill.kills)
    found.drills.append(played)


def _shortened(
    code: CompiledRunbook, played: Played, shown: Broken, seed: int, rules: Promises
) -> Violation:
    def shows(drill: Drill) -> bool:
        return any(one.rule == shown.rule for one in judged(play(code, drill), rules))

    least = play(code, shortest(played.drill, shows))
    told = next(one.told for one in judged(least, rules) if one.rule == shown.rule)
    return Violation(seed, shown.rule, told, least)


GIVE: Final = "Write a test that gives its inputs: drills begin with the same."


def rules_told() -> Sequence[str]:
    """Return what is judged, in words."""
    return (
        "nothing held and forgotten",
        "no effect twice unless probed",
        "no act without intent or approval, or on hold",
        "no end without owner and why",
        "`always`",
    )
