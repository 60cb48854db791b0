"""The proof: shipped runbooks, and made ones of 5 to 100 steps with two fan-outs.

Called by: the benchmarks, and tests/analysis/proof/test_proof_grows.py.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from engine.analysis.proof import Proof, prove
from engine.bootstrap import kinds
from engine.config import load_config
from engine.core.code import CompiledRunbook
from engine.core.compile import compile_runbook
from engine.model.runbook import Runbook
from engine.runtime.library import Library
from tests.benchmarks.figures import Figure

SHIPPED: Final = sorted(
    (Path(__file__).parent.parent.parent / "runbooks").glob("*.yaml")
)
STEPS: Final = (5, 10, 20, 40, 60, 100)
MOST_SECONDS: Final = {"shipped": 1.0, "60 steps": 10.0}
HEAD: Final = """
format: 1
runbook: made
title: made
owner: ops
severity: sev2
inputs: {hosts: {type: list, of: string, default: [a, b, c], pattern: '[a-z]+'}}
limits: {targets: {max: 3}}
checks:
  bad: {tcp: {host: 127.0.0.1, port: 9}, fresh_for: 5s}
  load: {tcp: {host: 127.0.0.1, port: 9}, fresh_for: 5s}
  ready: {tcp: {host: 127.0.0.1, port: 9}, fresh_for: 5s}
"""
BODY: Final = "{command: {argv: ['true']}, undo: {command: {argv: ['false']}}}"


def made(steps: int) -> CompiledRunbook:
    """Return a runbook of so many steps, two of them over each of three targets."""
    kinds_of = kinds(load_config())
    book = Runbook.model_validate(yaml.safe_load(text(steps)))
    return compile_runbook(book, kinds_of, revision="made")


def text(steps: int) -> str:
    """Return it as it is written: looks, waits, words, acts and their way back."""
    fan = [
        "{each: hosts, as: host, batch: 3, do: [{act: drain}]}",
        "{each: hosts, as: host, batch: [1, 100%], do: [{act: fill}]}",
    ]
    plain = [
        "{say: going on}",
        "{check: load}",
        "{wait: 10s}",
        "{check: ready, expect: pass, on_fail: by-hand}",
        "{act: shed, when: '!checks.load.ok'}",
        "{wait_for: ready, within: 1m, on_fail: by-hand}",
        "{act: move}",
    ]
    many = max(0, steps - len(fan) - 3)
    body = [plain[number % len(plain)] for number in range(many)]
    half = len(body) // 2
    work = [*body[:half], fan[0], *body[half:], fan[1]]
    actions = "\n".join(
        f"  {name}: {BODY}" for name in ("drain", "fill", "shed", "move")
    )
    rows = "\n".join(f"    - {step}" for step in work)
    return (
        f"{HEAD}actions:\n{actions}\n"
        "confirm: [{check: bad, expect: fail}]\n"
        f"workaround:\n  main:\n{rows}\n"
        "  by-hand: [{hand_over: ops}]\n"
        "diagnose: [{cause: [{name: known, when: '!checks.load.ok', workaround: main}, "
        "{name: unknown, workaround: by-hand}]}]\n"
        "restore: [{undo: all}]\n"
    )


def shipped(file: Path) -> CompiledRunbook:
    """Return a shipped runbook as code."""
    library = Library(kinds(load_config()))
    library.add_paths([file])
    return library.bundle(file.stem).compiled


def timed(compiled: CompiledRunbook) -> tuple[Proof, float]:
    """Return the proof, and the processor seconds that it took."""
    began = time.process_time()
    return prove(compiled), time.process_time() - began


def measure_proofs(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Yield seconds, states and paths a second; then how they grow with the steps."""
    for file in SHIPPED:
        proof, took = timed(shipped(file))
        yield from _figures(file.stem, proof, took, MOST_SECONDS["shipped"])
    for steps in STEPS[:4] if quick else STEPS:
        proof, took = timed(made(steps))
        limit = MOST_SECONDS["60 steps"]
        yield from _figures(f"{steps} steps, two fan-outs", proof, took, limit)


def _figures(name: str, proof: Proof, took: float, limit: float) -> Iterator[Figure]:
    told = "proved" if proof.proved and not proof.findings else "NOT PROVED"
    yield Figure(f"prove {name} ({told})", took, "s", limit, "s, the goal")
    yield Figure("  states", proof.states / took, "states/s", proof.states, "states")
    yield Figure("  paths", proof.paths / took, "paths/s", proof.paths, "paths")
