"""A file with two mistakes tells both in one go, and nothing that is not one."""

import re

import pytest
from drafts import DRAFT, edited, problems_of
from test_lint import ALL

from engine.model.kinds import Kinds

SHAPES = {
    "unknown top key": ("owner: storage", "ownr: storage"),
    "severity": ("severity: sev3", "severity: sev9"),
    "input type": ("host: {type: string, from", "host: {type: strng, from"),
    "check timeout": (
        "    pass: value < 90.0",
        "    timeout: 5\n    pass: value < 90.0",
    ),
    "act after_crash": ("after_crash: verify", "after_crash: never"),
    "step key": ("{act: clean, on_fail: by-hand}", "{act: clean, onfail: by-hand}"),
    "step verb": ("{undo: all}", "{undoo: all}"),
    "ask fields": ("fields: {fixed: boolean}", "fields: {fixed: bool}"),
    "within": ("within: 5m", "within: 5"),
    "test expect": ("expect: {end: resolved", "expect: {end: solved"),
    "port": ("port: 22}", "port: abc}"),
    "phase is no list": ("  - {undo: all}\n", "  - undo\n"),
}
AFTER = {  # told once the first mistake is repaired: they are about the same entry
    ("severity", "references: raise downwards"),
    ("input type", "references: from"),
    ("input type", "references: test with a value that does not fit"),
    ("input type", "bodies: default against the pattern"),
    ("check timeout", "bodies: no pass"),
    ("check timeout", "names: condition with an unknown name"),
    ("act after_crash", "bodies: verify without done_when"),
    ("step key", "references: jump cycle"),
    ("step verb", "phases: continue on a gate"),
    ("phase is no list", "phases: continue on a gate"),
    ("ask fields", "phases: act in confirm"),
}


def told(text: str, kinds: Kinds) -> frozenset[tuple[str, str]]:
    """Return code and message of every problem; numbers of lines are left out."""
    return frozenset(
        (it.code, re.sub(r"line \d+", "line", it.message))
        for it in problems_of(text, kinds)
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_a_wrong_shape_hides_no_other_mistake(kinds: Kinds, shape: str) -> None:
    """
    What each of two mistakes alone would be told for is told for both together.
    """
    change = SHAPES[shape]
    found, expected = {}, {}
    for name, (edits, _) in ALL.items():
        try:
            both = edited(*edits, text=edited(change))
        except AssertionError:
            continue  # both change the same words
        found[name] = told(both, kinds)
        expected[name] = told(edited(change), kinds) | told(edited(*edits), kinds)
    differing = {name for name in found if found[name] != expected[name]}

    assert {name for one, name in AFTER if one == shape} == differing
    assert all(found[name] < expected[name] for name in differing)
    assert len(found) > len(ALL) * 0.8


def test_the_draft_is_without_mistakes(kinds: Kinds) -> None:
    """
    What the mistakes are put into has none.
    """
    assert frozenset() == told(DRAFT, kinds)
