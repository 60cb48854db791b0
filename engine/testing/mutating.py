"""How much a runbook's own tests notice: each mistake is put in, and the tests played.

Called by: the command line (`rehearse --mutants`), tests.
"""

from dataclasses import dataclass, field
from typing import Final

from engine.analysis.rehearsal.drill import Drill
from engine.analysis.rehearsal.mutants import Mutant, mutants
from engine.core.code import CompiledRunbook
from engine.core.compile import compile_runbook
from engine.errors import EngineError
from engine.testing.playing import own_drills, play, seldom_measured

MORE_SECONDS: Final = 3600.0  # a test may take so much longer with a mistake in it


@dataclass(slots=True)
class Mutated:
    """What the tests of one runbook found, and what they let live."""

    found: list[tuple[Mutant, str]] = field(default_factory=list)  # by which test
    alive: list[Mutant] = field(default_factory=list)

    @property
    def score(self) -> int:
        """Return how many of a hundred were found; of none, all were."""
        many = len(self.found) + len(self.alive)
        return 100 if not many else len(self.found) * 100 // many


def mutated(compiled: CompiledRunbook) -> Mutated:
    """Return which mistakes the runbook's own tests notice.

    What no longer compiles counts as found: `validate` says so.

    Raises:
        EngineError: the `alert` of a test is no body of its source, or a test fails
            without any mistake.
    """
    drills = own_drills(compiled)
    longest = 0.0
    for drill in drills:
        played = play(seldom_measured(compiled), drill)
        if played.problems:
            told = f"the test '{drill.test.name}' fails as it is"
            raise EngineError(f"{told}: no mistake can be told by it. Mend it first.")
        longest = max(longest, played.seen.seconds)
    others = {one.runbook.runbook: one.runbook for one in compiled.scopes[1:]}
    shown = Mutated()
    for mutant in mutants(compiled.runbook):
        try:
            code = compile_runbook(mutant.runbook, compiled.kinds, library=others)
        except EngineError:
            shown.found.append((mutant, "it does not compile"))
            continue
        by = _found_by(seldom_measured(code), mutant, drills, longest + MORE_SECONDS)
        if by:
            shown.found.append((mutant, by))
        else:
            shown.alive.append(mutant)
    return shown


def _found_by(
    code: CompiledRunbook, mutant: Mutant, drills: list[Drill], most: float
) -> str:
    """Return the name of the first test that fails, or nothing."""
    for drill in drills:
        wrong = _seen_otherwise(drill, mutant.passes)
        if play(code, wrong, most_seconds=most).problems:
            return drill.test.name
    return ""


def _seen_otherwise(drill: Drill, name: str) -> Drill:
    """Return the drill with a check's unknown turned into pass."""
    if not name:
        return drill
    script = drill.test.checks.get(name) or ["unknown"]
    seen = ["pass" if one in ("unknown", "slow") else one for one in script]
    return drill.but(checks=drill.test.checks | {name: seen})
