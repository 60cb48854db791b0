"""What `rehearse` shows beside the tests: every path, and drills made by chance.

Read by: rehearsals.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.entrypoints.cli.proofs import counted
from engine.testing.faulting import rules_told
from engine.testing.story import as_values, script_of, story_of
from engine.views.escape import visible

if TYPE_CHECKING:
    from engine.language.tree import Tree
    from engine.testing.every_path import Failure, Paths
    from engine.testing.faulting import Faulted, Violation


def paths_text(file: Path, paths: "Paths", took: float) -> list[str]:
    """Return the lines for people."""
    word = "FAILED" if paths.failures else "ok"
    clauses = _many(paths.clauses, "`always` clause")
    tests, deaths = _many(paths.tests, "test"), _many(paths.deaths, "place")
    flying, dying = _many(paths.in_flight, "place"), "the engine dying at"
    return [
        f"{word:<6}  {file}: every path in {took:.1f}s",
        f"        walked  {counted(paths.proof)}",
        f"        judged  on each: {clauses}, approvals, times, what an end holds",
        f"        judged  what {tests} expect, {dying} {deaths} between acts",
        f"        judged  `always` and the judge, {dying} {flying} in an act",
        *(row for one in paths.failures for row in _failed(file, one)),
    ]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _failed(file: Path, one: "Failure") -> Iterator[str]:
    yield f"        > {file}:{one.line}: {visible(one.name)}: {visible(one.told)}"
    yield from (f"        {visible(row)}" for row in one.story)


def paths_object(file: Path, paths: "Paths", took: float) -> dict[str, Any]:
    """Return it for programs."""
    proof = paths.proof
    return {
        "file": str(file),
        "passed": not paths.failures,
        "seconds": round(took, 3),
        "states": proof.states,
        "moves": proof.moves,
        "paths": proof.paths,
        "ends": proof.ends,
        "always": paths.clauses,
        "tests": paths.tests,
        "deaths": paths.deaths,
        "deaths_in_flight": paths.in_flight,
        "failures": [
            {"name": one.name, "line": one.line, "told": one.told, "story": one.story}
            for one in paths.failures
        ],
    }


def faults_text(file: Path, found: "Faulted", tree: "Tree") -> list[str]:
    """Return the lines for people."""
    word = "FAILED" if found.violations else "ok"
    ends = ", ".join(f"{end} {many}" for end, many in sorted(found.ends.items()))
    drills, writes = _many(found.runs, "drill"), _many(found.writes, "write")
    rows = [
        f"{word:<6}  {file}: {drills} by chance, seed={found.seed}: {ends}",
        f"        {writes}, killed at {found.kills}",
        f"        judged  {'; '.join(rules_told())}",
    ]
    for one in found.violations:
        rows += _violated(file, one, tree)
    return rows


def _violated(file: Path, one: "Violation", tree: "Tree") -> Iterator[str]:
    yield f"        > {one.rule}: {visible(one.told)}"
    yield f"          again: runbook rehearse {file} --faults seed={one.seed} runs=1"
    yield "          the shortest script found"
    yield from (f"        {visible(row)}" for row in script_of(one.played.drill))
    yield "          what happened"
    rows = story_of(one.played.told.entries, tree)
    yield from (f"        {visible(row)}" for row in rows)


def faults_object(file: Path, found: "Faulted", tree: "Tree") -> dict[str, Any]:
    """Return it for programs."""
    return {
        "file": str(file),
        "passed": not found.violations,
        "seed": found.seed,
        "runs": found.runs,
        "ends": dict(sorted(found.ends.items())),
        "writes": found.writes,
        "kills": found.kills,
        "violations": [
            {
                "rule": one.rule,
                "told": one.told,
                "seed": one.seed,
                "script": as_values(one.played.drill),
                "story": story_of(one.played.told.entries, tree),
            }
            for one in found.violations
        ],
    }
