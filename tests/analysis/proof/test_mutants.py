"""Shipped runbooks made wrong in one place: the proof, lint, or their own tests say so.

`PROOF_MUTANTS=1` tries all of every shipped runbook; else some of one.
"""

import os
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import yaml

from engine.bootstrap import kinds
from engine.bootstrap.rehearsing import played
from engine.config import load_config
from engine.model.kinds import Kinds
from engine.runtime.library import Library
from engine.runtime.proving import judged
from tests.analysis.proof.harmless_mutants import HARMLESS
from tests.analysis.proof.mutating import mutants

ALL: Final = bool(os.environ.get("PROOF_MUTANTS"))
SHIPPED: Final = sorted(Path("runbooks").glob("*.yaml"))
TRIED: Final = SHIPPED if ALL else [Path("runbooks/tls-certificate.yaml")]
EVERY: Final = 1 if ALL else 12


@cache
def books() -> dict[str, list[tuple[str, str]]]:
    """Return the wrong forms of each runbook: what is wrong, and the text."""
    return {
        file.stem: [
            (name, yaml.safe_dump(book, sort_keys=False, width=1000))
            for name, book in mutants(yaml.safe_load(file.read_text()))
        ]
        for file in SHIPPED
    }


@cache
def known() -> Kinds:
    """Return the kinds that shipped runbooks use."""
    return kinds(load_config())


def found_by(text: str, file: Path) -> str:
    """Return what finds that a runbook is wrong: lint, tests, proof; or nothing."""
    file.write_text(text)
    library = Library(known())
    library.add_paths([file])
    if file in library.refused or any(
        one.severity == "error" for one in library.loaded[file.stem].problems
    ):
        return "lint"
    if any(one.problems for one in played(library, file, "")):
        return "tests"
    return "proof" if judged(library, file) else ""


@pytest.mark.parametrize("shipped", TRIED, ids=lambda file: file.stem)
def test_each_mistake_is_found(shipped: Path, tmp_path: Path) -> None:
    """
    A mistake that nothing finds is in the list of those that are none, with its reason.
    """
    found = {
        name: found_by(text, tmp_path / shipped.name)
        for name, text in books()[shipped.stem][::EVERY]
    }
    missed = [name for name, by in found.items() if not by]

    assert [] == [name for name in missed if not name.startswith(tuple(HARMLESS))]
    assert len(missed) < len(found)


def test_every_kind_of_mistake_is_made() -> None:
    """
    All shipped runbooks together give hundreds of wrong ones, of each of the six kinds.
    """
    names = [name for wrong in books().values() for name, _ in wrong]

    assert 6 == len({name.partition(":")[0] for name in names})
    assert len(names) > 150
