"""Every path of a runbook, and its own tests wherever the engine may die.

The paths are the proof's, walked through `core.advance`: on each are judged the
`always` clauses and what `prove` judges. A test's expectations speak of its script
alone, so they are judged on every path that the script leaves open: the engine dies
after a write of the journal with no act in flight, on the driver of a live run, and
nothing may differ; of a long test the writes are spread over it. Where an act is in
flight people or checks may have to be asked: there `always` is judged, and the judge of
the drills.

Called by: the command line (`rehearse --all-paths`), tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from engine.analysis.proof import Proof, prove
from engine.analysis.rehearsal.drill import Kill
from engine.analysis.rehearsal.judging import Promises
from engine.core.code import CompiledRunbook
from engine.language.tree import Tree
from engine.runtime.proving import place_of, story_lines
from engine.testing.faulting import judged, promised
from engine.testing.playing import Played, own_drills, play, seldom_measured
from engine.testing.story import killed, story_of

MOST_WRITES: Final = 200  # that are played again, of one test
FEWEST_DEATHS: Final = 3  # of one test, however long it is
MOST_CRASHES: Final = 3  # with as many in its script, a run is handed over for them


@dataclass(frozen=True, slots=True)
class Failure:
    """What does not hold on some path, and the path as a story."""

    name: str  # of the test, or what the proof judges
    line: int
    told: str
    story: list[str]


@dataclass(slots=True)
class Paths:
    """What all paths of one runbook showed."""

    proof: Proof
    clauses: int = 0  # `always`
    tests: int = 0
    deaths: int = 0  # of the engine, with no act in flight: all is as expected
    in_flight: int = 0  # with one in flight: the judge alone
    failures: list[Failure] = field(default_factory=list)


def all_paths(compiled: CompiledRunbook, tree: Tree, *, most: int) -> Paths:
    """Return what holds on every path; `most`: states that are walked.

    Raises:
        EngineError: the `alert` of a test is no body of its source.
    """
    proof = prove(compiled, most=most)
    found = Paths(proof, len(compiled.runbook.always))
    for one in proof.findings:
        if proof.proved and one.code == "not-proved":
            continue  # of values that nobody tried; `prove` tells them
        line = tree.position(place_of(one.about, tree)).line
        story = list(story_lines(one.story, tree))
        found.failures.append(Failure(one.code, line, one.message, story))
    code, rules = seldom_measured(compiled), promised(compiled)
    for index, drill in enumerate(own_drills(compiled)):
        line = tree.position(("tests", index)).line
        first = play(code, drill)
        found.tests += 1
        if first.problems:
            told = "; ".join(first.problems)
            story = story_of(first.told.entries, tree)
            found.failures.append(Failure(drill.test.name, line, told, story))
            continue
        for failure in _killed(code, first, rules, found, tree, line):
            found.failures.append(failure)
            break  # the first of a test tells enough
    return found


def _spread(places: Sequence[int], writes: int) -> Sequence[int]:
    """Return the places at which the engine dies: fewer where a test is long."""
    many = max(FEWEST_DEATHS, MOST_WRITES // max(1, writes))
    if len(places) <= many:
        return places
    return sorted({places[index * len(places) // many] for index in range(many)})


def _killed(
    code: CompiledRunbook,
    first: Played,
    rules: Promises,
    found: Paths,
    tree: Tree,
    line: int,
) -> Iterator[Failure]:
    crashes = sum(one.do == "crash" for one in first.drill.test.events)
    if crashes + 1 >= MOST_CRASHES:
        return
    for write in _spread(first.kills_at, first.writes):
        in_flight = write in first.acts_at
        kill = Kill(write, stored=not in_flight)
        played = play(code, replace(first.drill, kills=(kill,)))
        problems = [one.told for one in judged(played, rules)]
        if in_flight:
            found.in_flight += 1
        else:
            found.deaths += 1
            problems += [one for one in played.problems if one not in problems]
        if problems:
            name = f"{first.drill.test.name}, where {killed(kill)}"
            story = story_of(played.told.entries, tree)
            yield Failure(name, line, "; ".join(problems), story)
