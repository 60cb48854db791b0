"""A file with several mistakes tells all of them in one go, and nothing that is not one."""

import os
import re
from functools import cache
from itertools import combinations

import pytest
from drafts import DRAFT, edited, problems_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shape_cases import SHAPES
from test_lint import ALL

from engine.model.kinds import Kinds

MISTAKES = {name: edits for name, (edits, _) in ALL.items()} | SHAPES
NAMES = sorted(MISTAKES)
SLICES = 8
SHARE = 1 if os.environ.get("ALL_PAIRS") else 8  # every eighth pair takes 6 s, not 50
UNKNOWN_SECTION = {  # what stands under an unknown key far from any is not judged
    ("a phase far off", name)
    for name in (
        "references: undo", "references: check beside undo", "references: wait_for",
        "names: step name twice", "amounts: undo of what has none",
        "amounts: hold longer than within", "reach: a step after the end", "step verb",
        "two verbs", "no verb", "step is text", "within",
    )
}  # fmt: skip
UNKNOWN_VALUE = {  # whether the second is one depends on what the first should have been
    ("severity", "references: raise downwards"),
    ("input type far off", "references: test with a value that does not fit"),
    ("input type far off", "bodies: default against the pattern"),
    ("act after_crash", "bodies: verify without done_when"),
    ("kind far off", "bodies: no pass"),
    ("two kinds", "outside: host of a tcp check"),
    ("references: on_fail", "references: jump cycle"),
}
NO_MISTAKE_ANY_MORE = {  # the one edit makes right, or otherwise wrong, what the other did
    ("names: unbound at one use", "references: jump cycle"),
    ("names: input shadows", "outside: host of a URL"),
    ("names: input shadows", "outside: host of a tcp check"),
    ("names: input shadows", "outside: program"),
    ("bodies: both", "phases: isolate without a way back"),
    ("bodies: choice without values", "outside: host of a URL"),
    ("bodies: choice without values", "outside: host of a tcp check"),
    ("bodies: min above max", "outside: host of a URL"),
    ("bodies: min above max", "outside: host of a tcp check"),
    ("references: agree", "amounts: more viewpoints needed than there are"),
    ("outside: host of a URL", "outside: secret in a message"),
}
EXCEPT = {
    frozenset(pair) for pair in UNKNOWN_SECTION | UNKNOWN_VALUE | NO_MISTAKE_ANY_MORE
}
Told = frozenset[tuple[str, str]]


def told(text: str, kinds: Kinds) -> Told:
    """Return code and message of every problem; numbers of lines are left out."""
    return frozenset(
        (it.code, re.sub(r"line \d+|item \d+", "…", it.message))
        for it in problems_of(text, kinds)
    )


@cache
def written(*names: str) -> str | None:
    """Return the draft with these mistakes; None where they change the same words."""
    texts = set()
    for order in (names, names[::-1]):
        text = DRAFT
        for name in order:
            try:
                text = edited(*MISTAKES[name], text=text)
            except AssertionError:
                return None
        texts.add(text)
    return texts.pop() if len(texts) == 1 else None


@pytest.fixture(scope="session")
def alone(kinds: Kinds) -> dict[str, Told]:
    """Return what each mistake is told as where it is the only one."""
    return {name: told(written(name) or "", kinds) for name in NAMES}


def surprise(names: tuple[str, ...], alone: dict[str, Told], kinds: Kinds) -> str:
    """Return what is hidden or told too much where these come together."""
    text = written(*names)
    found = told(text, kinds) if text is not None else frozenset()
    expected = frozenset[tuple[str, str]]().union(*(alone[name] for name in names))
    twice = any(code == "duplicate-key" for code, _ in found - expected)
    if text is None or twice or found == expected:
        return ""
    return f"{names} hidden: {expected - found} too much: {found - expected}"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(SLICES))
def test_a_mistake_hides_no_other(
    kinds: Kinds, alone: dict[str, Told], part: int
) -> None:
    """
    What each of two mistakes alone is told for is told for both together, in one go.

    Every eighth pair, and each that is excepted; with ALL_PAIRS=1 every one.
    """
    numbered = combinations(enumerate(NAMES), 2)
    pairs = [
        (first, second)
        for (one, first), (two, second) in numbered
        if one % SLICES == part
        and ((one + two) % SHARE == 0 or frozenset((first, second)) in EXCEPT)
    ]
    found = {frozenset(pair): surprise(pair, alone, kinds) for pair in pairs}
    wrong = {pair for pair, said in found.items() if said}

    assert [] == [found[pair] for pair in wrong if pair not in EXCEPT]
    assert {pair for pair in EXCEPT if pair in found} == wrong
    assert len([pair for pair in pairs if written(*pair)]) > len(pairs) * 0.9


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(names=st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True))
def test_any_few_mistakes_are_all_told(
    kinds: Kinds, alone: dict[str, Told], names: list[str]
) -> None:
    """
    Up to five mistakes of any sort in one file are told in one go.
    """
    if any(frozenset(pair) in EXCEPT for pair in combinations(names, 2)):
        return

    assert "" == surprise(tuple(sorted(names)), alone, kinds)


def test_each_is_one_mistake(alone: dict[str, Told]) -> None:
    """
    What is put into the draft is a mistake, and but for two a single one.
    """
    several = {name: len(said) for name, said in alone.items() if len(said) != 1}

    assert {
        "a top key far off": 2,  # it is unknown, and another is missing
        "reach: workarounds that lead only to each other": 2,
    } == several


def test_the_draft_is_without_mistakes(kinds: Kinds) -> None:
    """
    What the mistakes are put into has none.
    """
    assert frozenset() == told(DRAFT, kinds)
