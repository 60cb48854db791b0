"""`runbook prove`: what was walked, what holds, the worst-case times and their ways.

What `validate` says of a file as problems is told here at length. Nothing outside is
reached and nothing is done.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from engine.entrypoints.cli.choosing import config_of, library_of
from engine.entrypoints.cli.screen import PROBLEMS, say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.proof import Finding, Proof
    from engine.analysis.proof.story import Story
    from engine.language.tree import Tree

TIMES: Final = ("isolated", "mitigated", "silent", "total")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: runbook prove runbooks/disk-full.yaml --explain")(
        prove
    )


def prove(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Runbook files, or folders.")
    ],
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Also tell the way that takes longest."),
    ] = False,
    states: Annotated[
        int,
        typer.Option("--states", min=1, metavar="N", help="Walk at most so many."),
    ] = 100_000,
    format_: Annotated[
        Literal["text", "json"],
        typer.Option("--format", help="For people, or for programs."),
    ] = "text",
) -> None:
    """Walk every path of runbooks, and say what holds and how long it takes at most."""
    from engine.analysis import proof as proofs
    from engine.runtime.library import runbook_files

    library = library_of(config_of(context), paths)
    told, refused = [], False
    for file in dict.fromkeys(file for path in paths for file in runbook_files(path)):
        compiled = library.bundle(file.stem).compiled
        tree = library.loaded[file.stem].tree
        assert tree is not None
        began = time.perf_counter()
        proof = proofs.prove(compiled, most=states, explain=explain)
        took = time.perf_counter() - began
        refused = refused or bool(refusals(proof))
        limits = compiled.runbook.limits.time
        bounds = {name: getattr(limits, name) for name in TIMES}
        if format_ == "json":
            told.append(as_json(file, proof, bounds, tree, took))
        else:
            say("\n".join(as_text(file, proof, bounds, tree, took)))
    if format_ == "json":
        say_json(told)
    if refused:
        raise typer.Exit(PROBLEMS)


def as_text(
    file: Path, proof: "Proof", bounds: dict[str, Any], tree: "Tree", took: float
) -> list[str]:
    """Return the lines for people."""
    from engine.runtime.proving import place_of, story_lines

    rows = [f"{file}: {counted(proof)}, in {took:.1f}s"]
    for found in proof.findings:
        line = tree.position(place_of(found.about, tree)).line
        rows.append(f"  line {line}: {found.code}: {found.message}")
        rows += [f"  {one}" for one in story_lines(found.story, tree)]
    if proof.proved:
        rows += _table(proof, bounds)
    for name, way in proof.ways.items():
        rows += ["", f"  the longest way to '{name}'"]
        rows += story_lines(way, tree)
    return rows


def refusals(proof: "Proof") -> "Sequence[Finding]":
    """Return what keeps a runbook from being proved: all, where it was not walked.

    `validate` reports the same as errors, and the rest as warnings.
    """
    return [one for one in proof.findings if one.refuses or not proof.proved]


def counted(proof: "Proof") -> str:
    """Return what was walked, in words."""
    if not proof.proved:
        return "not proved"
    ends = ", ".join(f"{end} {many}" for end, many in sorted(proof.ends.items()))
    many = len(refusals(proof))
    told = f"{many} refused" if many else "proved"
    return (
        f"{told}: {proof.states:,} states, {proof.moves:,} moves, "
        f"{_many(proof.paths)} paths; ends {ends}"
    )


def _many(count: int) -> str:
    return f"{count:,}" if count < 1_000_000 else f"{count:.1e}"


def _table(proof: "Proof", bounds: dict[str, Any]) -> list[str]:
    from engine.model.values import format_duration

    rows = [f"  {'at worst':<10} {'takes':>10} {'limit':>10}"]
    for name in TIMES:
        limit = bounds[name]
        shown = format_duration(limit) if limit is not None else "-"
        rows.append(
            f"  {name:<10} {_length(getattr(proof.times, name)):>10} {shown:>10}"
        )
    if not proof.times.tight:
        rows.append(
            "  lists are walked with three members, longer ones bounded from above"
        )
    return rows


def _length(seconds: float) -> str:
    from datetime import timedelta

    from engine.model.values import format_duration

    return format_duration(timedelta(seconds=round(seconds)))


def as_json(
    file: Path, proof: "Proof", bounds: dict[str, Any], tree: "Tree", took: float
) -> dict[str, Any]:
    """Return a proof for programs; times in seconds."""
    from engine.runtime.proving import place_of

    return {
        "file": str(file),
        "proved": not refusals(proof),
        "states": proof.states,
        "moves": proof.moves,
        "paths": proof.paths,
        "ends": proof.ends,
        "seconds": round(took, 3),
        "times": {
            name: {
                "worst": getattr(proof.times, name),
                "limit": None if limit is None else limit.total_seconds(),
                "way": _told(proof.ways.get(name, ()), tree),
            }
            for name, limit in bounds.items()
        },
        "findings": [
            {
                "code": found.code,
                "refuses": found.refuses,
                "line": tree.position(place_of(found.about, tree)).line,
                "about": found.about,
                "message": found.message,
                "hint": found.hint,
                "story": _told(found.story, tree),
            }
            for found in proof.findings
        ],
    }


def _told(story: "Story", tree: "Tree") -> list[dict[str, Any]]:
    from engine.runtime.proving import place_of

    return [
        {
            "line": tree.position(place_of(one.step, tree)).line,
            "step": one.step,
            "told": one.told,
            "at": None if one.seconds < 0 else one.seconds,
        }
        for one in story
    ]
