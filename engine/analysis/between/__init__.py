"""What is wrong between runbooks that are each right: locks, effects, alerts, debts.

    members      one runbook with its file, as all the others here see it
    texts        texts with values left open: can two be the same, are they surely
    naming       what a name in a text stands for
    effects      what an act, or its undo, does to which target
    words        words that oppose each other
    opposing     effects that oppose each other on targets that can meet
    locks        which runs keep each other apart, and locks that a sub-run leaves out
    deadlocks    locks in the world that are taken in orders that cross
    alerts       alerts that start two runbooks of one severity
    leaks        what a sub-runbook leaves held, and its caller does not give back

Seen in the files alone; docs/explanation/between-runbooks.md says exactly what counts.
Pure. Called by runtime.proving.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

from engine.analysis.between.alerts import same_alert
from engine.analysis.between.deadlocks import crossings
from engine.analysis.between.effects import effects_of
from engine.analysis.between.leaks import leaks
from engine.analysis.between.locks import left_out
from engine.analysis.between.members import Member
from engine.analysis.between.opposing import opposed
from engine.language.problems import Problem, in_order
from engine.model.kinds import Kinds

__all__ = ["Member", "between"]


def between(
    named: Sequence[Member], library: Mapping[str, Member], kinds: Kinds
) -> list[Problem]:
    """Return what is wrong between runbooks, by place.

    Args:
        named: The runbooks that are held against each other.
        library: All that may be run inside, by name; these too.
        kinds: What is known of each kind.
    """
    found: list[Problem] = []
    done = {one.name: effects_of(one, library, kinds) for one in named}
    for one in named:
        found += left_out(one, library, kinds)
        found += leaks(one, library, kinds)
    for one, other in combinations(named, 2):
        found += same_alert(one, other)
        found += opposed(done[one.name], done[other.name])
    found += crossings(done, named, kinds)
    return in_order(found)
