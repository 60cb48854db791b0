"""Load and compile many runbooks: what a start or a `validate` of a library costs.

Each has its own names and texts, so that nothing learned from one serves the next. The
limit is reading the YAML with PyYAML's C loader, which checks nothing.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from engine.core.compile import compile_runbook
from engine.language.load import load_runbook
from tests.benchmarks.figures import Figure
from tests.benchmarks.world import RUNBOOKS, registry

BOOKS: Final = 500


def texts(count: int) -> dict[str, str]:
    """Return runbooks by name, like `steady`, with their own names and numbers."""
    like = (RUNBOOKS / "steady.yaml").read_text(encoding="utf-8")
    made = {}
    for number in range(count):
        text = like.replace("runbook: steady", f"runbook: steady-{number}")
        for word in ("errors", "room", "release", "load", "backlog"):
            text = text.replace(word, f"{word}{number}")
        made[f"steady-{number}"] = text.replace("< 5.0", f"< {number + 5}.5")
    return made


def measure_compile(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return the seconds for all, and for one."""
    books = texts(BOOKS // 10 if quick else BOOKS)
    kinds = registry().kinds
    began = time.perf_counter()
    for text in books.values():
        yaml.load(text, Loader=yaml.CSafeLoader)
    read = time.perf_counter()
    runbooks = []
    for name, text in books.items():
        loaded = load_runbook(text, f"{name}.yaml", kinds)
        assert loaded.runbook is not None, [str(one) for one in loaded.problems]
        runbooks.append(loaded.runbook)
    loaded_at = time.perf_counter()
    for runbook in runbooks:
        compile_runbook(runbook, kinds)
    ended = time.perf_counter()
    count = len(books)
    yield Figure(
        f"load and compile {count} runbooks", ended - read, "s",
        read - began, "PyYAML reads them",
    )  # fmt: skip
    yield Figure("  load one", (loaded_at - read) / count * 1000, "ms")
    yield Figure("  compile one", (ended - loaded_at) / count * 1000, "ms")
