"""Whether a pattern is one that RE2 reads, and whether a text fits it as a whole.

Read by: inputs, rehearsals.
"""

from engine.expressions import matches, pattern_problem

__all__ = ["matches", "pattern_problem"]
