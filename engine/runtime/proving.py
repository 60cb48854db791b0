"""What `validate` says of one file: its own problems, then what can be shown of it.

Called by: entrypoints.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from engine.analysis.approvals import missing_approvals
from engine.analysis.between import Member, between
from engine.analysis.bounds import Bounds, bounds, surely
from engine.analysis.proof import prove
from engine.analysis.proof.proving import HINTS
from engine.errors import EngineError
from engine.language.load import load_runbook
from engine.language.problems import Problem, in_order
from engine.language.pydantic_problems import Reporter
from engine.language.tree import Tree
from engine.model.values import format_duration
from engine.runtime.library import lawful

if TYPE_CHECKING:
    from engine.analysis.proof import Finding
    from engine.analysis.proof.story import Story
    from engine.analysis.proof.times import Times
    from engine.core.code import CompiledRunbook
    from engine.language.load import Loaded
    from engine.runtime.library import Library

WALKED: Final = 4_000  # states of one runbook; `runbook prove` walks on
CODES: Final = frozenset(
    {"approval", "always", "held", "loop", "time", "unreached", "not-proved", "unknown"}
)
DEFECT: Final = "engine"  # the code of what no runbook could bring about


@dataclass(frozen=True, slots=True)
class Worst:
    """How long a runbook takes at most, in seconds, and how that is known."""

    isolated: float
    mitigated: float
    total: float
    known: Literal["proved", "bounded"]

    @property
    def words(self) -> str:
        """Return how it is known, to stand behind `at worst`."""
        if self.known == "proved":
            return "proved on every path"
        return "bounded from above, not proved"


def worst_case(compiled: "CompiledRunbook") -> Worst:
    """Return the worst cases: of the proof, or of the runbook's shape alone.

    The proof's own are those of the longest paths. What is too large to walk, what goes
    round, and lists longer than those walked are only bounded from above.
    """
    proof = prove(compiled, most=WALKED)
    if proof.proved and proof.times.loop < 0:
        known: Literal["proved", "bounded"] = "proved"
        times: Times | Bounds = proof.times
        if not proof.times.tight:
            known = "bounded"
    else:
        times, known = bounds(compiled), "bounded"
    return Worst(times.isolated, times.mitigated, times.total, known)


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


def judged_text(library: "Library", text: str, name: str) -> list[Problem]:
    """Return the problems of a text as a runbook of that name, which is not kept.

    `run` may name what the library has.
    """
    others = {key: one for key, one in library.loaded.items() if key != name}
    files = {key: file for key, file in library.files.items() if key != name}
    known = {key: one.runbook for key, one in others.items() if one.runbook is not None}
    file = f"{name}.yaml"
    one = load_runbook(text, file, library.kinds, stem=name, siblings=known)
    aside = replace(library, loaded=others, files=files, refused={})
    aside.add(lawful(one, Path(file), library.forbidden), Path(file))
    return judged(aside, Path(file))


def judged_between(library: "Library", files: Sequence[Path]) -> list[Problem]:
    """Return what is wrong between the runbooks of these files, by place.

    What has errors of its own is left out; `run` may name what the library has.
    """
    known = {}
    for name, one in library.loaded.items():
        if one.runbook is not None and one.tree is not None:
            file = str(library.files[name])
            known[name] = Member(file, one.runbook, one.tree)
    told = {str(file) for file in files}
    named = [one for one in known.values() if one.file in told]
    return between(named, known, library.kinds)


def together(own: Sequence[Problem], among: Sequence[Problem]) -> list[Problem]:
    """Return both, by place; where two say the same, the words name both files.

    What the proof of one runbook says of a debt keeps its story as the hint.
    """
    places = {(one.file, one.line, one.column, one.code): one for one in own}
    made = []
    for one in among:
        known = places.pop((one.file, one.line, one.column, one.code), None)
        severity = known.severity if known is not None else one.severity
        hint = known.hint if known is not None else one.hint
        made.append(replace(one, severity=severity, hint=hint))
    gone = {(one.file, one.line, one.column, one.code) for one in made}
    kept = [
        one for one in own if (one.file, one.line, one.column, one.code) not in gone
    ]
    return in_order([*kept, *made])


def _shown(
    compiled: "CompiledRunbook", loaded: "Loaded", file: str
) -> Iterator[Problem]:
    assert loaded.tree is not None
    tree, report = loaded.tree, Reporter(loaded.tree, file)
    without = missing_approvals(compiled)
    for one in without:
        report.add(step_path(one.step, tree), "approval", one.message)
    told = {one.step for one in without}
    proof = prove(compiled, most=WALKED)
    for found in proof.findings:
        if found.code != "approval" or found.about not in told:
            _add(report, found, tree)
    if not proof.proved:
        _late(compiled, report)
    yield from report.problems


def _add(report: Reporter, found: "Finding", tree: Tree) -> None:
    severity: Literal["error", "warning"] = "error" if found.refuses else "warning"
    code = found.code if found.code in CODES else DEFECT
    hint = "\n".join([found.hint, *story_lines(found.story, tree)])
    path = place_of(found.about, tree)
    report.add(path, code, found.message, hint, severity=severity)


def _late(compiled: "CompiledRunbook", report: Reporter) -> None:
    """Judge the times of a runbook that is too large to walk by its shape alone."""
    limits = compiled.runbook.limits.time
    most, least = bounds(compiled), surely(compiled)
    for name in ("isolated", "mitigated", "total"):
        limit = getattr(limits, name)
        if limit is None or getattr(most, name) <= limit.total_seconds():
            continue
        broken = getattr(least, name) > limit.total_seconds()
        shown = _length(getattr(least if broken else most, name))
        report.add(
            ("limits", "time", name),
            "time",
            f"the worst case to '{name}' {'is' if broken else 'may be'} {shown}, "
            f"the limit is {format_duration(limit)}",
            HINTS["time"],
            severity="error" if broken else "warning",
        )


def place_of(about: str, tree: Tree) -> list[str | int]:
    """Return where in the file something is that the proof speaks of."""
    head, _, rest = about.partition("/")
    if head == "always":
        return ["always", int(rest)]
    if head == "actions":
        name, _, key = rest.partition("/")
        return ["actions", name, key]
    if head == "time":
        return ["limits", "time", rest]
    if "#" in about:
        step, _, index = about.partition("#")
        path = step_path(step, tree)
        return path if ">" in step else [*path, "cause", int(index)]
    return step_path(about, tree) if about else []


def story_lines(story: "Story", tree: Tree) -> Iterator[str]:
    """Yield a story as it is read: line, step, what happens; with times, when."""
    for number, chapter in enumerate(story, 1):
        line = tree.position(place_of(chapter.step, tree)).line
        when = f" {_length(chapter.seconds):>9}" if chapter.seconds >= 0 else ""
        yield f"  {number:>3}.{when} line {line:<4} {chapter.name}: {chapter.told}"


def _length(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))


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
