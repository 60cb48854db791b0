"""Mistakes of tests/analysis/proof/mutating.py that are none, and why.

Read by: test_mutants.
"""

from typing import Final

HARMLESS: Final[dict[str, str]] = {
    # the beginning of a mutant's name to the reason
    "target widened: inputs.": (
        "No host, program or shell line is made of it, else lint refuses it: without its "
        "pattern it is still escaped for the place that it stands in."
    ),
    "time removed: ": (
        "The default of the format bounds it, and the worst cases are still inside "
        "`limits.time`, which the proof has shown of this very mutant."
    ),
    "unknown passes: diagnose/": (
        "A cause may take all that is not well: what it leads to is a workaround with "
        "its own gate, guard and way back, which are proved."
    ),
}
