"""CEL conditions: compiled with types, evaluated to a value or UNKNOWN.

What is here: which names a condition may use, what is wrong with it and where, and what
it gives for these bindings. UNKNOWN is never true and never false: a name without a
value, a missing key, a division by zero, NaN, or values of two types in one `==` make
the whole unknown, unless `&&`, `||`, `all` or `exists` can tell without it.

What is not: where values come from (core.names), what an unknown condition leads to.
Pure: the same source, types and bindings give the same answer.

`spelling` finds the names, `dialect` is the only module that knows the CEL library,
`values` prepares what goes in. Called by language (lint), core, analysis.
"""

from engine.expressions.compiling import Expression, Yields, compile_expression
from engine.expressions.patterns import matches
from engine.expressions.types import Types, observation_types, run_types
from engine.expressions.values import UNKNOWN, Unknown

__all__ = [
    "UNKNOWN",
    "Expression",
    "Types",
    "Unknown",
    "Yields",
    "compile_expression",
    "matches",
    "observation_types",
    "run_types",
]
