"""What `validate` says of one file: its own problems, then what can be shown of it.

Read by: authoring.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from engine.analysis.approvals import missing_approvals
from engine.analysis.bounds import bounds, surely
from engine.errors import EngineError
from engine.language.problems import Problem, in_order
from engine.language.pydantic_problems import Reporter
from engine.language.tree import Tree
from engine.model.values import format_duration

if TYPE_CHECKING:
    from engine.core.code import CompiledRunbook
    from engine.language.load import Loaded
    from engine.runtime.library import Library


def judged(library: "Library", file: Path) -> list[Problem]:
    """Return the problems of a file that the library has read."""
    refused = library.refused.get(file)
    if refused is not None:
        return list(refused.problems)
    name = file.stem  # another name is a problem
    loaded = library.loaded[name]
    problems = list(loaded.problems)
    try:
        compiled = library.bundle(name).compiled
    except EngineError as error:
        return [*problems, Problem(str(file), 1, 1, "error", "compile", str(error))]
    return in_order([*problems, *_shown(compiled, loaded, str(file))])


def _shown(
    compiled: "CompiledRunbook", loaded: "Loaded", file: str
) -> Iterator[Problem]:
    assert loaded.tree is not None
    report = Reporter(loaded.tree, file)
    for one in missing_approvals(compiled):
        path = step_path(one.step, loaded.tree)
        report.add(path, "approval", one.message)
    yield from report.problems
    yield from _late(compiled, loaded.tree, file)


def _late(compiled: "CompiledRunbook", tree: Tree, file: str) -> Iterator[Problem]:
    limits = compiled.runbook.limits.time
    most, least = bounds(compiled), surely(compiled)
    report = Reporter(tree, file)
    for name in ("isolated", "mitigated", "total"):
        limit = getattr(limits, name)
        if limit is None or getattr(most, name) <= limit.total_seconds():
            continue
        broken = getattr(least, name) > limit.total_seconds()
        seconds = getattr(least if broken else most, name)
        shown = format_duration(timedelta(seconds=round(seconds)))
        report.add(
            ("limits", "time", name),
            "time",
            f"the worst case to '{name}' {'is' if broken else 'may be'} {shown}, "
            f"the limit is {format_duration(limit)}",
            "Shorten a `within`, `timeout`, `attempts` or `retry` on the way there, "
            "or raise the limit.",
            # what is only bounded from above may never happen: no error
            severity="error" if broken else "warning",
        )
    yield from report.problems


def step_path(step: str, tree: Tree) -> list[str | int]:
    """Return where a step of the compiled runbook stands: `workaround.by-hand/2.1`.

    For a step inside a sub-runbook, where that one is run.
    """
    phase, _, numbers = step.partition(">")[0].rpartition("/")
    path: list[str | int] = list(phase.split(".", 1))
    for number in numbers.split("."):
        if not number.isdigit():
            return path
        path = _inside(path, tree)
        path.append(int(number) - 1)
    return path


def _inside(path: Sequence[str | int], tree: Tree) -> list[str | int]:
    value = tree.at(path)
    if isinstance(value, dict):
        block = next((key for key in ("all", "do") if key in value), None)
        return [*path, block] if block else [*path]
    return [*path]
