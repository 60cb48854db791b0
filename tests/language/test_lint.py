"""Lint: each mistake of the tables is one problem at its place."""

import pytest
from drafts import edited, problems_of, seen
from reference_cases import REFERENCES
from rule_cases import AMOUNTS, BODIES, NAMES, OUTSIDE, PHASES, REACH

from engine.model.kinds import Kinds

ALL = {
    f"{group}: {name}": case
    for group, cases in (
        ("references", REFERENCES),
        ("names", NAMES),
        ("phases", PHASES),
        ("bodies", BODIES),
        ("amounts", AMOUNTS),
        ("outside", OUTSIDE),
        ("reach", REACH),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_a_mistake_is_one_problem_at_its_place(kinds: Kinds, name: str) -> None:
    """
    Each mistake is told once, where it stands; messages of other modules are not fixed.
    """
    edits, expected = ALL[name]

    found = seen(problems_of(edited(*edits), kinds))

    blank = [
        (code, message if wanted[1] else "", at if wanted[2] else "")
        for (code, message, at), wanted in zip(found, expected, strict=False)
    ]
    assert expected == blank
    assert len(expected) == len(found)
