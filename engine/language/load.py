"""From the text of a runbook to its model, with every problem located.

What is here: the order of the stages (text, YAML, kinds, model, lint) and what each
hands on. A stage with problems does not end it: slips are read as what was meant
(slips), what is wrong beyond that is left out (partial), and lint judges the rest.
What is not: the rules themselves. Nothing here opens a file.

Read by: runtime (the library of runbooks), the entry points, testing.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from pydantic import ValidationError

from engine.language.kinds import KindNaming
from engine.language.lint import lint
from engine.language.partial import Left, not_a_consequence, what_is_left
from engine.language.problems import Problem, in_order
from engine.language.pydantic_problems import Reporter, model_problems
from engine.language.slips import Slip, as_meant, places, slips_in, usable
from engine.language.tree import Tree, read_on
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook

SLUG: Final = re.compile(r"[a-z0-9-]+")  # another name has its own problem
ROUNDS: Final = 3  # what a slip hid may hold another one
SUFFIXES: Final = (".yaml", ".yml")
DEVICES: Final = frozenset(  # names that some file systems give to devices
    {"con", "prn", "aux", "nul"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)


@dataclass(frozen=True)
class Loaded:
    """What came of one text. `runbook` is None where any problem is an error."""

    runbook: Runbook | None
    problems: list[Problem]
    tree: Tree | None
    text: str
    revision: str  # SHA-256 of the bytes, in hexadecimal


def load_runbook(
    text: str | bytes,
    file: str,
    kinds: Kinds,
    *,
    stem: str | None = None,
    siblings: Mapping[str, Runbook] | None = None,
) -> Loaded:
    """Return the runbook, or every problem that keeps it from being one.

    Never raises, whatever the text.

    Args:
        text: What stands in the file.
        file: Its name, as problems show it.
        kinds: The kinds of checks and actions that may be used.
        stem: What `runbook` must be; left out: the stem of a `file` ending in .yaml.
        siblings: The other runbooks that `run` may name; left out: not judged.
    """
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    revision = hashlib.sha256(raw).hexdigest()
    tree, problems, dropped = read_on(text, file)
    if tree is None:
        return Loaded(None, problems, None, shown, revision)
    left, found, meant = _read(tree, file, kinds)
    found += _name_problems(tree, file, stem or _stem(file))
    if left is not None:
        said = lint(left.runbook, meant, file, kinds, siblings)
        found += not_a_consequence(said, left.removed, dropped, meant)
    told = {(it.line, it.column) for it in problems}
    problems = in_order(
        [*problems, *(it for it in found if (it.line, it.column) not in told)]
    )
    sound = not any(problem.severity == "error" for problem in problems)
    runbook = left.runbook if left is not None and sound else None
    return Loaded(runbook, problems, tree if not told else None, shown, revision)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the models make of a tree."""

    raw: dict[str, Any]
    problems: list[Problem]
    slips: list[Slip]
    runbook: Runbook | None = None
    error: ValidationError | None = None


def _read(
    tree: Tree, file: str, kinds: Kinds
) -> tuple[Left | None, list[Problem], Tree]:
    """Return what is left of the runbook, problems, and the tree with slips mended."""
    reading = _once(tree, file, kinds)
    told: list[Problem] = []
    for _ in range(ROUNDS):
        mended = usable(reading.slips, tree)
        if not mended:
            break
        at = places(tree, mended)
        told += [it for it in reading.problems if (it.line, it.column) in at]
        tree = as_meant(tree, mended)
        reading = _once(tree, file, kinds)
    told += reading.problems
    if reading.error is None:
        assert reading.runbook is not None
        return Left(reading.runbook), told, tree
    left = what_is_left(reading.raw, reading.error)
    if left is not None:
        told += model_problems(reading.error, tree, file, model=Runbook, only=left.late)
    return left, told, tree


def _once(tree: Tree, file: str, kinds: Kinds) -> _Reading:
    naming = KindNaming(tree, file, kinds)
    raw = naming.named(tree.value)
    try:
        runbook = Runbook.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        found = model_problems(error, tree, file, model=Runbook)
        slips = slips_in(error.errors(include_url=False), Runbook, tree.value)
        problems = naming.problems + found
        return _Reading(raw, problems, [*naming.slips, *slips], error=error)
    return _Reading(raw, naming.problems, naming.slips, runbook)


def _stem(file: str) -> str | None:
    path = PurePosixPath(file.replace("\\", "/"))
    return path.stem if path.suffix in SUFFIXES else None


def _name_problems(tree: Tree, file: str, stem: str | None) -> list[Problem]:
    report = Reporter(tree, file)
    name = tree.value.get("runbook")
    if not isinstance(name, str):
        return []
    if name in DEVICES:
        message = f"'{name}' is the name of a device on some systems"
        report.add(("runbook",), "name", message, "Choose another name.")
    elif stem is not None and name != stem and SLUG.fullmatch(name):
        message = f"the runbook is called '{name}', the file '{stem}'"
        hint = f"Write `runbook: {stem}`, or rename the file to {name}.yaml."
        report.add(("runbook",), "stem", message, hint)
    return report.problems
