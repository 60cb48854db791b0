"""`runbook rehearse`: the tests of runbooks, every path, faults by chance.

It opens no journal and reaches nothing outside. Where a data folder is, it leaves a
word there that it was done: `doctor` asks how long ago.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from engine.entrypoints.cli.choosing import config_of, library_of
from engine.entrypoints.cli.screen import (
    PROBLEMS,
    coloured,
    say,
    say_json,
    tell,
    width,
    write_file,
    wrong_use,
)

if TYPE_CHECKING:
    from engine.bootstrap.rehearsing import Show
    from engine.entrypoints.cli.rehearsing import Case
    from engine.runtime.library import Library
    from engine.testing.playing import Played

NUMBERS: Final = re.compile(r"(seed|runs)=(.*)")
RUNS: Final = 100
MOST_STATES: Final = 100_000
EXAMPLES: Final = """Examples: runbook rehearse runbooks/ --junit rehearsals.xml ·
runbook rehearse runbooks/ --all-paths ·
runbook rehearse runbooks/disk-full.yaml --faults seed=7 runs=500 ·
runbook rehearse runbooks/disk-full.yaml --coverage --write ·
runbook rehearse runbooks/disk-full.yaml --mutants --at-least 80"""

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Runbook files, or folders.")
]
Only = Annotated[
    str, typer.Option("--only", metavar="TEXT", help="Tests whose name has it.")
]
AllPaths = Annotated[
    bool,
    typer.Option(
        "--all-paths",
        help="Also walk every path, and let the engine die wherever a test is.",
    ),
]
States = Annotated[
    int, typer.Option("--states", min=1, metavar="N", help="Walk at most so many.")
]
WithFaults = Annotated[
    bool,
    typer.Option(
        "--faults",
        help="Also play drills made by chance; beside it: seed=N runs=N.",
    ),
]
WithCoverage = Annotated[
    bool,
    typer.Option(
        "--coverage",
        help="Also say what no test takes, and the shortest test that would.",
    ),
]
Write = Annotated[
    bool,
    typer.Option("--write", help="Put those tests into the file; the rest stays."),
]
Mutants = Annotated[
    bool,
    typer.Option(
        "--mutants", help="Also say which mistakes the tests would not notice."
    ),
]
AtLeast = Annotated[
    int,
    typer.Option(
        "--at-least",
        min=0,
        max=100,
        metavar="PERCENT",
        help="Fail where --mutants finds fewer of a hundred mistakes.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs: the tests alone.")]
Format = Annotated[
    Literal["text", "json"],
    typer.Option("--format", help="For people, or all of it for programs."),
]
Junit = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="A JUnit report as well.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(rehearse)


def rehearse(
    context: typer.Context,
    paths: Paths,
    only: Only = "",
    all_paths: AllPaths = False,
    states: States = MOST_STATES,
    faults: WithFaults = False,
    coverage: WithCoverage = False,
    write: Write = False,
    mutants: Mutants = False,
    at_least: AtLeast = 0,
    json_: Json = False,
    format_: Format = "text",
    junit: Junit = None,
) -> None:
    """Play the tests of runbooks in virtual time; nothing outside is touched."""
    from engine.bootstrap.rehearsing import kept, played
    from engine.runtime.library import runbook_files

    if junit == "":
        wrong_use("--junit names no file")
    if states != MOST_STATES and not (all_paths or coverage or write):
        wrong_use("--states stands beside --all-paths or --coverage")
    paths, numbers = _numbers(paths, faults=faults)
    config = config_of(context)
    library = library_of(config, paths)
    files = list(dict.fromkeys(one for path in paths for one in runbook_files(path)))
    shows = [one for file in files for one in played(library, file, only)]
    if not only:
        with suppress(OSError):  # a folder that may not be written is no problem here
            kept(config, library, shows)
    found = Found(library, shows)
    if all_paths:
        found.take("paths", files, lambda one: _every_path(found, one, states))
    if faults:
        found.take("faults", files, lambda one: _by_chance(found, one, numbers))
    if coverage or write:
        found.take("coverage", files, lambda one: _untaken(found, one, states, write))
    if mutants or at_least:
        found.take("mutants", files, lambda one: _mistakes(found, one, at_least))
    _tell(found, junit, as_list=json_, as_json=format_ == "json")


@dataclass(slots=True)
class Found:
    """What was found, in the forms in which it is told."""

    library: "Library"
    shows: "list[Show]"
    rows: list[str] = field(default_factory=list)
    objects: dict[str, list[Any]] = field(default_factory=dict)
    cases: "list[Case]" = field(default_factory=list)
    failed: bool = False
    drills: "dict[Path, list[Played]]" = field(default_factory=dict)

    def take(self, name: str, files: list[Path], one: Callable[[Path], "Part"]) -> None:
        """Look at every file in one way."""
        self.objects[name] = []
        for file in files:
            part = one(file)
            self.rows += part.rows
            self.objects[name].append(part.value)
            self.cases += part.cases
            self.failed = self.failed or not part.passed


@dataclass(frozen=True, slots=True)
class Part:
    """What one way of looking showed of one file."""

    rows: list[str]
    value: dict[str, Any]
    cases: "list[Case]"
    passed: bool


def _numbers(paths: list[Path], *, faults: bool) -> tuple[list[Path], dict[str, int]]:
    """Return the paths, and what is said of `--faults` among them."""
    numbers: dict[str, int] = {}
    left = []
    for path in paths:
        pair = NUMBERS.fullmatch(str(path)) if faults else None
        if pair is None:
            left.append(path)
        elif not pair[2].isdigit() or int(pair[2]) < (pair[1] == "runs"):
            wrong_use(f"'{path}' is no number: write seed=7 or runs=500")
        else:
            numbers[pair[1]] = int(pair[2])
    if not left:
        wrong_use("name a runbook file, or a folder of them, beside --faults")
    if "seed" not in numbers:
        numbers["seed"] = time.time_ns() % 1_000_000
    return left, {"runs": RUNS} | numbers


def _every_path(found: Found, file: Path, most: int) -> Part:
    from engine.entrypoints.cli.drilled import paths_object, paths_text
    from engine.entrypoints.cli.rehearsing import Case
    from engine.testing.every_path import all_paths

    compiled = found.library.bundle(file.stem).compiled
    tree = found.library.loaded[file.stem].tree
    assert tree is not None
    began = time.perf_counter()
    paths = all_paths(compiled, tree, most=most)
    took = time.perf_counter() - began
    rows = paths_text(file, paths, took)
    told = rows if paths.failures else ()
    case = Case(file.stem, str(file), "every path", took, told)
    return Part(rows, paths_object(file, paths, took), [case], not paths.failures)


def _by_chance(found: Found, file: Path, numbers: dict[str, int]) -> Part:
    from engine.entrypoints.cli.drilled import faults_object, faults_text
    from engine.entrypoints.cli.rehearsing import Case
    from engine.testing.faulting import drilled

    compiled = found.library.bundle(file.stem).compiled
    tree = found.library.loaded[file.stem].tree
    assert tree is not None
    began = time.perf_counter()
    drills = drilled(compiled, seed=numbers["seed"], runs=numbers["runs"])
    took = time.perf_counter() - began
    found.drills[file] = drills.drills
    rows = faults_text(file, drills, tree)
    name = f"faults seed={numbers['seed']} runs={numbers['runs']}"
    case = Case(file.stem, str(file), name, took, rows if drills.violations else ())
    return Part(rows, faults_object(file, drills, tree), [case], not drills.violations)


def _untaken(found: Found, file: Path, most: int, write: bool) -> Part:
    from engine.entrypoints.cli.measured import covered_object, covered_text
    from engine.testing.covering import covered, written

    compiled = found.library.bundle(file.stem).compiled
    loaded = found.library.loaded[file.stem]
    assert loaded.tree is not None
    seen = covered(compiled, most=most, drills=found.drills.get(file, ()))
    rows = covered_text(file, seen, loaded.tree)
    if write and seen.tests:
        written(loaded, file, compiled, seen.tests)
        rows.append(f"        {len(seen.tests)} tests were written into {file}")
    return Part(rows, covered_object(file, seen, loaded.tree), [], passed=True)


def _mistakes(found: Found, file: Path, least: int) -> Part:
    from engine.entrypoints.cli.measured import mutants_object, mutants_text
    from engine.entrypoints.cli.rehearsing import Case
    from engine.testing.mutating import mutated

    compiled = found.library.bundle(file.stem).compiled
    tree = found.library.loaded[file.stem].tree
    assert tree is not None
    began = time.perf_counter()
    shown = mutated(compiled)
    took = time.perf_counter() - began
    rows, enough = mutants_text(file, shown, tree), shown.score >= least
    name = f"mistakes found: {shown.score}%, at least {least}%"
    case = Case(file.stem, str(file), name, took, () if enough else rows)
    return Part(rows, mutants_object(file, shown, tree), [case], enough)


def _tell(found: Found, junit: str | None, *, as_list: bool, as_json: bool) -> None:
    from engine.bootstrap.rehearsing import as_object
    from engine.entrypoints.cli.rehearsing import as_text, junit_xml

    shows = found.shows
    if junit:
        write_file(junit, junit_xml(shows, found.cases))
    tests = [as_object(one) for one in shows]
    if as_list:
        say_json(tests)
    elif as_json:
        say_json({"tests": tests} | found.objects)
    else:
        rows = [as_text(shows, width=width(), colour=coloured()), *found.rows]
        say("\n".join(rows))
    if not shows:
        tell("No test was played. Runbooks hold their rehearsals under `tests`.")
    if not shows or found.failed or any(one.problems for one in shows):
        raise typer.Exit(PROBLEMS)
