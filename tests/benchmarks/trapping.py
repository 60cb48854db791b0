"""How long each bomb and each trap is looked at before it is refused, with its line.

The same texts as the tests hold below 100 ms: files (F89), conditions (F92), texts
with logic in them (F90).
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from engine.errors import ExpressionProblem, TemplateProblem
from engine.expressions import compile_expression
from engine.language.tree import read_tree
from engine.templating import template_names
from tests.benchmarks.figures import Figure
from tests.expressions.test_refusals import BOMBS, TYPES
from tests.language.test_yaml_traps import TRAPS
from tests.templating.test_texts import REFUSED

TRIES: Final = 5
MOST_MS: Final = 100.0


def measure_traps(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return the best wall time of each file, and of the slowest of the others."""
    for name, (raw, _) in TRAPS.items():
        yield _figure(f"refused: {name}", _best(lambda raw=raw: read_tree(raw, "a")))
    took = {_short(source): _best(lambda s=source: _condition(s)) for source in BOMBS}
    slowest = max(took, key=lambda source: took[source])
    yield _figure(f"slowest of {len(took)} conditions: {slowest}", took[slowest])
    took = {_short(source): _best(lambda s=source: _text(s)) for source, _ in REFUSED}
    slowest = max(took, key=lambda source: took[source])
    yield _figure(f"slowest of {len(took)} texts: {slowest}", took[slowest])


def _best(refused: Callable[[], Any]) -> float:
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        refused()
        times.append(time.perf_counter() - began)
    return min(times)


def _figure(name: str, seconds: float) -> Figure:
    return Figure(name, seconds * 1e3, "ms", MOST_MS, "with its line", "< 100 ms")


def _short(source: str) -> str:
    return source if len(source) <= 20 else f"{source[:16]}… ({len(source):,})"


def _condition(source: str) -> None:
    try:
        compile_expression(source, TYPES)
    except ExpressionProblem:
        return
    raise AssertionError(f"taken: {source[:40]}")


def _text(source: str) -> None:
    try:
        template_names(source)
    except TemplateProblem:
        return
    raise AssertionError(f"taken: {source[:40]}")
